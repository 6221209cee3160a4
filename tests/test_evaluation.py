"""Our measures are the field's measures: ir-measures, which wraps trec_eval, gets the same figures."""

import itertools
import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, R, Success, nDCG

from knowledge import evaluation

PEERS = {
    "ndcg@10": nDCG(dcg="log2") @ 10,  # linear gain, as trec_eval has it
    "mrr@10": RR @ 10,
    "recall@5": R @ 5,
    "recall@10": R @ 10,
    "success@3": Success @ 3,
}

ids = st.sampled_from([f"c{number}" for number in range(25)])


@given(
    ranking=st.lists(ids, unique=True, min_size=1, max_size=20),
    grades=st.dictionaries(ids, st.integers(0, 3), min_size=1, max_size=15),
)
@settings(max_examples=150, deadline=None)
def test_measures_equal_those_of_trec_eval(ranking: list[str], grades: dict[str, int]) -> None:
    # A judged list without anything relevant has no ideal; trec_eval calls that 0, as we do.
    run = {"q": {id: float(len(ranking) - place) for place, id in enumerate(ranking)}}
    peers = ir_measures.calc_aggregate(PEERS.values(), {"q": grades}, run)
    ours = evaluation.measures(ranking, grades)
    assert set(ours) == set(PEERS) == set(evaluation.MEASURES)
    for name, peer in PEERS.items():
        assert ours[name] == pytest.approx(peers[peer], abs=1e-9), name


def test_gain_is_linear_and_discounted_by_place() -> None:
    grades = {"a": 3, "b": 1}
    best = 3 / math.log2(2) + 1 / math.log2(3)
    assert evaluation.ndcg(["a", "b"], grades) == 1.0
    assert evaluation.ndcg(["b", "a"], grades) == pytest.approx((1 / math.log2(2) + 3 / math.log2(3)) / best)
    assert evaluation.ndcg(["x", "a"], grades) == pytest.approx((3 / math.log2(3)) / best)
    assert evaluation.ndcg(["x"] * 10 + ["a"], grades) == 0.0


def test_nothing_found_and_nothing_relevant_score_nothing() -> None:
    for ranking, grades in ([], {"a": 1}), (["a"], {}), (["a"], {"a": 0}), ([], {}):
        assert set(evaluation.measures(ranking, grades).values()) == {0.0}


def test_success_can_ask_for_better_than_relevant() -> None:
    grades = {"a": 1, "b": 2}
    assert evaluation.success(["a", "x", "y", "b"], grades) == 1.0
    assert evaluation.success(["a", "x", "y", "b"], grades, least=2) == 0.0
    assert evaluation.success(["a", "x", "b"], grades, least=2) == 1.0


def test_the_mean_is_of_the_questions() -> None:
    rows = [evaluation.measures(["a"], {"a": 1}), evaluation.measures(["b"], {"a": 1})]
    assert evaluation.mean(rows) == dict.fromkeys(evaluation.MEASURES, 0.5)
    assert evaluation.mean([]) == dict.fromkeys(evaluation.MEASURES, 0.0)


def test_the_p_value_of_few_questions_is_what_counting_all_signs_gives() -> None:
    ours, theirs = [0.9, 0.7, 0.8, 0.4, 1.0, 0.6], [0.5, 0.6, 0.8, 0.5, 0.4, 0.5]
    difference = np.array(ours) - np.array(theirs)
    means = [abs(np.mean(difference * np.array(signs))) for signs in itertools.product((-1, 1), repeat=6)]
    exact = np.mean([mean >= abs(difference.mean()) - 1e-12 for mean in means])
    assert evaluation.p_value(ours, theirs) == pytest.approx(exact, abs=0.02)
    assert evaluation.p_value(theirs, ours) == pytest.approx(exact, abs=0.02)


def test_equal_systems_do_not_differ_and_a_clear_difference_is_one() -> None:
    assert evaluation.p_value([0.5] * 30, [0.5] * 30) == 1.0
    assert evaluation.p_value([0.9] * 30, [0.1] * 30) < 0.001
    assert evaluation.p_value([0.9] * 30, [0.1] * 30) > 0
    assert evaluation.p_value([0.1, 0.4, 0.3], [0.2, 0.2, 0.3]) == evaluation.p_value([0.1, 0.4, 0.3], [0.2, 0.2, 0.3])
