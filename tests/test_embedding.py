"""Text becomes vectors with the model that ships: its prompts, its fingerprint, and what happens without it."""

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from knowledge import embedding
from knowledge.desk import SHIPPED_MODEL
from knowledge.embedding import BATCH, Embedder, ModelMissing
from knowledge.settings import PROJECT

SHIPPED = str(SHIPPED_MODEL)
QUESTION = "de gemeente reageert nergens op"
TEXTS = (
    "Het warmtenet wordt duurder dan beloofd.",
    "Wethouder",
    "Bewoners kregen na drie maanden nog steeds geen antwoord van de gemeente op hun plan voor de wijk.",
)


@pytest.fixture
def model_copy(tmp_path: Path) -> Path:
    """The shipped model in a directory of its own; the weights are linked until somebody changes them."""
    directory = tmp_path / "model"
    shutil.copytree(SHIPPED_MODEL, directory, copy_function=os.symlink)
    return directory


def replace(file: Path, content: bytes) -> None:
    """Give a linked file other content without touching the original."""
    file.unlink()
    file.write_bytes(content)


def emptied(directory: Path) -> None:
    shutil.rmtree(directory)
    directory.mkdir()


def cut(file: Path, size: int) -> None:
    replace(file, file.read_bytes()[:size])


def test_shipped_model_computes_in_full_precision(embedder: Embedder) -> None:
    kinds = {str(weights.dtype) for weights in embedder._model.state_dict().values() if weights.is_floating_point()}
    assert kinds == {"torch.float32"}
    vectors = embedder.queries([QUESTION])
    assert vectors.dtype == np.float32
    assert vectors.shape == (1, embedder.dimensions)
    assert embedder.dimensions > 100


def test_question_and_passage_get_the_prompt_of_the_model(embedder: Embedder) -> None:
    encode = embedder._model.encode
    plain = encode([QUESTION], prompt="", normalize_embeddings=True)[0]
    as_question = encode(["query: " + QUESTION], prompt="", normalize_embeddings=True)[0]
    as_passage = encode(["passage: " + QUESTION], prompt="", normalize_embeddings=True)[0]
    assert embedder.queries([QUESTION])[0] == pytest.approx(as_question, abs=1e-5)
    assert embedder.passages([QUESTION])[0] == pytest.approx(as_passage, abs=1e-5)
    assert np.abs(as_question - plain).max() > 1e-3
    assert np.abs(as_passage - plain).max() > 1e-3
    assert np.abs(as_passage - as_question).max() > 1e-3


def test_shipped_config_has_a_prompt_for_document_too() -> None:
    """sentence-transformers prefers `document` over `passage`, and saves an empty one by default."""
    prompts = json.loads((SHIPPED_MODEL / "config_sentence_transformers.json").read_text(encoding="utf-8"))["prompts"]
    assert prompts == {"query": "query: ", "passage": "passage: ", "document": "passage: "}


def test_vectors_have_length_one(embedder: Embedder) -> None:
    for vectors in (embedder.queries(TEXTS), embedder.passages(TEXTS), embedder.passages(["", "🙂", "\n", "x" * 9000])):
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.queries([]).shape == (0, embedder.dimensions)
    assert embedder.passages([]).shape == (0, embedder.dimensions)


def test_vectors_stay_in_the_order_of_the_texts_and_do_not_depend_on_the_batch(embedder: Embedder) -> None:
    alone = np.vstack([embedder.passages([text]) for text in TEXTS])
    among_others = embedder.passages([*TEXTS, *(f"Bericht {place} over iets anders." for place in range(BATCH))])
    backwards = embedder.passages(TEXTS[::-1])[::-1]
    assert among_others[: len(TEXTS)] == pytest.approx(alone, abs=1e-5)
    assert backwards == pytest.approx(alone, abs=1e-5)


def test_progress_ends_with_all_texts_done(embedder: Embedder) -> None:
    steps: list[tuple[int, int]] = []
    count = BATCH * 2 + 3
    embedder.passages(["ja"] * count, lambda done, all: steps.append((done, all)))
    assert steps == [(BATCH, count), (BATCH * 2, count), (count, count)]


def test_fingerprint_is_the_same_for_the_same_model_anywhere(embedder: Embedder, model_copy: Path) -> None:
    assert embedding.load(str(model_copy), SHIPPED).fingerprint == embedder.fingerprint


