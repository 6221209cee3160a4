"""The index keeps itself in step, whatever happens to its directory: never an exception, never a wrong neighbour."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge import dutch, index
from knowledge.embedding import Embedder, Vectors
from knowledge.index import Index, Report, dense, generations
from knowledge.index.dense import ChromaBroken, Collection, Dense
from knowledge.index.generations import GenerationBroken
from knowledge.index.lexical import Lexical
from knowledge.passages import Passage
from knowledge.settings import PROJECT

Corpus = tuple[Passage, ...]

ASKED = {
    "elke keer weer een nieuwe projectleider": "assen-lariks-zeven-projectleiders",
    "coöperatie moet meedoen aan een aanbesteding": "stichtse-vecht-soco-aanz-aanbesteding",
    "vrijwilligers geven energieadvies bij mensen thuis": "aa-en-hunze-energiecoaches-voordeur",
}
WORDS = {"projectleiders": "assen-lariks-zeven-projectleiders", "rioolplanning": "wageningen-benedenbuurt-wow-riool"}


@contextmanager
def in_step(
    directory: Path, corpus: Corpus, embedder: Embedder, *, rebuild: bool = False
) -> Iterator[tuple[Index, Report]]:
    opened, report = index.in_step(directory, corpus, embedder, rebuild=rebuild)
    try:
        yield opened, report
    finally:
        opened.close()


def best(opened: Index, query: Vectors) -> list[str]:
    """The ids of the passages, nearest first, as the meaning arm has them."""
    assert opened.dense is not None
    similarity = opened.dense.similarities(query, opened.dense.near(query))
    return [opened.passages[row].id for row in np.argsort(-similarity, kind="stable") if not np.isnan(similarity[row])]


def assert_finds(opened: Index, embedder: Embedder, *, with_chroma: bool = True) -> None:
    """Both arms work and find the right case."""
    assert opened.dense is not None
    assert opened.arms == ("lexical", "dense")
    for question, case_id in ASKED.items():
        assert best(opened, embedder.queries([question])[0])[0].startswith(case_id + "/"), question
    for word, case_id in WORDS.items():
        scores = opened.lexical.scores([dutch.Weighted(term, 1.0) for term in dutch.terms(word)])
        assert len(scores) == len(opened.passages)
        assert opened.passages[int(scores.argmax())].case_id == case_id, word
    assert opened.dense.uses_chroma is with_chroma


def without(corpus: Corpus, case_id: str) -> Corpus:
    return tuple(passage for passage in corpus if passage.case_id != case_id)


def reworded(corpus: Corpus, case_id: str) -> Corpus:
    """One passage of a case says something else."""
    return tuple(
        passage._replace(text="De buren wilden een zwembad.")
        if (passage.case_id, passage.section) == (case_id, "result")
        else passage
        for passage in corpus
    )


def newest(directory: Path) -> Path:
    name = generations.current(directory)
    assert name is not None
    return directory / name


def generation_names(directory: Path) -> set[str]:
    return {entry.name for entry in directory.iterdir() if generations.NAME.fullmatch(entry.name)}


@pytest.fixture
def directory(built: Path, tmp_path: Path) -> Path:
    """A copy of the built index."""
    return Path(shutil.copytree(built, tmp_path / "index"))


# In step


def test_report_tells_what_was_added_updated_removed_and_kept(
    tmp_path: Path, corpus: Corpus, embedder: Embedder
) -> None:
    ids = sorted({passage.case_id for passage in corpus})
    first = without(corpus, ids[0])
    with in_step(tmp_path / "i", first, embedder) as (_opened, report):
        assert report == Report(tuple(ids[1:]), (), (), 0, len(first), on_disk=True)
    second = reworded(without(corpus, ids[1]), ids[2])
    with in_step(tmp_path / "i", second, embedder) as (opened, report):
        added = sum(passage.case_id == ids[0] for passage in corpus)
        assert report == Report((ids[0],), (ids[2],), (ids[1],), 3, added + 1, on_disk=True)
        assert opened.passages == second


def test_only_new_texts_are_embedded(directory: Path, corpus: Corpus, embedder: Embedder) -> None:
    moved = tuple(passage._replace(case_id="x-" + passage.case_id) for passage in corpus)
    with in_step(directory, moved, embedder) as (_opened, report):
        assert report.embedded == 0
    steps: list[tuple[int, int]] = []
    opened, report = index.in_step(
        directory, reworded(moved, moved[0].case_id), embedder, progress=lambda *done: steps.append(done)
    )
    opened.close()
    assert report.embedded == 1
    assert steps == [(1, 1)]


def test_unchanged_run_writes_nothing(directory: Path, corpus: Corpus, embedder: Embedder) -> None:
    def files() -> dict[str, int]:
        return {
            str(file): file.stat().st_mtime_ns
            for file in directory.rglob("*")
            if file.is_file() and file.suffix != ".sqlite3" and file.name != "lock"
        }

    before = files()
    with in_step(directory, corpus, embedder) as (opened, report):
        assert (report.unchanged, report.embedded) == (6, 0)
        assert_finds(opened, embedder)
    assert files() == before


def test_rebuild_embeds_everything_again(directory: Path, corpus: Corpus, embedder: Embedder) -> None:
    with in_step(directory, corpus, embedder, rebuild=True) as (opened, report):
        assert (report.unchanged, report.embedded) == (6, len(corpus))
        assert_finds(opened, embedder)


def test_stamp_names_the_content(tmp_path: Path, built: Path, corpus: Corpus, embedder: Embedder) -> None:
    """Pages keep answers by it: two indexes that answer differently must not share one."""
    fewer = without(corpus, corpus[0].case_id)
    nowhere = tmp_path / "file" / "index"
    nowhere.parent.touch()
    stamps = []
    for found in (corpus, fewer):
        stamps.append(index.words_only(tmp_path / "none", found).stamp)
        with in_step(nowhere, found, embedder) as (opened, _report):
            stamps.append(opened.stamp)
        with in_step(tmp_path / "i", found, embedder) as (opened, _report):
            stamps.append(opened.stamp)
    assert len(set(stamps)) == len(stamps)
    assert index.words_only(built, corpus).stamp == index.words_only(tmp_path / "none", corpus).stamp


def test_empty_library_has_an_index_that_grows_and_shrinks(tmp_path: Path, corpus: Corpus, embedder: Embedder) -> None:
    for found in ((), corpus, ()):
        for again in (False, True):
            with in_step(tmp_path / "i", found, embedder) as (opened, report):
                assert opened.passages == found
                assert report.on_disk
                assert (report.embedded == 0) or not again
                assert len(best(opened, embedder.queries(["warmte"])[0])) == len(found)


@pytest.mark.parametrize(
    ("field", "value", "embeds_all"),
    [("fingerprint", "another", True), ("schema", 0, True), ("schema", 99, True), ("analysis", "0.0", False)],
)
def test_other_model_layout_or_analysis_rebuilds_by_itself(
    field: str, value: object, embeds_all: bool, directory: Path, corpus: Corpus, embedder: Embedder
) -> None:
    change_manifest(directory, field, value)
    with in_step(directory, corpus, embedder) as (opened, report):
        assert report.embedded == (len(corpus) if embeds_all else 0)
        assert_finds(opened, embedder)
    with in_step(directory, corpus, embedder) as (_opened, report):
        assert (report.unchanged, report.embedded) == (6, 0)


def test_words_are_there_without_the_model(built: Path, tmp_path: Path, corpus: Corpus) -> None:
    for opened in (index.words_only(built, corpus), index.words_only(tmp_path, corpus)):
        assert opened.arms == ("lexical",)
        scores = opened.lexical.scores([dutch.Weighted(dutch.terms("projectleiders")[0], 1.0)])
        assert opened.passages[int(scores.argmax())].case_id == WORDS["projectleiders"]


def test_word_index_survives_saving(tmp_path: Path, corpus: Corpus) -> None:
    odd = (*corpus, Passage("x", "lesson", 0, "de het een"), Passage("x", "lesson", 1, "🙂"))
    made = Lexical.of(odd)
    made.save(tmp_path)
    loaded = Lexical.load(tmp_path)
    query = [dutch.Weighted(term, 0.7) for term in dutch.analysed("warmtenet bewoners gemeente")]
    assert len(made.scores(query)) == len(odd)
    assert np.array_equal(made.scores(query), loaded.scores(query))
    assert made.words == loaded.words


# Damage


def change_manifest(directory: Path, field: str, value: object) -> None:
    file = newest(directory) / "manifest.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    data[field] = value
    file.write_text(json.dumps(data), encoding="utf-8")


def cut(pattern: str, share: float) -> Callable[[Path], None]:
    """Keep this share of every file of the generation with such a name."""

    def damage(directory: Path) -> None:
        files = [file for file in newest(directory).rglob(pattern) if file.stat().st_size]
        assert files, pattern
        for file in files:
            os.truncate(file, int(file.stat().st_size * share))

    return damage


def garble(pattern: str) -> Callable[[Path], None]:
    """Turn over every bit of the middle third of every file of the generation with such a name."""

    def damage(directory: Path) -> None:
        files = [file for file in newest(directory).rglob(pattern) if file.stat().st_size]
        assert files, pattern
        for file in files:
            content = bytearray(file.read_bytes())
            third = slice(len(content) // 3, 2 * len(content) // 3)
            content[third] = bytes(byte ^ 255 for byte in content[third])
            file.write_bytes(content)

    return damage


def point_to(text: str) -> Callable[[Path], None]:
    return lambda directory: (directory / "current").write_text(text) and None  # type: ignore[func-returns-value]


def remove(pattern: str) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        found = list(newest(directory).rglob(pattern))
        assert found, pattern
        for entry in found:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    return damage


def half_written(directory: Path) -> None:
    """What a writer leaves that was killed before it wrote the manifest, and somebody pointed to it."""
    half = generations.new(directory)
    for name in ("passages.jsonl", "vectors.npy"):
        shutil.copy(newest(directory) / name, half)
    (directory / "current").write_text(half.name)


def chroma_folder(directory: Path) -> None:
    """Chroma's folder of the collection itself, the one with the neighbours."""
    for file in list(newest(directory).rglob("length.bin")):
        shutil.rmtree(file.parent)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "vectors cut": cut("vectors.npy", 0.5),
    "vectors empty": cut("vectors.npy", 0),
    "vectors garbled": garble("vectors.npy"),
    "manifest cut": cut("manifest.json", 0.5),
    "manifest gone": remove("manifest.json"),
    "manifest without files": lambda directory: change_manifest(directory, "files", {}),
    "manifest with odd cases": lambda directory: change_manifest(directory, "cases", "abc"),
    "passages cut": cut("passages.jsonl", 0.5),
    "passages garbled": garble("passages.jsonl"),
    "terms gone": remove("terms.jsonl"),
    "words cut": cut("words.json", 0.5),
    "word index garbled": garble("*.csc.index.npy"),
    "word index gone": remove("lexical"),
    "neighbours cut": cut("data_level0.bin", 0.5),
    "neighbours garbled": garble("data_level0.bin"),
    "lengths cut": cut("length.bin", 0.5),
    "all of Chroma's binary files cut": cut("*.bin", 0.3),
    "a binary file of Chroma gone": remove("header.bin"),
    "database cut": cut("chroma.sqlite3", 0.5),
    "database empty": cut("chroma.sqlite3", 0),
    "database garbled": garble("chroma.sqlite3"),
    "database gone": remove("chroma.sqlite3"),
    "collection gone": chroma_folder,
    "Chroma gone": remove("chroma"),
    "lease gone": remove("lease"),
    "half-written generation": half_written,
    "generation gone": lambda directory: shutil.rmtree(newest(directory)),
    "pointer to nowhere": point_to("0" * 32),
    "pointer out of the directory": point_to("../../../../etc"),
    "pointer to the lock": point_to("lock"),
    "pointer to everything": point_to("."),
    "pointer of odd signs": point_to("☃" * 10),
    "pointer without end": point_to("a" * 10_000),
    "pointer empty": lambda directory: os.truncate(directory / "current", 0),
    "pointer gone": lambda directory: (directory / "current").unlink(),
}


