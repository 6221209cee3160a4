"""A question becomes hits: complete, in order, filtered, counted and explained, whatever is typed."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from knowledge import index, passages
from knowledge import library as library_room
from knowledge.embedding import Embedder, Vectors
from knowledge.index import Index
from knowledge.library import Library
from knowledge.passages import Passage
from knowledge.records import Case
from knowledge.search import LONGEST_QUERY, Filters, Hit, Mode, Query, Search, calibration, facet_values
from knowledge.settings import PROJECT
from knowledge.taxonomy import Taxonomy

from .conftest import SIX

MODES: tuple[Mode, ...] = ("hybrid", "dense", "lexical")
LARIKS, STATUS, MALTA, SOCO, RIOOL, COACHES = SIX
QUESTIONS = (
    "elke keer een andere projectleider en niets gaat verder",
    "warmtenet",
    "de gemeente wil een aanbesteding en wij verliezen ons werk",
    "wie vertegenwoordigt de wijk eigenlijk",
)


@pytest.fixture(scope="module")
def six(taxonomy: Taxonomy) -> Library:
    read = (library_room.read_case(PROJECT / "cases" / f"{id}.yaml", taxonomy)[0] for id in SIX)
    return Library({case.id: case for case in read if case}, (), "six")


@pytest.fixture(scope="module")
def opened(
    six: Library, taxonomy: Taxonomy, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Index]:
    directory = tmp_path_factory.mktemp("search")
    found, _report = index.in_step(directory, passages.of_cases(six.cases.values(), taxonomy), embedder)
    yield found
    found.close()


@pytest.fixture(scope="module")
def search(six: Library, opened: Index, taxonomy: Taxonomy, embedder: Embedder) -> Search:
    return Search(six, opened, taxonomy, embedder, calibration())


@pytest.fixture(scope="module")
def search_among(taxonomy: Taxonomy, embedder: Embedder) -> Iterator[Callable[..., Search]]:
    """A search over these cases; kept in memory."""
    made: list[Index] = []

    def among(*cases: Case, embedder: Embedder | None = embedder, ahead: tuple[Case, ...] = ()) -> Search:
        corpus = passages.of_cases((*cases, *ahead), taxonomy)
        if embedder:
            made.append(index.in_step(Path("/proc/none"), corpus, embedder)[0])
        else:
            made.append(index.words_only(Path("/proc/none"), corpus))
        library = Library({case.id: case for case in cases}, (), "made")
        return Search(library, made[-1], taxonomy, embedder, calibration())

    yield among
    for one in made:
        one.close()


def ids(hits: tuple[Hit, ...]) -> list[str]:
    return [hit.case.id for hit in hits]


def one_filter(six: Library) -> list[tuple[str, str]]:
    return sorted(
        {(facet, value) for case in six.cases.values() for facet, own in facet_values(case).items() for value in own}
    )


# The right case


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("question", "case_id"),
    [
        ("elke keer een andere projectleider", LARIKS),
        ("de wijkraad is geen officiële gesprekspartner meer", STATUS),
        ("onze coöperatie moet meedoen aan een aanbesteding", SOCO),
        ("energiecoaches komen niet bij mensen achter de voordeur", COACHES),
    ],
)
def test_each_arm_finds_the_case_that_is_meant(mode: Mode, question: str, case_id: str, search: Search) -> None:
    answer = search(question, mode=mode)
    assert answer.hits[0].case.id == case_id
    assert answer.arms == {"hybrid": ("lexical", "dense"), "dense": ("dense",), "lexical": ("lexical",)}[mode]


@pytest.mark.parametrize(
    ("typed", "case_id", "correction"),
    [
        ("projectlieder", LARIKS, "projectleider"),
        ("aanbestedding", SOCO, "aanbesteding"),
        ("energiecoach", COACHES, None),
        ("riool", RIOOL, None),
        ("leider", LARIKS, None),
    ],
)
def test_typing_errors_and_parts_of_compounds_find(
    typed: str, case_id: str, correction: str | None, search: Search
) -> None:
    answer = search(typed, mode="lexical")
    assert case_id in ids(answer.hits)[:2]
    assert not correction or answer.corrections.get(typed, "").startswith(correction)


@pytest.mark.parametrize("mode", MODES)
def test_a_case_is_one_hit(mode: Mode, search: Search) -> None:
    for question in QUESTIONS:
        found = ids(search(question, k=50, mode=mode).hits)
        assert len(found) == len(set(found))


@pytest.fixture(scope="module")
def vectors(opened: Index, embedder: Embedder) -> Vectors:
    """Of every passage, embedded once more without the index."""
    return embedder.passages([passage.text for passage in opened.passages])


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_case_is_lost_against_comparing_everything(
    question: str, search: Search, opened: Index, vectors: Vectors, embedder: Embedder
) -> None:
    """The oracle: every passage compared with the question, a case scored by its best passage and its best three."""
    similarity = vectors @ embedder.queries([question])[0]
    scores = {}
    for case_id in SIX:
        own = sorted(
            (float(s) for s, passage in zip(similarity, opened.passages, strict=True) if passage.case_id == case_id),
            reverse=True,
        )
        scores[case_id] = own[0] + sum(own[:3]) / 3
    exact = sorted(scores, key=lambda case_id: -scores[case_id])
    assert ids(search(question, mode="dense").hits) == exact


@pytest.mark.parametrize("mode", MODES)
def test_best_first_and_a_scale_from_0_to_1(mode: Mode, search: Search, taxonomy: Taxonomy) -> None:
    for question in QUESTIONS:
        answer = search(question, mode=mode)
        scores = [hit.score for hit in answer.hits]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert {hit.strength for hit in answer.hits} <= set(taxonomy.strengths)
        assert sum(score >= calibration().counts for score in scores) == answer.total


def test_equal_cases_have_one_order_every_time(
    search_among: Callable[..., Search], make_case: Callable[..., Case]
) -> None:
    twins = [make_case(id=f"tweeling-{letter}") for letter in "cabfed"]
    expected = sorted(case.id for case in twins)
    for order in (twins, twins[::-1]):
        search = search_among(*order)
        for mode in MODES:
            assert ids(search("niemand antwoordt op onze mails", mode=mode).hits) == expected


def test_fewer_hits_are_the_first_of_more(search: Search) -> None:
    for question in QUESTIONS:
        more = search(question, k=6)
        for k in range(7):
            fewer = search(question, k=k)
            assert ids(fewer.hits) == ids(more.hits)[:k]
            assert fewer.total == more.total
            assert fewer.counts == more.counts


# Nothing fits


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
@pytest.mark.parametrize("nonsense", ["qwrtz plmkj vbnxc", "appeltaart met kaneel bakken", "voetbaluitslagen zondag"])
def test_nonsense_does_not_fit(nonsense: str, mode: Mode, search: Search) -> None:
    answer = search(nonsense, mode=mode)
    assert not answer.fits
    assert all(hit.strength != "sterk" for hit in answer.hits)


def test_good_question_fits(search: Search) -> None:
    assert search("elke keer een andere projectleider bij de gemeente in onze proeftuin aardgasvrije wijk").fits


# Quotation marks


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("quotes", ['""', "“”", "„”", "«»"])
def test_quoted_words_must_occur(mode: Mode, quotes: str, search: Search, six: Library, taxonomy: Taxonomy) -> None:
    for phrase in ("zeven projectleiders", "ZÉVEN projectleiders", "aardgasvrij", "wijk", "75 procent"):
        answer = search(f"wat doet de gemeente met {quotes[0]}{phrase}{quotes[1]}", mode=mode)
        wanted = phrase.lower().replace("é", "e")
        have = {
            passage.case_id: True
            for passage in passages.of_cases(six.cases.values(), taxonomy)
            if f" {wanted} " in f" {folded(passage)} "
        }
        assert set(ids(answer.hits)) == set(have), phrase
        assert answer.required == (wanted,)
        for hit in answer.hits:
            assert f" {wanted} " in f" {folded(hit.passage)} "


def folded(passage: Passage) -> str:
    from knowledge import dutch

    return " ".join(token.word for token in dutch.tokens(passage.text))


def test_phrase_does_not_run_from_one_passage_into_the_next(
    search_among: Callable[..., Search], make_case: Callable[..., Case]
) -> None:
    case = make_case(obstacle="Wij wachten op een rood", approach=["gordijn van brieven."])
    found = search_among(case)
    assert found('"een rood gordijn"').hits == ()
    assert ids(found('"een rood"').hits) == [case.id]


def test_all_quoted_phrases_must_occur(search: Search) -> None:
    assert ids(search('"zeven projectleiders" "vier jaar"').hits) == [LARIKS]
    assert search('"zeven projectleiders" "aanbesteding van zorg in zeeland"').hits == ()


def test_similar_cases_are_found_for_a_case_that_quotes_somebody(
    search_among: Callable[..., Search], make_case: Callable[..., Case]
) -> None:
    """A quotation in a case is not a wish for a phrase."""
    quoting = make_case(obstacle='De ambtenaar zei: "dat is nu eenmaal zo geregeld". Niemand antwoordt op mails.')
    others = [make_case(id=f"andere-{letter}") for letter in "ab"]
    assert {case.id for case in search_among(quoting, *others).similar(quoting)} == {"andere-a", "andere-b"}


def test_similar_cases_are_others(search: Search, six: Library) -> None:
    for case in six.cases.values():
        found = [other.id for other in search.similar(case)]
        assert len(found) == 4
        assert case.id not in found


# Filters and counts


@pytest.mark.parametrize("mode", MODES)
def test_every_filter_gives_exactly_the_cases_that_have_it_in_the_same_order(
    mode: Mode, search: Search, six: Library
) -> None:
    for question in QUESTIONS[:1]:
        everything = search(question, k=50, mode=mode)
        scores = {hit.case.id: hit.score for hit in everything.hits}
        for facet, value in one_filter(six):
            answer = search(question, {facet: frozenset({value})}, k=50, mode=mode)
            have = [id for id in ids(everything.hits) if value in facet_values(six.cases[id])[facet]]
            assert ids(answer.hits) == have, (facet, value)
            assert [hit.score for hit in answer.hits] == pytest.approx([scores[id] for id in have])


def test_filters_together_need_one_value_of_each(search: Search, six: Library) -> None:
    pairs = one_filter(six)
    for (one, this), (other, that) in zip(pairs, pairs[5:], strict=False):
        filters: dict[str, frozenset[str]] = {one: frozenset({this})}
        filters[other] = filters.get(other, frozenset()) | {that}
        have = {
            case.id
            for case in six.cases.values()
            if all(wanted.intersection(facet_values(case)[facet]) for facet, wanted in filters.items())
        }
        assert set(ids(search("gemeente", filters, k=50, mode="dense").hits)) == have
        assert set(ids(search("", filters, k=50).hits)) == have


@pytest.mark.parametrize("typed", ["", QUESTIONS[0], '"gemeente" warmtenet'])
@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"province": frozenset({"Gelderland"})},
        {"province": frozenset({"Gelderland"}), "phase": frozenset({"plan"})},
        {"context": frozenset({"gesprek-stokt", "gemeente-voorop"}), "technique": frozenset()},
    ],
)
def test_counts_tell_what_another_choice_would_give(
    typed: str, chosen: Filters, search: Search, six: Library, taxonomy: Taxonomy
) -> None:
    counts = search(typed, chosen).counts
    assert set(counts) == set(taxonomy.facets)
    for facet, value in one_filter(six):
        other = search(typed, {**chosen, facet: frozenset({value})}, k=50)
        assert counts[facet].get(value, 0) == other.total, (facet, value)


def test_filter_nobody_knows_gives_nothing(search: Search) -> None:
    for filters in ({"province": frozenset({"Atlantis"})}, {"smaak": frozenset({"zoet"})}):
        assert search("warmtenet", filters).hits == ()
        assert search("", filters).hits == ()
        assert search("warmtenet", filters).total == 0


# Browsing


@pytest.mark.parametrize("typed", ["", " ", "?!", '"""', "“”", "🙂", "\x00\x1b", "\n\t"])
def test_question_without_words_shows_all_cases_newest_first(typed: str, search: Search, six: Library) -> None:
    answer = search(typed, k=50)
    dates = [hit.case.as_of or "" for hit in answer.hits]
    assert set(ids(answer.hits)) == set(SIX)
    assert dates == sorted(dates, reverse=True)
    assert answer.total == len(SIX)
    assert {hit.strength for hit in answer.hits} == {None}


