"""A question becomes ranked, filtered, explained hits. Knows cases, passages and the index; has never heard of pages.

Each arm scores passages; several passages of a case count together; the arms' scores are standardised, each against all
cases or a fixed sample of passages whatever the filters, and then added. With which weights, and what "fits" means,
stands in `calibration.json`.
"""

import json
import math
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from knowledge import dutch
from knowledge.dutch import Thesaurus, Weighted
from knowledge.embedding import Embedder
from knowledge.index import Index
from knowledge.library import Library
from knowledge.passages import Passage
from knowledge.records import Case, Lesson
from knowledge.taxonomy import Taxonomy

Mode = Literal["hybrid", "dense", "lexical"]
Filters = Mapping[str, frozenset[str]]
"""Facet id -> wanted values. A case must have one of them in every facet that is named."""

LONGEST_QUERY = 4_000
"""Characters; the model reads some 2,000 of them."""
TOGETHER = 3
"""So many passages of a case count together."""
HIGHEST = 8.0
"""Standard deviations; a rare word that stands in one case only says no more than this."""
FEW = 5
VOTERS = 15
"""So many of the best cases say which hurdles a question is about."""

Places = NDArray[np.bool_]
"""One truth value a case, in the order of the index."""

_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]+)[\"“”„«»]")


class Scale(BaseModel):
    """How one mode weighs the arms, and how its score becomes the chance that a case fits the question.

    Scores only compare cases within one question. What makes them comparable across questions is how near the question
    is to the library as a whole (`topic`) and how much of it the library has no word for (`unknown`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dense: float
    lexical: float
    slope: float
    topic: float
    unknown: float
    offset: float

    def chances(self, scores: NDArray[np.float64], topic: float, unknown: float) -> NDArray[np.float64]:
        """0 to 1, one a score; rises with the score, so that the order of the cases of one question stays."""
        x = self.slope * scores + self.topic * topic + self.unknown * unknown + self.offset
        return np.asarray(1 / (1 + np.exp(-np.clip(x, -30.0, 30.0))), dtype=np.float64)


class Calibration(BaseModel):
    """What was measured on judged questions; made by training/calibrate.py."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    modes: Mapping[Mode, Scale]
    strengths: Mapping[str, float]
    """Strength -> the least chance that earns it, strongest first; the weakest is earned by all."""
    counts: float
    """The least chance with which a case counts as one that fits."""
    fits: float
    """The least chance of the best hit for which the product says that something here fits."""

    def strength(self, chance: float) -> str:
        return next(name for name, least in self.strengths.items() if chance >= least)


def calibration(file: Path = Path(__file__).parent / "calibration.json") -> Calibration:
    return Calibration.model_validate(json.loads(file.read_text(encoding="utf-8")))


class Hit(NamedTuple):
    """A case as an answer, with the passage that shows it best and the reasons why."""

    case: Case
    passage: Passage
    score: float
    """The chance, 0 to 1, that the case fits the question. Means the same for every query of one mode."""
    strength: str | None
    """An id of the taxonomy's strengths; None when the question had no words to match."""
    words: tuple[str, ...]
    """The words of the passage that match, as they stand there, each once."""
    shared_hurdles: tuple[str, ...]
    """Hurdles of the case that the question seems to be about."""
    lesson: Lesson
    """The lesson of the case that is nearest to the question."""
    wanted: frozenset[str] = frozenset()
    """The terms of the question: what `dutch.spans` highlights in any text of the case."""


@dataclass(frozen=True)
class Answer:
    """What came of one question."""

    hits: tuple[Hit, ...]
    """Best first, one a case, at most as many as asked for. The first `total` of them fit, the others hardly."""
    total: int
    """How many cases fit, among the hits or after them."""
    fits: bool
    """False where the product tells a visitor that nothing here really fits."""
    counts: Mapping[str, Mapping[str, int]]
    """Facet -> value -> how many cases fit with it; within a facet, what one would get by choosing another value."""
    hurdles: tuple[str, ...] = ()
    """The hurdles that the question seems to be about, likeliest first."""
    arms: tuple[str, ...] = ()
    """What ranked them: while the model still loads, only the words did."""
    corrections: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    """The phrases in quotation marks."""
    encoding_ms: float = 0.0
    total_ms: float = 0.0

    @property
    def shown(self) -> tuple[Hit, ...]:
        """The hits to put before a visitor: those that fit.

        By words alone one cannot tell well what fits, so then the best few are shown in any case.
        """
        if self.fits:
            return self.hits[: self.total]
        return self.hits[:FEW] if self.arms == ("lexical",) else ()


