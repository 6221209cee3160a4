"""The app: which pages there are, and what every page has in common."""

import streamlit as st

from knowledge import addresses
from knowledge.ui import components

page = st.navigation(components.pages(), position="top")
title = addresses.TITLES[f"/{page.url_path}"]
st.set_page_config(page_title=title, page_icon=str(components.LOGO), layout="centered")
components.frame()
page.run()
components.page_end(page.url_path)
