"""What somebody types finds what somebody else wrote: other forms, other spellings, other names, parts of words."""

import time
import unicodedata
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import dutch
from knowledge.dutch import Analysis, Thesaurus
from knowledge.taxonomy import Taxonomy
from tests import strategies

CORPUS = {
    dutch.folded(word): count
    for word, count in {
        "warmtenet": 60, "gemeente": 400, "gemeenteraad": 40, "bewoners": 300, "coöperatie": 80, "wethouder": 90,
        "buurtgroep": 9, "buurtgroepen": 12, "subsidie": 70, "isolatie": 30, "vrijwilligers": 44,
    }.items()
}  # fmt: skip
"""Words of a library, with how often each occurs."""


@pytest.fixture(scope="module")
def thesaurus(taxonomy: Taxonomy) -> Thesaurus:
    return Thesaurus(taxonomy)


def analysed(query: str, thesaurus: Thesaurus, words: Mapping[str, int] = CORPUS) -> Analysis:
    return dutch.analysed_query(query, words, thesaurus)


def highlighted(text: str, query: str) -> list[str]:
    """The words of a text that a query marks there."""
    return [text[start:end] for start, end in dutch.spans(text, set(dutch.analysed(query)))]


# Words and where they stand


def test_words_are_found_where_they_stand() -> None:
    text = "’s-Hertogenbosch: zo'n 1.250 m² (VvE-bestuur) coöperatie, e.d."
    assert [text[token.start : token.end] for token in dutch.tokens(text)] == [
        "s-Hertogenbosch", "zo'n", "1.250", "m²", "VvE-bestuur", "coöperatie", "e.d",
    ]  # fmt: skip
    assert [token.word for token in dutch.tokens("Coöperatie ZO’N ’T")] == ["cooperatie", "zo'n", "t"]


@given(text=st.text(max_size=80) | st.lists(strategies.texts(60), max_size=3).map(" ".join))
@settings(max_examples=120, deadline=timedelta(seconds=5))
def test_a_token_is_the_text_at_its_place(text: str) -> None:
    end = 0
    for token in dutch.tokens(text):
        assert end <= token.start < token.end <= len(text)
        assert dutch.folded(text[token.start : token.end]) == token.word
        end = token.end


@given(text=st.text(max_size=80) | strategies.texts(80), query=st.text(max_size=40) | strategies.texts(40))
@settings(max_examples=120, deadline=timedelta(seconds=5))
def test_any_text_can_be_asked_and_marked(text: str, query: str, thesaurus: Thesaurus) -> None:
    found = analysed(query, thesaurus)
    assert all(term and 0 < weight <= 1 for term, weight in found.terms)
    assert len({term for term, _weight in found.terms}) == len(found.terms)
    end = 0
    for start, stop in dutch.spans(text, {term for term, _weight in found.terms}):
        assert end <= start < stop <= len(text)
        end = stop


@given(text=st.text(max_size=60))
@settings(max_examples=80, deadline=None)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert dutch.folded(dutch.folded(text)) == dutch.folded(text)


# Other forms of a word


@pytest.mark.parametrize(
    ("query", "text", "words"),
    [
        ("warmtenet", "De warmtenetten en het Warmtenet.", ["warmtenetten", "Warmtenet"]),
        ("warmtenetten", "een warmtenet", ["warmtenet"]),
        ("net", "het warmtenet en de netten", ["warmtenet", "netten"]),
        ("warmte", "het warmtenet", ["warmtenet"]),
        ("warmtenet", "de warmte van het net", ["warmte", "net"]),
        ("bewonersinitiatief", "twee bewonersinitiatieven", ["bewonersinitiatieven"]),
        ("initiatief", "bewonersinitiatieven", ["bewonersinitiatieven"]),
        ("gemeenteraad", "alle gemeenteraden", ["gemeenteraden"]),
        ("raadslid", "drie raadsleden", ["raadsleden"]),
        ("coöperatie", "vier energiecoöperaties en een cooperatie", ["energiecoöperaties", "cooperatie"]),
        ("isoleren", "de huizen zijn geïsoleerd", ["geïsoleerd"]),
        ("kiezen", "de raad heeft gekozen", ["gekozen"]),
        ("wijkuitvoeringsplan", "de wijkuitvoeringsplannen", ["wijkuitvoeringsplannen"]),
        ("dak", "dakisolatie", ["dakisolatie"]),
        ("VvE bestuur", "het VvE-bestuur", ["VvE-bestuur"]),
        ("VvE-bestuur", "het bestuur van de VvE", ["bestuur", "VvE"]),
    ],
)
def test_other_forms_and_compounds_are_marked(query: str, text: str, words: list[str]) -> None:
    assert highlighted(text, query) == words


def test_a_plural_is_found_by_the_whole_word_and_not_only_by_its_parts() -> None:
    for one, more in (
        ("bewonersinitiatief", "bewonersinitiatieven"), ("wijkuitvoeringsplan", "wijkuitvoeringsplannen"),
        ("energiecooperatie", "energiecooperaties"), ("gemeenteraad", "gemeenteraden"), ("cooperatie", "cooperaties"),
        ("warmtenet", "warmtenetten"), ("raadslid", "raadsleden"), ("energiecoach", "energiecoaches"),
    ):  # fmt: skip
        assert dutch.terms(one)[0] == dutch.terms(more)[0]


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("warmtenet", ("warmte", "net")),
        ("bewonersavond", ("bewoners", "avond")),
        ("gemeenteraadsvergadering", ("gemeenteraad", "vergadering")),
        ("energiecooperatie", ("energie", "cooperatie")),
        ("gemeente", ()),
        ("huis", ()),
        ("warmtnet", ()),
        ("2030plan", ()),
    ],
)
def test_a_compound_is_split_where_dutch_splits_it(word: str, parts: tuple[str, ...]) -> None:
    assert dutch.parts_of(word) == parts


