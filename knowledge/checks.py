"""What is wrong with a case, as values. The edge that shows a problem makes the sentence: English or Dutch."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rapidfuzz import fuzz, process

from knowledge.records import Case, Lesson, Place, Record, Source
from knowledge.taxonomy import Taxonomy

Path = tuple[str | int, ...]
"""Where something stands in a case: ("lessons", 0, "themes", 1)."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, and where. A case with a problem is not published; the others are."""

    file: str
    line: int
    field: str
    code: str
    found: str = ""
    expected: str = ""
    """The nearest thing that would have been right, or what kind of thing was expected."""

    def english(self) -> str:
        return self._sentence(SENTENCES[self.code][0], "; did you mean {!r}?")

    def dutch(self) -> str:
        return self._sentence(SENTENCES[self.code][1], " Bedoel je ‘{}’?")

    def _sentence(self, template: str, suggestion: str) -> str:
        expected = printable(self.expected)
        sentence = template.format(found=_shortened(self.found), expected=expected)
        return sentence + (suggestion.format(expected) if expected and "{expected" not in template else "")


SENTENCES: Mapping[str, tuple[str, str]] = {
    "unreadable": ("cannot be read: {found}", "Dit bestand kan niet worden gelezen ({found})."),
    "wrong-ending": ("is not read: call it {expected}", "Dit bestand wordt niet gelezen. Noem het {expected}."),
    "too-large": (
        "is larger than {expected}, far more than any case needs",
        "Dit bestand is groter dan {expected}. Zo groot is geen enkele casus.",
    ),
    "not-utf8": ("is not UTF-8 text", "Dit bestand is geen UTF-8-tekst. Sla het op als UTF-8."),
    "empty-file": ("holds no case", "Er staat geen casus in dit bestand."),
    "syntax": ("is not YAML: {found}", "Vanaf hier is de tekst geen geldige YAML ({found})."),
    "tab": (
        "has a tab where YAML wants spaces",
        "Hier staat een tab. Gebruik spaties om in te springen.",
    ),
    "several-documents": (
        "holds more than one document; a case is one file",
        "Er staat meer dan één document in dit bestand. Eén casus is één bestand.",
    ),
    "alias": (
        "uses a YAML anchor or alias ({found}); write the text out",
        "Hier staat een verwijzing ({found}). Schrijf de tekst uit.",
    ),
    "tag": ("uses a YAML tag ({found}); write plain text", "Hier staat een YAML-tag ({found}). Schrijf gewone tekst."),
    "too-deep": ("is nested too deeply", "De tekst is te diep ingesprongen."),
    "duplicate-key": ("key {found!r} stands here twice", "Het veld ‘{found}’ staat er twee keer."),
    "unknown-key": ("unknown key {found!r}", "Het veld ‘{found}’ kennen we niet."),
    "missing": ("is missing or empty", "Dit veld ontbreekt of is leeg."),
    "not-text": ("expected text", "Hier hoort tekst."),
    "not-a-list": ("expected a list", "Hier hoort een lijst: regels die met een streepje beginnen."),
    "not-keys": ("expected keys and values", "Hier horen velden met een dubbele punt."),
    "too-long": ("is longer than {expected} characters", "Dit is langer dan {expected} tekens."),
    "too-many": ("has more than {expected}", "Dit zijn er meer dan {expected}."),
    "malformed-id": (
        "{found!r} is not an id: use lower case letters, digits and hyphens",
        "‘{found}’ is geen goed id. Gebruik kleine letters, cijfers en streepjes.",
    ),
    "malformed-date": (
        "{found!r} is not a date: write 2024, 2024-05 or 2024-05-31",
        "‘{found}’ is geen datum. Schrijf 2024, 2024-05 of 2024-05-31.",
    ),
    "malformed-url": (
        "{found!r} is not a web address that starts with http:// or https://",
        "‘{found}’ is geen webadres dat begint met http:// of https://.",
    ),
    "unknown-value": ("unknown value {found!r}", "‘{found}’ kennen we hier niet."),
    "unknown-part": (
        "supports {found!r}, a part that a case does not have",
        "Deze bron steunt ‘{found}’, maar dat deel heeft een casus niet.",
    ),
    "id-is-not-file-name": (
        "{found!r} differs from the file name {expected!r}",
        "‘{found}’ is anders dan de bestandsnaam ‘{expected}’.",
    ),
    "duplicate-id": ("id {found!r} is also used by {expected}", "Het id ‘{found}’ staat ook in {expected}."),
    "duplicate-value": ("{found!r} stands here twice", "‘{found}’ staat er twee keer."),
    "wording-without-hurdle": (
        "words the hurdle {found!r}, which the case does not have",
        "Hier staan woorden bij de horde ‘{found}’, maar die horde heeft de casus niet.",
    ),
    "email": ("holds what looks like an e-mail address: {found}", "Hier staat vermoedelijk een e-mailadres: {found}."),
    "phone": ("holds what looks like a phone number: {found}", "Hier staat vermoedelijk een telefoonnummer: {found}."),
}

