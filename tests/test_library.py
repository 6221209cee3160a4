"""Cases on disk: every valid one comes back as it was saved, and whatever else a file holds harms nobody."""

import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from knowledge import library as room
from knowledge.checks import SENTENCES, Problem
from knowledge.library import LARGEST, SCHEMA_LINE, Library
from knowledge.records import Case
from knowledge.taxonomy import Taxonomy
from tests import strategies

MakeCase = Callable[..., Case]

GOOD = """\
# yaml-language-server: $schema=case.schema.json
id: x
title: Bewoners krijgen geen antwoord
summary: Een groep bewoners mailt drie maanden zonder antwoord.
initiative: Warm Dorp
initiative_type: overig
place:
  municipality: Assen
  province: Drenthe
context: gesprek-stokt
phase: starten
hurdles:
  - geen-gehoor
situation: Een dorp wil van het gas af.
obstacle: Niemand antwoordt.
approach:
  - Naar het spreekuur gegaan.
result: Er kwam een contactpersoon.
outcome: overcome
lessons:
  - for: initiatief
    text: Ga langs.
    themes:
      - vertrouwen-en-relatie
provenance: opgetekend
sources:
  - title: Nieuwsbrief
    publisher: Warm Dorp
    supports:
      - result
"""


@pytest.fixture(scope="module")
def desk_drawer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that properties write in again and again."""
    return tmp_path_factory.mktemp("cases")


def problems(directory: Path, taxonomy: Taxonomy) -> list[str]:
    """What `validate` prints, with file names alone."""
    found = room.read(directory, taxonomy).problems
    return [f"{Path(p.file).name}:{p.line}: {p.field}: {p.english()}" for p in found]


def edited(*replacements: tuple[str, str]) -> str:
    text = GOOD
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


# Saving and reading


@given(case=strategies.cases())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_case_saved_and_read_again_is_the_same(case: Case, desk_drawer: Path, taxonomy: Taxonomy) -> None:
    file = room.save(case, desk_drawer)
    try:
        assert room.read_case(file, taxonomy) == (case, [])
        assert file.read_text("utf-8").startswith(SCHEMA_LINE)
    finally:
        file.unlink()
    assert list(desk_drawer.iterdir()) == []


@pytest.mark.parametrize("text", sorted({text.strip() for text in strategies.NASTY} - {""}))
def test_a_text_that_yaml_would_read_as_something_else_stays_that_text(
    text: str, make_case: MakeCase, tmp_path: Path, taxonomy: Taxonomy
) -> None:
    long = f"{'Lange zin van bewoners. ' * 8}{text} en {'verder ' * 12}einde"
    case = make_case(situation=text, result=long, approach=[text, long], hurdle_wording={"geen-gehoor": text})
    assert case.situation == text
    assert room.read_case(room.save(case, tmp_path), taxonomy) == (case, [])


def test_cases_that_ship_survive_being_saved_again(library: Library, tmp_path: Path, taxonomy: Taxonomy) -> None:
    for case in library.cases.values():
        assert room.read_case(room.save(case, tmp_path), taxonomy) == (case, [])


def test_a_saved_case_reads_like_a_text_that_somebody_wrote(make_case: MakeCase) -> None:
    summary = (
        "Een groep bewoners mailt drie maanden zonder antwoord en vindt dan een vast gezicht: zo'n verbinder. " * 3
    )
    lines = room.dumped(make_case(summary=summary)).splitlines()
    assert lines[:4] == [
        "# yaml-language-server: $schema=case.schema.json",
        "id: een-casus",
        "title: Bewoners krijgen geen antwoord en gaan naar het spreekuur",
        "summary: >-",
    ]
    assert lines[4].startswith("  Een groep bewoners mailt")
    assert max(map(len, lines)) <= 112
    assert lines[lines.index("approach:") + 1] == "  - Naar het spreekuur van de wethouder gegaan."
    keys = [line.partition(":")[0] for line in lines if line[0].isalpha()]
    assert keys == [key for key in Case.model_fields if key in keys]
    assert not {"period", "recognise", "sources"} & set(keys)


def test_saving_replaces_the_case_of_that_id(make_case: MakeCase, tmp_path: Path, taxonomy: Taxonomy) -> None:
    room.save(make_case(title="Eerst"), tmp_path)
    room.save(make_case(title="Daarna"), tmp_path)
    assert [case.title for case in room.read(tmp_path, taxonomy).cases.values()] == ["Daarna"]
    assert [file.name for file in tmp_path.iterdir()] == ["een-casus.yaml"]


def test_a_saved_case_can_be_read_by_others_than_the_server(make_case: MakeCase, tmp_path: Path) -> None:
    assert room.save(make_case(), tmp_path).stat().st_mode & 0o777 == 0o644


@contextmanager
def full_disk(room_left: int) -> Iterator[None]:
    """The operating system refuses to make any file larger than this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room_left", [0, 100])
