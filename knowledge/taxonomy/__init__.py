"""The words of the field, each with an id, a Dutch label and a definition. YAML beside this file is the only source.

Adding a hurdle, theme, term or any other entry is an edit of a YAML file; nothing in the code lists them.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

HERE = Path(__file__).parent

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class TaxonomyBroken(Exception):
    """A taxonomy file cannot be used; the message names the file and what is wrong."""


class Entry(BaseModel):
    """One word: a stable id, the short label that people see, and a definition that tells it from its neighbours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Text
    label: Text
    definition: Text


class Context(Entry):
    """How initiative and municipality stand to each other when a story starts."""

    sentence: Text
    """The situation in the masterclass's own words, or ours for the one that was added."""
    not_this: Text
    cues: tuple[Text, ...]


class Hurdle(Entry):
    """A kind of obstacle."""

    not_this: Text
    """When it is another hurdle instead. Names other hurdles by id."""
    contexts: tuple[Text, ...]
    themes: tuple[Text, ...]
    resident_words: tuple[Text, ...]
    official_words: tuple[Text, ...]


class Theme(Entry):
    """What municipalities browse lessons by."""

    question: Text
    """The theme as a question that an official might ask about the own organisation."""


class Term(Entry):
    """A word of the field with everything else that people call it."""

    kind: Text
    abbreviations: tuple[Text, ...] = ()
    synonyms: tuple[Text, ...] = ()
    resident_words: tuple[Text, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The label and every other name, in the order of how precise they are."""
        return (self.label, *self.abbreviations, *self.synonyms, *self.resident_words)


class Reference(BaseModel):
    """Where a fact of the municipal guide comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Text
    publisher: Text
    url: Text
    date: Text | None = None


class Role(Entry):
    """Whom one meets at, or beside, a municipality."""

    position: Text
    what: tuple[Text, ...] = ()
    when: tuple[Text, ...] = ()
    needs: tuple[Text, ...] = ()
    pitfalls: tuple[Text, ...] = ()
    sources: tuple[Reference, ...] = ()


class Instrument(Entry):
    """A plan, law or agreement that matters to initiatives."""

    what: Text | None = None
    since_deadline: Text | None = None
    means_for_initiative: Text | None = None
    how_to_use: tuple[Text, ...] = ()
    sources: tuple[Reference, ...] = ()


E = TypeVar("E", bound=Entry)


class Vocabulary(Mapping[str, E], Generic[E]):
    """The entries of one kind by id, in the order of the file."""

    def __init__(self, entries: Iterable[E]) -> None:
        self._entries = {entry.id: entry for entry in entries}

    def __getitem__(self, id: str) -> E:
        return self._entries[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def label(self, id: str) -> str:
        """The label that people see; the id itself where no entry has it, so that a page never fails on a label."""
        return self._entries[id].label if id in self._entries else id


class Taxonomy:
    """All vocabularies, read from one directory. Raises TaxonomyBroken."""

    def __init__(self, directory: Path = HERE) -> None:
        self.contexts = _read(directory / "contexts.yaml", Context)
        self.phases = _read(directory / "phases.yaml", Entry)
        self.hurdles = _read(directory / "hurdles.yaml", Hurdle)
        self.themes = _read(directory / "themes.yaml", Theme)
        self.terms = _read(directory / "terms.yaml", Term)
        self.roles = _read(directory / "roles.yaml", Role)
        self.instruments = _read(directory / "instruments.yaml", Instrument)
        self.techniques = _read(directory / "techniques.yaml", Entry)
        self.outcomes = _read(directory / "outcomes.yaml", Entry)
        self.initiative_types = _read(directory / "initiative_types.yaml", Entry)
        labels = _load(directory / "labels.yaml")
        if not isinstance(labels, dict):
            raise TaxonomyBroken(f"{directory / 'labels.yaml'}: expected groups of labels")
        self.sections = _labels(directory, labels, "sections")
        self.addressees = _labels(directory, labels, "addressees")
        self.provenances = _labels(directory, labels, "provenances")
        self.strengths = _labels(directory, labels, "strengths")
        self.facets = _labels(directory, labels, "facets")
        self.provinces = _labels(directory, labels, "provinces")
        self._check_references(directory)

    @cached_property
    def by_facet(self) -> Mapping[str, Vocabulary[Any]]:
        """Facet id -> the vocabulary of its values. `municipality` has none: its values are the cases' own."""
        return {
            "context": self.contexts,
            "hurdle": self.hurdles,
            "phase": self.phases,
            "theme": self.themes,
            "outcome": self.outcomes,
            "technique": self.techniques,
            "initiative_type": self.initiative_types,
            "province": self.provinces,
        }

    def _check_references(self, directory: Path) -> None:
        for hurdle in self.hurdles.values():
            for kind, ids, known in (
                ("context", hurdle.contexts, self.contexts),
                ("theme", hurdle.themes, self.themes),
            ):
                for id in ids:
                    if id not in known:
                        raise TaxonomyBroken(f"{directory / 'hurdles.yaml'}: {hurdle.id}: unknown {kind} {id!r}")


def _load(file: Path) -> Any:
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TaxonomyBroken(f"{file}: {error}") from error


def _read(file: Path, kind: type[E]) -> Vocabulary[E]:
    return _vocabulary(file, _load(file), kind)


def _labels(directory: Path, labels: Any, group: str) -> Vocabulary[Entry]:
    return _vocabulary(directory / "labels.yaml", labels.get(group), Entry)


def _vocabulary(file: Path, rows: Any, kind: type[E]) -> Vocabulary[E]:
    if not isinstance(rows, list):
        raise TaxonomyBroken(f"{file}: expected a list of entries")
    entries: list[E] = []
    for place, row in enumerate(rows):
        try:
            entry = kind.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise TaxonomyBroken(f"{file}: entry {place + 1}: {field}: {first['msg']}") from error
        if any(entry.id == other.id for other in entries):
            raise TaxonomyBroken(f"{file}: entry {place + 1}: duplicate id {entry.id!r}")
        entries.append(entry)
    return Vocabulary(entries)


@lru_cache(maxsize=1)
def taxonomy() -> Taxonomy:
    """The taxonomy that ships, read once a process."""
    return Taxonomy()
