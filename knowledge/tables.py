"""The library as pandas frames: counts, exports, what pictures are drawn from."""

import csv
import re
from collections.abc import Mapping
from io import BytesIO

import pandas as pd

from knowledge.library import Library
from knowledge.records import Case
from knowledge.taxonomy import Taxonomy

SEPARATOR = "; "
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Signs that YAML may hold and a workbook may not: openpyxl refuses some, Excel the others."""


def cases(library: Library, taxonomy: Taxonomy) -> pd.DataFrame:
    """One row a case, one column a field, in plain words; lists are joined by semicolons. Ordered by id."""
    rows = [_row(case, taxonomy) for _id, case in sorted(library.cases.items())]
    return pd.DataFrame(rows, columns=list(_COLUMNS), dtype="str")


def lessons(library: Library) -> pd.DataFrame:
    """One row a lesson and theme: case_id, place (of the lesson in its case), addressee, theme, text, context."""
    rows = [
        (case.id, place, lesson.addressee, theme, lesson.text, case.context)
        for case in library.cases.values()
        for place, lesson in enumerate(case.lessons)
        for theme in lesson.themes
    ]
    return pd.DataFrame(rows, columns=["case_id", "place", "addressee", "theme", "text", "context"])


def hurdles(library: Library) -> pd.DataFrame:
    """One row a case and hurdle: case_id, hurdle, is_main, context, outcome."""
    rows = [
        (case.id, hurdle, hurdle == case.main_hurdle, case.context, case.outcome)
        for case in library.cases.values()
        for hurdle in case.hurdles
    ]
    return pd.DataFrame(rows, columns=["case_id", "hurdle", "is_main", "context", "outcome"])


_COLUMNS: Mapping[str, str] = {
    "id": "id",
    "title": "titel",
    "summary": "samenvatting",
    "initiative": "initiatief",
    "initiative_type": "soort initiatief",
    "neighbourhood": "buurt of dorp",
    "municipality": "gemeente",
    "province": "provincie",
    "period": "periode",
    "context": "uitgangssituatie",
    "phase": "fase",
    "hurdles": "horden",
    "situation": "situatie",
    "obstacle": "wat er in de weg zat",
    "approach": "aanpak",
    "result": "resultaat",
    "outcome": "afloop",
    "as_of": "stand van",
    "lessons": "lessen",
    "themes": "thema's",
    "techniques": "technieken",
    "municipal_roles": "rollen bij de gemeente",
    "instruments": "instrumenten",
    "provenance": "herkomst",
    "sources": "bronnen",
}


def _row(case: Case, taxonomy: Taxonomy) -> dict[str, str]:
    def labels(ids: tuple[str, ...], vocabulary: str) -> str:
        return SEPARATOR.join(getattr(taxonomy, vocabulary).label(id) for id in ids)

    return {
        "id": case.id,
        "title": case.title,
        "summary": case.summary,
        "initiative": case.initiative,
        "initiative_type": labels((case.initiative_type,), "initiative_types"),
        "neighbourhood": case.place.neighbourhood or "",
        "municipality": case.place.municipality,
        "province": case.place.province,
        "period": case.period or "",
        "context": labels((case.context,), "contexts"),
        "phase": labels((case.phase,), "phases"),
        "hurdles": labels(case.hurdles, "hurdles"),
        "situation": case.situation,
        "obstacle": case.obstacle,
        "approach": SEPARATOR.join(case.approach),
        "result": case.result,
        "outcome": labels((case.outcome,), "outcomes"),
        "as_of": case.as_of or "",
        "lessons": SEPARATOR.join(
            f"{taxonomy.addressees.label(lesson.addressee)}: {lesson.text}" for lesson in case.lessons
        ),
        "themes": labels(case.themes, "themes"),
        "techniques": labels(case.techniques, "techniques"),
        "municipal_roles": labels(case.municipal_roles, "roles"),
        "instruments": labels(case.instruments, "instruments"),
        "provenance": labels((case.provenance,), "provenances"),
        "sources": SEPARATOR.join(f"{s.title}, {s.publisher}{f' ({s.url})' if s.url else ''}" for s in case.sources),
    }


def as_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a mark at the start, so that a spreadsheet reads the accents; formulas are made harmless."""
    safe = frame.map(lambda text: f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text)
    # Quoted always: a lone carriage return in a text would end the row for whoever reads it.
    return safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_ALL).encode("utf-8-sig")


def as_xlsx(frame: pd.DataFrame) -> bytes:
    """A workbook with one sheet. Every cell is text: nothing that somebody wrote becomes a formula."""
    clean = frame.map(lambda text: _NOT_XML.sub("", text))
    stream = BytesIO()
    with pd.ExcelWriter(stream, engine="openpyxl") as writer:
        clean.to_excel(writer, sheet_name="casussen", index=False, freeze_panes=(1, 1))
        for row in writer.sheets["casussen"].iter_rows():
            for cell in row:
                cell.data_type = "s"
    return stream.getvalue()
