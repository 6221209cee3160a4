"""What is wrong with a case is said in words that help, all of it, and nothing that is right is called wrong."""

import re
from collections.abc import Callable
from typing import Any, get_args

import jsonschema
import pytest
import yaml

from knowledge import checks
from knowledge.checks import EMAIL, PHONE, SENTENCES, Problem
from knowledge.library import Library
from knowledge.records import Case, Provenance
from knowledge.settings import PROJECT
from knowledge.taxonomy import Taxonomy

MakeCase = Callable[..., Case]
Found = Callable[..., set[tuple[checks.Path, str, str, str]]]


@pytest.fixture
def found(make_case: MakeCase, taxonomy: Taxonomy) -> Found:
    """What the checks find in a valid case of which some fields were replaced, or taken out with None."""

    def findings(stem: str = "een-casus", **fields: Any) -> set[tuple[checks.Path, str, str, str]]:
        data = make_case().model_dump(by_alias=True, exclude_none=True, exclude_defaults=True, mode="json") | fields
        data = {key: value for key, value in data.items() if value is not None}
        return set(checks.findings(data, stem, taxonomy))

    return findings


def test_a_valid_case_has_no_problems(found: Found) -> None:
    assert found() == set()


def test_an_unknown_word_is_reported_with_the_nearest_known_one(found: Found) -> None:
    lesson = {"for": "gemente", "text": "Luister.", "themes": ["vertrouwen-en-relatie", "vertrouwn"]}
    assert found(
        context="gesprek-stopt",
        phase="start",
        outcome="overcom",
        initiative_type="energiecoöperatie",
        provenance="openbare bronnen",
        place={"municipality": "Leeuwarden", "province": "Friesland"},
        hurdles=["geen-gehoor", "wisselende-ambtenaar"],
        techniques=["warmtenett"],
        municipal_roles=["wethouders"],
        lessons=[lesson],
        sources=[{"title": "Krant", "publisher": "Krant", "supports": ["resultaat"]}],
    ) == {
        (("context",), "unknown-value", "gesprek-stopt", "gesprek-stokt"),
        (("phase",), "unknown-value", "start", "starten"),
        (("outcome",), "unknown-value", "overcom", "overcome"),
        (("initiative_type",), "unknown-value", "energiecoöperatie", "energiecooperatie"),
        (("provenance",), "unknown-value", "openbare bronnen", "openbare-bronnen"),
        (("place", "province"), "unknown-value", "Friesland", "Fryslân"),
        (("hurdles", 1), "unknown-value", "wisselende-ambtenaar", "wisselende-ambtenaren"),
        (("techniques", 0), "unknown-value", "warmtenett", "warmtenet"),
        (("municipal_roles", 0), "unknown-value", "wethouders", "wethouder"),
        (("lessons", 0, "for"), "unknown-value", "gemente", "gemeente"),
        (("lessons", 0, "themes", 1), "unknown-value", "vertrouwn", "vertrouwen-en-relatie"),
        (("sources", 0, "supports", 0), "unknown-part", "resultaat", "result"),
    }


def test_nothing_is_suggested_where_nothing_is_near(found: Found) -> None:
    assert found(phase="qqq") == {(("phase",), "unknown-value", "qqq", "")}
    assert found(qqq="x") == {(("qqq",), "unknown-key", "qqq", "")}


def test_an_unknown_key_is_reported_with_the_key_of_that_place(found: Found) -> None:
    lesson = {"for": "gemeente", "text": "Luister.", "themes": ["vertrouwen-en-relatie"], "theme": "x"}
    source = {"title": "Krant", "publisher": "Krant", "supports": ["result"], "URL": "https://x.nl"}
    place = {"municipality": "Assen", "province": "Drenthe", "neighborhood": "Lariks"}
    assert found(place=place, lessons=[lesson], sources=[source], titel="x") == {
        (("titel",), "unknown-key", "titel", "title"),
        (("place", "neighborhood"), "unknown-key", "neighborhood", "neighbourhood"),
        (("lessons", 0, "theme"), "unknown-key", "theme", "themes"),
        (("sources", 0, "URL"), "unknown-key", "URL", "url"),
    }


def test_a_key_has_one_spelling_also_for_the_schema(found: Found) -> None:
    lesson = {"addressee": "gemeente", "text": "Luister.", "themes": ["vertrouwen-en-relatie"]}
    assert found(lessons=[lesson]) == {
        (("lessons", 0, "for"), "missing", "", ""),
        (("lessons", 0, "addressee"), "unknown-key", "addressee", ""),
    }