def test_fingerprint_tells_other_prompts_and_other_weights(embedder: Embedder, model_copy: Path) -> None:
    config = model_copy / "config_sentence_transformers.json"
    data = json.loads(config.read_text(encoding="utf-8"))
    original = config.read_bytes()
    data["prompts"]["query"] = "vraag: "
    replace(config, json.dumps(data).encode())
    other_prompt = embedding.load(str(model_copy), SHIPPED)
    assert other_prompt.name == str(model_copy)
    replace(config, original)
    weights = bytearray((model_copy / "model.safetensors").read_bytes())
    weights[len(weights) // 2 :: 2] = bytes(byte ^ 1 for byte in weights[len(weights) // 2 :: 2])
    replace(model_copy / "model.safetensors", bytes(weights))
    other_weights = embedding.load(str(model_copy), SHIPPED)
    assert other_weights.name == str(model_copy)
    assert len({embedder.fingerprint, other_prompt.fingerprint, other_weights.fingerprint}) == 3


DAMAGES: dict[str, Callable[[Path], None]] = {
    "empty directory": emptied,
    "cut weights": lambda model: cut(model / "model.safetensors", 30_000_000),
    "empty weights": lambda model: cut(model / "model.safetensors", 0),
    "no weights": lambda model: (model / "model.safetensors").unlink(),
    "weights that are something else": lambda model: replace(model / "model.safetensors", b"<!DOCTYPE html>" * 99),
    "cut config": lambda model: cut(model / "config.json", 99),
    "config that is a list": lambda model: replace(model / "config_sentence_transformers.json", b"[]"),
    "cut modules": lambda model: cut(model / "modules.json", 99),
    "modules that are a word": lambda model: replace(model / "modules.json", b'"x"'),
    "cut tokenizer": lambda model: cut(model / "tokenizer.json", 99_999),
    "tokenizer without its config": lambda model: (model / "tokenizer_config.json").unlink(),
    "no pooling": lambda model: shutil.rmtree(model / "1_Pooling"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_broken_model_directory_is_told_in_one_sentence(damage: str, model_copy: Path) -> None:
    DAMAGES[damage](model_copy)
    with pytest.raises(ModelMissing) as raised:
        embedding.load(str(model_copy), str(model_copy))
    sentence = str(raised.value)
    assert str(model_copy) in sentence
    assert "\n" not in sentence
    assert len(sentence) < 500


def test_missing_model_directory_is_told_in_one_sentence(tmp_path: Path) -> None:
    missing = str(tmp_path / "nergens")
    with pytest.raises(ModelMissing, match="There is no model directory"):
        embedding.load(missing, missing)


def test_broken_model_falls_back_to_the_shipped_one_with_a_warning(
    embedder: Embedder, model_copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut(model_copy / "model.safetensors", 1000)
    with caplog.at_level(logging.WARNING, "knowledge"):
        found = embedding.load(str(model_copy), SHIPPED)
    assert found.name == SHIPPED
    assert found.fingerprint == embedder.fingerprint
    assert [record.exc_info for record in caplog.records if record.name.startswith("knowledge")] == [None]
    assert "ships with Hordeloper is used instead" in caplog.text


def test_model_setting_left_empty_is_not_the_directory_we_are_in(
    embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(SHIPPED_MODEL)
    with pytest.raises(ModelMissing):
        embedding.load("", "")


def test_hub_that_cannot_be_reached_is_given_up_soon_and_without_a_traceback() -> None:
    """In a process of its own: whether to stay off line is decided when the hub's client is imported."""
    program = (
        "import logging, sys, time; logging.basicConfig(format='%(name)s %(message)s')\n"
        "import sentence_transformers; started = time.monotonic()\n"
        "from knowledge import embedding\n"
        f"found = embedding.load('nobody/no-such-model', {SHIPPED!r})\n"
        "print(found.name, time.monotonic() - started)"
    )
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0", "PYTHONPATH": str(PROJECT)}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | nowhere,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    name, seconds = done.stdout.split()
    assert name == SHIPPED
    assert float(seconds) < 30, f"of {time.monotonic() - started:.0f} seconds in all"
    assert "Traceback" not in done.stderr
    assert "nobody/no-such-model" in done.stderr
    assert "used instead" in done.stderr