def test_accents_capitals_and_other_apostrophes_do_not_matter() -> None:
    forms = ["coöperatie", "cooperatie", "COÖPERATIE", unicodedata.normalize("NFD", "coöperatie"), "coö\u00adperatie"]
    assert {tuple(dutch.analysed(form)) for form in forms} == {("cooperatie",)}
    assert highlighted("Een coo\u0308peratie.", "cooperatie") == ["coo\u0308peratie"]
    assert dutch.analysed("zo’n café’s") == dutch.analysed("ZO'N cafe's")


def test_words_that_say_nothing_are_no_terms_and_denials_are() -> None:
    assert dutch.analysed("wij zijn het met de en een") == []
    assert len(dutch.analysed("niet geen zonder tegen")) == 4


# Other spellings


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("warmtnet", "warmtenet"), ("gemente", "gemeente"), ("gemeentte", "gemeente"), ("cooperatei", "cooperatie"),
        ("wethoduer", "wethouder"), ("subisdie", "subsidie"), ("bewonrs", "bewoners"), ("vrijwiligers", "vrijwilligers"),
    ],
)  # fmt: skip
def test_a_typing_error_finds_the_word_of_the_library(typed: str, meant: str, thesaurus: Thesaurus) -> None:
    found = analysed(f"de {typed} luistert", thesaurus)
    assert found.corrections == {typed: meant}
    weights = dict(found.terms)
    assert weights[dutch.terms(meant)[0]] >= dutch.CORRECTION_WEIGHT
    assert weights[dutch.terms(typed)[0]] == 1.0


@pytest.mark.parametrize(
    "word",
    [
        "gemeente", "warmtenet",  # words of the library
        "gemeten", "isolaties", "subsidies", "coöperaties", "cooperaties",  # words of the language
        "warmtenetwerk", "buurtgroen", "warmtenetten",  # compounds
        "raad", "buur", "2030", "WUP", "qqqqqq", "Appingedam",  # too short, no word, unlike any
    ],
)  # fmt: skip
def test_a_word_that_is_right_is_not_corrected(word: str, thesaurus: Thesaurus) -> None:
    assert analysed(word, thesaurus).corrections == {}


def test_of_two_near_words_the_commoner_is_meant(thesaurus: Thesaurus) -> None:
    words = {"abcdefgh": 1, "abcdefgi": 50}
    assert analysed("abcdefgx", thesaurus, words).corrections == {"abcdefgx": "abcdefgi"}


def test_without_a_library_nothing_is_corrected(thesaurus: Thesaurus) -> None:
    assert analysed("gemente", thesaurus, {}).corrections == {}


# Other names

NAMES = [("WUP", "wijkuitvoeringsplan"), ("TVW", "transitievisie warmte"), ("VvE", "vereniging van eigenaars")]


@pytest.mark.parametrize(("short", "full"), NAMES)
def test_an_abbreviation_finds_the_full_name_and_back(short: str, full: str, thesaurus: Thesaurus) -> None:
    for typed, other in ((short, full), (full, short), (short.lower(), full), (f"onze {full}, en nu?", short)):
        weights = dict(analysed(typed, thesaurus).terms)
        for token in dutch.tokens(other):
            for term in dutch.terms(token.word)[:1]:
                assert 0 < weights[term] <= 1
    weights = dict(analysed(short, thesaurus).terms)
    assert weights[short.lower()] == 1.0
    assert all(weight == dutch.OTHER_NAME_WEIGHT for term, weight in weights.items() if term != short.lower())


def test_other_names_are_found_for_a_plural_too(thesaurus: Thesaurus) -> None:
    assert "wup" in dict(analysed("wijkuitvoeringsplannen", thesaurus).terms)
    assert "vve" in dict(analysed("verenigingen van eigenaars", thesaurus).terms)


def test_half_a_name_has_no_other_names(thesaurus: Thesaurus) -> None:
    assert "vve" not in dict(analysed("onze vereniging", thesaurus).terms)
    assert "tvw" not in dict(analysed("de warmte van een transitievisie", thesaurus).terms)


def test_an_ordinary_word_gets_no_other_names(thesaurus: Thesaurus) -> None:
    assert dict(analysed("boterham", thesaurus).terms) == {"boterham": 1.0}


# What weighs, and how long it takes


def test_what_was_typed_weighs_most_and_is_not_lowered_by_its_other_readings(thesaurus: Thesaurus) -> None:
    weights = dict(analysed("net warmtenet", thesaurus).terms)
    assert weights["net"] == weights["warmtenet"] == 1.0
    assert weights["warmt"] == dutch.PART_WEIGHT


@pytest.mark.parametrize(
    "text",
    [
        "a" * 4_000,
        "warmte" * 660,
        "qzwk" * 1_000,
        "a-" * 2_000,
        "a.b'" * 1_000,
        "é" * 4_000,
        "e\u0301" * 2_000,
        "١" * 4_000,
    ],
)
def test_very_long_words_are_quick(text: str, thesaurus: Thesaurus) -> None:
    words = {f"{word}{number}": number for number in range(1_000) for word in ("gemeente", "bewoners", "warmtenet")}
    dutch.analysed("warmtenet")  # the word list is read once a process
    started = time.process_time()
    analysed(text, thesaurus, words)
    dutch.spans(text, {"warmt"})
    assert time.process_time() - started < 1
