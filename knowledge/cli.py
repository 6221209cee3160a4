"""The command line: parse, call one capability, print. Data on standard output, talk on standard error.

Exit codes: 0 fine, 1 your data, 2 your typing, 3 our fault.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from knowledge import checks, library
from knowledge.checks import nearest
from knowledge.embedding import ModelMissing
from knowledge.settings import Settings
from knowledge.taxonomy import TaxonomyBroken, taxonomy

# `validate`, `schema` and `--help` answer at once: search, pandas and numpy are imported by the commands that need them.
if TYPE_CHECKING:
    from knowledge.desk import Desk
    from knowledge.search import Answer, Filters, Hit

YOUR_DATA, YOUR_TYPING, OUR_FAULT = 1, 2, 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Hordeloper: documented stories of residents' initiatives and municipalities, searchable in everyday Dutch.",
)
talk = Console(stderr=True, soft_wrap=True)


class SearchMode(StrEnum):
    hybrid = "hybrid"
    dense = "dense"
    lexical = "lexical"


class Format(StrEnum):
    csv = "csv"
    xlsx = "xlsx"
    json = "json"


ModeOption = Annotated[
    SearchMode, typer.Option("--mode", help="hybrid: words and meaning; dense: meaning; lexical: words.")
]
CountOption = Annotated[int, typer.Option("-k", min=1, max=1000, help="How many cases at most.")]


@app.command()
def validate(
    directory: Annotated[Path | None, typer.Argument(help="Default: HORDELOPER_CASES or cases/.")] = None,
) -> None:
    """Check every case file; one line a problem: file:line: field: message."""
    where = directory or Settings().cases
    if not where.is_dir():
        _refuse(f"{where} is not a directory")
    found = library.read(where, taxonomy())
    for problem in found.problems:
        print(f"{problem.file}:{problem.line}: {problem.field}: {problem.english()}")
    talk.print(f"{len(found.cases)} cases are fine, {len(found.problems)} problems", highlight=False)
    if found.problems:
        raise typer.Exit(YOUR_DATA)


@app.command()
def index(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Embed every passage again.")] = False,
) -> None:
    """Bring the index in step with the cases."""
    desk = _desk()
    with _progress() as progress:
        report = desk.bring_in_step(rebuild=rebuild, progress=progress)
    if not report.on_disk:
        talk.print(f"{desk.settings.index} cannot be written: nothing was kept", style="yellow", highlight=False)
    print(
        f"added {len(report.added)}, updated {len(report.updated)}, removed {len(report.removed)}, "
        f"unchanged {report.unchanged}"
    )


@app.command()
def search(
    query: Annotated[str | None, typer.Argument(help="The situation, in everyday Dutch.")] = None,
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="FILE", help="A query a line; - is standard input.")
    ] = None,
    k: CountOption = 10,
    context: Annotated[list[str] | None, typer.Option(metavar="ID")] = None,
    hurdle: Annotated[list[str] | None, typer.Option(metavar="ID")] = None,
    theme: Annotated[list[str] | None, typer.Option(metavar="ID")] = None,
    phase: Annotated[list[str] | None, typer.Option(metavar="ID")] = None,
    province: Annotated[list[str] | None, typer.Option(metavar="NAME")] = None,
    municipality: Annotated[list[str] | None, typer.Option(metavar="NAME")] = None,
    technique: Annotated[list[str] | None, typer.Option(metavar="ID")] = None,
    outcome: Annotated[list[str] | None, typer.Option(metavar="ID")] = None,
    initiative_type: Annotated[list[str] | None, typer.Option(metavar="ID")] = None,
    mode: ModeOption = SearchMode.hybrid,
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects, best first.")] = False,
) -> None:
    """Find cases like a situation. Words in quotation marks must occur in a case. Options may be repeated."""
    if (query is None) == (batch is None):
        _refuse("give either a query or --batch FILE")
    from knowledge.search import Query

    if query is not None and Query.of(query).is_empty:
        _refuse("the query has no words")
    lines = _batch_lines(batch) if batch is not None else []
    desk = _desk()
    wanted = {
        "context": context, "hurdle": hurdle, "theme": theme, "phase": phase, "province": province,
        "municipality": municipality, "technique": technique, "outcome": outcome, "initiative_type": initiative_type,
    }  # fmt: skip
    filters = _filters(desk, wanted)
    _prepare(desk, mode)
    if query is not None:
        answer = desk.answer(query, filters, k=k, mode=mode.value)
        if as_json:
            print(json.dumps([_hit_json(desk, hit) for hit in answer.hits], ensure_ascii=False, indent=2))
        else:
            _print_hits(desk, answer)
        return
    for line in lines:
        answer = desk.answer(line, filters, k=k, mode=mode.value)
        hits = [{"id": hit.case.id, "score": round(hit.score, 4), "strength": hit.strength} for hit in answer.hits]
        found = {"query": line, "hits": hits, "fits": answer.fits, "ms": round(answer.total_ms, 2)}
        print(json.dumps(found, ensure_ascii=False), flush=True)


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="YAML: a list of {case, who, q} or {q, relevant: {id: grade}}.")],
    mode: ModeOption = SearchMode.hybrid,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure the ranking on questions with known answers: overall and per `who`."""
    from knowledge import evaluation

    desk = _desk()
    questions = _questions(file, desk)
    _prepare(desk, mode)
    rows: dict[str, list[dict[str, float]]] = {"all": []}
    for question, who, grades in questions:
        ranking = [hit.case.id for hit in desk.answer(question, k=10, mode=mode.value).hits]
        row = evaluation.measures(ranking, grades)
        rows["all"].append(row)
        if who:
            rows.setdefault(who, []).append(row)
    result = {who: {"n": len(found), **evaluation.mean(found)} for who, found in rows.items()}
    if as_json:
        print(json.dumps(result, ensure_ascii=False, indent=2))
        return
    print(f"{'who':<12}{'n':>6}" + "".join(f"{name:>12}" for name in evaluation.MEASURES))
    for who, found in result.items():
        print(f"{who:<12}{found['n']:>6}" + "".join(f"{found[name]:>12.3f}" for name in evaluation.MEASURES))


