"""Several real processes at one index: a desk that searches, commands that write, and a writer that is killed."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from knowledge import index, passages
from knowledge import library as library_room
from knowledge.embedding import Embedder
from knowledge.index import generations
from knowledge.library import Library
from knowledge.settings import PROJECT
from knowledge.taxonomy import Taxonomy

PATIENCE = 120


def environment(cases: Path, directory: Path) -> dict[str, str]:
    own = {"HORDELOPER_CASES": str(cases), "HORDELOPER_INDEX": str(directory), "PYTHONPATH": str(PROJECT)}
    return {**os.environ, **own, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default", "RUST_LOG": "warn"}


def index_command(cases: Path, directory: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "knowledge", "index"],
        env=environment(cases, directory), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(command: "subprocess.Popen[str]") -> str:
    """What it printed; it ended well."""
    out, err = command.communicate(timeout=PATIENCE)
    assert command.returncode == 0, err
    assert "Traceback" not in err
    return out


# A desk that searches for as long as it runs. Answers a line that names the cases it should have with what it has, as
# soon as they are the same, and reports every exception and every search that found nothing.
DESK = """
import json, sys, threading, time
from knowledge.desk import open_desk
from knowledge.settings import Settings
desk = open_desk(Settings())
desk.start()
searches, failures = 0, []
def search():
    global searches
    questions = ["steeds een andere projectleider", "wie praat namens het dorp", '"gemeente" geld voor de wijk']
    while not desk._stopped.is_set():
        try:
            for question in questions:
                if not desk.answer(question).hits:
                    failures.append(f"no hits for {question}")
                searches += 1
            time.sleep(0.05)
        except BaseException as error:
            failures.append(repr(error))
            raise
thread = threading.Thread(target=search)
thread.start()
for line in sys.stdin:
    wanted, deadline = json.loads(line), time.monotonic() + 60
    while time.monotonic() < deadline:
        search = desk.search
        ids = sorted({passage.case_id for passage in search.index.passages})
        if desk.status.step == "ready" and ids == wanted:
            break
        time.sleep(0.05)
    chroma = bool(search.index.dense and search.index.dense.uses_chroma)
    said = {"ids": ids, "step": desk.status.step, "searches": searches, "failures": failures, "chroma": chroma}
    said["stamp"] = search.index.stamp
    print(json.dumps(said), flush=True)
desk.stop()
thread.join()
"""


class RunningDesk:
    """The app's desk in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def said(self, wanted: list[str]) -> dict[str, Any]:
        """What it says once it has exactly these cases, or when it gave up waiting for them."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said


@contextmanager
def running_desk(cases: Path, directory: Path, log: Path) -> Iterator[RunningDesk]:
    with (
        open(log, "w") as errors,
        subprocess.Popen(
            [sys.executable, "-c", DESK],
            env=environment(cases, directory), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
        ) as process,
    ):  # fmt: skip
        timer = threading.Timer(PATIENCE * 5, process.kill)
        timer.start()
        try:
            yield RunningDesk(process)
        finally:
            timer.cancel()
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()
    assert "Traceback" not in log.read_text(), log.read_text()


def keep_three(cases: Path) -> None:
    """Embedding is what takes time here, in every process once more."""
    for file in sorted(cases.glob("*.yaml"))[3:]:
        file.unlink()


def present(cases: Path) -> list[str]:
    return sorted(file.stem for file in cases.glob("*.yaml"))


def change(cases: Path, round: int, taxonomy: Taxonomy) -> None:
    """Add a case, change one, and remove the one that the former round added."""
    source = cases / "assen-lariks-zeven-projectleiders.yaml"
    case, problems = library_room.read_case(source, taxonomy)
    assert case, problems
    library_room.save(case.model_copy(update={"id": f"nieuw-{round}", "title": f"Nieuwe casus nummer {round}"}), cases)
    library_room.save(case.model_copy(update={"result": f"Ronde {round} leverde een vaste projectleider op."}), cases)
    (cases / f"nieuw-{round - 1}.yaml").unlink(missing_ok=True)


@pytest.mark.parametrize("rounds", [2, pytest.param(12, marks=pytest.mark.soak)])
def test_desk_searches_on_while_another_process_changes_the_index(
    rounds: int, library_directory: Path, tmp_path: Path, taxonomy: Taxonomy, embedder: Embedder
) -> None:
    keep_three(library_directory)
    directory = tmp_path / "index"
    with running_desk(library_directory, directory, tmp_path / "desk.log") as desk:
        said = desk.said(present(library_directory))
        for round in range(rounds):
            change(library_directory, round, taxonomy)
            assert re.search(
                r"added \d+, updated \d+, removed \d+", finished(index_command(library_directory, directory))
            )
            said = desk.said(present(library_directory))
            assert said["failures"] == []
            assert said["ids"] == present(library_directory)
    assert said["step"] == "ready"
    assert said["chroma"]
    assert said["searches"] > rounds
    assert said["stamp"] == generations.current(directory)
    assert_whole(directory, library_room.read(library_directory, taxonomy), taxonomy, embedder)


def test_two_index_commands_at_once_leave_a_whole_index(
    library_directory: Path, tmp_path: Path, taxonomy: Taxonomy, embedder: Embedder
) -> None:
    keep_three(library_directory)
    directory = tmp_path / "index"
    both = [index_command(library_directory, directory) for _ in range(2)]
    printed = sorted(finished(command).strip() for command in both)
    assert printed == ["added 0, updated 0, removed 0, unchanged 3", "added 3, updated 0, removed 0, unchanged 0"]
    assert_whole(directory, library_room.read(library_directory, taxonomy), taxonomy, embedder)


def assert_whole(directory: Path, found: Library, taxonomy: Taxonomy, embedder: Embedder) -> None:
    """Exactly the library, with nothing left to do and nothing left behind."""
    corpus = passages.of_cases(found.cases.values(), taxonomy)
    opened, report = index.in_step(directory, corpus, embedder)
    assert opened.dense is not None
    assert (report.unchanged, report.embedded, report.on_disk) == (len(found.cases), 0, True)
    assert opened.stamp == generations.current(directory)
    assert opened.dense.uses_chroma
    query = embedder.queries(["de projectleider wisselt steeds"])[0]
    similarity = opened.dense.similarities(query, opened.dense.near(query))
    exact = embedder.passages([passage.text for passage in corpus]) @ query
    assert similarity == pytest.approx(exact, abs=1e-4)
    opened.close()


# One process loads the model and then forks a writer for each moment (Chroma is not started before the fork). It kills
# the writer as soon as the file that marks the moment is there, looks at what is left, and lets another writer mend it.
KILLER = """
import json, os, shutil, signal, sys, time
from pathlib import Path
import bm25s, chromadb, torch  # imported before the fork, or every writer would
torch.set_num_threads(1)
from knowledge import embedding, index, library, passages
from knowledge.index import generations
from knowledge.taxonomy import taxonomy
cases, base, model, moments = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
model = embedding.load(model, model)
whole = passages.of_cases(library.read(cases, taxonomy()).cases.values(), taxonomy())
first = tuple(passage._replace(text=passage.text[:80]) for passage in whole)
second = tuple(passage._replace(text=passage.text[:60]) if not row % 3 else passage for row, passage in enumerate(first))

