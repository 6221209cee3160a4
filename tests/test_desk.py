"""The desk: open at once, ready when the model is there, in step with what happens on disk."""

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from knowledge import desk as desk_room
from knowledge import library as library_room
from knowledge.desk import Desk, open_desk
from knowledge.embedding import Embedder
from knowledge.index import generations
from knowledge.library import Library
from knowledge.records import Case
from knowledge.settings import PROJECT, Settings

from .conftest import SIX

PATIENCE = 120.0
SOON = 3.0
"""Seconds in which a saved case must be found: what somebody who pressed save is willing to wait."""
BUSY = 15.0
"""The same, while other tests keep the processors busy."""


def eventually(holds: Callable[[], bool], within: float = PATIENCE) -> float:
    """Seconds until something holds. Fails when that takes too long."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < within, f"does not hold after {within} seconds"
        time.sleep(0.05)
    return time.monotonic() - started


@pytest.fixture
def opened(library_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Desk]]:
    """Opens a desk on the six cases; all desks are stopped and what they held is closed in the end."""
    monkeypatch.setattr(desk_room, "CLOSE_AFTER", 0.5)
    desks: list[tuple[Desk, list[object]]] = []

    def open_one(*, model: Embedder | None = None, settings: Mapping[str, object] = {}, start: bool = False) -> Desk:
        own = {"cases": library_directory, "index": tmp_path / "index", "data": tmp_path / "data"}
        desk = open_desk(Settings.model_validate({**own, **settings}))
        desk._embedder = model  # loaded once for all tests
        desks.append((desk, [desk.start()] if start else []))
        return desk

    yield open_one
    for desk, threads in desks:
        desk.stop()
        for thread in threads:
            thread.join(PATIENCE)  # type: ignore[attr-defined]
        if desk._search is not None:
            desk._search.index.close()
    time.sleep(desk_room.CLOSE_AFTER + 0.3)  # the timers that close former indexes


@pytest.fixture(scope="module")
def index_of_two(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    """An index directory of the first two cases, to copy."""
    directory = tmp_path_factory.mktemp("two")
    (directory / "cases").mkdir()
    for id in sorted(SIX)[:2]:
        shutil.copy(PROJECT / "cases" / f"{id}.yaml", directory / "cases")
    settings = {"cases": directory / "cases", "index": directory / "index"}
    desk = open_desk(Settings.model_validate(settings))
    desk._embedder = embedder
    desk.bring_in_step()
    desk.search.index.close()
    return directory / "index"


@pytest.fixture
def ready(
    index_of_two: Path, tmp_path: Path, opened: Callable[..., Desk], embedder: Embedder, library_directory: Path
) -> Desk:
    """A running desk, with two cases to keep it quick."""
    shutil.copytree(index_of_two, tmp_path / "index")
    for file in sorted(library_directory.glob("*.yaml"))[2:]:
        file.unlink()
    desk = opened(model=embedder, start=True)
    eventually(lambda: desk.status.step == "ready")
    return desk


def finds(desk: Desk, question: str, case_id: str) -> bool:
    return case_id in {hit.case.id for hit in desk.answer(question).hits}


def test_desk_opens_with_broken_files(opened: Callable[..., Desk], library_directory: Path) -> None:
    (library_directory / "kapot.yaml").write_bytes(b"\xff\x00: [")
    (library_directory / "map.yaml").mkdir()
    desk = opened()
    assert len(desk.library.cases) == 6
    assert {Path(problem.file).name for problem in desk.library.problems} == {"kapot.yaml", "map.yaml"}
    assert finds(desk, "andere projectleider", "assen-lariks-zeven-projectleiders")


def test_desk_opens_without_a_directory_of_cases(opened: Callable[..., Desk], tmp_path: Path) -> None:
    desk = opened(settings={"cases": tmp_path / "nergens"})
    assert desk.library.cases == {}
    assert desk.answer("warmtenet").hits == ()
    assert desk.answer("").hits == ()


def test_desk_answers_by_words_before_the_model_is_there(opened: Callable[..., Desk], library: Library) -> None:
    desk = opened()
    assert desk.status.step == "starting"
    answer = desk.answer("andere projectleider")
    assert answer.arms == ("lexical",)
    assert answer.hits[0].case.id == "assen-lariks-zeven-projectleiders"
    assert len(desk.similar(library.cases["assen-lariks-zeven-projectleiders"])) > 0


def test_desk_gets_ready_in_the_background_and_answers_all_the_while(
    opened: Callable[..., Desk], library_directory: Path
) -> None:
    """With its own loading of the model."""
    desk = opened(start=True)
    steps = set()
    deadline = time.monotonic() + PATIENCE
    while desk.status.step != "ready":
        assert time.monotonic() < deadline
        steps.add(desk.status.step)
        assert desk.answer("andere projectleider").hits[0].case.id == "assen-lariks-zeven-projectleiders"
        assert desk.status.done <= desk.status.all
        time.sleep(0.2)
    assert "loading-model" in steps
    assert desk.answer("andere projectleider").arms == ("lexical", "dense")


@pytest.mark.parametrize("seconds", [BUSY, pytest.param(SOON, marks=pytest.mark.soak)])
def test_saved_changed_and_removed_cases_show_within_seconds(
    seconds: float, ready: Desk, make_case: Callable[..., Case], library_directory: Path, taxonomy: object
) -> None:
    case = make_case(id="kampeerplaats", obstacle="De kampeerplaats kreeg geen vergunning.")
    library_room.save(case, library_directory)
    eventually(lambda: finds(ready, '"kampeerplaats"', case.id), seconds)
    assert ready.status.step == "ready", "a new case takes nothing away from who searches meanwhile"
    eventually(lambda: ready.answer("kamperen mag niet").arms == ("lexical", "dense"), seconds)
    library_room.save(case.model_copy(update={"obstacle": "Het zwembad kreeg geen vergunning."}), library_directory)
    eventually(lambda: finds(ready, '"zwembad"', case.id), seconds)
    assert not finds(ready, '"kampeerplaats"', case.id)
    (library_directory / "kampeerplaats.yaml").write_text("title: kapot")
    eventually(lambda: case.id not in ready.library.cases, seconds)
    eventually(lambda: not finds(ready, '"zwembad"', case.id), seconds)
    assert len(ready.library.problems) > 0
    (library_directory / "kampeerplaats.yaml").unlink()
    eventually(lambda: ready.library.problems == (), seconds)


@pytest.mark.parametrize("also_the_cases_change", [False, True])
def test_desk_recovers_when_the_index_directory_is_deleted(
    also_the_cases_change: bool, ready: Desk, make_case: Callable[..., Case], library_directory: Path
) -> None:
    before = ready.search
    shutil.rmtree(ready.settings.index)
    assert ready.answer("geld").arms == ("lexical", "dense")
    if also_the_cases_change:
        library_room.save(make_case(), library_directory)
    eventually(lambda: generations.current(ready.settings.index) is not None)
    eventually(
        lambda: ready.search is not before and ready.search.index.stamp == generations.current(ready.settings.index)
    )
    assert ready.search.index.dense is not None
    assert ready.search.index.dense.uses_chroma
    assert len(ready.answer("").hits) == 2 + also_the_cases_change


def test_desk_follows_the_pointer_that_another_desk_moved(ready: Desk, opened: Callable[..., Desk]) -> None:
    other = opened(model=ready.load_model())
    other.bring_in_step(rebuild=True)
    eventually(lambda: ready.search.index.stamp == other.search.index.stamp)


def test_desk_works_where_nothing_can_be_written(
    opened: Callable[..., Desk], embedder: Embedder, make_case: Callable[..., Case], library_directory: Path
) -> None:
    for file in sorted(library_directory.glob("*.yaml"))[1:]:
        file.unlink()
    desk = opened(model=embedder, settings={"index": Path("/proc/hordeloper")}, start=True)
    eventually(lambda: desk.status.step == "ready")
    first = desk.search
    library_room.save(make_case(), library_directory)
    eventually(lambda: finds(desk, "geen antwoord op mails", "een-casus"))
    assert desk.search.index.stamp != first.index.stamp


def test_missing_model_leaves_words_and_the_reason(
    opened: Callable[..., Desk],
    make_case: Callable[..., Case],
    library_directory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(desk_room, "SHIPPED_MODEL", tmp_path / "geen-model")
    with caplog.at_level(logging.WARNING, "knowledge"):
        desk = opened(settings={"model": str(tmp_path / "ook-niet")}, start=True)
        eventually(lambda: desk.status.step == "words-only")
    assert "geen-model" in desk.status.reason
    assert desk.answer("andere projectleider").arms == ("lexical",)
    library_room.save(make_case(), library_directory)
    eventually(lambda: finds(desk, "spreekuur", "een-casus"), BUSY)
    assert desk.status.step == "words-only"


def test_desk_goes_on_after_a_round_that_failed(
    opened: Callable[..., Desk],
    embedder: Embedder,
    library_directory: Path,
    index_of_two: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever went wrong: a desk that silently stops following shows old cases until somebody restarts it."""
    shutil.copytree(index_of_two, tmp_path / "index")
    for file in sorted(library_directory.glob("*.yaml"))[2:]:
        file.unlink()
    desk = opened(model=embedder)
    failures = [MemoryError("one"), OSError("two")]
    follow = desk._follow

    def fails_twice() -> None:
        if failures:
            raise failures.pop()
        follow()

    monkeypatch.setattr(desk, "_follow", fails_twice)
    thread = desk.start()
    eventually(lambda: desk.status.step == "ready")
    desk.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert failures == []