@app.command()
def export(
    format: Annotated[Format, typer.Option("--format", help="csv, xlsx or json.")] = Format.csv,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: standard output.")] = None,
) -> None:
    """The published library as data: one row a case."""
    from knowledge import tables

    desk = _desk()
    if format is Format.json:
        cases = [case.model_dump(by_alias=True, exclude_none=True, mode="json") for case in desk.library.cases.values()]
        content = (json.dumps(cases, ensure_ascii=False, indent=2) + "\n").encode()
    elif format is Format.csv:
        content = tables.as_csv(tables.cases(desk.library, desk.taxonomy))
    else:
        content = tables.as_xlsx(tables.cases(desk.library, desk.taxonomy))
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        _write(output, content)


@app.command()
def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: standard output.")] = None,
) -> None:
    """The JSON Schema of a case file, which lets an editor complete and check it."""
    text = json.dumps(checks.case_schema(taxonomy()), ensure_ascii=False, indent=1) + "\n"
    if output is None:
        print(text, end="")
    else:
        _write(output, text.encode())


def main() -> None:
    """Run the command line and end with its exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    with _faults():
        app()


@contextmanager
def _faults() -> Iterator[None]:
    """What is our fault ends with 3: a sentence where the remedy is known, else also the traceback to report."""
    try:
        yield
    except (TaxonomyBroken, ModelMissing) as error:
        talk.print(f"Hordeloper cannot work: {error}", style="red", highlight=False, markup=False)
        sys.exit(OUR_FAULT)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception:
        logging.getLogger(__name__).exception("This is a fault in Hordeloper. Please report it with what follows.")
        sys.exit(OUR_FAULT)


def _desk() -> "Desk":
    from knowledge.desk import open_desk

    settings = Settings()
    if not settings.cases.is_dir():
        _refuse(f"HORDELOPER_CASES: {settings.cases} is not a directory")
    desk = open_desk(settings)
    if desk.library.problems:
        files = len({problem.file for problem in desk.library.problems})
        talk.print(
            f"{files} case files have problems and are left out; see `validate`", style="yellow", highlight=False
        )
    return desk


def _prepare(desk: "Desk", mode: SearchMode) -> None:
    """Words need no model; meaning does, and an index that is in step."""
    if mode is not SearchMode.lexical:
        with _progress() as progress:
            desk.bring_in_step(progress=progress)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error for what takes long; gone when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=talk, transient=True) as bar:
        task = bar.add_task("Loading the model", total=None)
        yield lambda done, all: bar.update(task, description="Embedding passages", completed=done, total=all)


def _write(output: Path, content: bytes) -> None:
    try:
        output.write_bytes(content)
    except OSError as error:
        _refuse(f"{output} cannot be written: {error.strerror}")


def _refuse(message: str) -> None:
    talk.print(f"Error: {message}", style="red", highlight=False, markup=False)
    raise typer.Exit(YOUR_TYPING)


def _filters(desk: "Desk", wanted: dict[str, list[str] | None]) -> "Filters":
    """Typed filters, each value known; a typing error is answered with the nearest known value."""
    known: dict[str, Sequence[str]] = {facet: list(words) for facet, words in desk.taxonomy.by_facet.items()}
    known["municipality"] = desk.library.municipalities
    for facet, values in wanted.items():
        for value in values or ():
            if value not in known[facet]:
                suggestion = nearest(value, known[facet])
                hint = f"; did you mean {suggestion!r}?" if suggestion else ""
                _refuse(f"--{facet.replace('_', '-')}: unknown value {value!r}{hint}")
    return {facet: frozenset(values) for facet, values in wanted.items() if values}


def _batch_lines(batch: str) -> list[str]:
    try:
        text = sys.stdin.read() if batch == "-" else Path(batch).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _refuse(f"--batch: {batch} cannot be read: {error}")
        raise AssertionError from error
    return [line for line in text.splitlines() if line.strip()]


def _questions(file: Path, desk: "Desk") -> list[tuple[str, str, dict[str, int]]]:
    """(question, who, grades) for each entry. Ends the command with the entries that are wrong."""
    try:
        entries = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        _refuse(f"{file} cannot be read: {error}")
    if not isinstance(entries, list) or not entries:
        talk.print(f"{file}: expected a list of questions", style="red", highlight=False, markup=False)
        raise typer.Exit(YOUR_DATA)
    questions, wrong = [], 0
    for place, entry in enumerate(entries, start=1):
        grades = _grades(entry)
        unknown = [id for id in grades or {} if id not in desk.library.cases]
        if grades is None or unknown:
            wrong += 1
            reason = f"unknown case {unknown[0]!r}" if unknown else "expected q with case or relevant"
            talk.print(f"{file}: question {place}: {reason}", style="red", highlight=False, markup=False)
            continue
        questions.append((str(entry["q"]), str(entry.get("who") or ""), grades))
    if wrong:
        raise typer.Exit(YOUR_DATA)
    return questions


def _grades(entry: Any) -> dict[str, int] | None:
    if not isinstance(entry, dict) or not str(entry.get("q") or "").strip():
        return None
    relevant = entry.get("relevant")
    if isinstance(relevant, dict):
        return (
            {str(id): int(grade) for id, grade in relevant.items()} if all(map(_is_grade, relevant.values())) else None
        )
    return {str(entry["case"]): 1} if entry.get("case") else None


def _is_grade(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _hit_json(desk: "Desk", hit: "Hit") -> dict[str, Any]:
    return {
        "id": hit.case.id,
        "title": hit.case.title,
        "score": round(hit.score, 4),
        "strength": hit.strength,
        "section": hit.passage.section,
        "passage": hit.passage.text,
        "context": hit.case.context,
        "hurdles": list(hit.case.hurdles),
        "outcome": hit.case.outcome,
        "why": _why(desk, hit),
    }


def _why(desk: "Desk", hit: "Hit") -> list[str]:
    """The reasons as short Dutch sentences."""
    reasons = [f"Past het best bij: {desk.taxonomy.sections.label(hit.passage.section)}"]
    if hit.words:
        reasons.append(f"Zelfde woorden: {', '.join(hit.words)}")
    reasons += [f"Zelfde horde: {desk.taxonomy.hurdles.label(id)}" for id in hit.shared_hurdles]
    return reasons


def _print_hits(desk: "Desk", answer: "Answer") -> None:
    if not answer.fits:
        talk.print("Niets hier past echt. Dit komt er het dichtst bij:", style="yellow", highlight=False)
    for place, hit in enumerate(answer.hits, start=1):
        table = Table(show_header=False, box=None, padding=(0, 1, 0, 0))
        outcome = desk.taxonomy.outcomes.label(hit.case.outcome)
        strength = desk.taxonomy.strengths.label(hit.strength or "")
        table.add_row(f"{place}.", f"{hit.case.title}")
        table.add_row("", f"{hit.case.id} · {hit.case.where} · {outcome} · {strength}")
        table.add_row("", f"{desk.taxonomy.sections.label(hit.passage.section)}: {hit.passage.text}")
        table.add_row("", "; ".join(_why(desk, hit)[1:]))
        Console(markup=False, highlight=False, emoji=False).print(table)