def test_a_part_of_another_kind_is_reported_as_what_it_should_be(found: Found) -> None:
    assert found(
        title=["een", "lijst"],
        place="Assen",
        hurdles="geen-gehoor",
        hurdle_wording=["x"],
        approach={"eerst": "dit"},
        lessons=["Luister."],
        situation=None,
        obstacle="",
        result="  ",
        recognise=["Ze bellen nooit terug.", ""],
        sources=[],
    ) == {
        (("title",), "not-text", "", ""),
        (("place",), "not-keys", "", ""),
        (("hurdles",), "not-a-list", "", ""),
        (("hurdle_wording",), "not-keys", "", ""),
        (("approach",), "not-a-list", "", ""),
        (("lessons", 0), "not-keys", "", ""),
        (("situation",), "missing", "", ""),
        (("obstacle",), "missing", "", ""),
        (("result",), "missing", "", ""),
        (("recognise", 1), "missing", "", ""),
    }


def test_an_empty_list_is_missing_and_a_list_with_one_bad_item_is_not(found: Found) -> None:
    assert found(approach=[]) == {(("approach",), "missing", "", "")}
    assert found(approach=[""]) == {(("approach", 0), "missing", "", "")}
    assert found(approach=[None]) == {(("approach", 0), "not-text", "", "")}


def test_every_missing_field_is_named(taxonomy: Taxonomy) -> None:
    required = {name for name, field in Case.model_fields.items() if field.is_required()}
    assert {path[0] for path, code, *_ in checks.findings({}, "x", taxonomy) if code == "missing"} == required


def test_too_long_and_too_many_say_how_much_is_allowed(found: Found) -> None:
    four = ["geen-gehoor", "ongelijk-tempo", "wisselende-ambtenaren", "wachten-op-beleid"]
    assert found(title="t" * 91, summary="s" * 501, hurdles=four) == {
        (("title",), "too-long", "t" * 91, "90"),
        (("summary",), "too-long", "s" * 501, "500"),
        (("hurdles",), "too-many", "", "3"),
    }
    assert Problem("f", 1, "title", "too-long", "t" * 91, "90").english() == "is longer than 90 characters"


def test_malformed_dates_and_addresses_are_shown_as_they_were_written(found: Found) -> None:
    source = {"title": "Krant", "publisher": "Krant", "supports": ["result"], "date": "maart 2021", "url": "www.x.nl"}
    assert found(sources=[source]) == {
        (("sources", 0, "date"), "malformed-date", "maart 2021", ""),
        (("sources", 0, "url"), "malformed-url", "www.x.nl", ""),
    }


def test_a_case_from_public_sources_names_them(found: Found) -> None:
    source = {"title": "Krant", "publisher": "Krant", "supports": ["result"]}
    assert found(provenance="openbare-bronnen") == {(("sources",), "missing", "", "")}
    assert found(provenance="openbare-bronnen", sources=[]) == {(("sources",), "missing", "", "")}
    assert found(provenance="openbare-bronnen", sources=[source]) == set()


def test_an_id_is_the_name_of_its_file(found: Found) -> None:
    assert found("arnhem-plan") == {(("id",), "id-is-not-file-name", "een-casus", "arnhem-plan")}
    assert found("Arnhem", id="Arnhem") == {(("id",), "malformed-id", "Arnhem", "")}


def test_a_word_stands_once_in_its_list(found: Found) -> None:
    lesson = {"for": "gemeente", "text": "Luister.", "themes": ["vertrouwen-en-relatie"] * 2}
    other = {"for": "gemeente", "text": "Luister goed.", "themes": ["vertrouwen-en-relatie"]}
    assert found(techniques=["warmtenet", "isolatie", "warmtenet"], lessons=[lesson, other]) == {
        (("techniques", 2), "duplicate-value", "warmtenet", ""),
        (("lessons", 0, "themes", 1), "duplicate-value", "vertrouwen-en-relatie", ""),
    }


def test_a_hurdle_that_the_case_does_not_have_cannot_be_worded(found: Found) -> None:
    assert found(hurdle_wording={"geen-gehoor": "geen antwoord"}) == set()
    assert found(hurdle_wording={"geen-gehor": "geen antwoord", "": "leeg"}) == {
        (("hurdle_wording", "geen-gehor"), "wording-without-hurdle", "geen-gehor", "geen-gehoor"),
        (("hurdle_wording", ""), "missing", "", ""),
        (("hurdle_wording", ""), "wording-without-hurdle", "", ""),
    }


def test_two_problems_in_one_field_are_both_reported(found: Found) -> None:
    title = "Mail jan@buurt.nl of bel 06-12345678 " + "x" * 90
    assert {code for _path, code, *_ in found(title=title)} == {"too-long", "email", "phone"}
    assert {code for _path, code, *_ in found(hurdles=["qqq", "qqq"])} == {"unknown-value", "duplicate-value"}