COVERED = {"words cut", "vectors empty", "passages cut", "neighbours cut", "manifest cut", "database garbled"} | {
    damage for damage in DAMAGES if damage.startswith("pointer ")
} - {"pointer to nowhere", "pointer out of the directory"}
"""Near twins of others: in the long run only."""


@pytest.mark.parametrize(
    "damage", [pytest.param(damage, marks=pytest.mark.soak if damage in COVERED else ()) for damage in DAMAGES]
)
def test_damage_is_noticed_and_mended(damage: str, directory: Path, corpus: Corpus, embedder: Embedder) -> None:
    DAMAGES[damage](directory)
    words = index.words_only(directory, corpus)
    assert words.lexical.scores([dutch.Weighted(dutch.terms("rioolplanning")[0], 1.0)]).max() > 0
    with in_step(directory, corpus, embedder) as (opened, report):
        assert report.on_disk
        assert_finds(opened, embedder)
        stamp = opened.stamp
    with in_step(directory, corpus, embedder) as (opened, report):
        assert (opened.stamp, report.unchanged, report.embedded) == (stamp, 6, 0)


@pytest.mark.parametrize("damage", ["vectors cut", "word index garbled", "all of Chroma's binary files cut"])
def test_damage_is_mended_when_the_library_changed_too(
    damage: str, directory: Path, corpus: Corpus, embedder: Embedder
) -> None:
    DAMAGES[damage](directory)
    changed = reworded(corpus, corpus[0].case_id)
    with in_step(directory, changed, embedder) as (opened, _report):
        assert_finds(opened, embedder)
        assert opened.passages == changed


