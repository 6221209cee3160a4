"""The app: which pages there are, and what every page has in common."""

import streamlit as st

from knowledge import addresses
from knowledge.ui import components

st.set_page_config(page_title=addresses.TITLES[addresses.START], page_icon=str(components.LOGO), layout="centered")
page = st.navigation(components.pages(), position="top")
components.frame()
page.run()
components.page_end(page.url_path)
