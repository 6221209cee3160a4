"""The pictures in docs/images, of the app as it is: `make screenshots`.

Starts the app on a free port with the HORDELOPER_* settings of the environment, waits until it is ready, takes the pictures
in Debian's Chromium and stops the app again. Ends with 1 and a sentence when that does not work.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROJECT = Path(__file__).resolve().parent.parent
IMAGES = PROJECT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--disable-background-networking", "--no-first-run", "--disable-component-update", "--disable-sync")
READY_WITHIN = 600.0
"""Seconds; a first start embeds every passage."""
PAGE_WITHIN = 60.0
STOP_WITHIN = 20.0
QUESTION = "De gemeente zegt: wacht maar tot de warmtevisie af is"


class Picture(NamedTuple):
    """A page as somebody sees it on opening it."""

    name: str
    path: str
    width: int = 1280
    height: int = 900


PICTURES: Sequence[Picture] = (
    Picture("start", "/"),
    Picture("zoeken", f"/zoeken?{urlencode({'q': QUESTION})}"),
    Picture("casus", "/casus?id=castricum-aardwarmte-tempo-wethouder"),
    Picture("thema", "/thema?id=rollen-en-regie"),
    Picture("start-phone", "/", 390, 844),
)


class NoPictures(Exception):
    """Why there are none, in one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    names = [picture.name for picture in PICTURES]
    parser = argparse.ArgumentParser(description="Take the pictures of the documents.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"one or more of: {', '.join(names)}; default: all")
    chosen = parser.parse_args(arguments).names or names
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"unknown picture {unknown[0]!r}; known: {', '.join(names)}")
    try:
        if not Path(CHROMIUM).exists():
            raise NoPictures(f"There is no {CHROMIUM}: apt-get install chromium")
        with served() as address:
            take([picture for picture in PICTURES if picture.name in chosen], address)
    except NoPictures as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


def take(pictures: Sequence[Picture], address: str) -> None:
    """Take these pictures. All are written, or none is. Raises NoPictures."""
    from playwright.sync_api import Error, sync_playwright

    with tempfile.TemporaryDirectory(prefix="hordeloper-pictures-") as aside, sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            try:
                for picture in pictures:
                    shoot(picture, browser, address, Path(aside))
            finally:
                browser.close()
        except Error as error:
            raise NoPictures(f"The pictures were not taken: {error.message}") from error
        IMAGES.mkdir(parents=True, exist_ok=True)
        for picture in pictures:
            shutil.copyfile(Path(aside) / f"{picture.name}.png", IMAGES / f"{picture.name}.png")
            print(f"docs/images/{picture.name}.png")


def shoot(picture: Picture, browser: "Browser", address: str, target: Path) -> None:
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        locale="nl-NL", color_scheme="light", reduced_motion="reduce",
    )  # fmt: skip
    try:
        page = context.new_page()
        page.set_default_timeout(PAGE_WITHIN * 1000)
        page.goto(address + picture.path, wait_until="commit")
        page.locator("body.hl-ready").wait_for(state="attached")
        page.locator("#root h1").first.wait_for(state="visible")
        page.evaluate("document.fonts.ready.then(() => true)")
        page.screenshot(path=target / f"{picture.name}.png", animations="disabled", caret="hide")
    finally:
        context.close()


@contextmanager
def served() -> Iterator[str]:
    """The address of the app, started and ready, for as long as this lasts. Raises NoPictures."""
    port = free_port()
    address = f"http://localhost:{port}"
    command = [
        sys.executable, "-m", "streamlit", "run", "app.py",
        "--server.port", str(port), "--server.address", "localhost",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        # A session of its own, so that whatever it started goes with it.
        app = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log, start_new_session=True)
        try:
            until = time.monotonic() + READY_WITHIN
            while (step := status(address)) != "ready":
                if app.poll() is not None or step == "words-only" or time.monotonic() > until:
                    log.seek(0)
                    said = log.read().decode("utf-8", "replace").strip()[-1000:]
                    raise NoPictures(f"The app did not get ready (it was: {step or 'silent'}). It said:\n{said}")
                time.sleep(0.5)
            yield address
        finally:
            stop(app)


def status(address: str) -> str:
    """How far the app says that it is; empty while it says nothing."""
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=10) as response:
            return str(json.load(response)["status"])
    except (urllib.error.URLError, OSError, ValueError):
        return ""


def stop(app: "subprocess.Popen[bytes]") -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if app.poll() is not None:
            return
        os.killpg(app.pid, sign)
        try:
            app.wait(timeout=STOP_WITHIN)
        except subprocess.TimeoutExpired:
            continue


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
