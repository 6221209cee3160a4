"""How much longer the index takes than the encoding that nobody can avoid: a whole build, and one changed case.

Seconds on the clock and seconds of processor time: the first is what one waits, the second hardly minds what else runs.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from benchmarks import stage
from benchmarks.record import Measured, Row, Target, spread
from knowledge import index, library
from knowledge.desk import Desk, open_desk
from knowledge.embedding import BATCH
from knowledge.passages import Passage, of_case, of_cases
from knowledge.records import Case
from knowledge.settings import Settings
from knowledge.taxonomy import Taxonomy, taxonomy

BUILD_AT_MOST, UPDATE_AT_MOST = 1.2, 1.5
SUBSET = 60
"""Cases of the subset that is built more than once."""


class Cost(NamedTuple):
    seconds: float
    processor: float


class Pair(NamedTuple):
    """Ours and the bare encoding of the same passages, one right after the other."""

    ours: Cost
    peer: Cost
    after_encoding: float
    """Seconds of ours that came after the last passage was encoded."""

    @property
    def ratio(self) -> float:
        return self.ours.seconds / self.peer.seconds


class Command(NamedTuple):
    """`python -m knowledge index` twice: with one changed case and with nothing to do."""

    changed: float
    nothing: float


def measured(settings: Settings, *, quick: bool) -> Measured:
    """Builds of a subset and of the whole library, and updates of one case in this process and by the command."""
    desk = open_desk(settings)
    desk.bring_in_step()
    size = stage.size(desk)
    subset = _some(desk, 15 if quick else SUBSET)
    builds = {f"build of {15 if quick else SUBSET} cases": [_build(desk, subset, t) for t in range(1 if quick else 3)]}
    if not quick:
        builds[f"build of all {size['cases']} cases"] = [_build(desk, desk.search.index.passages, 0)]
    desk.search.index.close()
    with stage.frozen(settings) as own:
        whole, sentence, reading = _updates(own, 2 if quick else 7)
        commands = [_command(own, turn) for turn in range(1 if quick else 3)]
    pairs = {**builds, "update of a case, every passage new": whole, "update of a case, one passage new": sentence}
    beyond = [command.changed - command.nothing for command in commands]
    encoding = [pair.peer.seconds for pair in whole]
    return Measured(
        size,
        {name: _summary([pair.ours for pair in found]) for name, found in pairs.items()}
        | {f"{name}, after encoding": spread([pair.after_encoding for pair in found]) for name, found in pairs.items()}
        | {"reading the cases again": spread(reading), "command, changed less unchanged": spread(beyond)}
        | {f"command, {part}": spread([getattr(c, part) for c in commands]) for part in Command._fields},
        {name: _summary([pair.peer for pair in found]) for name, found in pairs.items()},
        {
            **{f"{name}, times bare encoding": Target(BUILD_AT_MOST, _ratio(found)) for name, found in builds.items()},
            "update of a case in a process, times bare encoding": Target(UPDATE_AT_MOST, _ratio(whole)),
            "update by the command less start-up, times bare encoding": Target(
                UPDATE_AT_MOST, float(np.median(beyond) / np.median(encoding))
            ),
        },
        ("median of pairs", "ours s", "peer s", "times", "ours cpu s", "peer cpu s", "after encoding s", "pairs"),
        [_row(name, found) for name, found in pairs.items()] + [_command_row(beyond, encoding)],
        (
            "peer: SentenceTransformer.encode_document of the same passages by the same loaded model, batches of 32.",
            "update: the index open and the model loaded; the cases are read again too, "
            f"which takes {float(np.median(reading)):.2f} s.",
            f"command: with nothing to do {float(np.median([c.nothing for c in commands])):.1f} s, taken off.",
        ),
    )  # fmt: skip


def _some(desk: Desk, count: int) -> tuple[Passage, ...]:
    """The passages of so many cases from all over the library."""
    ids = sorted(desk.library.cases)
    chosen = {ids[place] for place in np.linspace(0, len(ids) - 1, num=min(count, len(ids)), dtype=int)}
    return of_cases((desk.library.cases[id] for id in chosen), desk.taxonomy)


def _build(desk: Desk, passages: tuple[Passage, ...], turn: int) -> Pair:
    """One full build in a new directory, and the bare encoding before or after it."""
    embedder = desk.load_model()
    print(f"A pair of builds of {len(passages)} passages", file=sys.stderr)
    with TemporaryDirectory(prefix="hordeloper-bench-") as name:
        encoded: list[float] = []

        def ours() -> None:
            def progress(done: int, all: int) -> None:
                encoded.append(time.perf_counter())

            built, _report = index.in_step(Path(name), passages, embedder, rebuild=True, progress=progress)
            built.close()

        return _pair(ours, lambda: _encode(desk, passages), turn, encoded)


def _updates(own: Settings, times: int) -> tuple[list[Pair], list[Pair], list[float]]:
    """One case changed on disk, so many times in turn: every text of it, then one sentence. Also the reading by itself."""
    desk = open_desk(own)
    desk.bring_in_step()
    ids = sorted(desk.library.cases)
    whole, sentence, reading = [], [], []
    for turn in range(times):
        case = desk.library.cases[ids[len(ids) * (turn + 1) // (times + 2)]]
        whole.append(_update(desk, _reworded(case, turn), turn))
        sentence.append(_update(desk, _longer(desk.library.cases[case.id], turn), turn))
        reading.append(_cost(lambda: _read(own, desk.taxonomy)).seconds)
    desk.search.index.close()
    return whole, sentence, reading


def _update(desk: Desk, case: Case, turn: int) -> Pair:
    """What a saved case costs until it can be found by meaning, and the bare encoding of its new passages."""
    old = {passage.digest for passage in desk.search.index.passages}
    new = [passage for passage in of_case(case, desk.taxonomy) if passage.digest not in old]
    library.save(case, desk.settings.cases)
    encoded: list[float] = []

    def ours() -> None:
        report = desk.bring_in_step(progress=lambda done, all: encoded.append(time.perf_counter()))
        assert report.embedded == len(new), f"{report.embedded} passages were embedded, not {len(new)}"

    return _pair(ours, lambda: _encode(desk, new), turn, encoded)


def _command(own: Settings, turn: int) -> Command:
    """The command line as a whole, with nothing to do and after every text of one case was changed."""
    words = taxonomy()
    cases = library.read(own.cases, words).cases
    stage.run_index(own)
    nothing = stage.run_index(own)
    library.save(_reworded(cases[sorted(cases)[-1 - turn]], turn), own.cases)
    return Command(stage.run_index(own), nothing)


def _reworded(case: Case, turn: int) -> Case:
    """The case with another word in every passage."""
    word = f"{'eerste tweede derde vierde vijfde zesde zevende achtste'.split()[turn % 8]} lezing"
    return case.model_copy(
        update={
            "summary": f"{case.summary[:480]} {word}",
            "recognise": tuple(f"{line} {word}" for line in case.recognise),
            "situation": f"{case.situation} {word}",
            "obstacle": f"{case.obstacle} {word}",
            "approach": (*case.approach, word),
            "result": f"{case.result} {word}",
            "lessons": tuple(lesson.model_copy(update={"text": f"{lesson.text} {word}"}) for lesson in case.lessons),
        }
    )


def _longer(case: Case, turn: int) -> Case:
    return case.model_copy(update={"result": f"{case.result} Dat bleek pas na {turn + 2} jaar."})


def _read(settings: Settings, words: Taxonomy) -> None:
    of_cases(library.read(settings.cases, words).cases.values(), words)


def _encode(desk: Desk, passages: Sequence[Passage]) -> Any:
    return stage.bare_model(desk.load_model()).encode_document(
        [passage.text for passage in passages], batch_size=BATCH, show_progress_bar=False
    )


def _pair(ours: Callable[[], object], peer: Callable[[], object], turn: int, encoded: Sequence[float]) -> Pair:
    """Both once; who is first changes with the turn. `encoded` gets the moments at which ours had encoded a batch."""
    theirs = _cost(peer) if turn % 2 else None
    mine = _cost(ours)
    ended = time.perf_counter()
    return Pair(mine, theirs or _cost(peer), ended - encoded[-1])


def _cost(work: Callable[[], object]) -> Cost:
    started, processor = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - started, time.process_time() - processor)


def _summary(costs: Sequence[Cost]) -> dict[str, dict[str, float]]:
    return {part: spread([getattr(cost, part) for cost in costs]) for part in Cost._fields}


def _ratio(pairs: Sequence[Pair]) -> float:
    """The median over pairs, each of which ran in the same minute."""
    return float(np.median([pair.ratio for pair in pairs]))


def _row(name: str, pairs: Sequence[Pair]) -> Row:
    middle = [
        float(np.median(values))
        for values in (
            [pair.ours.seconds for pair in pairs],
            [pair.peer.seconds for pair in pairs],
            [pair.ratio for pair in pairs],
            [pair.ours.processor for pair in pairs],
            [pair.peer.processor for pair in pairs],
            [pair.after_encoding for pair in pairs],
        )
    ]
    return (name, *(f"{value:.2f}" for value in middle), str(len(pairs)))


def _command_row(beyond: Sequence[float], encoding: Sequence[float]) -> Row:
    ours, peer = float(np.median(beyond)), float(np.median(encoding))
    name = "command, changed less unchanged"
    return (name, f"{ours:.2f}", f"{peer:.2f}", f"{ours / peer:.2f}", "", "", "", str(len(beyond)))
