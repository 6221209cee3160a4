"""How well questions find the case that answers them, beside rankers that anybody could put together in an afternoon.

The questions are those of training/calibration/questions.yaml that a case of the library answers. Half of them were used
to calibrate what strength means (training/calibrate.py); the other half set nothing and has columns of its own.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import bm25s
import numpy as np
import Stemmer
from numpy.typing import NDArray

from benchmarks import stage
from benchmarks.record import Measured, Row, spread
from knowledge import evaluation
from knowledge.desk import Desk, open_desk
from knowledge.evaluation import MEASURES
from knowledge.index import generations
from knowledge.search import Mode
from knowledge.settings import Settings
from training.calibrate import Question, questions

OURS: Mapping[str, Mode] = {"ours, hybrid": "hybrid", "ours, dense": "dense", "ours, lexical": "lexical"}
REFERENCE = "ours, hybrid"
DAMPING = 60
"""Of reciprocal rank fusion, as in its paper (doi 10.1145/1571941.1572114)."""
DEPTH = 10
FUSED_DEPTH = 100

Ranker = Callable[[str], Sequence[str]]
"""A question to case ids, best first, at least DEPTH of them where so many have anything of it."""


class Outcome(NamedTuple):
    """What one ranker made of one question."""

    scores: Mapping[str, float]
    ms: float


def measured(settings: Settings, *, quick: bool) -> Measured:
    """Every ranker on every question in one process, the rankers taking turns."""
    desk = open_desk(settings)
    desk.bring_in_step()
    asked = [question for question in questions(desk) if question.case][: 20 if quick else None]
    rankers = {**_ours(desk), **_peers(desk, settings)}
    for ranker in rankers.values():
        ranker(asked[0].text)
    outcomes = _outcomes(rankers, asked)
    kept = [place for place, question in enumerate(asked) if not question.for_setting]
    figures = {name: _figures(name, outcomes, kept) for name in rankers}
    size = stage.size(desk)
    desk.search.index.close()
    return Measured(
        size,
        {name: found for name, found in figures.items() if name in OURS},
        {name: found for name, found in figures.items() if name not in OURS},
        {},
        ("ranking", *MEASURES, "p", f"{MEASURES[0]}, other half", "p, other half", "ms"),
        [_row(name, found) for name, found in figures.items()],
        (
            f"{len(asked)} questions, one known answer each. Half of them were used to calibrate strength, not ranking; "
            f"the other half ({len(kept)}) set nothing. No peer was tuned.",
            f"p: chance that a difference in {MEASURES[0]} from `{REFERENCE}` this large is luck (paired randomisation).",
            "ms: median of a question, encoding included; ours also explains ten hits and counts filters.",
        ),
    )  # fmt: skip


def _ours(desk: Desk) -> dict[str, Ranker]:
    def ranker(mode: Mode) -> Ranker:
        return lambda question: [hit.case.id for hit in desk.answer(question, k=DEPTH, mode=mode).hits]

    return {name: ranker(mode) for name, mode in OURS.items()}


def _peers(desk: Desk, settings: Settings) -> dict[str, Ranker]:
    texts: dict[str, list[str]] = {}
    for passage in desk.search.index.passages:
        texts.setdefault(passage.case_id, []).append(passage.text)
    ids, whole = list(texts), [" ".join(found) for found in texts.values()]
    words = _bm25(ids, whole, FUSED_DEPTH)
    meaning = _best_passage(desk, settings, FUSED_DEPTH)
    return {
        "bm25s, Dutch stems, whole cases": words,
        "SQLite FTS5, whole cases": _fts5(ids, whole),
        "plain e5, best passage": meaning,
        "plain e5 + bm25s, rank fusion": lambda question: _fused(meaning(question), words(question)),
    }


def _bm25(ids: Sequence[str], texts: list[str], depth: int) -> Ranker:
    """bm25s as its README has it, in Dutch."""
    stemmer = Stemmer.Stemmer("dutch")
    retriever = bm25s.BM25()  # type: ignore[no-untyped-call]
    retriever.index(
        bm25s.tokenization.tokenize(texts, stopwords="nl", stemmer=stemmer, show_progress=False), show_progress=False
    )

    def rank(question: str) -> list[str]:
        tokens = bm25s.tokenization.tokenize([question], stopwords="nl", stemmer=stemmer, show_progress=False)
        rows, scores = retriever.retrieve(tokens, k=min(depth, len(ids)), show_progress=False)
        return [ids[row] for row, score in zip(rows[0], scores[0], strict=True) if score > 0]

    return rank


def _fts5(ids: Sequence[str], texts: Sequence[str]) -> Ranker:
    """SQLite's full-text search: any of the words, ordered by its own bm25."""
    base = sqlite3.connect(":memory:")
    base.execute(
        "create virtual table texts using fts5(id unindexed, text, tokenize = 'unicode61 remove_diacritics 2')"
    )
    base.executemany("insert into texts values (?, ?)", zip(ids, texts, strict=True))

    def rank(question: str) -> list[str]:
        wanted = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question))
        found = base.execute("select id from texts where texts match ? order by bm25(texts) limit ?", (wanted, DEPTH))
        return [str(row[0]) for row in found]

    return rank