def test_cut_neighbours_are_noticed_before_chroma_opens_them(directory: Path) -> None:
    """Chroma gives wrong neighbours for a cut length.bin without a word, and may take the process with it."""
    binaries = [file for file in newest(directory).rglob("*.bin") if file.stat().st_size]
    assert binaries
    for file in binaries:
        content = file.read_bytes()
        os.truncate(file, len(content) // 2)
        with pytest.raises(GenerationBroken, match="has changed"):
            generations.opened(directory)
        file.write_bytes(content)
    generations.opened(directory).close()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from([field.name for field in dataclasses.fields(generations.Manifest)]), value=anything)
def test_any_manifest_is_used_or_refused(field: str, value: object, built: Path, corpus: Corpus) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(shutil.copytree(built, Path(name) / "i", ignore=shutil.ignore_patterns("chroma")))
        change_manifest(directory, field, value)
        try:
            generation = generations.opened(directory)
        except GenerationBroken:
            return
        assert isinstance(generation.manifest.is_of(corpus, "x"), bool)
        dict(generation.manifest.cases)
        generation.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60))
def test_any_pointer_stays_inside_the_directory(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "current").write_bytes(content)
    name = generations.current(tmp_path)
    assert name is None or (tmp_path / name).resolve().parent == tmp_path.resolve()
    with pytest.raises(GenerationBroken):
        generations.opened(tmp_path)


