"""Where things are: every page's address, and how a search stands in one. What comes from an address is untrusted."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from knowledge.library import Library
from knowledge.search import LONGEST_QUERY, Filters
from knowledge.taxonomy import Taxonomy

START = "/"
SEARCH = "/zoeken"
CASE = "/casus"
CONTEXTS = "/uitgangssituaties"
THEMES = "/themas"
THEME = "/thema"
ABOUT = "/over"
TITLES: Mapping[str, str] = {
    START: "Hordeloper: kijk hoe anderen verder kwamen",
    SEARCH: "Zoeken in Hordeloper",
    CASE: "Casus in Hordeloper",
    CONTEXTS: "Uitgangssituaties in Hordeloper",
    THEMES: "Thema’s in Hordeloper",
    THEME: "Thema in Hordeloper",
    ABOUT: "Over Hordeloper",
}
"""Every page and its title; a page about one case or theme puts its name in front."""

Params = Mapping[str, str]
"""Query parameters of an address; several values of one facet are joined by commas."""


class SearchState(NamedTuple):
    """What a search page shows; everything of it is in the address."""

    query: str
    filters: Filters
    more: int
    """How many times more hits were asked for."""


def search_params(state: SearchState) -> dict[str, str]:
    """A search as parameters; what is empty is left out, so that equal searches have equal addresses."""
    params = {"q": state.query} if state.query else {}
    params |= {facet: ",".join(sorted(values)) for facet, values in state.filters.items() if values}
    if state.more:
        params["meer"] = str(state.more)
    return params


def search_state(params: Params, taxonomy: Taxonomy, library: Library) -> SearchState:
    """The search in an address. Values that the taxonomy or library does not know are dropped."""
    known: dict[str, Sequence[str]] = {facet: list(words) for facet, words in taxonomy.by_facet.items()}
    known["municipality"] = library.municipalities
    filters = {
        facet: found
        for facet in taxonomy.facets
        if (found := frozenset(params.get(facet, "").split(",")).intersection(known[facet]))
    }
    more = params.get("meer", "")
    return SearchState(
        params.get("q", "").strip()[:LONGEST_QUERY].strip(),
        filters,
        min(int(more), 20) if more.isascii() and more.isdigit() and len(more) < 4 else 0,
    )


def search(query: str = "", **filters: str) -> str:
    """The address of a search with one value a facet."""
    return with_params(SEARCH, {"q": query, **filters} if query else filters)


def case(id: str, back: Params | None = None) -> str:
    """The address of a case; `back` are the parameters of the search that it was opened from."""
    return with_params(CASE, case_params(id, back))


def case_params(id: str, back: Params | None = None) -> dict[str, str]:
    """A case as parameters. The search it came from is carried along, so that "terug" works in any browser."""
    return {"id": id} if back is None else {"id": id, "van": urlencode(back) or "zoeken"}


def results_before(params: Params, taxonomy: Taxonomy, library: Library) -> str:
    """The address of the search that a case was opened from; empty when it was not."""
    carried = dict(parse_qsl(params.get("van", "")))
    return with_params(SEARCH, search_params(search_state(carried, taxonomy, library))) if "van" in params else ""


def reading(id: str) -> str:
    """The address of a case as a plain page."""
    return f"/lees/casus/{quote(id)}"


def theme(id: str) -> str:
    return with_params(THEME, {"id": id})


def with_params(path: str, params: Params) -> str:
    return f"{path}?{urlencode(params)}" if params else path
