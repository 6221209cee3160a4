"""About: what this is, where cases come from, how to report an error."""

from knowledge.desk import shared_desk
from knowledge.ui import components

components.article(components.articles().about(shared_desk().library))
