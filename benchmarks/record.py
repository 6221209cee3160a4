"""What every benchmark keeps: machine, versions, command, date, and figures that are more than one number."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "sentence-transformers", "chromadb", "streamlit", "bm25s")
Row = Sequence[str]


class Measured(NamedTuple):
    """What a benchmark hands back: what it measured with, ours, the peer's, what was aimed at, and the table to print."""

    library: Mapping[str, int]
    figures: Mapping[str, Any]
    peer: Mapping[str, Any]
    targets: Mapping[str, "Target"]
    head: Row
    rows: Sequence[Row]
    notes: Sequence[str] = ()


class Target(NamedTuple):
    """The most that a figure should be, and what it was."""

    at_most: float
    measured: float

    @property
    def met(self) -> bool:
        return self.measured <= self.at_most


def spread(values: Sequence[float]) -> dict[str, float]:
    """How often something was measured, and the least, the middle and the nearly worst of it."""
    found = {"min": np.min(values), "median": np.median(values), "p95": np.percentile(values, 95)}
    return {"n": len(values), **{name: round(float(value), 3) for name, value in found.items()}}


def cells(name: str, values: Mapping[str, float], digits: int = 1) -> Row:
    """A spread as a row of a table."""
    return (name, *(f"{values[part]:.{digits}f}" for part in ("min", "median", "p95")), f"{values['n']:.0f}")


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cpu": _cpu(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in PACKAGES},
    }


def written(name: str, measured: Measured, load_before: float, *, quick: bool) -> Path:
    """The file with the result; a quick one stands beside the real one and does not replace it."""
    RESULTS.mkdir(exist_ok=True)
    content = {
        "benchmark": name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": f"python -m benchmarks {name}{' --quick' if quick else ''}",
        "machine": machine(),
        "load": {"before": round(load_before, 2), "after": round(os.getloadavg()[0], 2)},
        "library": measured.library,
        "figures": measured.figures,
        "peer": measured.peer,
        "targets": {name: {**found._asdict(), "met": found.met} for name, found in measured.targets.items()},
        "table": {"head": measured.head, "rows": measured.rows, "notes": measured.notes},
    }
    file = RESULTS / f"{name}{'.quick' if quick else ''}.json"
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return file


def shown(file: Path) -> str:
    """The result in a file as Markdown: what was measured where, the table, and what was aimed at."""
    result = json.loads(file.read_text(encoding="utf-8"))
    machine, library, table = result["machine"], result["library"], result["table"]
    lines = [
        f"### {result['benchmark']}",
        "",
        f"`{result['command']}`, {result['date']}: {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, Python {machine['python']}; load {result['load']['before']} before and "
        f"{result['load']['after']} after; {library['cases']} cases, {library['passages']} passages.",
        "",
        *_markdown(table["head"], table["rows"]),
        "",
        *(f"- {note}" for note in table["notes"]),
        *(f"- {_aimed(name, found)}" for name, found in result["targets"].items()),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _aimed(name: str, target: Mapping[str, Any]) -> str:
    verdict = "met" if target["met"] else "**not met**"
    return f"{name}: {target['measured']:.2f}, at most {target['at_most']} wanted: {verdict}"


def _markdown(head: Row, rows: Sequence[Row]) -> list[str]:
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]

    def line(row: Row) -> str:
        first, *others = zip(row, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        return f"| {' | '.join(padded)} |"

    rule = "|".join(("-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])))
    return [line(head), f"|{rule}|", *map(line, rows)]


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
