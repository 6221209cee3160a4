"""The meaning arm: nearest passages by their vectors, in Chroma. Chroma's conventions end here.

Chroma finds which cases are near; their scores are then exact dot products, so a case scores the same with and without a
filter, and a narrow filter loses nothing. Chroma's embedded client is not safe for several processes that write: it
only ever opens a folder that nobody writes any more (see `generations`).
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import Vectors
from knowledge.passages import Passage

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

Where = Path | str
"""A folder for Chroma inside this process, or the address of a Chroma server."""
Mask = NDArray[np.bool_]

# The usual 100 loses true neighbours (0.83 of ten found among 3,000 random vectors, 1.00 with 500).
SEARCH_WIDTH = 500
NEIGHBOURS = 300
# With the usual 1,000 Chroma keeps a small collection in its log and writes its files anew whenever it opens them, so
# that reading changed what the manifest vouches for. 2 is the least it takes; every case has more passages.
WRITE_THROUGH = 2
PROBES = 16
BATCH = 5_000
QUERY_PATIENCE, WRITE_PATIENCE = 5.0, 60.0
"""Seconds in which a Chroma server must answer; its client would wait for ever."""

log = logging.getLogger(__name__)


class ChromaBroken(Exception):
    """What Chroma holds is not what was put there, or Chroma cannot be reached; the message says which."""


class Dense:
    """Passages by meaning. Immutable; rows are those of the passages it was made of.

    Without a collection, or when Chroma fails while the app runs, every passage is compared: slower, never wrong.
    """

    def __init__(self, passages: Sequence[Passage], vectors: Vectors, collection: "Collection | None") -> None:
        self._vectors = vectors
        self._collection = collection
        self._failed = False
        self._rows = {passage.id: row for row, passage in enumerate(passages)}
        chosen = np.random.default_rng(0).choice(len(vectors), size=min(512, len(vectors)), replace=False)
        self._cohort = np.ascontiguousarray(vectors[np.sort(chosen)])

    @property
    def uses_chroma(self) -> bool:
        return self._collection is not None and not self._failed

    def near(self, query: Vectors) -> Mask:
        """The rows of the nearest passages, as Chroma knows them; all rows when it cannot say."""
        if self._collection is not None and not self._failed:
            try:
                found = np.zeros(len(self._vectors), dtype=bool)
                ids = self._collection.nearest(query, min(NEIGHBOURS, len(self._vectors)))
                found[[self._rows[id] for id in ids]] = True
                return found
            except (ChromaBroken, KeyError) as error:
                log.warning("Chroma failed and is left out until the index is opened again: %s", error)
                self._failed = True
        return np.ones(len(self._vectors), dtype=bool)

    def similarities(self, query: Vectors, rows: Mask) -> Vectors:
        """Float32, one a passage: the exact similarity of these rows, NaN for the others."""
        found = np.full(len(self._vectors), np.nan, dtype=np.float32)
        found[rows] = self._vectors[rows] @ query
        return found

    def background(self, query: Vectors) -> tuple[float, float]:
        """Mean and standard deviation of the query's similarity to a fixed sample of passages.

        Cosines of one model lie in a narrow band that shifts from query to query. Standardised against this cohort they
        can be compared across queries, with any filter (cohort normalisation, doi 10.1006/dspr.1999.0360).
        """
        if not len(self._cohort):
            return 0.0, 1.0
        sample = self._cohort @ query
        return float(sample.mean()), float(sample.std()) or 1.0

    def close(self) -> None:
        if self._collection is not None:
            self._collection.close()


class Collection:
    """An open Chroma collection of passages."""

    def __init__(self, where: Where, name: str, passages: Sequence[Passage], vectors: Vectors) -> None:
        """Opens it and checks it against what it was made of. Raises ChromaBroken."""
        self._client = _client(where, QUERY_PATIENCE)
        try:
            with _plainly("read"):
                self._chroma = self._client.get_collection(name, embedding_function=None)
            self._check(passages, vectors)
        except ChromaBroken:
            self.close()
            raise

    def nearest(self, query: Vectors, k: int) -> list[str]:
        """The ids of the k nearest passages, nearest first. Raises ChromaBroken."""
        if k == 0:
            return []
        with _plainly("queried"):
            return list(self._chroma.query(query_embeddings=query[np.newaxis], n_results=k, include=[])["ids"][0])

    def close(self) -> None:
        _close(self._client)

    def _check(self, passages: Sequence[Passage], vectors: Vectors) -> None:
        """A damaged folder may give wrong neighbours without a word: a sample of vectors must find themselves."""
        with _plainly("counted"):
            count = self._chroma.count()
        if count != len(vectors):
            raise ChromaBroken(f"Chroma holds {count} passages instead of {len(vectors)}")
        by_id = {passage.id: row for row, passage in enumerate(passages)}
        for row in np.linspace(0, count - 1, num=min(PROBES, count), dtype=int):
            # Equal texts have equal vectors, so the nearest may be a twin.
            near = [by_id.get(id, -1) for id in self.nearest(vectors[row], min(3, count))]
            if not any(other >= 0 and np.allclose(vectors[row], vectors[other], atol=1e-4) for other in near):
                raise ChromaBroken("Chroma does not find what it holds")


def write(where: Where, name: str, passages: Sequence[Passage], vectors: Vectors, space: str) -> None:
    """Put all vectors in a new collection, replacing one of the same name. Raises ChromaBroken."""
    configuration: Any = {
        "hnsw": {
            "space": space,
            "ef_search": SEARCH_WIDTH,
            "batch_size": WRITE_THROUGH,
            "sync_threshold": WRITE_THROUGH,
        }
    }
    client = _client(where, WRITE_PATIENCE)
    try:
        with _plainly("written"):
            if name in {collection.name for collection in client.list_collections()}:
                client.delete_collection(name)
            client.create_collection(name, embedding_function=None, configuration=configuration)
        _add(client, name, passages, vectors)
    finally:
        _close(client)


def patch(folder: Path, name: str, gone: Sequence[str], passages: Sequence[Passage], vectors: Vectors) -> None:
    """Change a collection in a folder that nobody else has open. Raises ChromaBroken."""
    client = _client(folder, WRITE_PATIENCE)
    try:
        if gone:
            with _plainly("written"):
                client.get_collection(name, embedding_function=None).delete(ids=list(gone))
        _add(client, name, passages, vectors)
    finally:
        _close(client)


def drop(url: str, names: Sequence[str]) -> None:
    """Remove collections from a server; those that are gone already are no trouble. Raises ChromaBroken."""
    client = _client(url, WRITE_PATIENCE)
    try:
        with _plainly("cleaned up"):
            for name in {collection.name for collection in client.list_collections()} & set(names):
                client.delete_collection(name)
    finally:
        _close(client)


def _add(client: "ClientAPI", name: str, passages: Sequence[Passage], vectors: Vectors) -> None:
    with _plainly("written"):
        collection = client.get_collection(name, embedding_function=None)
        for start in range(0, len(passages), BATCH):
            chunk = passages[start : start + BATCH]
            collection.add(
                ids=[passage.id for passage in chunk],
                embeddings=vectors[start : start + BATCH],
                metadatas=[{"case_id": passage.case_id, "section": passage.section} for passage in chunk],
            )


def _client(where: Where, patience: float) -> "ClientAPI":
    """chromadb takes a second to import, so only when it is needed. `patience` is for a server."""
    import chromadb
    import httpx
    from chromadb.config import Settings

    quiet = Settings(anonymized_telemetry=False)
    with _plainly(f"opened at {where}"):
        if isinstance(where, Path):
            return chromadb.PersistentClient(str(where), settings=quiet)
        address = urlsplit(where)
        secure = address.scheme == "https"
        port = address.port or (443 if secure else 8000)
        # Chroma's client has no time limit and no setting for one: ask first, then set it on its HTTP session.
        heartbeat = httpx.URL(scheme=address.scheme, host=address.hostname or "", port=port, path="/api/v2/heartbeat")
        httpx.get(heartbeat, timeout=QUERY_PATIENCE).raise_for_status()
        client = chromadb.HttpClient(address.hostname or "", port, ssl=secure, settings=quiet)
        client._server._session.timeout = patience  # type: ignore[attr-defined]
        return client


def _close(client: "ClientAPI") -> None:
    """Chroma's interface does not promise it, but both of its clients can be closed; the HTTP one leaves its sockets."""
    parts = (client, getattr(client, "_admin_client", None))
    sessions = [getattr(getattr(part, "_server", None), "_session", None) for part in parts]
    try:
        with _plainly("closed"):
            client.close()  # type: ignore[attr-defined]
            for session in filter(None, sessions):
                session.close()
    except ChromaBroken as error:
        log.debug("%s", error)


@contextmanager
def _plainly(what: str) -> Iterator[None]:
    """Chroma's core and its HTTP client raise exceptions of a dozen unrelated types, also for damaged files.

    Where its core panics, that is not even an Exception.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise ChromaBroken(f"Chroma cannot be {what}: {error}") from error