class Query(NamedTuple):
    """A question as typed, and the phrases in quotation marks that a case must have."""

    text: str
    required: tuple[str, ...]

    @classmethod
    def of(cls, typed: str) -> "Query":
        # A terminal hands on bytes that are no text as half characters, which no model can read.
        typed = typed[:LONGEST_QUERY].encode("utf-8", "replace").decode().strip()
        phrases = (" ".join(token.word for token in dutch.tokens(quoted)) for quoted in _QUOTED.findall(typed))
        return cls(_QUOTED.sub(r" \1 ", typed).strip(), tuple(dict.fromkeys(phrase for phrase in phrases if phrase)))

    @property
    def is_empty(self) -> bool:
        return not any(True for _ in dutch.tokens(self.text))


def facet_values(case: Case) -> Mapping[str, tuple[str, ...]]:
    """What a case has in each facet; the one place that decides what can be filtered by."""
    return {
        "context": (case.context,),
        "hurdle": case.hurdles,
        "phase": (case.phase,),
        "theme": case.themes,
        "outcome": (case.outcome,),
        "technique": case.techniques,
        "initiative_type": (case.initiative_type,),
        "province": (case.place.province,),
        "municipality": (case.place.municipality,),
    }


class _Ranking(NamedTuple):
    """What the arms made of one question, by place of the case."""

    order: list[int]
    """The cases in reach, best first."""
    chances: NDArray[np.float64]
    scores: NDArray[np.float64]
    """A score for every passage: which passage of a case shows it best."""
    arms: tuple[str, ...]
    encoding_ms: float


