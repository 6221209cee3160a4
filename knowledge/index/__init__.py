"""Chroma (meaning) and BM25 (words) over the passages, kept in step with the library.

Everything here can be rebuilt from the cases, and is: when it is missing, stale, damaged or cannot be written.
"""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
from filelock import FileLock

from knowledge import dutch
from knowledge.embedding import Embedder, Progress, Vectors
from knowledge.index import dense, generations
from knowledge.index.dense import ChromaBroken, Collection, Dense
from knowledge.index.generations import ANALYSIS, SCHEMA, Generation, GenerationBroken, Manifest, digests
from knowledge.index.lexical import Lexical
from knowledge.passages import Passage

FOLDER_COLLECTION = "passages"
LARGEST_PATCH = 0.2
"""Up to this part of the passages may be new for the previous generation to be copied and changed, not made anew."""
LOCK_TIMEOUT = 1800.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Index:
    """What a search reads: passages with the arms that can rank them. Immutable; `stamp` names its content."""

    passages: tuple[Passage, ...]
    lexical: Lexical
    dense: Dense | None
    stamp: str
    _held: Generation | None = field(default=None, repr=False)

    @property
    def arms(self) -> tuple[str, ...]:
        return ("lexical",) if self.dense is None else ("lexical", "dense")

    def close(self) -> None:
        if self.dense is not None:
            self.dense.close()
        if self._held is not None:
            self._held.close()


@dataclass(frozen=True)
class Report:
    """What bringing the index in step changed, in cases."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    embedded: int
    """Passages that were embedded; the vectors of the others were kept."""
    on_disk: bool
    """False when the index directory cannot be written and the index lives in this process only."""


def words_only(directory: Path, passages: tuple[Passage, ...]) -> Index:
    """An index without the meaning arm, at once: from disk when what is there fits, else made in memory."""
    try:
        generation = generations.opened(directory)
    except GenerationBroken:
        return Index(passages, Lexical.of(passages), None, f"words-{_content(passages)}")
    try:
        if generation.manifest.is_of(passages):
            lexical = Lexical.load(generation.directory / "lexical")
            return Index(passages, lexical, None, f"words-{_content(passages)}")
    except (OSError, ValueError, KeyError) as error:
        log.warning("The word index on disk cannot be read and is made anew: %s", error)
    finally:
        generation.close()
    return Index(passages, Lexical.of(passages), None, f"words-{_content(passages)}")


def in_step(
    directory: Path,
    passages: tuple[Passage, ...],
    embedder: Embedder,
    *,
    chroma_url: str = "",
    rebuild: bool = False,
    progress: Progress = lambda done, all: None,
) -> tuple[Index, Report]:
    """The index of exactly these passages, brought in step first where it is not. Never raises for a broken index.

    `rebuild` embeds every passage again. When the directory cannot be written, an index that is in step is read from it,
    and otherwise the index is made in memory.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with FileLock(directory / "lock", timeout=LOCK_TIMEOUT):
            return _updated(directory, passages, embedder, chroma_url, rebuild, progress)
    except (OSError, GenerationBroken) as error:
        log.warning("The index cannot be kept in %s: %s", directory, error)
    return _read_only(directory, passages, embedder, chroma_url, progress)


def _updated(
    directory: Path,
    passages: tuple[Passage, ...],
    embedder: Embedder,
    chroma_url: str,
    rebuild: bool,
    progress: Progress,
) -> tuple[Index, Report]:
    """The work of `in_step` for the one process that holds the lock."""
    collection = _collection_name(passages, embedder) if chroma_url else FOLDER_COLLECTION
    previous = None
    try:
        previous = generations.opened(directory)
    except GenerationBroken as reason:
        if generations.current(directory) is not None:
            log.warning("The index is made anew: %s", reason)
    old = dict(previous.manifest.cases) if previous else {}
    fits = previous and previous.manifest.is_of(passages, embedder.fingerprint)
    if previous and fits and previous.manifest.collection == collection and not rebuild:
        try:
            return _kept(previous, passages, embedder, chroma_url), _report(old, passages, 0, on_disk=True)
        except (ChromaBroken, OSError, ValueError, KeyError) as reason:
            log.warning("The index is made anew: %s", reason)
    try:
        written = _write(directory, None if rebuild else previous, passages, embedder, chroma_url, collection, progress)
    finally:
        if previous:
            previous.close()
    index = _opened(generations.opened(directory), passages, chroma_url, exact_if_broken=True)
    unused = generations.remove_unused(directory)
    if chroma_url:
        try:
            dense.drop(chroma_url, [name for name in unused if name not in (collection, FOLDER_COLLECTION)])
        except ChromaBroken as error:
            log.warning("Old collections stay on the Chroma server: %s", error)
    return index, _report(old, passages, written, on_disk=True)


