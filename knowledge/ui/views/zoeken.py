"""Search: a question and filters in, cases that fit out. The address holds all of it."""

import streamlit as st

from knowledge import addresses
from knowledge.addresses import SearchState
from knowledge.desk import shared_desk
from knowledge.ui import components

PAGE = 10


def go(state: SearchState) -> None:
    st.query_params.from_dict(addresses.search_params(state))


desk = shared_desk()
library = desk.library
state = addresses.search_state(st.query_params.to_dict(), desk.taxonomy, library)
components.article("<h1>Zoeken</h1>")
asked = components.search_form(state)
if asked is not None and asked != state.query:
    go(SearchState(asked, state.filters, 0))
    st.rerun()
with st.container():  # a place of its own: what comes and goes in it must not shift, and so close, the filters below
    components.waiting(desk)
shown = PAGE * (1 + state.more)
answer = desk.answer(state.query, state.filters, k=shown)
chosen = components.filters(state, answer, library)
if chosen != state.filters:
    go(SearchState(state.query, chosen, 0))
    st.rerun()
if state.filters:
    components.article(components.articles().chosen(state))
if not library.cases:
    components.article(components.articles().empty())
elif answer.shown:
    components.article(components.articles().result_heading(answer, state))
    for hit in answer.shown:
        components.hit_card(hit, state)
    # A button: a page link to the page one is on leaves the address as it was.
    if answer.total > shown and st.button(f"Toon meer ({answer.total - shown})"):
        go(state._replace(more=state.more + 1))
        st.rerun()
else:
    components.article(components.articles().nothing(answer))