class Search:
    """Searches one index of one library. Immutable; make another when either changes."""

    def __init__(
        self,
        library: Library,
        index: Index,
        taxonomy: Taxonomy,
        embedder: Embedder | None,
        calibration: Calibration,
    ) -> None:
        self.library = library
        self.index = index
        self._taxonomy = taxonomy
        self._embedder = embedder
        self._calibration = calibration
        self._thesaurus = Thesaurus(taxonomy)
        rows: dict[str, list[int]] = {}
        for row, passage in enumerate(index.passages):
            rows.setdefault(passage.case_id, []).append(row)
        # A generation may be a moment behind the library: a case that was withdrawn since is None here.
        self._cases = [library.cases.get(id) for id in rows]
        self._rows = list(rows.values())
        self._owner = np.repeat(np.arange(len(rows)), [len(found) for found in self._rows])
        widest = max((len(found) for found in self._rows), default=0)
        self._slots = np.array([found + [-1] * (widest - len(found)) for found in self._rows]).reshape(
            len(rows), widest
        )
        self._facets = [facet_values(case) if case else {} for case in self._cases]

    def __call__(self, typed: str, filters: Filters | None = None, *, k: int = 10, mode: Mode = "hybrid") -> Answer:
        """The cases that fit a question best. Without words in it: all cases that pass the filters, newest first.

        While the meaning arm is missing every mode is answered by the words alone; `Answer.arms` tells.
        """
        started = time.perf_counter()
        query = Query.of(typed)
        filters = {facet: wanted for facet, wanted in (filters or {}).items() if wanted}
        missed = [self._missed(values, filters) for values in self._facets]
        allowed = np.array([self._has(place, query.required) for place in range(len(self._cases))], dtype=bool)
        # A case that misses one facet only is no hit, but counts there: it is what another choice would show.
        reachable = allowed & np.array([len(facets) <= 1 for facets in missed], dtype=bool)
        if query.is_empty or not self._cases:
            return self._browsed(missed, reachable, k)
        analysis = dutch.analysed_query(query.text, self.index.lexical.words, self._thesaurus)
        narrowed = bool(query.required) or any(missed)
        ranking = self._ranked(query.text, analysis.terms, reachable, narrowed, mode)
        passing = [place for place in ranking.order if not missed[place]]
        fitting = [place for place in ranking.order if ranking.chances[place] >= self._calibration.counts]
        hurdles = self._hurdles(passing, ranking.chances)
        wanted = frozenset(term for term, _weight in analysis.terms if self.index.lexical.knows(term))
        return Answer(
            tuple(self._hit(place, ranking, wanted, query.required, hurdles) for place in passing[:k]),
            total=sum(not missed[place] for place in fitting),
            fits=bool(passing) and float(ranking.chances[passing[0]]) >= self._calibration.fits,
            counts=self._counts(missed, fitting),
            hurdles=hurdles,
            arms=ranking.arms,
            corrections=analysis.corrections,
            required=query.required,
            encoding_ms=ranking.encoding_ms,
            total_ms=(time.perf_counter() - started) * 1000,
        )

    def similar(self, case: Case, *, k: int = 4) -> tuple[Case, ...]:
        """Other cases in which much the same happened, likest first."""
        # What a case quotes is no wish for a phrase.
        story = _QUOTED.sub(r" \1 ", f"{case.title}. {case.summary} {case.obstacle}")
        answer = self(story, k=k + 1)
        return tuple(hit.case for hit in answer.hits if hit.case.id != case.id)[:k]

    def _ranked(self, text: str, terms: Sequence[Weighted], reachable: Places, narrowed: bool, mode: Mode) -> _Ranking:
        """The reachable cases by one mode, best first; those that no arm says anything of are left out."""
        dense, embedder = self.index.dense, self._embedder
        if dense is None or embedder is None:
            mode = "lexical"
        scale = self._calibration.modes[mode]
        scores = np.zeros(len(self._owner))
        totals = np.zeros(len(self._cases))
        reach: Places = np.zeros(len(self._cases), dtype=bool)
        topic = encoding_ms = 0.0
        if mode != "dense":
            words = self.index.lexical.scores(terms)[: len(self._owner)]
            by_case = self._together(words)
            mean, deviation = float(by_case.mean()), float(by_case.std()) or 1.0
            scores += scale.lexical * words / deviation
            totals += scale.lexical * np.minimum((by_case - mean) / deviation, HIGHEST)
            reach |= reachable & (by_case > 0)
        if mode != "lexical" and dense is not None and embedder is not None:
            before = time.perf_counter()
            vector = embedder.queries([text])[0]
            encoding_ms = (time.perf_counter() - before) * 1000
            # Chroma says which cases are near; where filters or phrases narrow the search, all that pass are compared.
            reach |= reachable if narrowed else reachable & self._owns(dense.near(vector))
            topic, deviation = dense.background(vector)
            meaning = (dense.similarities(vector, reach[self._owner]) - topic) / deviation
            scores += scale.dense * meaning
            totals += scale.dense * self._together(meaning)
        unknown = self._unknown(text)
        chances = scale.chances(np.where(reach, totals, -np.inf), topic, unknown)
        order = [int(place) for place in np.argsort(-totals, kind="stable") if reach[place]]
        arms = {"lexical": ("lexical",), "dense": ("dense",), "hybrid": ("lexical", "dense")}[mode]
        return _Ranking(order, chances, scores, arms, encoding_ms)

    def _together(self, scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Of each case: half its best passage, half the mean of its best three. NaN where its passages have none."""
        # A slot without a passage reads the last row, which -inf then covers; every case has three passages or more.
        by_case = np.where(self._slots >= 0, scores[self._slots], -np.inf)
        best = np.partition(by_case, -TOGETHER, axis=1)[:, -TOGETHER:]
        return np.asarray(0.5 * best.max(axis=1) + 0.5 * best.mean(axis=1), dtype=np.float64)

    def _unknown(self, text: str) -> float:
        """The part of a question's words that occur in no case, in no form and as no part of a word."""
        found = [terms for token in dutch.tokens(text) if (terms := dutch.terms(token.word))]
        missing = [terms for terms in found if not any(self.index.lexical.knows(term) for term in terms)]
        return len(missing) / len(found) if found else 1.0

    def _owns(self, rows: NDArray[np.bool_]) -> Places:
        """The cases that own one of these rows."""
        return np.bincount(self._owner[rows], minlength=len(self._cases)) > 0

    def _missed(self, values: Mapping[str, tuple[str, ...]], filters: Filters) -> frozenset[str]:
        """The facets in which a case has none of the wanted values."""
        return frozenset(facet for facet, wanted in filters.items() if wanted.isdisjoint(values.get(facet, ())))

    def _has(self, place: int, required: Sequence[str]) -> bool:
        """Whether a case is still in the library and has every required phrase somewhere."""
        return self._cases[place] is not None and all(f" {phrase} " in self._texts[place] for phrase in required)

    @cached_property
    def _texts(self) -> list[str]:
        """Per case its words in a row, for phrases."""
        return [" ".join(self._words[row] for row in rows) for rows in self._rows]

    @cached_property
    def _words(self) -> list[str]:
        """Per passage its words in a row, between spaces."""
        return [f" {' '.join(token.word for token in dutch.tokens(passage.text))} " for passage in self.index.passages]

    def _browsed(self, missed: Sequence[frozenset[str]], reachable: Places, k: int) -> Answer:
        places = [int(place) for place in np.flatnonzero(reachable)]
        places.sort(key=lambda place: (self._case(place).as_of or "", -place), reverse=True)
        chosen = [place for place in places if not missed[place]]
        hits = tuple(
            Hit(self._case(place), self.index.passages[self._rows[place][0]], 0.0, None, (), (), self._lesson(place))
            for place in chosen[:k]
        )
        return Answer(hits, len(chosen), bool(chosen), self._counts(missed, places))

    def _hit(
        self, place: int, ranking: _Ranking, wanted: frozenset[str], required: Sequence[str], hurdles: Sequence[str]
    ) -> Hit:
        case, chance = self._case(place), float(ranking.chances[place])
        # Of the passages with most of the required phrases the one that scores best.
        row = max(
            self._rows[place],
            key=lambda row: (sum(f" {phrase} " in self._words[row] for phrase in required), ranking.scores[row]),
        )
        passage = self.index.passages[row]
        words = [passage.text[start:end] for start, end in dutch.spans(passage.text, wanted)]
        unique = {word.lower(): word for word in reversed(words)}
        return Hit(
            case,
            passage,
            chance,
            self._calibration.strength(chance),
            tuple(word for word in dict.fromkeys(words) if unique[word.lower()] == word),
            tuple(id for id in case.hurdles if id in hurdles),
            self._lesson(place, ranking.scores),
            wanted,
        )

    def _lesson(self, place: int, scores: NDArray[np.float64] | None = None) -> Lesson:
        """The lesson whose passage scores best; the first one without scores."""
        case = self._case(place)
        rows = [row for row in self._rows[place] if self.index.passages[row].section == "lesson"]
        best = max(rows, key=lambda row: scores[row]) if scores is not None else rows[0]
        return case.lessons[min(self.index.passages[best].place, len(case.lessons) - 1)]

    def _counts(self, missed: Sequence[frozenset[str]], places: Iterable[int]) -> dict[str, dict[str, int]]:
        counts: dict[str, Counter[str]] = {facet: Counter() for facet in self._taxonomy.facets}
        for place in places:
            for facet, values in self._facets[place].items():
                if missed[place] <= {facet}:
                    counts[facet].update(values)
        return {facet: dict(found) for facet, found in counts.items()}

    def _hurdles(self, order: Sequence[int], chances: NDArray[np.float64]) -> tuple[str, ...]:
        """The hurdles of the best cases, each case counting for its chance and rare hurdles for more."""
        votes: Counter[str] = Counter()
        for place in order[:VOTERS]:
            for rank, id in enumerate(self._case(place).hurdles):
                votes[id] += float(chances[place]) * (1.0 if rank == 0 else 0.5)  # type: ignore[assignment]
        weighed = {id: vote / math.sqrt(self._frequencies[id]) for id, vote in votes.items()}
        return tuple(sorted(weighed, key=lambda id: (-weighed[id], id))[:3])

    @cached_property
    def _frequencies(self) -> Counter[str]:
        return Counter(id for case in self._cases if case for id in case.hurdles)

    def _case(self, place: int) -> Case:
        case = self._cases[place]
        assert case is not None, "only cases of the library are ranked"
        return case
