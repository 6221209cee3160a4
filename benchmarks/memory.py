"""How much memory the server takes: before the model is there, with one visitor, with ten at once, and afterwards.

Resident memory of the process tree of the server, looked at every twentieth of a second. A visitor searches five times
and opens three cases, in a browser context of its own.
"""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import TimeoutError as NotInTime
from playwright.sync_api import sync_playwright

from benchmarks import stage
from benchmarks.record import Measured, Row, Target
from benchmarks.stage import Server
from knowledge.desk import open_desk
from knowledge.settings import PROJECT, Settings

SEARCHES, CASES, VISITORS, ROUNDS = 5, 3, 10, 3
EVERY = 0.05
SETTLED = 5.0
"""Seconds that the server is left alone before its memory is called what stays."""
WITHIN = 90_000.0
"""Milliseconds for one step of a visitor among ten."""
VANISHED_AFTER = 20_000.0
"""Milliseconds after which a hit that cannot be clicked is none."""
GROWTH_AT_MOST = 1.05
MIB = 2**20
PAGE_NAME = "Object.values(document.querySelector('#root .hl-page')?.dataset ?? {}).join(' ')"
"""Which page is shown and in which state; empty while there is none."""
BARE_MODEL = """
import resource, sys
from sentence_transformers import SentenceTransformer
SentenceTransformer(sys.argv[1], device="cpu").encode_query("Wie beslist er over het warmtenet?")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


class Watch:
    """The memory of a process tree while something happens."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._stopped = threading.Event()
        self._peak = 0
        self.before_model = 0
        """The last that was seen before torch was in the process."""

    def now(self) -> int:
        """MiB."""
        return round(self._bytes() / MIB)

    def peak(self) -> int:
        """The most since the last time that this was asked, in MiB."""
        found, self._peak = max(self._peak, self._bytes()), 0
        return round(found / MIB)

    def run(self) -> None:
        loading = False
        while not self._stopped.wait(EVERY):
            found = self._bytes()
            self._peak = max(self._peak, found)
            loading = loading or _has_torch(self._process.pid)
            if not loading:
                self.before_model = round(found / MIB)

    def stop(self) -> None:
        self._stopped.set()

    def _bytes(self) -> int:
        total = 0
        try:
            for process in (self._process, *self._process.children(recursive=True)):
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            pass
        return total


def measured(settings: Settings, *, quick: bool) -> Measured:
    """MiB of one server through its day, of a bare Streamlit page, and of the bare model."""
    peer = {"bare Streamlit page, one visitor": _bare_page(), "bare model, one question": _bare_model(settings)}
    visitors, rounds = (3, 1) if quick else (VISITORS, ROUNDS)
    with stage.our_server(settings) as running, _watched(running) as watch:
        running.seconds_until("/healthz", '"status":"ready"', every=0.2)
        figures = {"before the model is loaded": watch.before_model, "while starting, peak": watch.peak()}
        time.sleep(SETTLED)
        figures["ready, nobody there"] = watch.now()
        figures |= asyncio.run(_day(running, watch, visitors, rounds))
    desk = open_desk(settings)
    size = stage.size(desk)
    desk.search.index.close()
    rows: list[Row] = [(name, str(value)) for name, value in figures.items()]
    rows += [(f"peer: {name}", str(value)) for name, value in peer.items()]
    names = [f"{visitors} visitors at once, round {place + 1}, peak" for place in range(rounds)]
    growth = figures[names[-1]] / figures[names[-2]] if rounds > 1 else 1.0
    return Measured(
        size, figures, peer,
        {"peak of the last round, times that of the round before": Target(GROWTH_AT_MOST, growth)},
        ("resident memory", "MiB"),
        rows,
        (f"A visitor searches {SEARCHES} times and opens {CASES} cases. `after`: {SETTLED:.0f} s later, browsers gone.",),
    )  # fmt: skip


async def _day(running: Server, watch: Watch, visitors: int, rounds: int) -> dict[str, int]:
    """One visitor, then rounds of many at once."""
    figures: dict[str, int] = {}
    asked = stage.answerable()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**stage.chromium())
        try:
            for place, count in enumerate((1, *[visitors] * rounds)):
                name = "one visitor" if count == 1 else f"{count} visitors at once, round {place}"
                print(name, file=sys.stderr)
                watch.peak()
                shares = [asked[visitor * SEARCHES : (visitor + 1) * SEARCHES] for visitor in range(count)]
                opened = await asyncio.gather(*(_visit(browser, running, share) for share in shares))
                print(f"{sum(opened)} cases opened", file=sys.stderr)
                figures[f"{name}, peak"] = watch.peak()
                await asyncio.sleep(SETTLED)
                figures[f"{name}, after"] = watch.now()
        finally:
            await browser.close()
    return figures


async def _visit(browser: Browser, running: Server, asked: Sequence[str]) -> int:
    """Search, look at the best hit of the first searches that have one, leave. Returns how many cases were opened."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = await context.new_page()
        page.set_default_timeout(WITHIN)
        await page.goto(running.address, wait_until="commit")
        await page.locator("body.hl-ready").wait_for(state="attached")
        opened = 0
        for question in asked:
            await _search(page, question)
            if opened < CASES:
                opened += await _open_case(page)
        return opened
    finally:
        await context.close()


async def _search(page: Page, question: str) -> None:
    before = await page.evaluate(PAGE_NAME)
    await page.locator("#root").get_by_label("Beschrijf jullie situatie").fill(question)
    await page.get_by_role("button", name="Zoek casussen").click()
    await _changed(page, before)


async def _open_case(page: Page) -> int:
    """Follow the best hit and come back. 1, or 0 when nothing fits."""
    before = await page.evaluate(PAGE_NAME)
    hits = page.locator('#root [class*="st-key-hit-"] a')
    if not await hits.count():
        return 0
    try:
        await hits.first.click(timeout=VANISHED_AFTER)
    except NotInTime:  # what was counted were hits of the former question, and this one has none
        return 0
    there = await _changed(page, before)
    await page.go_back(wait_until="commit")
    await _changed(page, there)
    return 1


async def _changed(page: Page, before: str) -> str:
    """The name of the page once it is another than before."""
    await page.wait_for_function(f"before => {{ const now = {PAGE_NAME}; return now && now !== before; }}", arg=before)
    return str(await page.evaluate(PAGE_NAME))


@contextmanager
def _watched(running: Server) -> Iterator[Watch]:
    watch = Watch(psutil.Process(running.process.pid))
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join(timeout=5)


def _bare_page() -> int:
    """MiB of a server of one heading, with one visitor who saw it."""
    with stage.bare_server() as running, _watched(running) as watch, sync_playwright() as playwright:
        running.seconds_until("/_stcore/health", "ok")
        browser = playwright.chromium.launch(**stage.chromium())
        try:
            page = browser.new_page()
            page.set_default_timeout(WITHIN)
            page.goto(running.address)
            page.get_by_role("heading", name="Hallo").wait_for(state="visible")
        finally:
            browser.close()
        return watch.peak()


def _bare_model(settings: Settings) -> int:
    """MiB at most of a process that loads the model, encodes one question and does nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", BARE_MODEL, settings.model],
        cwd=PROJECT, env={**os.environ, "HF_HUB_OFFLINE": "1"}, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return round(int(done.stdout) * 1024 / MIB)


def _has_torch(pid: int) -> bool:
    try:
        return "libtorch" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    except OSError:
        return False