def _write(
    directory: Path,
    previous: Generation | None,
    passages: tuple[Passage, ...],
    embedder: Embedder,
    chroma_url: str,
    collection: str,
    progress: Progress,
) -> int:
    """Make a generation and point to it. Returns how many passages were embedded. Leaves nothing when it fails."""
    target = generations.new(directory)
    try:
        vectors, embedded = _vectors(previous, passages, embedder, progress)
        terms = _terms(previous, passages)
        Lexical.of(passages, terms).save(target / "lexical")
        np.save(target / "vectors.npy", vectors)
        generations.write_passages(target, passages, terms)
        if not chroma_url:
            _fill_folder(target / "chroma", previous, passages, vectors, embedder)
        else:
            _fill_server(chroma_url, collection, passages, vectors, embedder)
        manifest = Manifest(SCHEMA, ANALYSIS, embedder.fingerprint, embedder.space, collection, digests(passages), {})
        generations.finish(target, manifest)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return embedded


def _fill_folder(
    folder: Path, previous: Generation | None, passages: tuple[Passage, ...], vectors: Vectors, embedder: Embedder
) -> None:
    """Chroma's folder: for a small change a changed copy of the previous one, otherwise a new one."""
    if previous and previous.manifest.fingerprint == embedder.fingerprint:
        had = {(passage.id, passage.digest) for passage in previous.passages()}
        have = {(passage.id, passage.digest) for passage in passages}
        rows = [row for row, passage in enumerate(passages) if (passage.id, passage.digest) not in had]
        source = previous.directory / "chroma"
        if source.is_dir() and len(rows) <= LARGEST_PATCH * len(passages):
            # Under a name of its own: where Chroma failed to open a folder, this process cannot use that path again.
            aside = folder.with_name("patched")
            try:
                shutil.copytree(source, aside)
                gone = [id for id, _digest in had - have]
                dense.patch(aside, FOLDER_COLLECTION, gone, [passages[row] for row in rows], vectors[rows])
                Collection(aside, FOLDER_COLLECTION, passages, vectors).close()
                aside.rename(folder)
                return
            except (ChromaBroken, OSError) as reason:  # OSError: a reader's journal came or went while we copied
                log.warning("Chroma's folder is made anew: %s", reason)
                shutil.rmtree(aside, ignore_errors=True)
    try:
        dense.write(folder, FOLDER_COLLECTION, passages, vectors, embedder.space)
    except ChromaBroken as error:
        raise OSError(str(error)) from error


def _fill_server(
    url: str, collection: str, passages: tuple[Passage, ...], vectors: Vectors, embedder: Embedder
) -> None:
    """See to it that the server has the collection. One that is whole is left alone: others may be reading it."""
    try:
        Collection(url, collection, passages, vectors).close()
        return
    except ChromaBroken as reason:
        log.info("The collection is put on the Chroma server: %s", reason)
    try:
        dense.write(url, collection, passages, vectors, embedder.space)
    except ChromaBroken as error:
        log.warning("%s. Search compares all passages instead.", error)


def _kept(previous: Generation, passages: tuple[Passage, ...], embedder: Embedder, chroma_url: str) -> Index:
    """The index of a generation that is in step, and that the index holds from now on.

    Raises ChromaBroken when its folder is damaged. A generation is no worse for what a server lost: that is put back.
    """
    try:
        return _opened(previous, passages, chroma_url)
    except ChromaBroken:
        if not chroma_url:
            raise
    _fill_server(chroma_url, previous.manifest.collection, passages, previous.vectors(), embedder)
    return _opened(previous, passages, chroma_url, exact_if_broken=True)


