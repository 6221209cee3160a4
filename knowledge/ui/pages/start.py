"""Start: one large question, examples, and doors for whoever prefers to walk in."""

import streamlit as st

from knowledge import articles as texts
from knowledge.addresses import SearchState
from knowledge.desk import shared_desk
from knowledge.ui import components
from knowledge.ui.markdown import as_text

desk = shared_desk()
components.article(components.articles().start(desk.library))
asked = components.search_form(SearchState("", {}, 0), on="start")
if asked:
    st.switch_page(components.search_page(), query_params={"q": asked})
with st.container(horizontal=True, key="examples"):
    for example in texts.EXAMPLES:
        st.page_link(components.search_page(), label=as_text(example), query_params={"q": example})
components.article(components.articles().doors(desk.library))
components.broken_files(desk.library)
