"""How long a question takes, split into encoding it and all the rest, beside the bare libraries on the same data.

Every question is asked without a filter first, when its words are new to this process; with a filter and by words alone
it is asked again. Ours and the peer take turns, and who is first changes with every question.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import bm25s
import numpy as np
import Stemmer
import torch
from numpy.typing import NDArray

from benchmarks import stage
from benchmarks.record import Measured, Target, cells, spread
from knowledge.desk import Desk, open_desk
from knowledge.embedding import Embedder, Vectors
from knowledge.index import generations
from knowledge.index.dense import NEIGHBOURS, SEARCH_WIDTH
from knowledge.passages import Passage
from knowledge.search import Answer, Search, calibration
from knowledge.settings import Settings

REST_AT_MOST = 15.0
QUESTIONS = 120
WARM_UP = 5
HITS = 10
Result = TypeVar("Result")


class Timing(NamedTuple):
    """Milliseconds by what was done; the same names for every question."""

    ours: dict[str, float]
    peer: dict[str, float]


def measured(settings: Settings, *, quick: bool) -> Measured:
    """Milliseconds a question over the whole library, the model loaded."""
    asked = stage.questions()[: 20 if quick else QUESTIONS]
    desk = open_desk(settings)
    desk.bring_in_step()
    with _bare(desk, settings) as peer:
        for question in stage.questions()[-WARM_UP:]:
            _timed(desk, peer, question, 0)
        timings = [_timed(desk, peer, question, turn) for turn, question in enumerate(asked)]
    ours = {name: spread([timing.ours[name] for timing in timings]) for name in timings[0].ours}
    ours["all: rest, processor time"] = spread(_processor(desk, asked))
    theirs = {name: spread([timing.peer[name] for timing in timings]) for name in timings[0].peer}
    size = stage.size(desk)
    desk.search.index.close()
    return Measured(
        size, ours, theirs,
        {
            "rest of a search, median ms": Target(REST_AT_MOST, ours["all: rest"]["median"]),
            "rest of a search, p95 ms": Target(REST_AT_MOST, ours["all: rest"]["p95"]),
            "rest of a search, median ms of processor time": Target(
                REST_AT_MOST, ours["all: rest, processor time"]["median"]
            ),
        },
        ("ms a question", "min", "median", "p95", "n"),
        [cells(name, found) for name, found in ours.items()]
        + [cells(f"peer: {name}", found) for name, found in theirs.items()],
        (
            "`rest` is the whole answer less the encoding: analysing, both arms, fusing, counting, explaining ten hits.",
            "processor time is that of the thread that answers, the question being asked again with its vector known: "
            "it hardly minds what else the machine does.",
        ),
    )  # fmt: skip


class _Remembering(Embedder):
    """Encodes a question once and then knows its vector, so that answering it again is the rest and nothing else."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[tuple[str, ...], Vectors] = {}

    def queries(self, texts: Sequence[str]) -> Vectors:
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = self._embedder.queries(texts)
        return self._known[key]


def _processor(desk: Desk, asked: Sequence[str]) -> list[float]:
    """Milliseconds of processor time for the rest of each question."""
    search = Search(desk.library, desk.search.index, desk.taxonomy, _Remembering(desk.load_model()), calibration())
    found = []
    for question in asked:
        search(question)
        started = time.thread_time()
        search(question)
        found.append((time.thread_time() - started) * 1000)
    return found


class _Bare:
    """The libraries without us: one call each for what we do in many. Bare hits carry no counts and no reasons."""

    def __init__(self, desk: Desk, default: Any, wide: Any) -> None:
        self._desk = desk
        self._default, self._wide = default, wide
        self.model = stage.bare_model(desk.load_model())
        self._stemmer = Stemmer.Stemmer("dutch")
        self._contexts = _contexts(desk, desk.search.index.passages)
        self._words = bm25s.BM25()  # type: ignore[no-untyped-call]
        self._words.index(self._tokens([p.text for p in desk.search.index.passages]), show_progress=False)

    def encode(self, question: str) -> NDArray[np.float32]:
        return np.asarray(self.model.encode_query(question, show_progress_bar=False), dtype=np.float32)

    def nearest(self, vector: NDArray[np.float32], context: str | None) -> object:
        where = {"context": context} if context else None
        return self._default.query(query_embeddings=vector[np.newaxis], n_results=HITS, where=where)

    def wide(self, vector: NDArray[np.float32]) -> object:
        neighbours = min(NEIGHBOURS, len(self._contexts))
        return self._wide.query(query_embeddings=vector[np.newaxis], n_results=neighbours, include=[])

    def words(self, question: str, context: str | None) -> object:
        mask = (self._contexts == context).astype(np.float32) if context else None
        return self._words.retrieve(self._tokens([question]), k=HITS, show_progress=False, weight_mask=mask)  # type: ignore[arg-type]

    def _tokens(self, texts: list[str]) -> Any:
        return bm25s.tokenization.tokenize(texts, stopwords="nl", stemmer=self._stemmer, show_progress=False)