def test_addresses_and_numbers_of_people_are_found_in_every_text(found: Found) -> None:
    lesson = {"for": "gemeente", "text": "Bel 06 12345678.", "themes": ["vertrouwen-en-relatie"]}
    source = {"title": "Brief van jan@buurt.nl", "publisher": "Jan, 030-1234567", "supports": ["result"]}
    assert found(recognise=["Mail naar jan@buurt.nl"], lessons=[lesson], sources=[source]) == {
        (("recognise", 0), "email", "jan@buurt.nl", ""),
        (("lessons", 0, "text"), "phone", "06 12345678", ""),
        (("sources", 0, "title"), "email", "jan@buurt.nl", ""),
        (("sources", 0, "publisher"), "phone", "030-1234567", ""),
    }


def test_a_number_in_a_web_address_is_nobodys_phone(found: Found) -> None:
    url = "https://www.krant.nl/nieuws/0612345678/x@1.2"
    assert found(sources=[{"title": "Krant", "publisher": "Krant", "supports": ["result"], "url": url}]) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Bel 0612345678.", "bel 06-12345678", "06 12345678", "06 - 12 34 56 78", "06-12 34 56 78", "06.12.34.56.78",
        "06-1234 5678", "(06-12345678)", "(06) 12 34 56 78", "06–12345678", "06‑12345678", "tel:0612345678",
        "Tel. 030-1234567", "030 - 123 45 67", "(030) 123 45 67", "0343-123456", "0343 12 34 56", "+31 6 12345678",
        "+31612345678", "+31 (0)6 12345678", "+31(0)30-1234567", "+31 6 - 12 34 56 78", "0031 6 12345678", "0031612345678",
        "088-1234567", "0800-1234", "0800 1234567", "0900-1234567", "Bel 06-12345678, of mail.", "nummer\n0612345678",
        "06\u00a012345678", "06-2012 3456", "06-20 12 34 56",
    ],
)  # fmt: skip
def test_a_phone_number_is_found_however_it_is_written(text: str) -> None:
    assert PHONE.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "Van 2019-2023 liep het project, in 2019 2020 2021 2022 2023 en 2024.",
        "Op 05-06-2023 12 bewoners ontvangen.",
        "Van 01-02-2021 - 03-04-2021 was er inspraak.",
        "Op 09-03-2021 10.00 uur begon de avond.",
        "Dinsdag 06.06.2023 19.30-21.30 uur in het dorpshuis.",
        "De raad stemde op 06-05-2021 en op 07-06-2022.",
        "Tussen 01-01-2019 en 31-12-2021, en in 06-2021.",
        "De brief van 2021-06-05 en die van 2022-07-06.",
        "Open van 08.00-17.00 uur en van 09.00 - 12.00 uur.",
        "Het kostte 1.250.000 euro, € 0,35 per kWh en 4.000.000.000 in totaal.",
        "Subsidie van € 1 250 000 000 of 10 000 000 000 euro.",
        "Postcode 1012 AB, 3511LN 20 en 9401 HX.",
        "Ruim 12.345 woningen, 0,5 MW, 100 tot 1.000.000 kWh.",
        "Een tekort van 1,4 tot een overschot van 1 miljoen, 173 van 400 woningen.",
        "Met 19 tegen 13 stemmen; 40 procent van 1200 huishoudens deed mee.",
        "Zaak 2021-0000123456 en besluit NL:IMRO.0363.A1234BPSTD-VG01.",
        "ECLI:NL:HR:2021:1778 en ECLI:NL:RVS:2016:2795.",
        "Kamerstuk 32813, nr. 193, en Stcrt. 2022, 12345.",
        "Buurt BU03630000 en wijk WK036300.",
        "Nul komma 0,123456789 of 0.123456789 graden.",
        "De stappen 0 1 2 3 4 5 6 7 8 9.",
        "Zie www.krant.nl/nieuws/0612345678 voor meer.",
        "Het bouwjaar is 1965-1975, met 3 à 4 lagen en 16 portieken.",
        "Bel 112 of 14 030.",
        "Met +31 procent gestegen en +310.000.000 euro duurder.",
        "Nummer 01234567 in het handelsregister.",
        "Fase 1 (2018-2020), fase 2 (2021-2023) en fase 3 (vanaf 2024).",
        "01 en 02 zijn klaar; 03, 04 en 05 volgen in 2025.",
    ],
)
def test_years_amounts_postcodes_and_dates_are_no_phone_numbers(text: str) -> None:
    assert PHONE.search(text) is None


