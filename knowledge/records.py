"""What a case, a lesson and a source are: shapes only. Whether ids exist and parts fit together is for `checks`."""

import re
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
Part = Literal["situation", "obstacle", "approach", "result", "lessons"]
"""The parts of a case that a source can support."""
Addressee = Literal["initiatief", "gemeente", "beiden"]
Provenance = Literal["openbare-bronnen", "opgetekend"]


def _partial_date(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", text):
        raise PydanticCustomError("malformed_date", "not a date")
    year, month, day = (*(int(part) for part in text.split("-")), 1, 1)[:3]
    try:
        date(year, month, day)
    except ValueError as error:
        raise PydanticCustomError("malformed_date", "not a date") from error
    return text


_NEVER_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f\s<>\"\\^`{}|]")


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        well_formed = parts.scheme in ("http", "https") and "." in (parts.hostname or "").strip(".") and parts.port != 0
        clean = parts.username is None and parts.password is None and not _NEVER_IN_ADDRESS.search(text)
    except ValueError:
        well_formed = clean = False
    if not (well_formed and clean):
        raise PydanticCustomError("malformed_url", "not a web address")
    return text


PartialDate = Annotated[Text, AfterValidator(_partial_date)]
"""A year, a month or a day: 2021, 2021-02 or 2021-02-28."""
WebAddress = Annotated[Text, AfterValidator(_web_address)]


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Place(Record):
    """Where the initiative is. `neighbourhood` is a street, neighbourhood or village."""

    neighbourhood: Text | None = None
    municipality: Text
    province: Text


class Lesson(Record):
    """One transferable insight, readable without the case."""

    addressee: Annotated[Addressee, Field(alias="for")]
    text: Text
    themes: Annotated[tuple[Text, ...], Field(min_length=1, max_length=3)]


class Source(Record):
    """Where facts of a case come from. `url` is absent where the address would mislead or names a person."""

    title: Text
    publisher: Text
    url: WebAddress | None = None
    date: PartialDate | None = None
    supports: Annotated[tuple[Part, ...], Field(min_length=1)]


class Case(Record):
    """One documented story: one initiative, one municipality, one main hurdle, and what came of it."""

    id: Id
    title: Annotated[Text, StringConstraints(max_length=90)]
    summary: Annotated[Text, StringConstraints(max_length=500)]
    initiative: Text
    initiative_type: Text
    place: Place
    period: Text | None = None
    """When it happened, as the sources tell it: "2021", "2019-2023", "vanaf 2010"."""
    context: Text
    phase: Text
    hurdles: Annotated[tuple[Text, ...], Field(min_length=1, max_length=3)]
    """Taxonomy ids; the first is the main one."""
    hurdle_wording: dict[Text, Text] = {}
    """Hurdle id -> how this case puts it."""
    situation: Text
    obstacle: Text
    approach: Annotated[tuple[Text, ...], Field(min_length=1)]
    result: Text
    outcome: Text
    lessons: Annotated[tuple[Lesson, ...], Field(min_length=1)]
    recognise: tuple[Text, ...] = ()
    techniques: tuple[Text, ...] = ()
    municipal_roles: tuple[Text, ...] = ()
    instruments: tuple[Text, ...] = ()
    provenance: Provenance
    sources: tuple[Source, ...] = ()

    @property
    def main_hurdle(self) -> str:
        return self.hurdles[0]

    @property
    def themes(self) -> tuple[str, ...]:
        """The themes of its lessons, each once, in order of appearance."""
        return tuple(dict.fromkeys(theme for lesson in self.lessons for theme in lesson.themes))

    @property
    def as_of(self) -> str | None:
        """The date of the newest dated source: what is told of the outcome was true then."""
        return max((source.date for source in self.sources if source.date), default=None)

    @property
    def where(self) -> str:
        """Neighbourhood and municipality as people say it; once where both have one name."""
        near, municipality = self.place.neighbourhood, self.place.municipality
        return f"{near}, {municipality}" if near and near != municipality else municipality
