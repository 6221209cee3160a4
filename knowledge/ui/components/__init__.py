"""Pieces that pages are made of. Each takes the thing to show."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from knowledge import addresses, web
from knowledge.addresses import SearchState
from knowledge.articles import Articles
from knowledge.desk import Desk, shared_desk
from knowledge.library import Library
from knowledge.search import LONGEST_QUERY, Answer, Filters, Hit
from knowledge.ui.markdown import as_text

LOGO = Path(web.__file__).parent / "assets" / "hordeloper.svg"
PAGE_FILES = Path(__file__).parent.parent / "views"  # a folder `pages` beside the entry would be run without it


@lru_cache(maxsize=1)
def articles() -> Articles:
    return Articles(shared_desk().taxonomy)


def pages() -> list[Any]:
    """The pages in the order of the menu; those that need an id are reached by links only."""
    return [
        st.Page(PAGE_FILES / "start.py", title="Begin", default=True),
        search_page(),
        st.Page(PAGE_FILES / "uitgangssituaties.py", title="Uitgangssituaties", url_path="uitgangssituaties"),
        st.Page(PAGE_FILES / "themas.py", title="Thema’s", url_path="themas"),
        st.Page(PAGE_FILES / "over.py", title="Over", url_path="over"),
        case_page(),
        st.Page(PAGE_FILES / "thema.py", title="Thema", url_path="thema", visibility="hidden"),
    ]


def search_page() -> Any:
    return st.Page(PAGE_FILES / "zoeken.py", title="Zoeken", url_path="zoeken")


def case_page() -> Any:
    return st.Page(PAGE_FILES / "casus.py", title="Casus", url_path="casus", visibility="hidden")


def frame() -> None:
    """What every page starts with."""
    st.logo(str(LOGO), size="large", link=None)


def page_end(url_path: str) -> None:
    """Tells the script in the shell that the page is there, and which."""
    id = hash(st.query_params.get("id", ""))
    state = hash(frozenset(st.query_params.items()))
    st.html(f'<span class="hl-page" data-page="{url_path or "start"}-{id}" data-state="{state}"></span>')


def article(html: str) -> None:
    """HTML from `articles`, where every text is escaped."""
    st.html(f'<div class="hl">{html}</div>')


def search_form(state: SearchState) -> str | None:
    """The search box; what was asked when somebody presses the button, else None."""
    # A key that holds the query makes a new box when Back changes the address.
    with st.form(f"search-{hash(state.query)}", border=False):
        query = st.text_area(
            "Beschrijf jullie situatie",
            state.query,
            max_chars=LONGEST_QUERY,
            height=110,
            placeholder="Bijvoorbeeld: de gemeente komt met een plan voor onze wijk, maar ons is niets gevraagd.",
            key=f"search-q-{hash(state.query)}",
        )
        asked = st.form_submit_button("Zoek casussen", type="primary")
    return query.strip()[:LONGEST_QUERY] if asked else None


def filters(state: SearchState, answer: Answer, library: Library) -> Filters:
    """One choice a facet, each value with how many cases fit with it. What is chosen now."""
    taxonomy = shared_desk().taxonomy
    wanted: dict[str, frozenset[str]] = {}
    with st.expander("Filters", expanded=False):  # always the same words: another label would close it
        columns = st.columns(2)
        for place, (facet, entry) in enumerate(taxonomy.facets.items()):
            counts = answer.counts.get(facet, {})
            chosen = sorted(state.filters.get(facet, ()))
            known = taxonomy.by_facet.get(facet, dict.fromkeys(library.municipalities))
            options = [id for id in known if counts.get(id) or id in chosen]
            key = f"filter-{facet}-{'+'.join(chosen)}-{hash(state.query)}"

            def label(id: str, facet: str = facet, counts: Mapping[str, int] = counts) -> str:
                vocabulary = taxonomy.by_facet.get(facet)
                return f"{vocabulary.label(id) if vocabulary else id} ({counts.get(id, 0)})"

            values = columns[place % 2].multiselect(
                entry.label, options, default=chosen, format_func=label, key=key, placeholder="Alle"
            )
            if values:
                wanted[facet] = frozenset(values)
    return wanted


def hit_card(hit: Hit, state: SearchState) -> None:
    """A hit as an answer: its title leads to the case and carries the search along."""
    with st.container(border=True, key=f"hit-{hit.case.id}"):
        st.page_link(
            case_page(),
            label=f"**{as_text(hit.case.title)}**",
            query_params=addresses.case_params(hit.case.id, addresses.search_params(state)),
        )
        article(articles().hit(hit))


def waiting(desk: Desk) -> None:
    """While the model loads or passages are embedded: say so, and run the page again when it is done."""
    step = desk.status.step
    if step in ("ready", "words-only"):
        if step == "words-only":
            st.info("Er wordt nu alleen op woorden gezocht: het taalmodel is niet beschikbaar.")
        return
    _wait_for(desk)


@st.fragment(run_every=1.0)
def _wait_for(desk: Desk) -> None:
    status = desk.status
    if status.step in ("ready", "words-only"):
        st.rerun()
    article(f'<p class="hl-note" role="status">{web.STILL_LOADING}</p>')
    if status.step == "embedding" and status.all:
        st.progress(status.done / status.all, text=f"{status.done} van {status.all} stukken tekst verwerkt")


def broken_files(library: Library) -> None:
    """Which files could not be read and why, for whoever may edit them."""
    if library.problems and may_edit():
        files = len({problem.file for problem in library.problems})
        with st.expander(
            f"{files} bestanden konden niet worden gelezen" if files > 1 else "1 bestand kon niet worden gelezen"
        ):
            st.text(
                "\n".join(
                    f"{Path(problem.file).name}, regel {problem.line}, {problem.field}: {problem.dutch()}"
                    for problem in library.problems
                )
            )


def may_edit() -> bool:
    return is_here(st.context.url, st.context.ip_address, st.context.headers)


def is_here(url: str | None, ip: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a visitor sits at this computer. Streamlit gives no address for one who does.

    What the browser says its address is does not suffice, and behind a proxy everybody seems to be here.
    """
    forwarded = {name.lower() for name in headers} & {"forwarded", "x-forwarded-for", "x-real-ip"}
    return urlsplit(url or "").hostname in ("localhost", "127.0.0.1", "::1") and ip is None and not forwarded
