"""The library as a spreadsheet: every case one row, every text as it was written, no text a formula."""

import csv
import io
from collections import Counter
from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from knowledge import tables
from knowledge.library import Library
from knowledge.records import Case
from knowledge.taxonomy import Taxonomy
from tests import strategies

MakeCase = Callable[..., Case]
quick = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
FORMULAS = ("=", "+", "-", "@", "\t")


def some(*cases: Case) -> Library:
    return Library({case.id: case for case in cases}, (), "")


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_xlsx(content: bytes) -> list[list[str]]:
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    return [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]


def without_controls(text: str) -> str:
    """What a workbook can hold of a text; it has one kind of line end."""
    kept = "".join(sign for sign in text if sign in "\t\n\r" or (sign >= " " and sign not in "\ufffe\uffff"))
    return kept.replace("\r\n", "\n").replace("\r", "\n")


def test_every_case_is_one_row_in_plain_words(library: Library, taxonomy: Taxonomy) -> None:
    frame = tables.cases(library, taxonomy)
    assert list(frame["id"]) == sorted(library.cases)
    row = frame[frame["id"] == "assen-lariks-zeven-projectleiders"].iloc[0]
    assert row["municipality"] == "Assen"
    assert row["context"] == taxonomy.contexts.label("gemeente-voorop")
    assert row["as_of"] == "2023-04"
    assert row["techniques"].split(tables.SEPARATOR)[0] == taxonomy.techniques.label("warmtenet")
    assert row["lessons"].startswith(f"{taxonomy.addressees.label('gemeente')}: Zorg voor een vast gezicht")
    assert "Vlammetje in gasloze proeftuin Lariks nu aanwakkeren, RTV Drenthe (https://" in row["sources"]


def test_every_field_of_a_case_has_a_column(library: Library, taxonomy: Taxonomy) -> None:
    columns = set(tables.cases(library, taxonomy).columns)
    assert set(Case.model_fields) - columns == {"place", "hurdle_wording", "recognise"}
    assert {"neighbourhood", "municipality", "province"} < columns


def test_an_empty_library_is_a_table_without_rows(taxonomy: Taxonomy) -> None:
    frame = tables.cases(some(), taxonomy)
    assert len(frame) == 0
    assert len(read_csv(tables.as_csv(frame))) == 1
    assert len(read_xlsx(tables.as_xlsx(frame))) == 1
    assert len(tables.lessons(some())) == len(tables.hurdles(some())) == 0


@given(cases=st.lists(strategies.cases(), max_size=2, unique_by=lambda case: case.id))
@quick
def test_csv_gives_back_every_text(cases: list[Case], taxonomy: Taxonomy) -> None:
    frame = tables.cases(some(*cases), taxonomy)
    header, *rows = read_csv(tables.as_csv(frame))
    assert header == list(frame.columns)
    assert len(rows) == len(cases)
    for row, (_place, expected) in zip(rows, frame.iterrows(), strict=True):
        for cell, text in zip(row, expected, strict=True):
            assert cell == (f"'{text}" if text.startswith(FORMULAS) else text)
            assert not cell.startswith(FORMULAS)


@given(cases=st.lists(strategies.cases(), max_size=2, unique_by=lambda case: case.id))
@quick
def test_a_workbook_gives_back_every_text(cases: list[Case], taxonomy: Taxonomy) -> None:
    frame = tables.cases(some(*cases), taxonomy)
    header, *rows = read_xlsx(tables.as_xlsx(frame))
    assert header == list(frame.columns)
    assert len(rows) == len(cases)
    for row, (_place, expected) in zip(rows, frame.iterrows(), strict=True):
        assert row == [without_controls(text) for text in expected]


@pytest.mark.parametrize(
    "text", ["=1+1", '=HYPERLINK("https://x.nl")', "+1", "-1", "- een streepje", "@SUM(A1)", "#N/A", "TRUE"]
)
def test_no_text_is_a_formula_in_a_spreadsheet(text: str, make_case: MakeCase, taxonomy: Taxonomy) -> None:
    frame = tables.cases(some(make_case(situation=text)), taxonomy)
    sheet = load_workbook(io.BytesIO(tables.as_xlsx(frame))).active
    assert sheet is not None
    cell = sheet.cell(2, list(frame.columns).index("situation") + 1)
    assert (cell.value, cell.data_type) == (text, "s")
    header, row = read_csv(tables.as_csv(frame))
    assert row[header.index("situation")] in (text, f"'{text}")
    assert not row[header.index("situation")].startswith(FORMULAS)


@pytest.mark.parametrize(
    "text", ["a\rb", "a\r\nb", "a\nb", "a\x00b", "a\x0bb", "a\x1fb", "a\ufffeb", "a\uffffb", "a\x85b", "a\u2028b"]
)
def test_a_control_character_breaks_no_row_and_no_workbook(text: str, make_case: MakeCase, taxonomy: Taxonomy) -> None:
    frame = tables.cases(some(make_case(situation=text), make_case(id="twee")), taxonomy)
    assert len(read_csv(tables.as_csv(frame))) == len(read_xlsx(tables.as_xlsx(frame))) == 3
    if "\x00" not in text:  # pandas itself stops at it
        assert len(pd.read_csv(io.BytesIO(tables.as_csv(frame)))) == 2


def test_a_spreadsheet_reads_accents(make_case: MakeCase, taxonomy: Taxonomy) -> None:
    content = tables.as_csv(tables.cases(some(make_case(initiative="Coöperatie ’t Dörp 🏡")), taxonomy))
    assert content.startswith(b"\xef\xbb\xbf")
    assert "Coöperatie ’t Dörp 🏡" in content.decode("utf-8-sig")


def test_lessons_are_counted_once_for_each_theme(library: Library) -> None:
    frame = tables.lessons(library)
    expected = Counter(
        (case.id, place, theme)
        for case in library.cases.values()
        for place, lesson in enumerate(case.lessons)
        for theme in lesson.themes
    )
    assert Counter(frame[["case_id", "place", "theme"]].itertuples(index=False, name=None)) == expected


def test_every_case_has_one_main_hurdle(library: Library) -> None:
    frame = tables.hurdles(library)
    main = frame[frame["is_main"]]
    assert dict(zip(main["case_id"], main["hurdle"], strict=True)) == {
        case.id: case.hurdles[0] for case in library.cases.values()
    }
    assert len(frame) == sum(len(case.hurdles) for case in library.cases.values())
