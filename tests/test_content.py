"""The library that ships: sound, told once, and with something for everybody who is stuck."""

import subprocess
import sys
from collections import Counter

import pytest

from knowledge import library as room
from knowledge.library import Library
from knowledge.settings import PROJECT
from knowledge.taxonomy import Taxonomy

CASES = PROJECT / "cases"


@pytest.fixture(scope="module")
def shipped(taxonomy: Taxonomy) -> Library:
    return room.read(CASES, taxonomy)


def test_no_case_has_a_problem(shipped: Library) -> None:
    assert [
        f"{problem.file}:{problem.line}: {problem.field}: {problem.english()}" for problem in shipped.problems
    ] == []
    assert len(shipped.cases) == len(list(CASES.glob("*.yaml")))


def test_all_documented_cases_are_there(shipped: Library) -> None:
    assert len(shipped.cases) >= 381


def test_every_hurdle_is_the_main_one_of_two_cases_or_more(shipped: Library, taxonomy: Taxonomy) -> None:
    main = Counter(case.main_hurdle for case in shipped.cases.values())
    assert {hurdle: main[hurdle] for hurdle in taxonomy.hurdles if main[hurdle] < 2} == {}


def test_every_theme_has_lessons_for_municipalities_and_for_groups(shipped: Library, taxonomy: Taxonomy) -> None:
    lessons = {
        (theme, lesson.addressee)
        for case in shipped.cases.values()
        for lesson in case.lessons
        for theme in lesson.themes
    }
    for theme in taxonomy.themes:
        for addressee in ("gemeente", "initiatief"):
            assert {(theme, addressee), (theme, "beiden")} & lessons, theme


def test_every_choice_in_a_filter_finds_something(shipped: Library, taxonomy: Taxonomy) -> None:
    cases = shipped.cases.values()
    assert {case.context for case in cases} == set(taxonomy.contexts)
    assert {case.phase for case in cases} == set(taxonomy.phases)
    assert {case.outcome for case in cases} == set(taxonomy.outcomes)
    assert {case.initiative_type for case in cases} == set(taxonomy.initiative_types)
    assert {case.place.province for case in cases} == set(taxonomy.provinces)


def test_no_two_cases_are_told_alike(shipped: Library) -> None:
    for field in ("title", "summary", "obstacle"):
        told = Counter(getattr(case, field).casefold() for case in shipped.cases.values())
        assert [text for text, times in told.items() if times > 1] == [], field


def test_a_municipality_has_one_spelling_and_one_province(shipped: Library) -> None:
    places = {(case.place.municipality, case.place.province) for case in shipped.cases.values()}
    assert [name for name, times in Counter(name.casefold() for name, _province in places).items() if times > 1] == []
    assert not any("," in name for name, _province in places)  # an address joins several by commas


def test_every_address_is_on_the_web(shipped: Library) -> None:
    urls = [source.url for case in shipped.cases.values() for source in case.sources if source.url]
    assert urls
    assert [url for url in urls if not url.startswith(("http://", "https://"))] == []


def test_a_case_from_public_sources_names_them(shipped: Library) -> None:
    for case in shipped.cases.values():
        if case.provenance == "openbare-bronnen":
            assert case.sources, case.id
            supported = {part for source in case.sources for part in source.supports}
            assert {"obstacle", "result"} & supported, case.id


def test_files_are_written_as_the_library_writes_them(shipped: Library) -> None:
    for id, case in list(shipped.cases.items())[::20]:
        text = (CASES / f"{id}.yaml").read_text("utf-8")
        assert text.startswith(room.SCHEMA_LINE), id
        assert room._parsed(room.dumped(case))[0].data == room._parsed(text)[0].data, id


def test_the_schema_beside_the_cases_is_that_of_the_program() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "knowledge", "schema"], cwd=PROJECT, capture_output=True, encoding="utf-8", check=True
    )
    assert (CASES / "case.schema.json").read_text("utf-8") == printed.stdout
