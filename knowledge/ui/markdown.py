"""Text that somebody wrote, for where Streamlit wants Markdown."""

import re

_SIGNS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:$<>&@/=\"'^])")


def as_text(text: str) -> str:
    """Markdown that shows exactly this text on one line: no emphasis, colours, icons, formulas, links or images."""
    return _SIGNS.sub(r"\\\1", re.sub(r"\s+", " ", text))
