"""A case becomes the pieces that are searched. The only place that decides what is searchable."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from knowledge.records import Case
from knowledge.taxonomy import Taxonomy

VERSION = "1"
"""Part of the index's stamp: raise it when the same case would give other passages."""


class Passage(NamedTuple):
    """A piece of a case that is embedded and searched on its own. `section` is an id of the taxonomy's sections."""

    case_id: str
    section: str
    place: int
    """Which lesson or recognise line it is, counted from 0; 0 for a section with one passage."""
    text: str

    @property
    def id(self) -> str:
        return f"{self.case_id}/{self.section}/{self.place}"

    @property
    def digest(self) -> str:
        """Names the text, so that a vector is kept as long as its text is the same."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]


def of_case(case: Case, taxonomy: Taxonomy) -> Iterator[Passage]:
    """The passages of one case, in the order in which the case is read."""
    hurdles = "; ".join(
        f"{taxonomy.hurdles.label(id)}: {case.hurdle_wording[id]}"
        if id in case.hurdle_wording
        else taxonomy.hurdles.label(id)
        for id in case.hurdles
    )
    title = case.title if case.title.endswith(("?", "!", ".")) else f"{case.title}."
    yield Passage(case.id, "title", 0, f"{title} {case.summary} {hurdles}")
    for place, line in enumerate(case.recognise):
        yield Passage(case.id, "recognise", place, line)
    yield Passage(case.id, "situation", 0, f"{case.initiative}, {case.where}. {case.situation}")
    yield Passage(case.id, "obstacle", 0, case.obstacle)
    yield Passage(case.id, "approach", 0, " ".join(case.approach))
    yield Passage(case.id, "result", 0, case.result)
    for place, lesson in enumerate(case.lessons):
        yield Passage(case.id, "lesson", place, lesson.text)


def of_cases(cases: Iterable[Case], taxonomy: Taxonomy) -> tuple[Passage, ...]:
    """The passages of all cases, ordered by case id."""
    return tuple(passage for case in sorted(cases, key=lambda case: case.id) for passage in of_case(case, taxonomy))
