"""A search stands in its address, whole; and whatever else stands in an address does no harm."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge import addresses, library
from knowledge.addresses import SearchState
from knowledge.library import Library
from knowledge.search import LONGEST_QUERY
from knowledge.settings import PROJECT
from knowledge.taxonomy import Taxonomy
from knowledge.taxonomy import taxonomy as shipped
from tests import strategies
from tests.conftest import SIX

quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def six(taxonomy: Taxonomy) -> Library:
    found = [library.read_case(PROJECT / "cases" / f"{id}.yaml", taxonomy)[0] for id in SIX]
    return Library({case.id: case for case in found if case}, (), "")


def parts(address: str) -> tuple[str, dict[str, str]]:
    """Path and parameters, as a browser and a server make of them."""
    split = urlsplit(address)
    assert (split.scheme, split.netloc, split.fragment) == ("", "", "")
    return split.path, dict(parse_qsl(split.query, strict_parsing=True)) if split.query else {}


filters = st.fixed_dictionaries(
    {},
    optional={
        facet: st.frozensets(st.sampled_from(list(words)), min_size=1, max_size=3)
        for facet, words in {**shipped().by_facet, "municipality": ["Assen", "Apeldoorn", "Wageningen"]}.items()
    },
)
queries = st.just("") | strategies.texts(200) | st.text(max_size=50).map(str.strip)
states = st.builds(SearchState, queries, filters, st.integers(0, 20))


@given(state=states)
@quick
def test_a_search_survives_its_address(state: SearchState, six: Library, taxonomy: Taxonomy) -> None:
    params = addresses.search_params(state)
    assert addresses.search_state(params, taxonomy, six) == state
    path, carried = parts(addresses.with_params(addresses.SEARCH, params))
    assert path == addresses.SEARCH
    assert addresses.search_state(carried, taxonomy, six) == state


@given(state=states)
@quick
def test_a_search_survives_looking_at_a_case(state: SearchState, six: Library, taxonomy: Taxonomy) -> None:
    path, params = parts(addresses.case("een-casus", addresses.search_params(state)))
    assert (path, params["id"]) == (addresses.CASE, "een-casus")
    back, carried = parts(addresses.results_before(params, taxonomy, six))
    assert back == addresses.SEARCH
    assert addresses.search_state(carried, taxonomy, six) == state


def test_a_case_that_was_not_found_by_searching_has_no_way_back(six: Library, taxonomy: Taxonomy) -> None:
    assert addresses.case("een-casus") == "/casus?id=een-casus"
    assert addresses.results_before({"id": "een-casus"}, taxonomy, six) == ""


def test_equal_searches_have_one_address() -> None:
    one = SearchState("net", {"phase": frozenset(["plan", "visie"]), "hurdle": frozenset()}, 0)
    assert addresses.search_params(one) == {"q": "net", "phase": "plan,visie"}
    assert addresses.search_params(SearchState("", {}, 0)) == {}


def test_values_that_nobody_knows_are_dropped(six: Library, taxonomy: Taxonomy) -> None:
    typed = {
        "q": "net", "context": "gesprek-stokt,bestaat-niet,", "hurdle": "<script>", "phase": ",,",
        "municipality": "Assen,assen,Nergens",
        "province": "Fryslân", "facet": "x", "id": "y", "theme": "\x00",
    }  # fmt: skip
    assert addresses.search_state(typed, taxonomy, six) == SearchState(
        "net",
        {
            "context": frozenset(["gesprek-stokt"]),
            "province": frozenset(["Fryslân"]),
            "municipality": frozenset(["Assen"]),
        },
        0,
    )


@pytest.mark.parametrize(
    ("typed", "more"),
    [
        ("", 0), ("0", 0), ("1", 1), ("007", 7), ("20", 20), ("21", 20), ("999", 20), ("1000", 0), ("9" * 5_000, 0),
        ("-1", 0), ("+1", 0), ("1.5", 0), ("1e3", 0), (" 1", 0), ("1_0", 0), ("٣", 0), ("²", 0), ("ja", 0), ("NaN", 0),
    ],
)  # fmt: skip
def test_more_is_a_small_number_or_nothing(typed: str, more: int, six: Library, taxonomy: Taxonomy) -> None:
    assert addresses.search_state({"meer": typed}, taxonomy, six).more == more


def test_a_question_in_an_address_has_an_end(six: Library, taxonomy: Taxonomy) -> None:
    def query(typed: str) -> str:
        return addresses.search_state({"q": typed}, taxonomy, six).query

    assert query("  net\n") == "net"
    assert query("a" * 1_000_000) == "a" * LONGEST_QUERY
    cut = query("a" * (LONGEST_QUERY - 1) + " b" * 10)
    assert query(cut) == cut


@given(
    params=st.dictionaries(
        st.sampled_from(["q", "meer", "van", "id", *shipped().facets]) | st.text(max_size=5), st.text(max_size=40)
    )
)
@quick
def test_any_parameters_give_a_search(params: dict[str, str], six: Library, taxonomy: Taxonomy) -> None:
    state = addresses.search_state(params, taxonomy, six)
    assert addresses.search_state(addresses.search_params(state), taxonomy, six) == state
    back = addresses.results_before(params, taxonomy, six)
    assert back == "" or back.startswith("/zoeken")


@pytest.mark.parametrize("id", ["een-casus", "a b&c=d", "é", "#", "?", "%2e%2e", "\"><script>", "//x.nl"])  # fmt: skip
def test_an_id_stays_inside_its_parameter(id: str) -> None:
    assert parts(addresses.case(id)) == (addresses.CASE, {"id": id})
    assert parts(addresses.theme(id)) == (addresses.THEME, {"id": id})
    assert parts(addresses.search(id, hurdle=id)) == (addresses.SEARCH, {"q": id, "hurdle": id})
    assert addresses.reading(id).startswith("/lees/casus/")
    assert not set(addresses.reading(id)) & set(' ?#&"<>')


def test_every_page_has_an_address_and_a_title() -> None:
    pages: dict[str, Any] = {
        name: value for name, value in vars(addresses).items() if name.isupper() and isinstance(value, str)
    }
    assert set(addresses.TITLES) == set(pages.values())
    assert len(set(addresses.TITLES.values())) == len(addresses.TITLES)
    assert all("Hordeloper" in title for title in addresses.TITLES.values())
