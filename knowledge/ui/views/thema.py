"""One theme: its lessons by addressee, each with the case behind it."""

import streamlit as st

from knowledge import articles as texts
from knowledge.desk import shared_desk
from knowledge.ui import components

desk = shared_desk()
theme = desk.taxonomy.themes.get(st.query_params.get("id", ""))
if theme is None:
    st.set_page_config(page_title="Niet gevonden")
    components.article(components.articles().missing("Dit thema"))
else:
    st.set_page_config(page_title=f"{theme.label} | {texts.NAME}")
    components.article(components.articles().theme(theme.id, desk.library))
