"""How long one waits after `streamlit run app.py`: for words, for the app, for hits by words and for hits by meaning.

Every figure is of a fresh server process; its files are in the file cache and the index is in step. The peer, a bare
Streamlit page with one heading, starts in turn with ours.
"""

import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import TimeoutError as NotInTime

from benchmarks import stage
from benchmarks.record import Measured, Row, cells, spread
from benchmarks.stage import Server
from knowledge import addresses
from knowledge.desk import open_desk
from knowledge.settings import Settings

QUERY = "de gemeente komt met een plan voor onze wijk maar ons is niets gevraagd"
START_TEXT = "Kijk hoe anderen verder kwamen"
HIT = 'class="hl-card"'
READY = '"status":"ready"'
SEARCH = f"{addresses.SEARCH}?{urlencode({'q': QUERY})}"
BROWSER_WITHIN = 30_000.0
"""Milliseconds; what takes longer is called never."""
REPETITIONS = 3

NEVER = math.inf
Times = Mapping[str, float]
"""Seconds by what was waited for; NEVER where it did not come."""


class Visit(NamedTuple):
    """Seconds from asking for a page in a fresh browser context."""

    heading: float
    app: float


def measured(settings: Settings, *, quick: bool) -> Measured:
    """Seconds, of servers that are started one after the other: for machines, for a first visitor, the bare page."""
    ours: list[Times] = []
    theirs: list[Times] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**stage.chromium())
        try:
            _visited_once(browser)
            for turn in range(1 if quick else REPETITIONS):
                print(f"Start {turn + 1}", file=sys.stderr)
                ours.append({**_answers(settings, browser), **_first_visitor(settings, browser)})
                theirs.append(_bare(browser))
        finally:
            browser.close()
    figures = {name: _spread([times[name] for times in ours]) for name in ours[0]}
    peer = {name: _spread([times[name] for times in theirs]) for name in theirs[0]}
    desk = open_desk(settings)
    size = stage.size(desk)
    desk.search.index.close()
    return Measured(
        size, figures, peer, {},
        ("seconds", "min", "median", "p95", "n"),
        [_row(name, found) for name, found in figures.items()]
        + [_row(f"peer: {name}", found) for name, found in peer.items()],
        (
            "start: from the start of the process. The first visitor comes as soon as the server answers, "
            "while the model is still loading.",
            "visit: from asking for the page in a fresh browser context, the server having been ready for a while.",
            "app: the page has been taken over by Streamlit (`body.hl-ready`); before that it can be read and searched.",
            f"never: not within {BROWSER_WITHIN / 1000:.0f} s.",
        ),
    )  # fmt: skip


def _answers(settings: Settings, browser: Browser) -> Times:
    """A start that only machines look at until it is ready; then two visits."""
    with stage.our_server(settings) as running:
        times = {
            "start to first page": running.seconds_until(addresses.START, START_TEXT),
            "start to hits by words": running.seconds_until(SEARCH, HIT),
            "start to hits by meaning": running.seconds_until("/healthz", READY, every=0.05),
        }
        for name, path in (("/", addresses.START), ("/zoeken?q=", SEARCH)):
            visit = _visit(browser, running, path)
            times |= {f"visit {name}: heading": visit.heading, f"visit {name}: app": visit.app}
    return times


def _first_visitor(settings: Settings, browser: Browser) -> Times:
    """A start with somebody waiting for it in a browser, for each of two pages."""
    times: dict[str, float] = {}
    for name, path in (("/", addresses.START), ("/zoeken?q=", SEARCH)):
        with stage.our_server(settings) as running:
            running.seconds_until("/robots.txt", "Sitemap")
            before = time.perf_counter() - running.started
            visit = _visit(browser, running, path)
            times[f"start to heading in Chromium, {name}"] = before + visit.heading
            times[f"start to app in Chromium, {name}"] = before + visit.app
    return times


def _visit(browser: Browser, running: Server, path: str) -> Visit:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(BROWSER_WITHIN)
        asked = time.perf_counter()
        page.goto(running.address + path, wait_until="commit")
        page.locator("h1").first.wait_for(state="visible")
        heading = time.perf_counter() - asked
        try:
            page.locator("body.hl-ready").wait_for(state="attached")
        except NotInTime:
            return Visit(heading, NEVER)
        return Visit(heading, time.perf_counter() - asked)
    finally:
        context.close()


def _bare(browser: Browser) -> Times:
    """The same waits for a page with one heading, which is there when Streamlit's own script has drawn it."""
    with stage.bare_server() as running:
        answers = running.seconds_until("/_stcore/health", "ok")
        first = _heading(browser, running)
        return {
            "start to first answer, without words": answers,
            "start to heading in Chromium": answers + first,
            "visit: heading": _heading(browser, running),
        }


def _heading(browser: Browser, running: Server) -> float:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(BROWSER_WITHIN)
        asked = time.perf_counter()
        page.goto(running.address, wait_until="commit")
        page.get_by_role("heading", name="Hallo").wait_for(state="visible")
        return time.perf_counter() - asked
    finally:
        context.close()


def _visited_once(browser: Browser) -> None:
    """The browser's own first page takes longer; nobody's fault here."""
    context = browser.new_context()
    context.new_page().goto("about:blank")
    context.close()


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    """The spread of what came, and how often it never did."""
    came = [value for value in seconds if value < NEVER]
    return {**(spread(came) if came else {"n": 0}), "never": len(seconds) - len(came)}


def _row(name: str, found: Mapping[str, float]) -> Row:
    if not found["n"]:
        return (name, "never", "never", "never", "0")
    note = f" (never: {found['never']:.0f})" if found["never"] else ""
    return cells(f"{name}{note}", found, 2)
