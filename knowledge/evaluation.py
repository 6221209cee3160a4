"""How good a ranking is. Linear gain; ties in a ranking are the ranker's to break (checked against ir-measures).

nDCG: Järvelin and Kekäläinen 2002, doi 10.1145/582415.582418. Significance: paired randomisation test, as Smucker,
Allan and Carterette 2007 recommend, doi 10.1145/1321440.1321528.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

Grades = Mapping[str, int]
"""Case id -> how relevant it is to a question; 0 or absent is not."""

MEASURES = ("ndcg@10", "mrr@10", "recall@5", "recall@10", "success@3")


def ndcg(ranking: Sequence[str], grades: Grades, k: int = 10) -> float:
    """Discounted gain of the first k, as a part of the best possible; 0 when nothing is relevant."""
    gained = sum(max(grades.get(id, 0), 0) / math.log2(place + 2) for place, id in enumerate(ranking[:k]))
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    best = sum(grade / math.log2(place + 2) for place, grade in enumerate(ideal))
    return gained / best if best else 0.0


def reciprocal_rank(ranking: Sequence[str], grades: Grades, k: int = 10) -> float:
    """1 over the place of the first relevant case among the first k, else 0."""
    return next((1 / place for place, id in enumerate(ranking[:k], start=1) if grades.get(id, 0) > 0), 0.0)


def recall(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """The part of the relevant cases that is among the first k."""
    relevant = {id for id, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def success(ranking: Sequence[str], grades: Grades, k: int = 3, least: int = 1) -> float:
    """1 when a case graded `least` or better is among the first k, else 0."""
    return float(any(grades.get(id, 0) >= least for id in ranking[:k]))


def measures(ranking: Sequence[str], grades: Grades) -> dict[str, float]:
    """All of MEASURES for one question."""
    return {
        "ndcg@10": ndcg(ranking, grades),
        "mrr@10": reciprocal_rank(ranking, grades),
        "recall@5": recall(ranking, grades, 5),
        "recall@10": recall(ranking, grades, 10),
        "success@3": success(ranking, grades),
    }


def mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each measure; 0 for no rows."""
    return {name: sum(row[name] for row in rows) / len(rows) if rows else 0.0 for name in MEASURES}


def p_value(ours: Sequence[float], theirs: Sequence[float], *, rounds: int = 10_000, seed: int = 0) -> float:
    """How often a difference in means at least this large comes from chance alone, two-sided."""
    difference = np.asarray(ours) - np.asarray(theirs)
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(rounds, len(difference)))
    by_chance = np.abs((signs * difference).mean(axis=1))
    return float((np.count_nonzero(by_chance >= abs(difference.mean()) - 1e-12) + 1) / (rounds + 1))
