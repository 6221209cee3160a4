"""What somebody sees when a page fails: a Dutch sentence and a number, never a traceback."""

import logging
import uuid

import streamlit as st

log = logging.getLogger(__name__)


def show(error: Exception) -> bool:
    """Show our own page for an error in a script. True: Streamlit shows nothing of its own."""
    reference = uuid.uuid4().hex[:8]
    log.error("page failed, reference %s", reference, exc_info=error)
    st.error(
        "Er ging iets mis op deze pagina. Probeer het over een ogenblik opnieuw. Blijft het misgaan? Meld dan het nummer "
        f"{reference} bij degene die deze kennisbank beheert."
    )
    st.html('<span class="hl-page" data-page="fout"></span>')
    return True
