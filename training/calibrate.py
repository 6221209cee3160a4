"""Measure what search scores mean, and write knowledge/calibration.json: `python training/calibrate.py`.

The questions in training/calibration/questions.yaml have one known case each, or none that answers them. Half of them, by
a hash of the question, set the numbers; the other half is only reported.

1. The scale of each mode: a logistic curve (Platt 1999) from the score of the best hit, the nearness of the question to
   the library as a whole and the part of its words that the library does not know, to the chance that something fits.
2. `fits`: the lowest chance with which few of the questions that have no answer here are said to have one.

The weight of the words beside the meaning is not set here. Whoever wrote these questions had just read the cases and
uses more of their words than a visitor does, so any weight from 0.3 to 1 looks good (nDCG@10 0.79 to 0.80 of the known
case). On 1,002 questions that avoid the words of the cases, sums of z-scores were best at 0.7 to 0.3, which is 0.23 on
this scale. WORD_WEIGHT lies between.
"""

import hashlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).parent.parent))

from knowledge import evaluation
from knowledge.desk import Desk, open_desk
from knowledge.embedding import Embedder, Vectors
from knowledge.search import Calibration, Mode, Query, Scale, Search
from knowledge.settings import Settings

QUESTIONS = Path(__file__).parent / "calibration" / "questions.yaml"
TARGET = Path(__file__).parent.parent / "knowledge" / "calibration.json"
MODES: tuple[Mode, ...] = ("hybrid", "dense", "lexical")
WORD_WEIGHT = 0.35
WRONGLY = 0.05
STRONG, REASONABLE, COUNTS = 0.85, 0.6, 0.4
"""Chances that earn "sterk", "redelijk", and with which a case counts as one that fits."""


class Question(NamedTuple):
    text: str
    case: str | None
    """The case that answers it; None when nothing does."""
    for_setting: bool


class Ranked(NamedTuple):
    ids: Sequence[str]
    best: float
    """The score of the best hit."""
    topic: float
    unknown: float


class Remembered:
    """A model that has read all questions already."""

    def __init__(self, embedder: Embedder, asked: Sequence[Question]) -> None:
        texts = [Query.of(question.text).text for question in asked]
        self._vectors = dict(zip(texts, embedder.queries(texts), strict=True))

    def queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vectors[text] for text in texts])


class Recorder(Scale):
    """A scale that keeps what it was asked, beside a chance that leaves the order as it is."""

    def chances(self, scores: NDArray[np.float64], topic: float, unknown: float) -> NDArray[np.float64]:
        SEEN.append((float(scores.max()), topic, unknown))
        return super().chances(scores, topic, unknown)


SEEN: list[tuple[float, float, float]] = []


def main() -> None:
    desk = open_desk(Settings())
    desk.bring_in_step()
    asked = questions(desk)
    setting = [question for question in asked if question.for_setting]
    report = [question for question in asked if not question.for_setting]
    embedder = Remembered(desk.load_model(), asked)
    rankings = {mode: dict(zip(asked, ranked(desk, embedder, asked, mode), strict=True)) for mode in MODES}
    truth = [question.case is not None for question in setting]
    scales = {mode: fitted(mode, [rankings[mode][question] for question in setting], truth) for mode in MODES}
    fits = threshold([chance(scales["hybrid"], rankings["hybrid"][question]) for question in setting], truth)
    result = Calibration(
        source=f"training/calibrate.py, set on {len(setting)} questions",
        modes=scales,
        strengths={"sterk": STRONG, "redelijk": REASONABLE, "zwak": 0.0},
        counts=round(min(COUNTS, fits), 3),
        fits=round(fits, 3),
    )
    TARGET.write_text(json.dumps(result.model_dump(), indent=2) + "\n", encoding="utf-8")
    for name, part in (("set on", setting), ("reported", report)):
        for mode in MODES:
            print(f"{name:9} {mode:8} {summary(part, rankings[mode], scales[mode], result.fits)}")


def questions(desk: Desk) -> list[Question]:
    entries = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    found = []
    for entry in entries:
        case = entry.get("case")
        if case and case not in desk.library.cases:
            continue
        half = hashlib.sha256(entry["q"].encode()).digest()[0] % 2 == 0
        found.append(Question(entry["q"], case, half))
    return found


def ranked(desk: Desk, embedder: Remembered, asked: Sequence[Question], mode: Mode) -> list[Ranked]:
    """What a mode makes of each question, before its scores mean anything."""
    weights = {"dense": 0.0 if mode == "lexical" else 1.0, "lexical": 0.0 if mode == "dense" else WORD_WEIGHT}
    recorder = Recorder(**weights, slope=1.0, topic=0.0, unknown=0.0, offset=0.0)
    plain = Calibration(source="", modes=dict.fromkeys(MODES, recorder), strengths={"zwak": 0.0}, counts=0.0, fits=0.0)
    search = Search(desk.library, desk.search.index, desk.taxonomy, cast(Embedder, embedder), plain)
    found = []
    for question in asked:
        SEEN.clear()
        hits = search(question.text, k=10, mode=mode).hits
        ((best, topic, unknown),) = SEEN
        # A question without a single known word reaches no case at all: as good as an average one.
        found.append(Ranked([hit.case.id for hit in hits], best if hits else 0.0, topic, unknown))
    return found


def fitted(mode: Mode, rankings: Sequence[Ranked], answerable: Sequence[bool]) -> Scale:
    """The logistic curve that makes these outcomes likeliest; each feature standardised first, then turned back."""
    features = np.array([[found.best, found.topic, found.unknown] for found in rankings])
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation[deviation == 0] = 1.0
    curve = LogisticRegression().fit((features - mean) / deviation, answerable)
    slope, topic, unknown = curve.coef_[0] / deviation
    return Scale(
        dense=0.0 if mode == "lexical" else 1.0,
        lexical=0.0 if mode == "dense" else WORD_WEIGHT,
        slope=round(float(slope), 4),
        topic=round(float(topic), 4),
        unknown=round(float(unknown), 4),
        offset=round(float(curve.intercept_[0] - (curve.coef_[0] * mean / deviation).sum()), 4),
    )


def chance(scale: Scale, found: Ranked) -> float:
    return float(scale.chances(np.array([found.best]), found.topic, found.unknown)[0])


def threshold(chances: Sequence[float], answerable: Sequence[bool]) -> float:
    """The lowest chance with which at most WRONGLY of the questions without an answer are said to have one.

    Telling somebody that nothing fits when something does costs more than a hit that hardly fits.
    """
    without = sorted(chance for chance, truth in zip(chances, answerable, strict=True) if not truth)
    return max(COUNTS, without[math.floor(len(without) * (1 - WRONGLY))])


def summary(asked: Sequence[Question], rankings: Mapping[Question, Ranked], scale: Scale, fits: float) -> str:
    known = [question for question in asked if question.case]
    figures = evaluation.mean([evaluation.measures(rankings[q].ids, {q.case or "": 1}) for q in known])
    said = {question: chance(scale, rankings[question]) >= fits for question in asked}
    right = np.mean([said[question] for question in known])
    wrong = np.mean([said[question] for question in asked if not question.case])
    return (
        f"n={len(known)}+{len(asked) - len(known)}  nDCG@10 {figures['ndcg@10']:.3f}  success@3 {figures['success@3']:.3f}  "
        f"says it fits: {right:.0%} of answerable, {wrong:.0%} of unanswerable"
    )


if __name__ == "__main__":
    main()