Finding = tuple[Path, str, str, str]
"""Path, code, found, expected: a problem that does not know its file yet."""


def findings(data: Mapping[str, Any], stem: str, taxonomy: Taxonomy) -> Iterator[Finding]:
    """Everything wrong with a document that should be a case. `stem` is its file name without ending."""
    yield from _shape(data)
    for check in CHECKS:
        yield from check(data, stem, taxonomy)


def id_is_file_name(data: Mapping[str, Any], stem: str, _: Taxonomy) -> Iterator[Finding]:
    for path, id in values(data, ("id",)):
        if id != stem:
            yield path, "id-is-not-file-name", id, stem


def ids_are_known(data: Mapping[str, Any], _: str, taxonomy: Taxonomy) -> Iterator[Finding]:
    for pattern, vocabulary in REFERENCES.items():
        known = getattr(taxonomy, vocabulary)
        for path, id in values(data, pattern):
            if id not in known:
                yield path, "unknown-value", id, nearest(id, known)


def ids_stand_once(data: Mapping[str, Any], _: str, __: Taxonomy) -> Iterator[Finding]:
    for pattern in REFERENCES:
        seen: set[tuple[Path, str]] = set()
        for path, id in values(data, pattern):
            if (path[:-1], id) in seen:
                yield path, "duplicate-value", id, ""
            seen.add((path[:-1], id))


def wording_belongs_to_a_hurdle(data: Mapping[str, Any], _: str, __: Taxonomy) -> Iterator[Finding]:
    hurdles = dict.fromkeys(id for _path, id in values(data, ("hurdles", EACH)))
    wording = data.get("hurdle_wording")
    for id in wording if isinstance(wording, Mapping) else ():
        if id not in hurdles:
            yield ("hurdle_wording", id), "wording-without-hurdle", id, nearest(id, islice(hurdles, 3))


def public_cases_have_sources(data: Mapping[str, Any], _: str, __: Taxonomy) -> Iterator[Finding]:
    if data.get("provenance") == "openbare-bronnen" and not data.get("sources"):
        yield ("sources",), "missing", "", ""


def nobody_can_be_contacted(data: Mapping[str, Any], _: str, __: Taxonomy) -> Iterator[Finding]:
    for path, text in _texts(data, ()):
        for code, pattern in (("email", EMAIL), ("phone", PHONE)):
            if path[-1] != "url" and (match := pattern.search(text)):
                yield path, code, match.group().strip(), ""


Check = Callable[[Mapping[str, Any], str, Taxonomy], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    id_is_file_name,
    ids_are_known,
    ids_stand_once,
    wording_belongs_to_a_hurdle,
    public_cases_have_sources,
    nobody_can_be_contacted,
)

EACH = "*"
REFERENCES: Mapping[Path, str] = {
    ("initiative_type",): "initiative_types",
    ("place", "province"): "provinces",
    ("context",): "contexts",
    ("phase",): "phases",
    ("outcome",): "outcomes",
    ("hurdles", EACH): "hurdles",
    ("techniques", EACH): "techniques",
    ("municipal_roles", EACH): "roles",
    ("instruments", EACH): "instruments",
    ("lessons", EACH, "themes", EACH): "themes",
}
"""Where in a case an id of the taxonomy stands -> the vocabulary it is from."""

