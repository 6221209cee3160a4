"""`python -m benchmarks [latency|index|startup|memory|retrieval ...] [--quick] [--show]`; without a name: all."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from benchmarks import record, stage

NAMES = ("latency", "index", "startup", "memory", "retrieval")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is named on one frozen library, keep each result and print its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Figures beside their peers.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"one or more of: {', '.join(NAMES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="few repetitions; kept as <name>.quick.json")
    parser.add_argument("--show", action="store_true", help="measure nothing; print the tables of the kept results")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}; known: {', '.join(NAMES)}")
    # Who is told to end still stops its servers and removes its copies.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    names = chosen.names or NAMES
    if chosen.show:
        _show(names, quick=chosen.quick)
    else:
        _measure(names, quick=chosen.quick)


def _measure(names: Sequence[str], *, quick: bool) -> None:
    print("Bringing the index in step and copying it", file=sys.stderr)
    with stage.frozen() as settings:
        for name in names:
            print(f"Measuring {name}", file=sys.stderr)
            load = os.getloadavg()[0]
            measured = importlib.import_module(f"benchmarks.{name}").measured(settings, quick=quick)
            print(record.shown(record.written(name, measured, load, quick=quick)), flush=True)


def _show(names: Sequence[str], *, quick: bool) -> None:
    for name in names:
        file = record.RESULTS / f"{name}{'.quick' if quick else ''}.json"
        print(record.shown(file) if file.exists() else f"### {name}\n\nNot measured yet.\n")


if __name__ == "__main__":
    main()
