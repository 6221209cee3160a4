"""What a case, a lesson and a source may hold, and what they tell of themselves."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from knowledge.records import Case, Lesson, Source

MakeCase = Callable[..., Case]


def source(**fields: Any) -> Source:
    return Source.model_validate({"title": "Nieuwsbrief", "publisher": "Warm Dorp", "supports": ["result"]} | fields)


@pytest.mark.parametrize(
    "date", ["2021", "0001", "9999", "2021-02", "2021-12", "2021-02-28", "2024-02-29", " 2021-02 "]
)
def test_a_year_a_month_or_a_day_is_a_date(date: str) -> None:
    assert source(date=date).date == date.strip()


@pytest.mark.parametrize(
    "date",
    [
        "", " ", "21", "0000", "20211", "2021-2", "2021-13", "2021-00", "2021-02-30", "2023-02-29", "2021-02-00",
        "2021/02/01", "28-02-2021", "2021-02-28T12:00", "2021-02-28\n2022", "maart 2021", "2019-2023", "-2021", "+2021",
        "٢٠٢١", "2021-", "２０２１", "ca. 2021",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(date: str) -> None:
    with pytest.raises(ValidationError):
        source(date=date)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.rtvdrenthe.nl/nieuws/15474412/vlammetje",
        "http://buurt.nl",
        "HTTPS://BUURT.NL/",
        "https://buurt.nl:8080/a?b=c&d=e#f",
        "https://zoek.officielebekendmakingen.nl/stcrt-2022-12345.html",
        "https://coöperatie.nl/café",
        "https://buurt.nl/(1)/a,b;c='d'/%20/~x",
        "https://192.0.2.1/x",
    ],
)
def test_an_address_on_the_web_is_accepted_as_it_is(url: str) -> None:
    assert source(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "", "www.buurt.nl", "buurt.nl", "//buurt.nl", "ftp://buurt.nl", "mailto:jan@buurt.nl", "javascript:alert(1)",
        "data:text/html,x", "file:///etc/passwd", "https://", "https:///pad", "https://localhost", "https://.", "https://...",
        "https://jan@buurt.nl", "https://jan:geheim@buurt.nl/", "https://buurt.nl/een pad", "https://buurt.nl/\"onclick=",
        "https://buurt.nl/<script>", "https://buurt.nl/\nx", "https://buurt.nl/\x00", "https://buurt.nl/\x1b[31m",
        "https://buurt.nl:geen/", "https://buurt.nl:99999/", "https://buurt.nl:0/", "https://[::1", "https://buurt.nl\\@x.nl",
        "https ://buurt.nl", "java\tscript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_safe_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        source(url=url)


def test_the_outcome_is_as_of_the_newest_source(make_case: MakeCase) -> None:
    def as_of(*dates: str | None) -> str | None:
        return make_case(sources=[source(**({"date": date} if date else {})) for date in dates]).as_of

    assert as_of("2021-12", "2023-03", "2022-01") == "2023-03"
    assert as_of("2023", "2023-04", "2022-12-31") == "2023-04"
    assert as_of("2023-04-01", "2023-04") == "2023-04-01"
    assert as_of("2019", None) == "2019"
    assert as_of(None) is None
    assert as_of() is None


def test_the_first_hurdle_is_the_main_one(make_case: MakeCase) -> None:
    assert make_case(hurdles=["ongelijk-tempo", "geen-gehoor"]).main_hurdle == "ongelijk-tempo"


def test_the_themes_of_a_case_are_those_of_its_lessons_each_once(make_case: MakeCase) -> None:
    def lesson(*themes: str) -> dict[str, Any]:
        return {"for": "gemeente", "text": "Luister.", "themes": themes}

    assert make_case(lessons=[lesson("b", "a"), lesson("a", "c"), lesson("b")]).themes == ("b", "a", "c")


def test_a_place_is_named_once_where_village_and_municipality_have_one_name(make_case: MakeCase) -> None:
    def where(**place: str) -> str:
        return make_case(place={"province": "Drenthe", **place}).where

    assert where(municipality="Assen", neighbourhood="Lariks") == "Lariks, Assen"
    assert where(municipality="Assen", neighbourhood="Assen") == "Assen"
    assert where(municipality="Assen") == "Assen"


def test_a_case_needs_a_lesson_a_step_and_a_hurdle(make_case: MakeCase) -> None:
    for field in ("lessons", "approach", "hurdles"):
        with pytest.raises(ValidationError):
            make_case(**{field: []})
    with pytest.raises(ValidationError):
        make_case(hurdles=["a", "b", "c", "d"])
    with pytest.raises(ValidationError):
        source(supports=[])
    with pytest.raises(ValidationError):
        Lesson.model_validate({"for": "gemeente", "text": "Luister.", "themes": ["a", "b", "c", "d"]})


def test_title_and_summary_stay_short_enough_for_a_list_of_hits(make_case: MakeCase) -> None:
    assert make_case(title="t" * 90, summary="s" * 500)
    for field, longest in (("title", 90), ("summary", 500)):
        with pytest.raises(ValidationError):
            make_case(**{field: "x" * (longest + 1)})


def test_space_around_a_text_is_not_part_of_it(make_case: MakeCase) -> None:
    assert make_case(title="  Een titel\n").title == "Een titel"
    with pytest.raises(ValidationError):
        make_case(title=" \n\t\u00a0")


@pytest.mark.parametrize("id", ["a", "7", "a-b", "arnhem-2-plan", "a" * 100])
def test_words_with_hyphens_are_an_id(make_case: MakeCase, id: str) -> None:
    assert make_case(id=id).id == id


@pytest.mark.parametrize(
    "id", ["", "A", "a_b", "a b", "-a", "a-", "a--b", "a\n", "a.b", "../a", "a/b", "é", "٧", "a" * 101, "a-b\n\nc"]
)
def test_an_id_is_safe_as_a_file_name_and_in_an_address(make_case: MakeCase, id: str) -> None:
    with pytest.raises(ValidationError):
        make_case(id=id)


def test_a_record_cannot_be_changed_or_extended(make_case: MakeCase) -> None:
    case = make_case()
    with pytest.raises(ValidationError):
        case.title = "Anders"
    with pytest.raises(ValidationError):
        make_case(rating=5)
