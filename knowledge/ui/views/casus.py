"""One case: the story from situation to result, its lessons, its sources, and cases like it."""

import streamlit as st

from knowledge import addresses
from knowledge import articles as texts
from knowledge.desk import shared_desk
from knowledge.ui import components
from knowledge.ui.markdown import as_text

desk = shared_desk()
case = desk.library.cases.get(st.query_params.get("id", ""))
if case is None:
    st.set_page_config(page_title="Niet gevonden")
    components.article(components.articles().missing("Deze casus"))
else:
    st.set_page_config(page_title=f"{case.title} | {texts.NAME}")
    back = addresses.results_before(st.query_params.to_dict(), desk.taxonomy, desk.library)
    components.article(components.articles().actions(case, in_app=True, back=back))
    components.article(components.articles().case(case))
    similar = desk.similar(case)
    if similar:
        components.article("<h2>Ook tegengekomen</h2>")
        for other in similar:
            st.page_link(
                components.case_page(),
                label=f"{as_text(other.title)} ({as_text(other.where)})",
                query_params=addresses.case_params(other.id),
            )
