"""Themes: a door for each, with its question."""

from knowledge.desk import shared_desk
from knowledge.ui import components

components.article(components.articles().themes(shared_desk().library))