def _best_passage(desk: Desk, settings: Settings, depth: int) -> Ranker:
    """The shipped model by itself: a case is as near as its nearest passage."""
    model = stage.bare_model(desk.load_model())
    generation = generations.opened(settings.index)
    vectors = np.array(generation.vectors())
    owners = [passage.case_id for passage in generation.passages()]
    generation.close()

    def rank(question: str) -> list[str]:
        vector: NDArray[np.float32] = np.asarray(model.encode_query(question, show_progress_bar=False))
        order = np.argsort(-(vectors @ vector), kind="stable")
        return list(dict.fromkeys(owners[row] for row in order))[:depth]

    return rank


def _fused(*rankings: Sequence[str]) -> list[str]:
    """Reciprocal rank fusion."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for place, id in enumerate(ranking, start=1):
            scores[id] = scores.get(id, 0.0) + 1 / (DAMPING + place)
    return sorted(scores, key=lambda id: (-scores[id], id))[:DEPTH]


def _outcomes(rankers: Mapping[str, Ranker], asked: Sequence[Question]) -> dict[str, list[Outcome]]:
    """Of each ranker an outcome a question. Who is first moves on with every question, so that nobody profits of it."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in rankers}
    names = list(rankers)
    for turn, question in enumerate(asked):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            started = time.perf_counter()
            ranking = rankers[name](question.text)
            ms = (time.perf_counter() - started) * 1000
            outcomes[name].append(Outcome(evaluation.measures(ranking[:DEPTH], {question.case or "": 1}), ms))
    return outcomes


def _figures(name: str, outcomes: Mapping[str, Sequence[Outcome]], kept: Sequence[int]) -> dict[str, object]:
    """Means, and how likely the difference from the reference is luck: on all questions and on those that set nothing."""
    found, reference = outcomes[name], outcomes[REFERENCE]
    halves = {"all": range(len(found)), "other_half": kept}
    return {
        half: {
            "n": len(places),
            **{key: round(value, 4) for key, value in evaluation.mean([found[p].scores for p in places]).items()},
            "p": None if name == REFERENCE else round(_p([found[p] for p in places], [reference[p] for p in places]), 4),
        }
        for half, places in halves.items()
    } | {"ms": spread([outcome.ms for outcome in found])}  # fmt: skip


def _p(theirs: Sequence[Outcome], ours: Sequence[Outcome]) -> float:
    return evaluation.p_value([o.scores[MEASURES[0]] for o in ours], [o.scores[MEASURES[0]] for o in theirs])


def _row(name: str, found: Mapping[str, object]) -> Row:
    whole, half, ms = found["all"], found["other_half"], found["ms"]
    assert isinstance(whole, dict) and isinstance(half, dict) and isinstance(ms, dict)  # noqa: PT018
    means = (f"{whole[measure]:.3f}" for measure in MEASURES)
    return (name, *means, _chance(whole["p"]), f"{half[MEASURES[0]]:.3f}", _chance(half["p"]), f"{ms['median']:.1f}")


def _chance(p: float | None) -> str:
    return "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"