def _read_only(
    directory: Path, passages: tuple[Passage, ...], embedder: Embedder, chroma_url: str, progress: Progress
) -> tuple[Index, Report]:
    try:
        generation = generations.opened(directory)
        if generation.manifest.is_of(passages, embedder.fingerprint):
            old = dict(generation.manifest.cases)
            index = _opened(generation, passages, chroma_url, exact_if_broken=True)
            return index, _report(old, passages, 0, on_disk=True)
        vectors, embedded = _vectors(generation, passages, embedder, progress)
        generation.close()
    except (GenerationBroken, OSError, ValueError, KeyError):
        vectors, embedded = _vectors(None, passages, embedder, progress)
    index = Index(
        passages, Lexical.of(passages), Dense(passages, vectors, None), f"memory-{_content(passages, embedder)}"
    )
    return index, _report({}, passages, embedded, on_disk=False)


def _opened(
    generation: Generation, passages: tuple[Passage, ...], chroma_url: str, *, exact_if_broken: bool = False
) -> Index:
    """The index of a generation that is held. Raises ChromaBroken unless exact comparison may stand in for Chroma."""
    vectors = generation.vectors()
    lexical = Lexical.load(generation.directory / "lexical")
    where = chroma_url or generation.directory / "chroma"
    collection = None
    try:
        collection = Collection(where, generation.manifest.collection, passages, vectors)
    except ChromaBroken as reason:
        if not exact_if_broken:
            raise
        log.warning("%s. Search compares all passages instead.", reason)
    return Index(passages, lexical, Dense(passages, vectors, collection), generation.directory.name, generation)


def _vectors(
    previous: Generation | None, passages: Sequence[Passage], embedder: Embedder, progress: Progress
) -> tuple[Vectors, int]:
    """Float32, (len(passages), dimensions), and how many of them had to be embedded."""
    vectors = np.empty((len(passages), embedder.dimensions), dtype=np.float32)
    known: dict[str, int] = {}
    if previous and previous.manifest.fingerprint == embedder.fingerprint:
        kept = previous.vectors()
        known = {passage.digest: row for row, passage in enumerate(previous.passages())}
    new = [row for row, passage in enumerate(passages) if passage.digest not in known]
    for row, passage in enumerate(passages):
        if passage.digest in known:
            vectors[row] = kept[known[passage.digest]]
    vectors[new] = embedder.passages([passages[row].text for row in new], progress)
    return vectors, len(new)


def _terms(previous: Generation | None, passages: Sequence[Passage]) -> list[list[str]]:
    """The analysed terms of each passage; those of unchanged texts are kept."""
    known: dict[str, list[str]] = {}
    if previous and previous.manifest.analysis == ANALYSIS:
        known = {passage.digest: terms for passage, terms in zip(previous.passages(), previous.terms(), strict=True)}
    return [known.get(passage.digest) or dutch.analysed(passage.text) for passage in passages]


def _collection_name(passages: Sequence[Passage], embedder: Embedder) -> str:
    """On a server a collection is named after what is in it, so that everybody with the same library shares it."""
    return f"hordeloper-{_content(passages, embedder)}"


def _content(passages: Sequence[Passage], embedder: Embedder | None = None) -> str:
    """Names what an index was made of."""
    content = f"{SCHEMA} {embedder and embedder.fingerprint} {sorted(digests(passages).items())}"
    return sha256(content.encode()).hexdigest()[:24]


def _report(old: dict[str, str], passages: Sequence[Passage], embedded: int, *, on_disk: bool) -> Report:
    now = digests(passages)
    return Report(
        added=tuple(id for id in now if id not in old),
        updated=tuple(id for id in now if id in old and old[id] != now[id]),
        removed=tuple(id for id in old if id not in now),
        unchanged=sum(old.get(id) == digest for id, digest in now.items()),
        embedded=embedded,
        on_disk=on_disk,
    )
