"""The cases on disk: read all of them, read one, save one. Knows files, text and lines; knows nothing of search.

A case file is read as plain text in YAML's block structure: every value is a text, a list or a mapping, exactly as it is
written. So `2021`, `on` and `12:30` stay what the writer typed, and nothing in a file can make reading hang or run.
"""

import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from knowledge import checks
from knowledge.checks import Problem
from knowledge.records import Case
from knowledge.taxonomy import Taxonomy

LARGEST = 200_000
"""Bytes. The longest documented case has some 8,000."""
DEEPEST = 12
SCHEMA_LINE = "# yaml-language-server: $schema=case.schema.json\n"


@dataclass(frozen=True)
class Library:
    """The published cases and what is wrong with the files that are not. Both come from the same read."""

    cases: Mapping[str, Case]
    problems: tuple[Problem, ...]
    stamp: str
    """Differs whenever a file in the directory was added, changed or removed."""

    @cached_property
    def municipalities(self) -> tuple[str, ...]:
        """The municipalities of the cases, in alphabetical order."""
        return tuple(sorted({case.place.municipality for case in self.cases.values()}))

    @cached_property
    def initiatives(self) -> frozenset[tuple[str, str]]:
        """Initiative and municipality: one group may have several cases."""
        return frozenset((case.initiative, case.place.municipality) for case in self.cases.values())


def read(directory: Path, taxonomy: Taxonomy) -> Library:
    """Every case in `directory`. A broken file adds problems and takes nothing from the others."""
    mark = stamp(directory)
    cases: dict[str, Case] = {}
    problems: list[Problem] = []
    claims: dict[str, list[tuple[Path, int]]] = {}  # id -> the files that say they have it, and on which line
    for file in _files(directory):
        document, case, wrong = _read(file, taxonomy)
        problems += wrong
        if document and isinstance(id := document.data.get("id"), str):
            claims.setdefault(id, []).append((file, document.line(("id",))))
        if case:
            cases[case.id] = case
    for id, files in claims.items():
        # A file that is named after its id keeps it: a copy under another name takes nothing from the original.
        owner = next((file for file, _line in files if file.stem == id), files[0][0])
        problems += [
            Problem(_shown(file), line, "id", "duplicate-id", id, _shown(Path(owner.name)))
            for file, line in files
            if file != owner
        ]
    return Library(cases, tuple(sorted(problems)), mark)


def read_case(file: Path, taxonomy: Taxonomy) -> tuple[Case | None, list[Problem]]:
    """The case in a file, or None with everything that is wrong with it."""
    _document, case, problems = _read(file, taxonomy)
    return case, problems


def save(case: Case, directory: Path) -> Path:
    """Write a case to its file, whole or not at all. Raises OSError and leaves what was there when that fails."""
    target = directory / f"{case.id}.yaml"
    handle, name = tempfile.mkstemp(dir=directory, prefix=f".{case.id}-", suffix=".tmp")
    try:
        with open(handle, "w", encoding="utf-8") as stream:
            stream.write(dumped(case))
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def dumped(case: Case) -> str:
    """A case as the text of its file: keys in the order of the record, long texts folded, empty fields left out."""
    data = case.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True, mode="json")
    text = yaml.dump(data, Dumper=_CaseDumper, allow_unicode=True, sort_keys=False, width=110)
    return SCHEMA_LINE + str(text)


def stamp(directory: Path) -> str:
    """Cheap to ask for (one directory scan), and different after every save. Empty for a directory that is not there."""
    try:
        with os.scandir(directory) as entries:
            seen = sorted(_mark(entry) for entry in entries if _is_case(entry.name))
    except OSError:
        return ""
    return f"{len(seen)}-{hash(tuple(seen)):x}"


def written(path: checks.Path) -> str:
    """A path as people write it: lessons[0].themes[1]."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return checks.printable(text.removeprefix(".")) or "file"


def _mark(entry: os.DirEntry[str]) -> tuple[str, int, int]:
    try:
        status = entry.stat()
    except OSError:  # a link to nowhere, or a file that just went
        return entry.name, 0, 0
    return entry.name, status.st_mtime_ns, status.st_size


def _shown(file: Path) -> str:
    """A file as text that can be printed, also when its name is not UTF-8."""
    return str(file).encode("utf-8", "backslashreplace").decode("utf-8")


def _is_case(name: str) -> bool:
    return name.lower().endswith((".yaml", ".yml")) and not name.startswith(".")


def _files(directory: Path) -> list[Path]:
    try:
        return sorted(file for file in directory.iterdir() if _is_case(file.name))
    except OSError:
        return []


@dataclass
class _Document:
    """What a file holds (texts, lists and mappings) and on which line each part starts."""

    data: Any = None
    lines: dict[checks.Path, int] = field(default_factory=dict)

    def line(self, path: checks.Path) -> int:
        """The line of a part, or of the nearest part around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def _read(file: Path, taxonomy: Taxonomy) -> tuple["_Document | None", Case | None, list[Problem]]:
    document, problems = _document(file)
    if document is None:
        return None, None, problems
    problems += [
        Problem(_shown(file), document.line(path), written(path), code, found, expected)
        for path, code, found, expected in checks.findings(document.data, file.stem, taxonomy)
    ]
    return document, None if problems else Case.model_validate(document.data), problems


