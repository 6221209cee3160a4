"""Start: one large question, examples, and doors for whoever prefers to walk in."""

from knowledge.desk import shared_desk
from knowledge.ui import components

desk = shared_desk()
pages = components.articles()
# A plain form: switch_page would leave two steps in the browser's history, and the results are there sooner.
components.article(pages.start(desk.library) + pages.search_box() + pages.doors(desk.library))
components.broken_files(desk.library)
