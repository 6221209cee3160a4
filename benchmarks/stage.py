"""What is measured: a copy of the library and its index that nobody changes meanwhile, and a server on it."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from knowledge.desk import Desk
from knowledge.embedding import Embedder
from knowledge.index import generations
from knowledge.settings import PROJECT, Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = ("--disable-background-networking", "--no-first-run", "--disable-component-update", "--disable-sync")
QUESTIONS = PROJECT / "training" / "calibration" / "questions.yaml"
HOST = "localhost"
BUILD_WITHIN, START_WITHIN, ANSWER_WITHIN = 900.0, 60.0, 10.0
"""Seconds after which a command, a server or an answer is given up."""

BARE_SCRIPT = 'import streamlit as st\n\nst.title("Hallo")\n'
"""The peer of our pages: what Streamlit needs to show one heading."""


def questions() -> list[str]:
    """Questions as people type them, those that something in the library answers and those that nothing does, mixed."""
    entries = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    asked = [str(entry["q"]) for entry in entries]
    half = len(asked) // 2
    return [question for pair in zip(asked[:half], asked[half : 2 * half], strict=True) for question in pair]


def answerable() -> list[str]:
    """Only those that a case of the library answers."""
    entries = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    return [str(entry["q"]) for entry in entries if entry.get("case")]


@contextmanager
def frozen(settings: Settings | None = None) -> Iterator[Settings]:
    """Copies of the cases and of their index, brought in step first. Files in cases/ may change, these do not."""
    source = settings or Settings()
    with tempfile.TemporaryDirectory(prefix="hordeloper-bench-") as name:
        copy = source.model_copy(update={"cases": Path(name) / "cases", "index": Path(name) / "index"})
        copy.cases.mkdir()
        for file in sorted(source.cases.glob("[!.]*.y*ml")):
            shutil.copy2(file, copy.cases)
        run_index(source.model_copy(update={"cases": copy.cases}))
        _copy_index(source.index, copy.index)
        yield copy


def run_index(settings: Settings) -> float:
    """The command `index` as a person types it. Returns its seconds. Raises CalledProcessError, TimeoutExpired."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "knowledge", "index"],
        cwd=PROJECT, env=environment(settings), check=True, capture_output=True, timeout=BUILD_WITHIN,
    )  # fmt: skip
    return time.perf_counter() - started


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which a child process works with these settings."""
    names = ("cases", "index", "data", "chroma_url", "model")
    return {**os.environ, **{f"HORDELOPER_{name.upper()}": str(getattr(settings, name)) for name in names}}


def bare_model(embedder: Embedder) -> "SentenceTransformer":
    """The loaded model without ours around it: the same weights, so that only what is around them differs."""
    return embedder._model


def size(desk: Desk) -> dict[str, int]:
    return {"cases": len(desk.library.cases), "passages": len(desk.search.index.passages)}


class Server(NamedTuple):
    """A Streamlit server that is starting or has started."""

    process: subprocess.Popen[bytes]
    port: int
    started: float
    """When its process began, on time.perf_counter's clock."""

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def get(self, path: str) -> tuple[int, str]:
        """Status and text, as a browser would get them; status 0 while nothing listens or nothing comes."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=ANSWER_WITHIN)
        try:
            connection.request("GET", path, headers={"accept": "text/html"})
            response = connection.getresponse()
            return response.status, response.read().decode("utf-8")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def seconds_until(self, path: str, has: str, *, within: float = START_WITHIN, every: float = 0.01) -> float:
        """Seconds from the start of the process until a page has a text. Raises TimeoutError."""
        while time.perf_counter() - self.started < within:
            status, text = self.get(path)
            if status == 200 and has in text:
                return time.perf_counter() - self.started
            if self.process.poll() is not None:
                raise TimeoutError(f"the server ended with {self.process.returncode}")
            time.sleep(every)
        raise TimeoutError(f"{path} did not have {has!r} within {within} s")


@contextmanager
def server(script: Path, environment: Mapping[str, str], options: Sequence[str] = ()) -> Iterator[Server]:
    """`streamlit run` in a process group of its own, which is gone afterwards."""
    port = _free_port()
    command = [
        sys.executable, "-m", "streamlit", "run", script.name,
        "--server.port", str(port), "--server.address", HOST, *options,
    ]  # fmt: skip
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=script.parent, env=dict(environment), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield Server(process, port, started)
    finally:
        _end(process)


@contextmanager
def our_server(settings: Settings) -> Iterator[Server]:
    with server(PROJECT / "app.py", environment(settings)) as running:
        yield running


@contextmanager
def bare_server() -> Iterator[Server]:
    """The peer: a Streamlit page with one heading, with Streamlit's defaults but for what would need a network."""
    options = ("--server.headless", "true", "--browser.gatherUsageStats", "false", "--browser.serverAddress", HOST)
    with tempfile.TemporaryDirectory(prefix="hordeloper-bench-") as name:
        script = Path(name) / "bare.py"
        script.write_text(BARE_SCRIPT, encoding="utf-8")
        with server(script, os.environ, options) as running:
            yield running


def chromium() -> dict[str, Any]:
    """How Playwright starts the browser."""
    return {"executable_path": CHROMIUM, "args": list(CHROMIUM_FLAGS)}


def _copy_index(source: Path, target: Path) -> None:
    """The newest generation only, held while it is copied."""
    generation = generations.opened(source)
    try:
        shutil.copytree(generation.directory, target / generation.directory.name)
        (target / "current").write_text(generation.directory.name, encoding="ascii")
    finally:
        generation.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process and its children: politely first."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
            break