@contextmanager
def _bare(desk: Desk, settings: Settings) -> Iterator[_Bare]:
    """Two Chroma collections of the same vectors: with Chroma's defaults, and as wide as ours searches."""
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    generation = generations.opened(settings.index)
    vectors = np.array(generation.vectors())
    generation.close()
    space = desk.load_model().space
    with tempfile.TemporaryDirectory(prefix="hordeloper-bench-") as name:
        client = chromadb.PersistentClient(str(Path(name)), settings=ChromaSettings(anonymized_telemetry=False))
        try:
            default = _collection(client, "default", {"space": space}, desk, vectors)
            wide = _collection(client, "wide", {"space": space, "ef_search": SEARCH_WIDTH}, desk, vectors)
            yield _Bare(desk, default, wide)
        finally:
            client.close()  # type: ignore[attr-defined]


def _collection(client: Any, name: str, hnsw: dict[str, Any], desk: Desk, vectors: NDArray[np.float32]) -> Any:
    passages = desk.search.index.passages
    contexts = _contexts(desk, passages)
    collection = client.create_collection(name, embedding_function=None, configuration={"hnsw": hnsw})
    for start in range(0, len(passages), 5_000):
        chunk = slice(start, start + 5_000)
        collection.add(
            ids=[passage.id for passage in passages[chunk]],
            embeddings=vectors[chunk],
            documents=[passage.text for passage in passages[chunk]],
            metadatas=[{"context": str(context)} for context in contexts[chunk]],
        )
    return collection


def _contexts(desk: Desk, passages: Sequence[Passage]) -> NDArray[np.str_]:
    """The context of the case of each passage: what is filtered by."""
    return np.array([desk.library.cases[passage.case_id].context for passage in passages])


def _timed(desk: Desk, peer: _Bare, question: str, turn: int) -> Timing:
    """One question to ours and to the peer, `turn` deciding who is first and what is filtered by."""
    contexts = list(desk.taxonomy.contexts)
    context = contexts[turn % len(contexts)]
    if turn % 2:
        theirs = _peer_times(peer, question, context)
        return Timing(_our_times(desk, question, context), theirs)
    ours = _our_times(desk, question, context)
    return Timing(ours, _peer_times(peer, question, context))


def _our_times(desk: Desk, question: str, context: str) -> dict[str, float]:
    answers = {
        "all": desk.answer(question),
        "filtered": desk.answer(question, {"context": frozenset({context})}),
        "words only": desk.answer(question, mode="lexical"),
    }
    return {name: value for kind, answer in answers.items() for name, value in _parts(kind, answer)}


def _parts(kind: str, answer: Answer) -> Iterator[tuple[str, float]]:
    if answer.encoding_ms:
        yield f"{kind}: encoding", answer.encoding_ms
        yield f"{kind}: rest", answer.total_ms - answer.encoding_ms
    yield f"{kind}: total", answer.total_ms


def _peer_times(peer: _Bare, question: str, context: str) -> dict[str, float]:
    torch.set_num_threads(os.cpu_count() or 1)
    all_cores, _ = _ms(lambda: peer.encode(question))
    torch.set_num_threads(1)
    encoding, vector = _ms(lambda: peer.encode(question))
    nearest, _ = _ms(lambda: peer.nearest(vector, None))
    words, _ = _ms(lambda: peer.words(question, None))
    narrow, _ = _ms(lambda: peer.nearest(vector, context))
    narrow_words, _ = _ms(lambda: peer.words(question, context))
    wide, _ = _ms(lambda: peer.wide(vector))
    return {
        "encode_query, one thread": encoding,
        "encode_query, as many as cores": all_cores,
        "Chroma, ten nearest": nearest,
        "bm25s, ten best": words,
        "Chroma and bm25s": nearest + words,
        "Chroma and bm25s, filtered": narrow + narrow_words,
        f"Chroma, {NEIGHBOURS} nearest, as ours asks": wide,
    }


def _ms(work: Callable[[], Result]) -> tuple[float, Result]:
    started = time.perf_counter()
    result = work()
    return (time.perf_counter() - started) * 1000, result