# Explanations


def test_matching_words_stand_in_the_passage_as_shown(search: Search) -> None:
    for question in QUESTIONS:
        for hit in search(question).hits:
            assert all(word in hit.passage.text for word in hit.words)
            assert len({word.lower() for word in hit.words}) == len(hit.words)
            assert set(hit.shared_hurdles) <= set(hit.case.hurdles)
            assert hit.lesson in hit.case.lessons
            assert hit.passage.case_id == hit.case.id
    [first, *_] = search("wisselende projectleiders in de wijk", mode="lexical").hits
    assert "projectleiders" in " ".join(first.words).lower()


def test_hurdle_of_the_best_cases_is_named(search: Search) -> None:
    answer = search("elke keer een andere projectleider")
    assert "wisselende-ambtenaren" in answer.hurdles
    assert len(answer.hurdles) <= 3
    assert "wisselende-ambtenaren" in answer.hits[0].shared_hurdles


# While something is missing


@pytest.mark.parametrize("mode", MODES)
def test_without_the_model_every_mode_answers_by_words(
    mode: Mode, six: Library, search: Search, opened: Index, taxonomy: Taxonomy, search_among: Callable[..., Search]
) -> None:
    by_words = search_among(*six.cases.values(), embedder=None)
    index_but_no_model = Search(six, opened, taxonomy, None, calibration())
    for question in QUESTIONS:
        expected = search(question, mode="lexical")
        for one in (by_words, index_but_no_model):
            answer = one(question, mode=mode)
            assert answer.arms == ("lexical",)
            assert ids(answer.hits) == ids(expected.hits)
            assert [hit.score for hit in answer.hits] == pytest.approx([hit.score for hit in expected.hits])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("typed", ["", "warmtenet", '"warmtenet"', "xyzzy"])