def test_nobody_elses_folder_is_removed_from_the_index_directory(
    directory: Path, corpus: Corpus, embedder: Embedder
) -> None:
    """Somebody may point HORDELOPER_INDEX at a directory that has more in it, say a home directory."""
    for name in ("Documents", "cases", "deadbeef"):
        (directory / name).mkdir()
        (directory / name / "scriptie.txt").write_text("vier jaar werk")
    with in_step(directory, without(corpus, corpus[0].case_id), embedder):
        pass
    assert all((directory / name / "scriptie.txt").exists() for name in ("Documents", "cases", "deadbeef"))


# Where it cannot write


@pytest.mark.parametrize("where", ["below a file", "proc"])
def test_unwritable_directory_gives_an_index_in_memory(
    where: str, tmp_path: Path, corpus: Corpus, embedder: Embedder
) -> None:
    (tmp_path / "file").touch()
    directory = tmp_path / "file" / "index" if where == "below a file" else Path("/proc/hordeloper")
    with in_step(directory, corpus, embedder) as (opened, report):
        assert not report.on_disk
        assert report.embedded == len(corpus)
        assert_finds(opened, embedder, with_chroma=False)


def test_index_that_cannot_be_written_is_read(directory: Path, corpus: Corpus, embedder: Embedder) -> None:
    if subprocess.run(["chattr", "-R", "+i", str(directory)], capture_output=True).returncode:
        subprocess.run(["chattr", "-R", "-i", str(directory)], capture_output=True)
        pytest.skip("this file system or user cannot make files immutable")
    try:
        with in_step(directory, corpus, embedder) as (opened, report):
            assert (report.unchanged, report.embedded) == (6, 0)
            assert opened.stamp == generations.current(directory)
            assert opened.dense is not None
            assert_finds(opened, embedder, with_chroma=opened.dense.uses_chroma)
        changed = reworded(corpus, corpus[0].case_id)
        with in_step(directory, changed, embedder) as (opened, report):
            assert not report.on_disk
            assert report.embedded == 1
            assert opened.passages == changed
            assert_finds(opened, embedder, with_chroma=False)
    finally:
        subprocess.run(["chattr", "-R", "-i", str(directory)], check=True)


