"""A real browser on a real server: one of each for all journeys, on some forty cases in a directory of their own."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, sync_playwright

from knowledge import library as library_room
from knowledge.records import Case
from knowledge.settings import PROJECT
from tests.journeys.pages import DEADLINE, Visitor

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = ["--disable-background-networking", "--no-first-run", "--disable-component-update", "--disable-sync"]
QUESTION = "De gemeente wil een warmtenet en heeft ons niets gevraagd"
"""An example of the start page; three of the cases below fit."""
BY_MEANING = "Klankbordgroep vraagt of de keuze al vastligt; onderzoek wordt verbreed"
"""One of the three, which shares no rare word with the question."""
READY_WITHIN = 180.0
"""Seconds in which a server must have loaded its model and embedded its cases, also on a busy machine."""
EVERY = 10
"""One in so many cases is in the library of the journeys."""
ALWAYS = (
    "apeldoorn-dorps-en-wijkraden-status",
    "assen-lariks-zeven-projectleiders",
    "schouwen-duiveland-zierikzee-malta",
    "wageningen-benedenbuurt-wow-riool",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not CHROMIUM and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine (apt-get install chromium)"))


def hostile(make_case: Callable[..., Case]) -> Case:
    """A case whose writer tries everything that a page must show and not do."""
    image = "![plaatje](https://elders.example/plaatje.png)"
    script = "<script>document.title = 'gekaapt'</script><img src=x onerror=\"document.title='gekaapt'\">"
    return make_case(
        id="assen-tekens-letterlijk",
        title="Tekens: *sterren* :red[rood] $x$ <b>vet</b> ~weg~ `code`",
        summary=f"Zonnepanelen op de molen van Kwispeldam. {image} {script}",
        situation=f"# Geen kop\n{script}",
        obstacle=image,
        lessons=[
            {
                "for": "gemeente",
                "text": f"Les met *sterren* en <b>vet</b> en {image}",
                "themes": ["vertrouwen-en-relatie"],
            }
        ],
    )


class Server(NamedTuple):
    address: str
    log: Path

    def health(self) -> str | None:
        """How far the server is; None where it does not answer yet."""
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=30) as answer:
                return str(json.load(answer)["status"])
        except (URLError, ConnectionError, TimeoutError):
            return None

    def wait_until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not true():
            if time.monotonic() > deadline:
                pytest.fail(f"the server is not there after {READY_WITHIN:.0f} s:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.2)


@contextmanager
def serving(cases: Path, index: Path) -> Iterator[Server]:
    """The app on a free port, as people start it, from when it answers; it may still be loading."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = index.parent / f"server-{port}.log"
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        f"--server.port={port}",
        "--server.address=localhost",
    ]
    settings = {"HORDELOPER_CASES": str(cases), "HORDELOPER_INDEX": str(index), "OMP_NUM_THREADS": "1"}
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env={**os.environ, **settings}, stdout=output, stderr=subprocess.STDOUT
        )
        server = Server(f"http://localhost:{port}", log)
        try:
            server.wait_until(lambda: server.health() is not None)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def journey_cases(tmp_path_factory: pytest.TempPathFactory, make_case: Callable[..., Case]) -> Path:
    directory = tmp_path_factory.mktemp("journeys") / "cases"
    directory.mkdir()
    files = sorted((PROJECT / "cases").glob("*.yaml"))
    for file in {*files[::EVERY], *(PROJECT / "cases" / f"{id}.yaml" for id in ALWAYS)}:
        shutil.copy(file, directory)
    library_room.save(hostile(make_case), directory)
    (directory / "kapot.yaml").write_text("id: kapot\ntitle: [\n", encoding="utf-8")
    return directory


@pytest.fixture(scope="session")
def address(journey_cases: Path) -> Iterator[str]:
    """The address of the one server of all journeys, ready."""
    with serving(journey_cases, journey_cases.parent / "index") as server:
        server.wait_until(lambda: server.health() == "ready")
        yield server.address


@pytest.fixture
def opening(journey_cases: Path, tmp_path: Path) -> Iterator[str]:
    """A second server, which still has everything to do."""
    with serving(journey_cases, tmp_path / "index") as server:
        yield server.address


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield found
    found.close()


class Watched:
    """What went wrong in a browser without anybody seeing it."""

    def __init__(self) -> None:
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.expected: re.Pattern[str] | None = None
        """Errors that belong to the journey: what it blocks, the page that it knows not to be there."""

    def follow(self, page: Page, address: str) -> None:
        page.on("request", lambda request: self._request(request, address))
        page.on("requestfailed", lambda request: self._failed(request))
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))

    def _request(self, request: Request, address: str) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            self.foreign.append(request.url)

    def _failed(self, request: Request) -> None:
        # Whoever leaves a page breaks off what it was still loading; that is no failure.
        if request.failure != "net::ERR_ABORTED":
            self._note(f"{request.url}: {request.failure}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"console: {message.text} ({message.location.get('url')})")

    def _note(self, error: str) -> None:
        if not (self.expected and self.expected.search(error)):
            self.errors.append(error)


class Browsing:
    """Fresh browsers for one test: no cookies, no history, nothing remembered."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.address = address
        self.watched = Watched()

    def __call__(self, *, phone: bool = False, dark: bool = False, scripts: bool = True, address: str = "") -> Visitor:
        context = self._browser.new_context(
            viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 900},
            color_scheme="dark" if dark else "light",
            locale="nl-NL",
            java_script_enabled=scripts,
        )
        context.set_default_timeout(DEADLINE)
        context.set_default_navigation_timeout(DEADLINE)
        self._contexts.append(context)
        page = context.new_page()
        self.watched.follow(page, address or self.address)
        return Visitor(page, address or self.address)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@contextmanager
def browsing(browser: Browser, address: str) -> Iterator[Browsing]:
    """Makes visitors, each in a browser of their own. Whatever they did, nothing foreign was asked and nothing failed."""
    fresh = Browsing(browser, address)
    try:
        yield fresh
    finally:
        fresh.close()
    assert fresh.watched.foreign == []
    assert fresh.watched.errors == []


@pytest.fixture
def fresh(browser: Browser, address: str) -> Iterator[Browsing]:
    with browsing(browser, address) as found:
        yield found


@pytest.fixture
def visitor(fresh: Browsing) -> Visitor:
    return fresh()