def test_empty_library_answers_with_nothing(
    mode: Mode, typed: str, search_among: Callable[..., Search], embedder: Embedder
) -> None:
    for model in (embedder, None):
        answer = search_among(embedder=model)(typed, {"province": frozenset({"Zeeland"})}, mode=mode)
        assert (answer.hits, answer.total, answer.fits) == ((), 0, False)


@pytest.mark.parametrize("mode", MODES)
def test_library_of_one_case_is_searched(
    mode: Mode, search_among: Callable[..., Search], make_case: Callable[..., Case]
) -> None:
    assert ids(search_among(make_case())("geen antwoord op mails", mode=mode).hits) == ["een-casus"]


def test_case_that_was_withdrawn_a_moment_ago_is_no_hit(
    search_among: Callable[..., Search], make_case: Callable[..., Case]
) -> None:
    found = search_among(make_case(id="blijft"), ahead=(make_case(id="weg"),))
    for typed in ("geen antwoord op mails", "", '"spreekuur"'):
        answer = found(typed)
        assert ids(answer.hits) == ["blijft"]
        assert answer.counts["province"] == {"Drenthe": 1} or not answer.total


# Whatever is typed

odd_text = st.text(max_size=300) | st.text(alphabet="\"“”„«» de het een'-.", max_size=60)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=odd_text, mode=st.sampled_from(MODES))
@example(typed="de het een", mode="lexical")
@example(typed='"de het een"', mode="lexical")
@example(typed='"de het een"', mode="hybrid")
@example(typed="warmte" * 2_000, mode="hybrid")
@example(typed="de gemeente zegt nee. " * 500, mode="hybrid")
@example(typed="\ud800 kapot teken", mode="hybrid")
@example(typed="\ud800", mode="dense")
@example(typed="👩‍👩‍👧 warmtenet \x00\x07\u202e", mode="dense")
@example(typed="ﷺ" * 4_000, mode="lexical")
@example(typed="½ ² ① İ ǅ", mode="lexical")
@example(typed='"' * 5_000, mode="hybrid")
def test_nothing_that_is_typed_raises(typed: str, mode: Mode, search: Search) -> None:
    answer = search(typed, mode=mode, k=3)
    assert len(answer.hits) <= 3
    assert all(np.isfinite(hit.score) for hit in answer.hits)
    assert all(word in hit.passage.text for hit in answer.hits for word in hit.words)


def test_long_story_is_read_as_far_as_its_beginning(search: Search) -> None:
    story = "elke keer een andere projectleider bij de gemeente. "
    assert ids(search(story * 400).hits)[0] == LARIKS
    assert len(Query.of("a" * 10_000).text) == LONGEST_QUERY


def test_long_story_is_answered_soon(search: Search) -> None:
    story = " ".join(f"woordje{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}fout" for n in range(700))
    search(story, mode="lexical")
    assert search(story, mode="lexical").total_ms < 2_000


def test_many_at_once_get_the_answers_of_one_alone(search: Search) -> None:
    alone = {question: ids(search(question).hits) for question in QUESTIONS}
    wrong: list[object] = []

    def ask() -> None:
        for question in QUESTIONS:
            try:
                if ids(search(question).hits) != alone[question]:
                    wrong.append(question)
            except BaseException as error:
                wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
