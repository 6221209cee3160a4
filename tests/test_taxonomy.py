"""The words of the field: whole, consistent, and edited by hand without breaking in silence."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import yaml

from knowledge import checks, taxonomy
from knowledge.records import Addressee, Case, Part, Provenance
from knowledge.search import calibration
from knowledge.taxonomy import Context, Hurdle, Instrument, Role, Taxonomy, TaxonomyBroken

FILES = sorted(file.name for file in taxonomy.HERE.glob("*.yaml"))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the taxonomy that may be damaged."""
    for name in FILES:
        shutil.copy(taxonomy.HERE / name, tmp_path)
    return tmp_path


def append(file: Path, row: dict[str, object]) -> None:
    file.write_text(file.read_text("utf-8") + "\n" + yaml.safe_dump([row], allow_unicode=True), "utf-8")


HURDLE: dict[str, object] = {
    "id": "nieuwe-horde",
    "label": "Een nieuwe horde",
    "definition": "Iets wat nog niemand had.",
    "not_this": "Is het oud? Dan is het geen-gehoor.",
    "contexts": ["gesprek-stokt"],
    "themes": ["vertrouwen-en-relatie"],
    "resident_words": ["dat is nieuw"],
    "official_words": ["novum"],
}


def test_a_new_hurdle_is_an_edit_of_one_file(directory: Path, make_case: Callable[..., Case]) -> None:
    append(directory / "hurdles.yaml", HURDLE)
    edited = Taxonomy(directory)
    data = make_case(hurdles=["nieuwe-horde"]).model_dump(by_alias=True, exclude_defaults=True, mode="json")
    assert list(checks.findings(data, "een-casus", edited)) == []
    assert edited.by_facet["hurdle"].label("nieuwe-horde") == "Een nieuwe horde"
    assert "nieuwe-horde" in checks.case_schema(edited)["properties"]["hurdles"]["items"]["enum"]


def test_every_way_to_filter_has_a_label_and_values(taxonomy: Taxonomy) -> None:
    assert set(taxonomy.by_facet) == set(taxonomy.facets) - {"municipality"}
    assert all(len(vocabulary) > 1 for vocabulary in taxonomy.by_facet.values())


def test_what_records_and_search_name_has_a_label(taxonomy: Taxonomy) -> None:
    assert set(taxonomy.addressees) == set(get_args(Addressee))
    assert set(taxonomy.provenances) == set(get_args(Provenance))
    assert {"lesson" if part == "lessons" else part for part in get_args(Part)} <= set(taxonomy.sections)
    assert list(taxonomy.strengths) == list(calibration().strengths)


def test_labels_tell_entries_apart(taxonomy: Taxonomy) -> None:
    for vocabulary in (*taxonomy.by_facet.values(), taxonomy.roles, taxonomy.instruments):
        labels = [entry.label for entry in vocabulary.values()]
        assert len(labels) == len(set(labels))


def test_an_entry_that_is_named_in_a_text_exists(taxonomy: Taxonomy) -> None:
    known = {*taxonomy.hurdles, *taxonomy.contexts, *taxonomy.themes}
    entries: list[Hurdle | Context] = [*taxonomy.hurdles.values(), *taxonomy.contexts.values()]
    for entry in entries:
        named = re.findall(r"\b[a-z]+(?:-[a-z]+)+\b", entry.not_this)
        assert set(named) <= known, entry.id
        assert entry.id not in named


def test_every_context_and_theme_has_a_hurdle(taxonomy: Taxonomy) -> None:
    assert {id for hurdle in taxonomy.hurdles.values() for id in hurdle.contexts} == set(taxonomy.contexts)
    assert {id for hurdle in taxonomy.hurdles.values() for id in hurdle.themes} <= set(taxonomy.themes)


def test_the_names_of_a_term_are_different_words(taxonomy: Taxonomy) -> None:
    for term in taxonomy.terms.values():
        assert len(term.names) == len(set(term.names)), term.id