# Generations


def test_old_generations_are_removed(directory: Path, corpus: Corpus, embedder: Embedder) -> None:
    for case_id in sorted({passage.case_id for passage in corpus})[:3]:
        with in_step(directory, reworded(corpus, case_id), embedder):
            pass
        assert generation_names(directory) == {generations.current(directory)}


@pytest.mark.parametrize("changed", [False, True])
def test_generation_in_use_is_kept_until_it_is_closed(
    changed: bool, directory: Path, corpus: Corpus, embedder: Embedder
) -> None:
    """Also one that was only opened, because it was in step already."""
    ids = sorted({passage.case_id for passage in corpus})
    held, _report = index.in_step(directory, reworded(corpus, ids[0]) if changed else corpus, embedder)
    with in_step(directory, reworded(corpus, ids[1]), embedder):
        assert generation_names(directory) == {held.stamp, generations.current(directory)}
        assert held.dense is not None
        assert held.dense.uses_chroma
        assert_finds(held, embedder)
    held.close()
    with in_step(directory, reworded(corpus, ids[2]), embedder):
        assert generation_names(directory) == {generations.current(directory)}


def test_generation_that_another_process_reads_is_kept(directory: Path, corpus: Corpus, embedder: Embedder) -> None:
    program = (
        "import sys; from pathlib import Path; from knowledge.index import generations\n"
        "held = generations.opened(Path(sys.argv[1])); print(held.directory.name, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(directory)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(PROJECT)},
    ) as reader:  # fmt: skip
        assert reader.stdout
        held = reader.stdout.readline().strip()
        assert held
        with in_step(directory, reworded(corpus, corpus[0].case_id), embedder):
            assert held in generation_names(directory)
        reader.kill()
    with in_step(directory, corpus, embedder):
        assert held not in generation_names(directory)


# Chroma against exact comparison


def random_passages(count: int, seed: int) -> tuple[Corpus, Vectors]:
    vectors = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return tuple(Passage(f"c{row // 9}", "lesson", row % 9, f"text {row}") for row in range(count)), vectors