def test_a_save_that_fails_leaves_the_old_case_whole(
    make_case: MakeCase, tmp_path: Path, taxonomy: Taxonomy, room_left: int
) -> None:
    old = make_case(title="Eerst")
    room.save(old, tmp_path)
    failure: OSError | None = None
    with full_disk(room_left):
        try:
            room.save(make_case(title="Daarna"), tmp_path)
        except OSError as error:
            failure = error
    assert failure is not None
    assert room.read(tmp_path, taxonomy).cases == {old.id: old}
    assert [file.name for file in tmp_path.iterdir()] == ["een-casus.yaml"]


def test_a_save_that_cannot_take_its_place_leaves_nothing_behind(make_case: MakeCase, tmp_path: Path) -> None:
    (tmp_path / "een-casus.yaml").mkdir()
    with pytest.raises(OSError, match=r"een-casus\.yaml"):
        room.save(make_case(), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["een-casus.yaml"]
    with pytest.raises(OSError, match="nergens"):
        room.save(make_case(), tmp_path / "nergens")


# What is wrong, where


def test_the_example_of_these_tests_is_a_case(tmp_path: Path, taxonomy: Taxonomy) -> None:
    (tmp_path / "x.yaml").write_text(GOOD, "utf-8")
    assert problems(tmp_path, taxonomy) == []


DEEP = "situation: " + "[" * 30 + "]" * 30

BROKEN: dict[str, tuple[str | bytes, list[str]]] = {
    "an empty file": ("", ["1: file: holds no case"]),
    "comments only": ("# nog schrijven\n\n", ["1: file: holds no case"]),
    "a tilde only": ("~\n", ["1: file: holds no case"]),
    "a list": ("- id: x\n", ["1: file: expected keys and values"]),
    "a sentence": ("Er was eens een dorp.\n", ["1: file: expected keys and values"]),
    "not UTF-8": ("id: x\ntitle: coöperatie\n".encode("latin-1"), ["2: file: is not UTF-8 text"]),
    "UTF-16": ("id: x\n".encode("utf-16"), ["1: file: is not UTF-8 text"]),
    "too large": (f"situation: {'a' * LARGEST}", ["1: file: is larger than 200 kB, far more than any case needs"]),
    "a control character": (
        b"id: x\ntitle: a\x00b\n",
        ["2: file: is not YAML: unacceptable character #x0000: control characters are not allowed"],
    ),
    "an open quote": ("id: x\ntitle: 'Zo'n plan'\n", ["2: file: is not YAML: did not find expected key"]),
    "a colon in plain text": (
        "id: x\ntitle: Regie: van wie?\n",
        ["2: file: is not YAML: mapping values are not allowed in this context"],
    ),
    "a sign that YAML keeps for itself": (
        "id: x\ntitle: @buurt\tis leeg\n",
        ["2: file: is not YAML: found character that cannot start any token"],
    ),
    "a tab before a key": ("id: x\nplace:\n\tmunicipality: Assen\n", ["3: file: has a tab where YAML wants spaces"]),
    "a tab after a dash": (
        "id: x\nlessons:\n  -\ttext: é\n    for: b\n",
        ["3: file: has a tab where YAML wants spaces"],
    ),
    "a list as a key": ("id: x\n? [a, b]\n: c\n", ["2: file: is not YAML: a key must be a word"]),
    "nothing as a key": ("place:\n  ~: x\n", ["2: place: is not YAML: a key must be a word"]),
    "two documents": (GOOD + "---\nid: y\n", ["31: file: holds more than one document; a case is one file"]),
    "an anchor": (
        edited(("situation: Een", "situation: &dorp Een")),
        ["14: situation: uses a YAML anchor or alias (&dorp); write the text out"],
    ),
    "an alias": (
        edited(("result: Er kwam een contactpersoon.", "result: *dorp")),
        ["18: result: uses a YAML anchor or alias (*dorp); write the text out"],
    ),
    "a tag": (
        edited(("  - geen-gehoor", "  - !!str geen-gehoor")),
        ["13: hurdles: uses a YAML tag (tag:yaml.org,2002:str); write plain text"],
    ),
    "a dangerous tag": (
        "title: !!python/object/apply:os.system [ls]\n",
        ["1: title: uses a YAML tag (tag:yaml.org,2002:python/object/apply:os.system); write plain text"],
    ),
    "too deep": (DEEP, ["1: situation" + "[0]" * 10 + ": is nested too deeply"]),
    "a key that stands twice, and what else is wrong": (
        edited(("outcome: overcome", "outcome: overcome\ntitle: Nog een titel\nphase: begin")),
        [
            "20: title: key 'title' stands here twice",
            "21: phase: key 'phase' stands here twice",
            "21: phase: unknown value 'begin'",
        ],
    ),
    "a key that stands twice before an alias": (
        "title: a\ntitle: b\nsummary: *x\n",
        ["2: title: key 'title' stands here twice", "3: summary: uses a YAML anchor or alias (*x); write the text out"],
    ),
    "an unknown key": (
        edited(("summary:", "samenvatting:"), ("  municipality:", "  gemeente:")),
        [
            "2: summary: is missing or empty",
            "4: samenvatting: unknown key 'samenvatting'",
            "7: place.municipality: is missing or empty",
            "8: place.gemeente: unknown key 'gemeente'",
        ],
    ),
    "a key with a misspelling": (
        edited(("obstacle:", "obstakel:")),
        ["2: obstacle: is missing or empty", "15: obstakel: unknown key 'obstakel'; did you mean 'obstacle'?"],
    ),
    "empty texts": (
        edited(("Een dorp wil van het gas af.", ""), ("Niemand antwoordt.", '"  "'), ("Ga langs.", "~")),
        [
            "14: situation: is missing or empty",
            "15: obstacle: is missing or empty",
            "22: lessons[0].text: is missing or empty",
        ],
    ),
    "an empty item": (
        edited(("  - Naar het spreekuur gegaan.", "  - Naar het spreekuur gegaan.\n  -")),
        ["18: approach[1]: expected text"],
    ),
    "other kinds": (
        edited(
            ("hurdles:\n  - geen-gehoor", "hurdles: geen-gehoor"),
            ("situation: Een dorp", "situation:\n  - Een dorp"),
        ),
        ["12: hurdles: expected a list", "13: situation: expected text"],
    ),
    "unknown words": (
        edited(("- geen-gehoor", "- geen-gehor"), ("outcome: overcome", "outcome: overkome")),
        [
            "13: hurdles[0]: unknown value 'geen-gehor'; did you mean 'geen-gehoor'?",
            "19: outcome: unknown value 'overkome'; did you mean 'overcome'?",
        ],
    ),
    "a source for a part that a case does not have": (
        edited(("      - result", "      - resultaat")),
        [
            "30: sources[0].supports[0]: supports 'resultaat', a part that a case does not have; did you mean 'result'?",
        ],
    ),
    "a malformed date and address": (
        edited(("publisher: Warm Dorp", "publisher: Warm Dorp\n    date: 2021-13\n    url: warmdorp.nl")),
        [
            "29: sources[0].date: '2021-13' is not a date: write 2024, 2024-05 or 2024-05-31",
            "30: sources[0].url: 'warmdorp.nl' is not a web address that starts with http:// or https://",
        ],
    ),
    "another id": (edited(("id: x", "id: y")), ["2: id: 'y' differs from the file name 'x'"]),
    "a malformed id": (
        edited(("id: x", "id: X Y")),
        [
            "2: id: 'X Y' differs from the file name 'x'",
            "2: id: 'X Y' is not an id: use lower case letters, digits and hyphens",
        ],
    ),
    "a value twice": (
        edited(("- geen-gehoor", "- geen-gehoor\n  - geen-gehoor")),
        ["14: hurdles[1]: 'geen-gehoor' stands here twice"],
    ),
    "too many and too long": (
        edited(
            ("title: Bewoners krijgen geen antwoord", f"title: {'B' * 91}"),
            ("    themes:\n", "    themes:\n" + "      - proces-voor-techniek\n" * 3),
        ),
        [
            "3: title: is longer than 90 characters",
            "23: lessons[0].themes: has more than 3",
            "25: lessons[0].themes[1]: 'proces-voor-techniek' stands here twice",
            "26: lessons[0].themes[2]: 'proces-voor-techniek' stands here twice",
        ],
    ),
    "words for another hurdle": (
        edited(("situation: Een", "hurdle_wording:\n  ongelijk-tempo: traag\nsituation: Een")),
        ["15: hurdle_wording.ongelijk-tempo: words the hurdle 'ongelijk-tempo', which the case does not have"],
    ),
    "somebody's address and number": (
        edited(("Ga langs.", ">-\n      Bel 06-12345678\n      of mail jan@buurt.nl.")),
        [
            "22: lessons[0].text: holds what looks like an e-mail address: jan@buurt.nl",
            "22: lessons[0].text: holds what looks like a phone number: 06-12345678",
        ],
    ),
    "a key that would break a line": (
        '"a\\nb\\e[31m": c\n' + GOOD,
        ["1: a b [31m: unknown key 'a b [31m'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_reported_with_its_line_and_field(name: str, tmp_path: Path, taxonomy: Taxonomy) -> None:
    content, expected = BROKEN[name]
    (tmp_path / "x.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert problems(tmp_path, taxonomy) == [f"x.yaml:{problem}" for problem in expected]
    assert room.read(tmp_path, taxonomy).cases == {}


def test_what_is_no_file_is_reported_and_not_waited_for(tmp_path: Path, taxonomy: Taxonomy) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "map.yaml").mkdir()
    (tmp_path / "weg.yaml").symlink_to(tmp_path / "nergens")
    (tmp_path / "rond.yaml").symlink_to(tmp_path / "rond.yaml")
    (tmp_path / "nul.yaml").symlink_to("/dev/zero")
    assert problems(tmp_path, taxonomy) == [
        "map.yaml:1: file: cannot be read: not a regular file",
        "nul.yaml:1: file: cannot be read: not a regular file",
        "pipe.yaml:1: file: cannot be read: not a regular file",
        "rond.yaml:1: file: cannot be read: Too many levels of symbolic links",
        "weg.yaml:1: file: cannot be read: No such file or directory",
    ]


def test_a_case_under_another_ending_is_not_silently_left_out(tmp_path: Path, taxonomy: Taxonomy) -> None:
    for name in ("a.yml", "b.YAML", "c.Yml"):
        (tmp_path / name).write_text(GOOD, "utf-8")
    assert problems(tmp_path, taxonomy) == [
        "a.yml:1: file: is not read: call it a.yaml",
        "b.YAML:1: file: is not read: call it b.yaml",
        "c.Yml:1: file: is not read: call it c.yaml",
    ]


def test_files_that_are_no_cases_are_left_alone(library_directory: Path, taxonomy: Taxonomy) -> None:
    for name in ("case.schema.json", "README.md", ".x.yaml", ".een-casus-abc.tmp", "x.yaml~", "x.yaml.bak"):
        (library_directory / name).write_text("{", "utf-8")
    found = room.read(library_directory, taxonomy)
    assert (len(found.cases), found.problems) == (6, ())


def test_a_file_name_that_is_not_utf8_can_be_reported(tmp_path: Path, taxonomy: Taxonomy) -> None:
    for name in (b"caf\xe9.yaml", b"caf\xe9.yml"):
        try:
            Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(GOOD, "utf-8")
        except OSError:
            pytest.skip("this file system takes UTF-8 names only")
    for problem in room.read(tmp_path, taxonomy).problems:
        assert f"{problem.file} {problem.english()} {problem.dutch()}".encode()


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path, taxonomy: Taxonomy) -> None:
    (tmp_path / "x.yaml").write_text(GOOD, "utf-8")
    plain = room.read_case(tmp_path / "x.yaml", taxonomy)
    (tmp_path / "x.yaml").write_bytes(GOOD.replace("\n", "\r\n").encode("utf-8-sig"))
    assert room.read_case(tmp_path / "x.yaml", taxonomy) == plain
    wrong = edited(("- geen-gehoor", "- geen-gehor")).replace("\n", "\r\n")
    (tmp_path / "x.yaml").write_bytes(wrong.encode("utf-8-sig"))
    assert [problem.line for problem in room.read_case(tmp_path / "x.yaml", taxonomy)[1]] == [13]


def test_words_and_numbers_stay_what_was_typed(tmp_path: Path, taxonomy: Taxonomy) -> None:
    typed = {"title": "on", "initiative": "010", "situation": "12:30", "obstacle": "1e3", "result": "2021-02-28"}
    text = "".join(
        f"{key}: {typed[key]}\n" if (key := line.partition(":")[0]) in typed else line
        for line in GOOD.splitlines(keepends=True)
    )
    (tmp_path / "x.yaml").write_text(text, "utf-8")
    case, wrong = room.read_case(tmp_path / "x.yaml", taxonomy)
    assert wrong == []
    assert case is not None
    assert {key: getattr(case, key) for key in typed} == typed


# One broken case and the others


def test_one_broken_case_leaves_the_others(library_directory: Path, library: Library, taxonomy: Taxonomy) -> None:
    assert library.problems == ()
    for number, (content, _expected) in enumerate(BROKEN.values()):
        raw = content if isinstance(content, bytes) else content.encode()
        (library_directory / f"kapot-{number}.yaml").write_bytes(raw)
    found = room.read(library_directory, taxonomy)
    assert found.cases == library.cases
    assert {Path(problem.file).stem for problem in found.problems} == {f"kapot-{n}" for n in range(len(BROKEN))}
    assert list(found.problems) == sorted(found.problems)


def test_a_copy_under_another_name_does_not_take_the_original_down(
    library_directory: Path, library: Library, taxonomy: Taxonomy
) -> None:
    original = "assen-lariks-zeven-projectleiders"
    for copy in ("aaa", "zzz"):
        shutil.copy(library_directory / f"{original}.yaml", library_directory / f"{copy}.yaml")
    assert room.read(library_directory, taxonomy).cases == library.cases
    assert problems(library_directory, taxonomy) == [
        f"aaa.yaml:2: id: id '{original}' is also used by {original}.yaml",
        f"aaa.yaml:2: id: '{original}' differs from the file name 'aaa'",
        f"zzz.yaml:2: id: id '{original}' is also used by {original}.yaml",
        f"zzz.yaml:2: id: '{original}' differs from the file name 'zzz'",
    ]


def test_two_files_with_an_id_of_neither_are_both_reported(tmp_path: Path, taxonomy: Taxonomy) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(GOOD, "utf-8")
    assert problems(tmp_path, taxonomy) == [
        "a.yaml:2: id: 'x' differs from the file name 'a'",
        "b.yaml:2: id: id 'x' is also used by a.yaml",
        "b.yaml:2: id: 'x' differs from the file name 'b'",
    ]


def test_every_kind_of_problem_can_be_met(tmp_path: Path, taxonomy: Taxonomy) -> None:
    met: set[str] = set()
    for content, _expected in BROKEN.values():
        (tmp_path / "x.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        met |= {problem.code for problem in room.read(tmp_path, taxonomy).problems}
    assert set(SENTENCES) - met == {"unreadable", "wrong-ending", "duplicate-id"}  # these have tests of their own


def test_a_directory_that_is_not_there_is_an_empty_library(tmp_path: Path, taxonomy: Taxonomy) -> None:
    found = room.read(tmp_path / "nergens", taxonomy)
    assert (found.cases, found.problems, found.stamp) == ({}, (), "")


# Whatever a file holds


def read_anything(raw: bytes, directory: Path, taxonomy: Taxonomy) -> list[Problem]:
    file = directory / "x.yaml"
    file.write_bytes(raw)
    case, wrong = room.read_case(file, taxonomy)
    assert (case is None) == bool(wrong)
    for problem in wrong:
        assert problem.line >= 1
        assert problem.field.isprintable()
        assert problem.english()
        assert problem.dutch()
    return wrong


any_value = st.recursive(
    strategies.texts(40)
    | st.sampled_from(["", "~", "[]", "{}", "|", ">-", "&a", "*a", "!!int", "!", "- ", "? ", "\t", "..."]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")
        | st.lists(st.tuples(st.sampled_from([*Case.model_fields, "x"]), inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        )
    ),
    max_leaves=6,
)
any_line = st.builds(
    lambda indent, dash, key, value: f"{'  ' * indent}{dash}{key}{value}",
    st.integers(0, 3),
    st.sampled_from(["", "- ", "- - ", "? ", "\t", "---\n"]),
    st.sampled_from(["", "x:", *(f"{key}: " for key in (*Case.model_fields, "for", "text", "themes", "~", "''", "<<"))]),
    any_value,
)  # fmt: skip
quick = settings(max_examples=120, deadline=timedelta(seconds=5), suppress_health_check=list(HealthCheck))


@given(raw=st.binary(max_size=300))
@quick
def test_any_bytes_are_read_without_harm(raw: bytes, desk_drawer: Path, taxonomy: Taxonomy) -> None:
    assert read_anything(raw, desk_drawer, taxonomy)


@given(lines=st.lists(any_line, max_size=8))
@example(lines=['hurdle_wording: {"": x, "[key]": y}', '"[key]": z', "lessons: [{'[key]': a}]"])
@quick
def test_any_text_like_yaml_is_read_without_harm(lines: list[str], desk_drawer: Path, taxonomy: Taxonomy) -> None:
    assert read_anything("\n".join(lines).encode(), desk_drawer, taxonomy)


@given(place=st.integers(0, len(GOOD)), piece=st.binary(max_size=6) | any_line.map(str.encode), cut=st.integers(0, 60))
@quick
def test_a_case_with_a_damaged_spot_is_read_without_harm(
    place: int, piece: bytes, cut: int, desk_drawer: Path, taxonomy: Taxonomy
) -> None:
    read_anything(GOOD[:place].encode() + piece + GOOD[place + cut :].encode(), desk_drawer, taxonomy)


@pytest.mark.parametrize(
    "text",
    [
        "situation: " + "a" * 190_000,
        "situation: " + "a@" * 90_000,
        "situation: " + "0" * 190_000,
        "situation: " + "01 " * 60_000,
        "context: " + "ab " * 60_000,
        '"' + "ab " * 60_000 + '": x',
        "[" * 190_000,
        "{" * 190_000,
        "- " * 90_000,
        "? " * 90_000,
        "a: " * 60_000,
        "&a " * 60_000,
        "|" + "\n" * 190_000,
        "'" * 190_001,
        "{" + "a: b, " * 15_000 + "}",
        "\n".join(f"k{n}: a" for n in range(10_000)),
        "hurdles:\n" + "\n".join(f"- h{n}" for n in range(8_000)),
        f"hurdles: [{','.join(f'h{n}' for n in range(6_000))}]\nhurdle_wording: "
        f"{{{','.join(f'g{n}: x' for n in range(5_000))}}}",
    ],
    ids=lambda text: text[:16],
)
def test_a_file_made_to_take_long_does_not(text: str, tmp_path: Path, taxonomy: Taxonomy) -> None:
    assert len(text) < LARGEST
    (tmp_path / "x.yaml").write_text(text, "utf-8")
    started = time.process_time()
    assert room.read_case(tmp_path / "x.yaml", taxonomy)[1]
    assert time.process_time() - started < 10  # the worst take a second; without care they took minutes


# The stamp, and what a library tells of itself


def test_the_stamp_tells_of_every_change(library_directory: Path, make_case: MakeCase) -> None:
    def now() -> str:
        return room.stamp(library_directory)

    seen = [now()]
    assert now() == seen[0]
    room.save(make_case(), library_directory)
    seen.append(now())
    room.save(make_case(title="Anders"), library_directory)
    seen.append(now())
    (library_directory / "een-casus.yaml").rename(library_directory / "andere-casus.yaml")
    seen.append(now())
    (library_directory / "weg.yaml").symlink_to(library_directory / "nergens")
    seen.append(now())
    room.save(make_case(title="Weer anders"), library_directory)
    seen.append(now())
    assert len(set(seen)) == len(seen)
    assert "" not in seen


def test_the_stamp_ignores_what_is_no_case(library_directory: Path) -> None:
    before = room.stamp(library_directory)
    (library_directory / ".x.tmp").touch()
    (library_directory / "README.md").touch()
    assert room.stamp(library_directory) == before
    assert room.stamp(library_directory / "nergens") == ""


def test_a_library_knows_its_municipalities_and_groups(library: Library, make_case: MakeCase) -> None:
    assert library.municipalities == tuple(sorted(library.municipalities))
    assert {"Assen", "Wageningen"} < set(library.municipalities)
    assert len(library.initiatives) == 6
    one, two = make_case(), make_case(id="twee", title="Dezelfde groep, later")
    other = make_case(id="drie", place={"municipality": "Emmen", "province": "Drenthe"})
    three = Library({case.id: case for case in (one, two, other)}, (), "")
    assert three.initiatives == {("Warm Dorp", "Assen"), ("Warm Dorp", "Emmen")}
    assert three.municipalities == ("Assen", "Emmen")
