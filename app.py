"""The front door: Streamlit's entry with our own routes and middleware. `streamlit run app.py`."""

import streamlit as st

from knowledge import web
from knowledge.ui import errors

app = st.App(
    "knowledge/ui/main.py",
    routes=web.routes(),
    middleware=web.middleware(),
    lifespan=web.lifespan,
    on_script_error=errors.show,
)
