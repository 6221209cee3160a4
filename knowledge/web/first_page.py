"""What a page shows before Streamlit does, and where Streamlit never comes: the same articles, as plain HTML."""

from collections.abc import Mapping
from typing import NamedTuple

from knowledge import addresses, articles
from knowledge.articles import Articles
from knowledge.desk import Desk

DESCRIPTION = (
    "Ervaringen van bewonersgroepen en gemeenten: wat in de weg zat, wat zij deden en hoe het afliep. "
    "Zoek in je eigen woorden."
)
STILL_LOADING = (
    "De kennisbank wordt nog geladen. Dit zijn casussen met dezelfde woorden. "
    "Over een ogenblik komen er casussen bij die hetzelfde betekenen."
)


class FirstPage(NamedTuple):
    main: str
    title: str
    description: str
    canonical: str
    """Path and query of the address that this page is best known by."""
    found: bool = True


def page(path: str, params: Mapping[str, str], desk: Desk) -> FirstPage:
    """The first page of an address of the app. `found` is False for an id that there is not."""
    pages = Articles(desk.taxonomy)
    library = desk.library
    title = addresses.TITLES[path]
    match path:
        case addresses.SEARCH:
            state = addresses.search_state(params, desk.taxonomy, library)
            answer = desk.answer(state.query, state.filters, k=10 * (1 + state.more))
            note = "" if desk.status.step in ("ready", "words-only") or not state.query else STILL_LOADING
            canonical = addresses.with_params(path, addresses.search_params(state))
            return FirstPage(pages.results(answer, state, library, note=note), title, DESCRIPTION, canonical)
        case addresses.CASE:
            case = library.cases.get(params.get("id", ""))
            if case is None:
                return FirstPage(pages.missing("Deze casus"), "Niet gevonden", DESCRIPTION, path, found=False)
            title = f"{case.title} | {articles.NAME}"
            back = addresses.results_before(params, desk.taxonomy, library)
            main = pages.actions(case, in_app=True, back=back) + pages.case(case)
            return FirstPage(main, title, case.summary, addresses.reading(case.id))
        case addresses.THEME:
            theme = desk.taxonomy.themes.get(params.get("id", ""))
            if theme is None:
                return FirstPage(pages.missing("Dit thema"), "Niet gevonden", DESCRIPTION, path, found=False)
            title = f"{theme.label} | {articles.NAME}"
            return FirstPage(pages.theme(theme.id, library), title, theme.definition, addresses.theme(theme.id))
        case addresses.CONTEXTS:
            return FirstPage(pages.contexts(library), title, DESCRIPTION, path)
        case addresses.THEMES:
            return FirstPage(pages.themes(library), title, DESCRIPTION, path)
        case addresses.ABOUT:
            return FirstPage(pages.about(library), title, DESCRIPTION, path)
    main = pages.start(library) + pages.search_box() + pages.doors(library)
    return FirstPage(main, title, DESCRIPTION, addresses.START)