def test_neighbours_are_those_of_exact_comparison(
    directory: Path, corpus: Corpus, embedder: Embedder, tmp_path: Path
) -> None:
    with in_step(directory, corpus, embedder) as (opened, _report):
        vectors = embedder.passages([passage.text for passage in corpus])
        for question in (*ASKED, "geld", "wie beslist er nu eigenlijk", "riool"):
            query = embedder.queries([question])[0]
            exact = [corpus[row].id for row in np.argsort(-(vectors @ query), kind="stable")]
            assert best(opened, query)[:10] == exact[:10]
    many, vectors = random_passages(1_500, 1)
    dense.write(tmp_path / "many", "passages", many, vectors, "cosine")
    found = Dense(many, vectors, Collection(tmp_path / "many", "passages", many, vectors))
    for query in random_passages(30, 2)[1]:
        near = found.near(query)
        assert near.sum() == dense.NEIGHBOURS
        assert near[np.argsort(-(vectors @ query))[:10]].all()
    assert found.uses_chroma
    found.close()


def test_changed_chroma_folder_equals_a_fresh_one(
    directory: Path, corpus: Corpus, embedder: Embedder, tmp_path: Path
) -> None:
    ids = sorted({passage.case_id for passage in corpus})
    changed = without(reworded(reworded(corpus, ids[0]), ids[1]), ids[2])
    [collection] = [file.parent.name for file in newest(directory).rglob("length.bin")]
    with (
        in_step(directory, changed, embedder) as (patched, _),
        in_step(tmp_path / "fresh", changed, embedder) as (fresh, _),
    ):
        assert [file.parent.name for file in newest(directory).rglob("length.bin")] == [collection], (
            "it was not patched"
        )
        assert patched.dense is not None
        assert fresh.dense is not None
        assert patched.dense._collection is not None
        assert fresh.dense._collection is not None
        texts = {passage.id: passage.text for passage in changed}  # two of them say the same, in either order
        for question in (*ASKED, "zwembad", "een brief zonder antwoord"):
            query = embedder.queries([question])[0]
            one, other = (found._collection.nearest(query, 15) for found in (patched.dense, fresh.dense))
            assert [texts[id] for id in one] == [texts[id] for id in other]


def test_folder_from_which_most_was_taken_still_finds_all_that_is_left(tmp_path: Path) -> None:
    many, vectors = random_passages(1_200, 3)
    dense.write(tmp_path / "many", "passages", many, vectors, "cosine")
    left = list(range(0, len(many), 20))
    gone = [passage.id for row, passage in enumerate(many) if row not in left]
    dense.patch(tmp_path / "many", "passages", gone, [], vectors[:0])
    few = tuple(many[row] for row in left)
    found = Dense(few, vectors[left], Collection(tmp_path / "many", "passages", few, vectors[left]))
    assert all(found.near(query).all() for query in random_passages(10, 4)[1])
    assert found.uses_chroma
    found.close()


def test_collection_of_other_vectors_is_refused(tmp_path: Path) -> None:
    many, vectors = random_passages(60, 5)
    dense.write(tmp_path / "c", "passages", many, vectors, "cosine")
    others = random_passages(60, 6)[1]
    with pytest.raises(ChromaBroken, match="does not find"):
        Collection(tmp_path / "c", "passages", many, others)
    with pytest.raises(ChromaBroken, match="instead of"):
        Collection(tmp_path / "c", "passages", many[1:], vectors[1:])
    Collection(tmp_path / "c", "passages", many, vectors).close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_any_damage_to_the_database_is_a_chroma_broken_or_harmless(seed: int, tmp_path: Path) -> None:
    """Chroma's core panics for some of them, with what is not even an Exception."""
    random = np.random.default_rng(seed)
    original = tmp_path / "original"
    many, vectors = random_passages(60, 7)
    if not original.exists():
        dense.write(original, "passages", many, vectors, "cosine")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(original, Path(name) / "c"))
        database = folder / "chroma.sqlite3"
        content = bytearray(database.read_bytes())
        at = int(random.integers(16, len(content) - 4_000))
        content[at : at + 4_000] = random.bytes(4_000)
        database.write_bytes(content)
        try:
            collection = Collection(folder, "passages", many, vectors)
        except ChromaBroken:
            return
        assert len(Dense(many, vectors, collection).near(vectors[0])) == len(many)
        collection.close()
