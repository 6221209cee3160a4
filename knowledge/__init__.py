"""Hordeloper: documented stories of residents' initiatives and municipalities, searchable in the reader's own words."""
