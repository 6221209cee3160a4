"""Cases as anybody could type them, for properties: any text that YAML can hold, and every word of the taxonomy."""

from typing import Any

from hypothesis import strategies as st

from knowledge.checks import EMAIL, PHONE
from knowledge.records import Case
from knowledge.taxonomy import taxonomy

WORDS = taxonomy()

NASTY = (
    "on", "off", "yes", "no", "true", "null", "Null", "~", "010", "0x1F", "1e3", "1_000", ".5", ".inf", "12:30", "12:30:45",
    "2021-02-28", "2019-2023", "=", "<<", "-", "- een streepje", "--- ", "...", "? vraag", ": dubbele punt", "a: b", "a : b",
    "# hekje", "a # hekje", "%YAML 1.1", "@buurt", "`code`", "!tag", "&anker", "*ster", "[1, 2]", "{a: b}", "| pijp",
    "> groter", "\"dubbel\"", "'enkel'", "'s-Hertogenbosch", "zo'n \"plan\"", "“krul” en ‘krul’", "C:\\map\\n", "\\", "\t",
    "een\ttab", "regel\nregel", "alinea\n\nalinea", "regel\n  ingesprongen\nregel", "einde\n\n\nmidden", "a\r\nb", "a\rb",
    "a  b", "coöperatie", "Fryslân", "cafe\u0301", "🏡 en 👩‍👩‍👧", "½ m²", "\ufeffmerk", "a\ufeffb", "a\x85b", "a\u2028b",
    "a\u2029b", "a\u00a0b", "a\u00adb", "nul\x00nul", "bel\x07", "\x1b[31mrood", "\x7f", "\uffff", "\ufffe", "\U0010ffff",
    "<script>alert(1)</script>", "</script>", "<img src=x onerror=alert(1)>", "&amp; & &#60;", "{{ 7 * 7 }}", "{% raw %}",
    "=1+1", "+1", "@SUM(A1)", "{found}", "{0}", "%s", "$HOME", "woord " * 60, "w" * 300, "a,b;c",
)  # fmt: skip
"""What has gone wrong in some program before."""


def _is_publishable(text: str) -> bool:
    return bool(text.strip()) and not EMAIL.search(text) and not PHONE.search(text)


_piece = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def texts(longest: int = 2_000) -> st.SearchStrategy[str]:
    """A text that a field of a case may hold: not empty, nobody's address or number."""
    pieces = st.builds(str.join, st.sampled_from(["", " ", "\n", ": "]), st.lists(_piece, min_size=1, max_size=4))
    return pieces.map(lambda text: text[:longest].strip()).filter(_is_publishable)


def _some(ids: Any, least: int = 0, most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(list(ids)), min_size=least, max_size=most, unique=True)


ids = st.from_regex(r"[a-z0-9]{1,12}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
dates = (
    st.integers(1, 9999).map("{:04}".format)
    | st.dates().map(lambda day: day.isoformat()[:7])
    | st.dates().map(lambda day: day.isoformat())
)
urls = st.from_regex(r"https?://[a-z]{1,9}\.(nl|coop)(:80)?(/[A-Za-z~%.&=?#',;()+_-]{0,25})?", fullmatch=True)

lessons = st.fixed_dictionaries(
    {
        "for": st.sampled_from(list(WORDS.addressees)),
        "text": texts(),
        "themes": _some(WORDS.themes, 1),
    }
)
sources = st.fixed_dictionaries(
    {
        "title": texts(),
        "publisher": texts(),
        "supports": _some(("situation", "obstacle", "approach", "result", "lessons"), 1, 5),
    },
    optional={"url": urls, "date": dates},
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """What a valid case file holds."""
    hurdles = draw(_some(WORDS.hurdles, 1))
    worded = draw(_some(hurdles))
    provenance = draw(st.sampled_from(list(WORDS.provenances)))
    is_public = provenance == "openbare-bronnen"
    required: dict[str, st.SearchStrategy[Any]] = {
        "id": ids,
        "title": texts(90),
        "summary": texts(500),
        "initiative": texts(),
        "initiative_type": st.sampled_from(list(WORDS.initiative_types)),
        "place": st.fixed_dictionaries(
            {"municipality": texts(), "province": st.sampled_from(list(WORDS.provinces))},
            optional={"neighbourhood": texts()},
        ),
        "context": st.sampled_from(list(WORDS.contexts)),
        "phase": st.sampled_from(list(WORDS.phases)),
        "hurdles": st.just(hurdles),
        "situation": texts(),
        "obstacle": texts(),
        "approach": st.lists(texts(), min_size=1, max_size=3),
        "result": texts(),
        "outcome": st.sampled_from(list(WORDS.outcomes)),
        "lessons": st.lists(lessons, min_size=1, max_size=3),
        "provenance": st.just(provenance),
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "period": texts(),
        "hurdle_wording": st.fixed_dictionaries({id: texts() for id in worded}),
        "recognise": st.lists(texts(), max_size=3),
        "techniques": _some(WORDS.techniques),
        "municipal_roles": _some(WORDS.roles),
        "instruments": _some(WORDS.instruments),
        "sources": st.lists(sources, max_size=3),
    }
    if is_public:
        required["sources"] = st.lists(sources, min_size=1, max_size=3)
        del optional["sources"]
    return draw(st.fixed_dictionaries(required, optional=optional))


def cases() -> st.SearchStrategy[Case]:
    """Any valid case."""
    return documents().map(Case.model_validate)
