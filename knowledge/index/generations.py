"""The index on disk: immutable generations, a pointer to the newest, one writer at a time.

    <index>/current            the name of the newest generation; replaced by an atomic rename
    <index>/lock               held by the one process that writes
    <index>/<generation>/      manifest.json, passages.jsonl, vectors.npy, terms.jsonl, lexical/, chroma/, lease

Nobody ever changes a generation after its manifest is written, which is the last thing to be written. A reader holds a
shared lock on `lease`, so a generation is removed when no process reads it; the lock goes with a process that is killed.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from knowledge import dutch, passages
from knowledge.embedding import Vectors
from knowledge.passages import Passage

SCHEMA = 1
"""Raise it when a generation's layout changes."""

BOUND = ("passages.jsonl", "vectors.npy", "terms.jsonl", "lexical", "chroma")
"""What the manifest vouches for. Chroma touches its SQLite file when it opens it, so that one is checked by use."""


PARTS = ("passages.jsonl", "vectors.npy", "terms.jsonl")
"""Files without which it is no generation."""

NAME = re.compile(r"[0-9a-f]{32}")
"""What a generation is called. Nothing else in the index directory is ours to follow or to remove."""


class GenerationBroken(Exception):
    """A generation is not what its manifest says; the message says what is wrong."""


@dataclass(frozen=True)
class Manifest:
    """What a generation was made of, and the digests of its files."""

    schema: int
    analysis: str
    """Versions of the Dutch analysis and of what becomes a passage."""
    fingerprint: str
    space: str
    collection: str
    cases: Mapping[str, str]
    """Case id -> digest of its passages."""
    files: Mapping[str, str]

    def is_of(self, found: Sequence[Passage], fingerprint: str | None = None) -> bool:
        """Whether this holds exactly these passages, analysed as we do now and, if asked, embedded by that model."""
        return (
            self.schema == SCHEMA
            and self.analysis == ANALYSIS
            and fingerprint in (None, self.fingerprint)
            and self.cases == digests(found)
        )


ANALYSIS = f"{dutch.VERSION}.{passages.VERSION}"


def digests(found: Sequence[Passage]) -> dict[str, str]:
    """Case id -> digest of its passages."""
    by_case: dict[str, hashlib._Hash] = {}
    for passage in found:
        by_case.setdefault(passage.case_id, hashlib.sha256()).update(f"{passage.id} {passage.digest}\n".encode())
    return {case_id: digest.hexdigest()[:32] for case_id, digest in by_case.items()}


class Generation:
    """One generation, held: as long as this object is open no writer removes it."""

    def __init__(self, directory: Path) -> None:
        """Raises GenerationBroken when it is not there, not complete or not what its manifest says."""
        self.directory = directory
        try:
            self._lease: IO[bytes] = open(directory / "lease", "rb")  # noqa: SIM115 - held while this lives
        except OSError as error:
            raise GenerationBroken(f"{directory} has no lease: {error}") from error
        try:
            fcntl.flock(self._lease, fcntl.LOCK_SH)
            self.manifest = _manifest(json.loads((directory / "manifest.json").read_text(encoding="utf-8")))
            if self.manifest.schema != SCHEMA:
                raise GenerationBroken(f"{directory} has layout {self.manifest.schema}, not {SCHEMA}")
            if unvouched := set(PARTS) - set(self.manifest.files):
                raise GenerationBroken(f"{directory} has a manifest without {', '.join(sorted(unvouched))}")
            for name, digest in self.manifest.files.items():
                if _digest(directory / name) != digest:
                    raise GenerationBroken(f"{directory / name} has changed")
        except (OSError, ValueError, TypeError, AttributeError) as error:
            self.close()
            raise GenerationBroken(f"{directory} cannot be read: {error}") from error
        except GenerationBroken:
            self.close()
            raise

    def passages(self) -> tuple[Passage, ...]:
        with open(self.directory / "passages.jsonl", encoding="utf-8") as lines:
            return tuple(Passage(*json.loads(line)) for line in lines)

    def vectors(self) -> Vectors:
        return np.load(self.directory / "vectors.npy", mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]

    def terms(self) -> list[list[str]]:
        """The analysed terms of each passage."""
        with open(self.directory / "terms.jsonl", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def close(self) -> None:
        self._lease.close()


def current(index: Path) -> str | None:
    """The name of the newest generation. None when there is none, or a pointer that nobody should follow."""
    try:
        name = (index / "current").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return name if NAME.fullmatch(name) else None


def opened(index: Path) -> Generation:
    """The newest generation. Raises GenerationBroken; a generation that was replaced meanwhile is tried again."""
    name = current(index)
    while name is not None:
        try:
            return Generation(index / name)
        except GenerationBroken:
            newer = current(index)
            if newer == name:
                raise
            name = newer
    raise GenerationBroken(f"{index} has no index")


def new(index: Path) -> Path:
    """An empty directory for a generation that is being made. Only for who holds the lock."""
    directory = index / uuid.uuid4().hex
    directory.mkdir(parents=True)
    (directory / "lease").touch()
    return directory


def write_passages(directory: Path, found: Sequence[Passage], terms: Sequence[Sequence[str]]) -> None:
    for name, rows in (("passages.jsonl", found), ("terms.jsonl", terms)):
        with open(directory / name, "w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def finish(directory: Path, manifest: Manifest) -> None:
    """Vouch for the files of a generation and make it the newest one."""
    files = {str(file.relative_to(directory)): _digest(file) for file in _bound_files(directory)}
    complete = {**asdict(manifest), "files": files}
    _write_whole(directory / "manifest.json", json.dumps(complete, indent=1))
    _write_whole(directory.parent / "current", directory.name)


def remove_unused(index: Path) -> list[str]:
    """Remove every generation that is not the newest and that nobody reads. Only for who holds the lock.

    Returns the collections that they used.
    """
    newest, collections = current(index), []
    for directory in index.iterdir():
        if directory.name == newest or not NAME.fullmatch(directory.name) or not directory.is_dir():
            continue
        try:
            with open(directory / "lease", "rb") as lease:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                manifest = directory / "manifest.json"
                if manifest.exists():
                    collections.append(json.loads(manifest.read_text(encoding="utf-8")).get("collection", ""))
                shutil.rmtree(directory, ignore_errors=True)
        except BlockingIOError:
            continue
        except (OSError, ValueError, AttributeError):
            shutil.rmtree(directory, ignore_errors=True)
    return collections


def _manifest(data: Any) -> Manifest:
    """Raises TypeError for what cannot have been a manifest of any layout."""
    manifest = Manifest(**data)
    if not all(isinstance(value, dict) for value in (manifest.cases, manifest.files)):
        raise TypeError("the manifest lists no cases or files")
    return manifest


def _bound_files(directory: Path) -> list[Path]:
    named = [file for name in BOUND for file in sorted((directory / name).rglob("*")) or [directory / name]]
    return [file for file in named if file.is_file() and file.suffix != ".sqlite3"]


def _digest(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_whole(file: Path, text: str) -> None:
    aside = file.with_name(f"{file.name}.new")
    with open(aside, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(aside, file)