def forked(work):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
        os._exit(1)
    return child

def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def write(directory, corpus, rebuild=False):
    opened, report = index.in_step(directory, corpus, model, rebuild=rebuild)
    assert report.on_disk and opened.dense.uses_chroma, report
    row = 5
    query = model.passages([corpus[row].text])[0]
    near = opened.dense.similarities(query, opened.dense.near(query))
    assert corpus[int(near.argmax())].text == corpus[row].text
    opened.close()

assert ended(forked(lambda: write(base, first))) == 0
for moment, rebuild in moments:
    directory = base.with_name("killed")
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(base, directory)
    old = generations.current(directory)
    writer = forked(lambda: write(directory, second, rebuild))
    deadline, killed = time.monotonic() + 60, False
    while time.monotonic() < deadline and os.waitpid(writer, os.WNOHANG)[0] == 0:
        if any(not str(file.relative_to(directory)).startswith(old) for file in directory.glob(moment)):
            os.kill(writer, signal.SIGKILL)
            os.waitpid(writer, 0)
            killed = True
            break
    generation = generations.opened(directory)
    readable = generation.manifest.is_of(first) or generation.manifest.is_of(second)
    generation.close()
    mended = ended(forked(lambda: write(directory, second))) == 0
    generation = generations.opened(directory)
    left = [entry.name for entry in directory.iterdir() if entry.is_dir() and entry.name != generation.directory.name]
    print(json.dumps({"moment": moment, "killed": killed, "readable": readable, "mended": mended,
                      "is_new": generation.manifest.is_of(second), "left": left}), flush=True)
    generation.close()
"""
SOME = [
    ("*/lease", False),
    ("*/chroma/chroma.sqlite3", True),
    ("*/patched/chroma.sqlite3", False),
    ("*/manifest.json", False),
]
MANY = [
    (moment, rebuild)
    for rebuild in (False, True)
    for moment in (
        "*/lease", "*/lexical", "*/lexical/words.json", "*/vectors.npy", "*/passages.jsonl", "*/terms.jsonl", "*/patched",
        "*/chroma", "*/chroma/chroma.sqlite3", "*/chroma/chroma.sqlite3-journal", "*/*/*/header.bin", "*/*/*/length.bin",
        "*/manifest.json.new", "*/manifest.json", "current.new",
    )
]  # fmt: skip


@pytest.mark.parametrize("moments", [SOME, pytest.param(MANY * 4, marks=pytest.mark.soak)], ids=["some", "many"])
def test_writer_that_is_killed_leaves_an_index_that_reads_and_mends(
    moments: list[tuple[str, bool]], library_directory: Path, tmp_path: Path, embedder: Embedder
) -> None:
    keep_three(library_directory)
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(library_directory), str(tmp_path / "base"), embedder.name, json.dumps(moments)],
        env=environment(library_directory, tmp_path / "unused"), capture_output=True, text=True, timeout=PATIENCE * 10,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(moments)
    assert any(one["killed"] for one in told)
    for one in told:
        assert one["readable"], one
        assert one["mended"], (one, done.stderr)
        assert one["is_new"], one


def test_half_written_generation_of_a_killed_writer_is_cleaned_up(built: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(built, tmp_path / "index"))
    half = generations.new(directory)
    (half / "vectors.npy").write_bytes(b"half")
    generations.remove_unused(directory)
    assert not half.exists()
    generations.opened(directory).close()
