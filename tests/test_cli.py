"""The command line keeps its promises to scripts: data on standard output, talk on standard error, honest exit codes."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from knowledge import cli
from knowledge.library import Library
from knowledge.settings import PROJECT
from tests.conftest import SIX

Run = Callable[..., subprocess.CompletedProcess[str]]
Invoke = Callable[..., Result]
LARIKS = "assen-lariks-zeven-projectleiders"
SIX_BY_ID = tuple(sorted(SIX))


@pytest.fixture
def environment(library_directory: Path, tmp_path: Path) -> dict[str, str]:
    return {
        "HORDELOPER_CASES": str(library_directory),
        "HORDELOPER_INDEX": str(tmp_path / "index"),
        "HORDELOPER_DATA": str(tmp_path / "data"),
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """The command in a process of its own, as a script would call it."""

    def command(*arguments: str, stdin: str = "", where: Path = PROJECT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "knowledge", *arguments],
            cwd=where,
            env=os.environ | environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return command


@pytest.fixture
def invoke(environment: dict[str, str]) -> Invoke:
    """The command in this process: the same, without waiting for Python to start."""

    def command(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(cli.app, list(arguments), env=environment, input=stdin)

    return command


# In a process of its own


def test_validate_prints_one_line_a_problem_and_ends_with_1(run: Run, library_directory: Path) -> None:
    broken = library_directory / "kapot.yaml"
    broken.write_text('id: kapot\ntitle: "Mail\\njan@buurt.nl"\ncontext: gesprek-stopt\n', "utf-8")
    (library_directory / "oud.yml").touch()
    done = run("validate")
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert f"{broken}:3: context: unknown value 'gesprek-stopt'; did you mean 'gesprek-stokt'?" in lines
    assert f"{broken}:2: title: holds what looks like an e-mail address: jan@buurt.nl" in lines
    assert f"{broken}:1: summary: is missing or empty" in lines
    assert f"{library_directory / 'oud.yml'}:1: file: is not read: call it oud.yaml" in lines
    assert all(line.startswith(f"{library_directory}/") for line in lines)
    assert done.stderr == f"6 cases are fine, {len(lines)} problems\n"


def test_search_prints_hits_as_data_and_talk_elsewhere(run: Run, library_directory: Path) -> None:
    (library_directory / "kapot.yaml").touch()
    done = run("search", "elke keer weer een nieuwe projectleider", "--mode", "lexical", "--json", "-k", "3")
    assert done.returncode == 0
    hits = json.loads(done.stdout)
    assert hits[0]["id"] == LARIKS
    assert 1 <= len(hits) <= 3
    assert set(hits[0]) == {
        "id", "title", "score", "strength", "section", "passage", "context", "hurdles", "outcome", "why",
    }  # fmt: skip
    assert hits == sorted(hits, key=lambda hit: -hit["score"])
    assert done.stderr == "1 case files have problems and are left out; see `validate`\n"


def test_what_is_our_fault_ends_with_3_and_a_sentence(run: Run, tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "knowledge", tmp_path / "knowledge", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "knowledge" / "taxonomy" / "phases.yaml").write_text("- id: plan\n", "utf-8")
    done = run("validate", where=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("Hordeloper cannot work: ")
    assert "phases.yaml: entry 1: label: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_stops_early_is_no_error(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "knowledge", "export", "--format", "json"]
    everything = os.environ | environment | {"HORDELOPER_CASES": str(PROJECT / "cases")}
    with subprocess.Popen(
        command, cwd=PROJECT, env=everything, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1) == b"["
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


# In this process


def test_a_sound_library_is_fine(invoke: Invoke, library_directory: Path) -> None:
    done = invoke("validate")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "6 cases are fine, 0 problems\n")
    assert invoke("validate", str(library_directory)).exit_code == 0


def test_a_directory_that_is_not_there_is_a_typing_error(
    invoke: Invoke, environment: dict[str, str], tmp_path: Path
) -> None:
    done = invoke("validate", str(tmp_path / "nergens"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"Error: {tmp_path / 'nergens'} is not a directory\n"
    environment["HORDELOPER_CASES"] = str(tmp_path / "nergens")
    for command in (["validate"], ["export"], ["search", "net", "--mode", "lexical"]):
        assert invoke(*command).exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["zoek"],
        ["search"],
        ["search", "net", "--batch", "-"],
        ["search", "net", "--mode", "magisch"],
        ["search", "net", "-k", "0"],
        ["search", "net", "-k", "veel"],
        ["search", "?! …"],
        ["search", '""'],
        ["search", "--batch", "/nergens/vragen.txt"],
        ["export", "--format", "pdf"],
        ["export", "--output", "/nergens/casussen.csv"],
        ["schema", "--output", "/nergens/schema.json"],
        ["evaluate", "/nergens/vragen.yaml"],
        ["evaluate"],
        ["validate", "--streng"],
    ],
    ids=" ".join,
)
def test_what_was_typed_wrong_ends_with_2_and_prints_no_data(arguments: list[str], invoke: Invoke) -> None:
    done = invoke(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("option", "typed", "meant"),
    [
        ("--context", "gesprek-stopt", "gesprek-stokt"),
        ("--hurdle", "geen-gehor", "geen-gehoor"),
        ("--theme", "vertrouwen", "vertrouwen-en-relatie"),
        ("--phase", "planing", "plan"),
        ("--province", "Friesland", "Fryslân"),
        ("--municipality", "assen", "Assen"),
        ("--technique", "warmtenetten", "warmtenet"),
        ("--outcome", "overcame", "overcome"),
        ("--initiative-type", "stichtingen", "stichting"),
    ],
)
def test_an_unknown_filter_value_ends_with_2_and_the_nearest(
    option: str, typed: str, meant: str, invoke: Invoke
) -> None:
    done = invoke("search", "net", option, typed, "--mode", "lexical")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"Error: {option}: unknown value {typed!r}; did you mean {meant!r}?\n"


def test_filters_narrow_what_is_found(invoke: Invoke, library: Library) -> None:
    case = library.cases["wageningen-benedenbuurt-wow-riool"]
    for option, value in (
        ("--municipality", "Wageningen"),
        ("--hurdle", case.main_hurdle),
        ("--outcome", case.outcome),
    ):
        done = invoke("search", "bewoners gemeente warmte", option, value, "--mode", "lexical", "--json")
        hits = [library.cases[hit["id"]] for hit in json.loads(done.stdout)]
        assert case in hits
        assert all(value in (hit.place.municipality, *hit.hurdles, hit.outcome) for hit in hits)


def test_hits_are_also_written_for_people(invoke: Invoke, library: Library) -> None:
    done = invoke("search", "elke keer weer een nieuwe projectleider", "--mode", "lexical", "-k", "1")
    assert done.exit_code == 0
    written = " ".join(done.stdout.split())
    assert written.startswith(f"1. {library.cases[LARIKS].title}")
    assert "Zelfde woorden: " in written
    assert LARIKS in written


def test_a_batch_is_answered_line_by_line(invoke: Invoke) -> None:
    questions = ["elke keer een nieuwe projectleider", "vrijwilligers geven energieadvies aan huis"]
    done = invoke("search", "--batch", "-", "--mode", "lexical", "-k", "2", stdin="\n\n".join(questions) + "\n")
    assert done.exit_code == 0
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["query"] for answer in answers] == questions
    assert [answer["hits"][0]["id"] for answer in answers] == [LARIKS, "aa-en-hunze-energiecoaches-voordeur"]
    assert all(len(answer["hits"]) <= 2 for answer in answers)


def test_the_library_can_be_exported_in_every_format(invoke: Invoke, library: Library, tmp_path: Path) -> None:
    done = invoke("export")
    assert (done.exit_code, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout_bytes.decode("utf-8-sig"), newline="")))
    assert [row["id"] for row in rows] == list(SIX_BY_ID)
    assert rows[SIX_BY_ID.index(LARIKS)]["title"] == library.cases[LARIKS].title
    for format in cli.Format:
        target = tmp_path / f"casussen.{format}"
        done = invoke("export", "--format", format, "-o", str(target))
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
        assert target.stat().st_size > 1_000
    sheet = load_workbook(tmp_path / "casussen.xlsx").active
    assert sheet is not None
    assert [cell.value for cell in sheet["A"]] == ["id", *SIX_BY_ID]
    cases = json.loads((tmp_path / "casussen.json").read_text("utf-8"))
    assert [case["id"] for case in cases] == list(SIX_BY_ID)
    assert cases[0]["lessons"][0]["for"] in ("initiatief", "gemeente", "beiden")
    assert (tmp_path / "casussen.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_questions_with_known_answers_are_measured(invoke: Invoke, tmp_path: Path) -> None:
    file = tmp_path / "vragen.yaml"
    questions = [
        {"case": LARIKS, "who": "bewoner", "q": "elke keer een nieuwe projectleider"},
        {"case": LARIKS, "who": "coach", "q": "vrijwilligers geven energieadvies aan huis"},
        {"q": "elke keer een nieuwe projectleider", "relevant": {LARIKS: 3, SIX_BY_ID[0]: 0}},
    ]
    file.write_text(yaml.safe_dump(questions), "utf-8")
    done = invoke("evaluate", str(file), "--mode", "lexical", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert {who: row["n"] for who, row in result.items()} == {"all": 3, "bewoner": 1, "coach": 1}
    assert result["bewoner"]["ndcg@10"] == result["bewoner"]["mrr@10"] == 1.0
    assert 0 < result["coach"]["ndcg@10"] < 1
    assert result["all"]["mrr@10"] == pytest.approx((2 + result["coach"]["mrr@10"]) / 3)
    table = invoke("evaluate", str(file), "--mode", "lexical")
    assert [line.split()[0] for line in table.stdout.splitlines()] == ["who", "all", "bewoner", "coach"]


def test_questions_that_cannot_be_measured_are_all_named_and_end_with_1(invoke: Invoke, tmp_path: Path) -> None:
    file = tmp_path / "vragen.yaml"
    questions = [
        {"case": "bestaat-niet", "q": "net"},
        {"case": LARIKS, "q": "net"},
        {"case": LARIKS, "q": " "},
        {"q": "net"},
        {"q": "net", "relevant": {LARIKS: -1}},
        {"q": "net", "relevant": {LARIKS: "veel"}},
        {"q": "net", "relevant": {"[/x]": 1}},
        "net",
    ]
    file.write_text(yaml.safe_dump(questions), "utf-8")
    done = invoke("evaluate", str(file), "--mode", "lexical")
    assert (done.exit_code, done.stdout) == (1, "")
    wrong = "expected q with case or relevant"
    assert done.stderr.splitlines() == [
        f"{file}: question 1: unknown case 'bestaat-niet'",
        f"{file}: question 3: {wrong}",
        f"{file}: question 4: {wrong}",
        f"{file}: question 5: {wrong}",
        f"{file}: question 6: {wrong}",
        f"{file}: question 7: unknown case '[/x]'",
        f"{file}: question 8: {wrong}",
    ]
    for content, code in (("", 1), ("q: net", 1), ("[", 2), ("\x00", 2)):
        file.write_text(content, "utf-8")
        done = invoke("evaluate", str(file), "--mode", "lexical")
        assert (done.exit_code, done.stdout) == (code, "")
        assert str(file) in done.stderr


def test_the_schema_is_json(invoke: Invoke, tmp_path: Path) -> None:
    printed = invoke("schema")
    assert (printed.exit_code, printed.stderr) == (0, "")
    assert json.loads(printed.stdout)["title"] == "Hordeloper case"
    assert invoke("schema", "-o", str(tmp_path / "s.json")).stdout == ""
    assert (tmp_path / "s.json").read_text("utf-8") == printed.stdout


def test_help_names_every_command(invoke: Invoke) -> None:
    done = invoke("--help")
    assert done.exit_code == 0
    for command in ("validate", "index", "search", "evaluate", "export", "schema"):
        assert command in done.stdout


def test_a_fault_that_nobody_foresaw_ends_with_3(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended, cli._faults():
        raise KeyError("onverwacht")
    assert ended.value.code == cli.OUR_FAULT
    assert "report it" in caplog.text
    assert "onverwacht" in caplog.text
