"""Contexts: each explained, with its hurdles, counts and cases."""

from knowledge.desk import shared_desk
from knowledge.ui import components

components.article(components.articles().contexts(shared_desk().library))