@pytest.mark.parametrize(
    ("abbreviation", "full"),
    [("WUP", "wijkuitvoeringsplan"), ("TVW", "transitievisie warmte"), ("VvE", "vereniging van eigenaars")],
)
def test_the_abbreviations_that_every_group_meets_are_there(taxonomy: Taxonomy, abbreviation: str, full: str) -> None:
    assert any(abbreviation in term.names and full in term.names for term in taxonomy.terms.values())


def test_the_sources_of_the_guide_are_on_the_web(taxonomy: Taxonomy) -> None:
    entries: list[Role | Instrument] = [*taxonomy.roles.values(), *taxonomy.instruments.values()]
    for entry in entries:
        assert all(source.url.startswith(("https://", "http://")) for source in entry.sources)


def test_a_label_that_nobody_wrote_is_its_id(taxonomy: Taxonomy) -> None:
    assert taxonomy.hurdles.label("geen-gehoor") != "geen-gehoor"
    assert taxonomy.hurdles.label("bestaat-niet") == "bestaat-niet"
    with pytest.raises(KeyError):
        taxonomy.hurdles["bestaat-niet"]


def test_the_order_of_a_file_is_the_order_of_the_product(taxonomy: Taxonomy) -> None:
    assert list(taxonomy.phases) == ["starten", "visie", "plan", "uitvoering", "gebruik"]


# Broken files


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", ["", "- id: x\n"])
def test_a_broken_file_is_named(directory: Path, name: str, content: str) -> None:
    (directory / name).write_text(content, "utf-8")
    with pytest.raises(TaxonomyBroken, match=re.escape(name)):
        Taxonomy(directory)


@pytest.mark.parametrize("name", ["contexts.yaml", "labels.yaml"])
@pytest.mark.parametrize(
    "content", ["id: x\n", "- 1\n", "tekst\n", "[", "sections: [1]\n", "\x00", "!!python/x y", "- &a [*a]"]
)
def test_a_file_of_another_shape_is_named(directory: Path, name: str, content: str) -> None:
    (directory / name).write_text(content, "utf-8")
    with pytest.raises(TaxonomyBroken, match=re.escape(name)):
        Taxonomy(directory)


def test_a_missing_or_unreadable_file_is_named(directory: Path) -> None:
    (directory / "phases.yaml").write_bytes("- id: é".encode("latin-1"))
    with pytest.raises(TaxonomyBroken, match=r"phases\.yaml"):
        Taxonomy(directory)
    (directory / "phases.yaml").unlink()
    with pytest.raises(TaxonomyBroken, match=r"phases\.yaml"):
        Taxonomy(directory)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contexts": ["bestaat-niet"]}, "nieuwe-horde: unknown context 'bestaat-niet'"),
        ({"themes": ["bestaat-niet"]}, "nieuwe-horde: unknown theme 'bestaat-niet'"),
        ({"id": "geen-gehoor"}, r"entry \d+: duplicate id 'geen-gehoor'"),
        ({"label": " "}, r"entry \d+: label: "),
        ({"definition": True}, r"entry \d+: definition: "),
        ({"defenition": "x"}, r"entry \d+: defenition: "),
        ({"resident_words": "geen lijst"}, r"entry \d+: resident_words: "),
    ],
)
def test_a_mistake_in_an_entry_is_named(directory: Path, change: dict[str, object], message: str) -> None:
    append(directory / "hurdles.yaml", HURDLE | change)
    with pytest.raises(TaxonomyBroken, match=rf"hurdles\.yaml: {message}"):
        Taxonomy(directory)


def test_a_missing_group_of_labels_is_reported(directory: Path) -> None:
    labels = directory / "labels.yaml"
    labels.write_text(labels.read_text("utf-8").replace("strengths:", "streng:"), "utf-8")
    with pytest.raises(TaxonomyBroken, match=r"labels\.yaml"):
        Taxonomy(directory)