def _document(file: Path) -> tuple[_Document | None, list[Problem]]:
    """What a file holds, or None; and what is wrong with it as a file. Only duplicate keys come with a document."""

    def wrong(code: str, line: int = 1, found: str = "", expected: str = "") -> tuple[None, list[Problem]]:
        return None, [Problem(_shown(file), line, "file", code, found, expected)]

    if file.suffix != ".yaml":
        return wrong("wrong-ending", expected=_shown(Path(f"{file.stem}.yaml")))
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            return wrong("unreadable", found="not a regular file")
        if status.st_size > LARGEST:
            return wrong("too-large", expected=f"{LARGEST // 1000} kB")
        raw = file.read_bytes()
    except OSError as error:
        return wrong("unreadable", found=error.strerror or type(error).__name__)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return wrong("not-utf8", line=raw[: error.start].count(b"\n") + 1)
    try:
        document, findings = _parsed(text)
    except yaml.YAMLError as error:
        at = _place(error, text)
        line = text.count("\n", 0, at) + 1
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        return wrong("tab", line) if text[at : at + 1] == "\t" else wrong("syntax", line, reason)
    problems = [Problem(_shown(file), line, written(path), code, found) for line, path, code, found in findings]
    if any(problem.code != "duplicate-key" for problem in problems):
        return None, problems
    if document.data is None:
        return wrong("empty-file")
    if not isinstance(document.data, dict):
        return wrong("not-keys")
    return document, problems


def _place(error: yaml.YAMLError, text: str) -> int:
    """The place in the text where YAML stopped reading. Of a sign that it forbids the parser tells the byte."""
    if isinstance(error, yaml.reader.ReaderError):
        return len(text.encode()[: error.position].decode("utf-8", "ignore"))
    mark = getattr(error, "problem_mark", None)
    return mark.index if mark else 0


_Wrong = tuple[int, checks.Path, str, str]


def _parsed(text: str) -> tuple[_Document, list[_Wrong]]:
    """Build the document from YAML's events, one after the other: no recursion, no types, no aliases.

    Raises yaml.YAMLError. Stops at the first anchor, tag or excess depth; duplicate keys before it are all reported.
    """
    document = _Document()
    wrong: list[_Wrong] = []
    open_nodes: list[_Node] = []
    documents = 0
    for event in _events(text):
        line = event.start_mark.line + 1
        match event:
            case yaml.DocumentStartEvent():
                documents += 1
                if documents > 1:
                    return document, [*wrong, (line, (), "several-documents", "")]
            case yaml.AliasEvent():
                return document, [*wrong, (line, _here(open_nodes), "alias", f"*{event.anchor}")]
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                open_nodes.pop()
            case yaml.ScalarEvent() | yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                if event.anchor:
                    return document, [*wrong, (line, _here(open_nodes), "alias", f"&{event.anchor}")]
                if event.tag:
                    return document, [*wrong, (line, _here(open_nodes), "tag", event.tag)]
                if len(open_nodes) >= DEEPEST:
                    return document, [*wrong, (line, _here(open_nodes), "too-deep", "")]
                value: Any = _scalar(event) if isinstance(event, yaml.ScalarEvent) else _empty(event)
                if open_nodes and (parent := open_nodes[-1]).wants_key:
                    if not isinstance(value, str):
                        return document, [*wrong, (line, parent.path, "syntax", "a key must be a word")]
                    if value in parent.value:
                        wrong.append((line, (*parent.path, value), "duplicate-key", value))
                    parent.key = value
                    document.lines[(*parent.path, value)] = line
                    continue
                path = open_nodes[-1].put(value) if open_nodes else ()
                document.lines.setdefault(path, line)
                if not open_nodes:
                    document.data = value
                if not isinstance(event, yaml.ScalarEvent):
                    open_nodes.append(_Node(value, path))
    return document, wrong


def _events(text: str) -> Iterator[Any]:
    return iter(yaml.parse(text, Loader=yaml.CSafeLoader))


@dataclass
class _Node:
    """A list or mapping that is being filled. A mapping without a key at hand wants one."""

    value: Any
    path: checks.Path
    key: str | None = None

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None

    def put(self, value: Any) -> checks.Path:
        """Add a value and return where it went. A key without a value is as good as no key."""
        if isinstance(self.value, list):
            self.value.append(value)
            return (*self.path, len(self.value) - 1)
        key, self.key = self.key, None
        assert key is not None
        if value is not None:
            self.value[key] = value
        return (*self.path, key)


def _here(open_nodes: list[_Node]) -> checks.Path:
    if not open_nodes:
        return ()
    node = open_nodes[-1]
    return (*node.path, node.key) if node.key is not None else node.path


def _empty(event: yaml.Event) -> list[Any] | dict[str, Any]:
    return [] if isinstance(event, yaml.SequenceStartEvent) else {}


def _scalar(event: yaml.ScalarEvent) -> str | None:
    plain = event.style is None or event.style == ""
    return None if plain and event.value in ("", "~", "null") else str(event.value)


class _CaseDumper(yaml.SafeDumper):
    """Writes texts as people do: short ones on their line, long ones folded, quoted only where YAML needs it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


# Line breaks to YAML and to nobody else: they come back as what they were only where they are written as escapes.
_EXOTIC_BREAK = re.compile("[\x85\u2028\u2029]")


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    foldable = len(text) > 90 and "\n" not in text and text == text.strip() and "  " not in text
    style = '"' if _EXOTIC_BREAK.search(text) else ">" if foldable else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_CaseDumper.add_representer(str, _text)