# The lookbehind starts a match at the start of a word only: without it a very long word takes minutes.
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+")
# Dutch numbers: 06 12345678, (030) 123 45 67, 0800-1234, +31 6 12 34 56 78. Ten digits from a 0, or +31/0031 and nine.
_GAP = r"[\s.)\u2010-\u2013-]{0,3}"
PHONE = re.compile(
    r"(?<![\w.,/-])(?!\d\d[.-]\d\d[.-](?:19|20)\d\d\b)"  # a day is no number: 05-06-2023 12 bewoners
    rf"(?:(?:\+|00)31{_GAP}(?:\(0{_GAP})?[1-9](?:{_GAP}\d){{8}}|0[1-9](?:{_GAP}\d){{8}}|0[89]00[\s.-]?\d{{4,7}})(?![\w/])"
)


def nearest(found: str, known: Iterable[str]) -> str:
    """The known word most like what was found, whatever its capitals and accents; empty when none is near."""
    best = process.extractOne(found, list(known), scorer=fuzz.WRatio, processor=_plain, score_cutoff=60)
    return best[0] if best else ""


@lru_cache(maxsize=1_000)
def _plain(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).lower()


def values(data: Any, pattern: Path, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The texts at a pattern such as ("hurdles", EACH), with where each stands. Parts of another shape are skipped."""
    if not pattern:
        if isinstance(data, str):
            yield path, data
    elif pattern[0] == EACH:
        for place, inner in enumerate(data if isinstance(data, list) else ()):
            yield from values(inner, pattern[1:], (*path, place))
    elif isinstance(data, Mapping) and pattern[0] in data:
        yield from values(data[pattern[0]], pattern[1:], (*path, pattern[0]))


def case_schema(taxonomy: Taxonomy) -> dict[str, Any]:
    """The JSON Schema of a case file, with the ids of the taxonomy, so that an editor completes and checks them."""
    schema = Case.model_json_schema(by_alias=True)
    schema["title"] = "Hordeloper case"
    for pattern, vocabulary in REFERENCES.items():
        node = schema
        for step in pattern:
            node = node["items"] if step == EACH else node["properties"][step]
            if "$ref" in node:
                node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        entries = getattr(taxonomy, vocabulary).values()
        node["enum"] = [entry.id for entry in entries]
        node["markdownEnumDescriptions"] = [f"{entry.label}: {entry.definition}" for entry in entries]
    return schema


def _shape(data: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with the shape, in our words instead of pydantic's. A list is not called empty for a bad item."""
    try:
        Case.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        found = [_finding(detail) for detail in error.errors(include_url=False)]
        deeper = {path[:depth] for path, *_ in found for depth in range(1, len(path))}
        return [finding for finding in found if finding[1] != "missing" or finding[0] not in deeper]
    return []


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _texts(inner, (*path, place))


def _finding(detail: ErrorDetails) -> Finding:
    path, kind, found = tuple(detail["loc"]), detail["type"], detail["input"]
    if path[0] == "hurdle_wording":
        path = path[:2]  # pydantic adds "[key]" to the path of a key
    context = detail.get("ctx", {})
    text = found if isinstance(found, str) else type(found).__name__
    match kind:
        case "extra_forbidden":
            return path, "unknown-key", str(path[-1]), nearest(str(path[-1]), _known_keys(path))
        case "missing" | "string_too_short" | "too_short":
            return path, "missing", "", ""
        case "string_too_long":
            return path, "too-long", text, f"{context['max_length']}"
        case "too_long":
            return path, "too-many", "", f"{context['max_length']}"
        case "string_type":
            return path, "not-text", "", ""
        case "tuple_type":
            return path, "not-a-list", "", ""
        case "dict_type" | "model_type":
            return path, "not-keys", "", ""
        case "string_pattern_mismatch":
            return path, "malformed-id", text, ""
        case "literal_error":
            options = re.findall(r"'([^']+)'", context["expected"])
            return path, "unknown-part" if "supports" in path else "unknown-value", text, nearest(text, options)
        case "malformed_date" | "malformed_url":
            return path, kind.replace("_", "-"), text, ""
    raise AssertionError(f"no sentence for pydantic's error {kind!r}")


_NESTED: Mapping[str, type[Record]] = {"place": Place, "lessons": Lesson, "sources": Source}


def _known_keys(path: Path) -> list[str]:
    """The keys that are allowed where an unknown one stands at `path`."""
    record = _NESTED.get(str(path[0]), Case) if len(path) > 1 else Case
    return [field.alias or name for name, field in record.model_fields.items()]


def _shortened(text: str) -> str:
    """A found text in a sentence: not too long, on one line, and without signs that a terminal obeys."""
    return printable(text if len(text) <= 80 else text[:79] + "…")


def printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
