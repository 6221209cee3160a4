"""What of a case is searchable, and as what."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings

from knowledge import passages
from knowledge.library import Library
from knowledge.passages import Passage
from knowledge.records import Case
from knowledge.taxonomy import Taxonomy
from tests import strategies

MakeCase = Callable[..., Case]

SAID_ELSEWHERE = {"period", "sources", "provenance", "techniques", "municipal_roles", "instruments", "context", "phase"}
"""Fields that are filtered by or shown, and not searched."""


def sections(case: Case, taxonomy: Taxonomy) -> list[tuple[str, int]]:
    return [(passage.section, passage.place) for passage in passages.of_case(case, taxonomy)]


def test_a_case_is_searched_in_the_order_in_which_it_is_read(make_case: MakeCase, taxonomy: Taxonomy) -> None:
    lesson = {"for": "gemeente", "text": "Luister.", "themes": ["vertrouwen-en-relatie"]}
    case = make_case(recognise=["Ze bellen nooit terug.", "Wie gaat hierover?"], lessons=[lesson, lesson])
    assert sections(case, taxonomy) == [
        ("title", 0), ("recognise", 0), ("recognise", 1), ("situation", 0), ("obstacle", 0), ("approach", 0), ("result", 0),
        ("lesson", 0), ("lesson", 1),
    ]  # fmt: skip


def test_a_case_without_recognise_lines_has_passages_for_the_rest(make_case: MakeCase, taxonomy: Taxonomy) -> None:
    assert [section for section, _place in sections(make_case(), taxonomy)] == [
        "title", "situation", "obstacle", "approach", "result", "lesson",
    ]  # fmt: skip


def test_a_hurdle_is_searched_by_its_label_and_in_the_words_of_the_case(
    make_case: MakeCase, taxonomy: Taxonomy
) -> None:
    case = make_case(hurdles=["geen-gehoor", "ongelijk-tempo"], hurdle_wording={"ongelijk-tempo": "zij wachten"})
    first = next(passages.of_case(case, taxonomy)).text
    assert case.title in first
    assert case.summary in first
    assert taxonomy.hurdles.label("geen-gehoor") in first
    assert f"{taxonomy.hurdles.label('ongelijk-tempo')}: zij wachten" in first


def test_group_and_place_are_searched_with_the_situation(make_case: MakeCase, taxonomy: Taxonomy) -> None:
    case = make_case(place={"neighbourhood": "Lariks", "municipality": "Assen", "province": "Drenthe"})
    situation = next(p for p in passages.of_case(case, taxonomy) if p.section == "situation")
    assert situation.text == f"Warm Dorp, Lariks, Assen. {case.situation}"


@given(case=strategies.cases())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_text_of_a_case_is_in_one_of_its_passages(case: Case, taxonomy: Taxonomy) -> None:
    found = list(passages.of_case(case, taxonomy))
    text = "\n".join(passage.text for passage in found)
    wanted = [case.title, case.summary, case.initiative, case.where, case.situation, case.obstacle, case.result]
    wanted += [
        *case.approach,
        *case.recognise,
        *case.hurdle_wording.values(),
        *(lesson.text for lesson in case.lessons),
    ]
    assert all(piece in text for piece in wanted)
    assert {passage.case_id for passage in found} == {case.id}
    assert all(passage.section in taxonomy.sections and passage.text for passage in found)
    assert len({passage.id for passage in found}) == len(found)


def test_a_new_field_is_searched_or_left_out_on_purpose(make_case: MakeCase) -> None:
    searched = {
        "id", "title", "summary", "initiative", "place", "hurdles", "hurdle_wording", "situation", "obstacle", "approach",
        "result", "lessons", "recognise",
    }  # fmt: skip
    assert set(Case.model_fields) == searched | SAID_ELSEWHERE | {"initiative_type", "outcome"}


def test_passages_of_a_library_have_one_order_and_no_two_have_one_id(library: Library, taxonomy: Taxonomy) -> None:
    found = passages.of_cases(library.cases.values(), taxonomy)
    assert found == passages.of_cases(list(library.cases.values())[::-1], taxonomy)
    ids = list(dict.fromkeys(passage.case_id for passage in found))
    assert ids == sorted(library.cases)
    assert len({passage.id for passage in found}) == len(found)
    assert passages.of_cases([], taxonomy) == ()


def test_the_digest_is_of_the_text_alone() -> None:
    one = Passage("een-casus", "lesson", 0, "Ga langs.")
    assert one.digest == Passage("andere-casus", "result", 3, "Ga langs.").digest
    assert one.digest != one._replace(text="Ga langs!").digest
    assert one.id == "een-casus/lesson/0"