@pytest.mark.parametrize(
    "text",
    ["jan@buurt.nl", "Mail j.de-vries+info@mijn-buurt.org.", "jan @ buurt.nl", "jan(at)buurt.nl", "jan [at] buurt.nl",
     "mailto:jan@buurt.coop", "<jan@buurt.nl>", "jürgen@coöperatie.nl", "a@b@buurt.nl"],
)  # fmt: skip
def test_an_email_address_is_found_however_it_is_written(text: str) -> None:
    assert EMAIL.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "Volg ons via @buurt.",
        "5 @ 3 euro per stuk",
        "C@sa Verde",
        "De groep (at) werk.",
        "www.buurt.nl",
        "apenstaartje: @",
    ],
)
def test_an_at_sign_alone_is_no_email_address(text: str) -> None:
    assert EMAIL.search(text) is None


@pytest.mark.parametrize("code", SENTENCES)
def test_every_problem_has_an_english_and_a_dutch_sentence(code: str) -> None:
    for problem in (Problem("f", 1, "x", code, "gevonden", "verwacht"), Problem("f", 1, "x", code, "{0} 'a' \"b\"")):
        english, dutch = problem.english(), problem.dutch()
        assert english != dutch
        assert dutch[0].isupper() or dutch[0] == "‘"
        assert dutch.endswith((".", "?"))
        for sentence in (english, dutch):
            assert not re.search(r"\{(found|expected)|None", sentence)
            assert "\n" not in sentence


def test_a_suggestion_is_a_question_in_both_languages() -> None:
    problem = Problem("f", 1, "hurdles[0]", "unknown-value", "geen-gehor", "geen-gehoor")
    assert problem.english() == "unknown value 'geen-gehor'; did you mean 'geen-gehoor'?"
    assert problem.dutch() == "‘geen-gehor’ kennen we hier niet. Bedoel je ‘geen-gehoor’?"
    alone = Problem("f", 1, "hurdles[0]", "unknown-value", "qqq")
    assert alone.english() == "unknown value 'qqq'"
    assert alone.dutch() == "‘qqq’ kennen we hier niet."


def test_every_code_in_the_rooms_has_a_sentence() -> None:
    source = "".join((PROJECT / "knowledge" / f"{room}.py").read_text("utf-8") for room in ("checks", "library"))
    used = set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', source)) - {"utf-8", "utf-8-sig", *get_args(Provenance)}
    assert used <= set(SENTENCES)
    for code in set(SENTENCES) - {"malformed-date", "malformed-url"}:  # these come from the records, with underscores
        assert source.count(f'"{code}"') > 1, f"nothing reports {code}"


def test_what_was_found_cannot_break_a_line_or_a_terminal() -> None:
    for code in SENTENCES:
        for sentence in (p := Problem("f", 1, "x", code, "a\nb\r\x1b[31m" + "c" * 500)).english(), p.dutch():
            assert sentence.isprintable()
            assert len(sentence) < 250


def test_an_editor_gets_the_words_of_the_taxonomy_from_the_schema(taxonomy: Taxonomy) -> None:
    schema = checks.case_schema(taxonomy)
    assert schema["properties"]["hurdles"]["items"]["enum"] == list(taxonomy.hurdles)
    assert schema["$defs"]["Lesson"]["properties"]["themes"]["items"]["enum"] == list(taxonomy.themes)
    assert schema["$defs"]["Place"]["properties"]["province"]["enum"] == list(taxonomy.provinces)
    described = schema["properties"]["phase"]["markdownEnumDescriptions"]
    assert [text.partition(":")[0] for text in described] == [phase.label for phase in taxonomy.phases.values()]


def test_the_schema_accepts_what_the_library_accepts_and_refuses_what_it_refuses(
    library: Library, found: Found, make_case: MakeCase, taxonomy: Taxonomy
) -> None:
    schema = checks.case_schema(taxonomy)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    def plain(case: Case) -> Any:
        return case.model_dump(by_alias=True, exclude_none=True, mode="json")

    for case in library.cases.values():
        # Through JSON's own kinds: what an editor sees of a file.
        assert validator.is_valid(yaml.safe_load(yaml.safe_dump(plain(case))))
    broken: list[dict[str, Any]] = [
        {"context": "gesprek-stopt"},
        {"hurdles": []},
        {"titel": "x"},
        {"title": "t" * 91},
        {"lessons": [{"addressee": "gemeente", "text": "x", "themes": ["vertrouwen-en-relatie"]}]},
    ]
    for wrong in broken:
        assert found(**wrong)
        assert not validator.is_valid(plain(make_case()) | wrong)
