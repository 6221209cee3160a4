"""The index on a real Chroma server, and what happens when that goes away, stops answering or forgets."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from knowledge import index
from knowledge.embedding import Embedder
from knowledge.index import Index, Report, dense, generations
from knowledge.passages import Passage

Corpus = tuple[Passage, ...]
QUESTIONS = ("steeds een andere projectleider", "warmtenet en riool", "wie krijgt de opdracht")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Server:
    """A `chroma run` that can be stopped and started, paused and woken."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        chroma = Path(sys.executable).with_name("chroma")
        command = [chroma, "run", "--path", self.directory, "--host", "127.0.0.1", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, env=os.environ | {"RUST_LOG": "warn"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=5).close()
                return
            except urllib.error.URLError:
                assert time.monotonic() < deadline, "the Chroma server does not start"
                time.sleep(0.05)

    def signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def collections(self, add: str = "") -> set[str]:
        """The names of the collections; makes one more first, if asked."""
        address = f"{self.url}/api/v2/tenants/default_tenant/databases/default_database/collections"
        headers = {"Content-Type": "application/json"}
        if add:
            request = urllib.request.Request(address, json.dumps({"name": add}).encode(), headers, method="POST")
            urllib.request.urlopen(request, timeout=30).close()
        with urllib.request.urlopen(address, timeout=30) as answer:
            return {collection["name"] for collection in json.load(answer)}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server")
    server.start()
    yield server
    server.stop()


@contextmanager
def in_step(directory: Path, corpus: Corpus, embedder: Embedder, url: str = "") -> Iterator[tuple[Index, Report]]:
    opened, report = index.in_step(directory, corpus, embedder, chroma_url=url)
    try:
        yield opened, report
    finally:
        opened.close()


def ranked(opened: Index, embedder: Embedder) -> list[list[str]]:
    """The ids of the ten nearest passages for each question."""
    assert opened.dense is not None
    found = []
    for query in embedder.queries(QUESTIONS):
        similarity = opened.dense.similarities(query, opened.dense.near(query))
        found.append([opened.passages[row].id for row in np.argsort(-similarity, kind="stable")[:10]])
    return found


def uses_chroma(opened: Index) -> bool:
    return opened.dense is not None and opened.dense.uses_chroma


@pytest.fixture
def expected(built: Path, corpus: Corpus, embedder: Embedder, tmp_path: Path) -> list[list[str]]:
    """What Chroma inside the process finds."""
    with in_step(Path(shutil.copytree(built, tmp_path / "embedded")), corpus, embedder) as (opened, _report):
        assert uses_chroma(opened)
        return ranked(opened, embedder)


def test_server_gives_the_same_hits_as_chroma_inside_the_process(
    server: Server, expected: list[list[str]], corpus: Corpus, embedder: Embedder, tmp_path: Path
) -> None:
    with in_step(tmp_path / "i", corpus, embedder, server.url) as (opened, report):
        assert uses_chroma(opened)
        assert report.embedded == len(corpus)
        assert ranked(opened, embedder) == expected
        assert not (tmp_path / "i" / opened.stamp / "chroma").exists()
    with in_step(tmp_path / "i", corpus, embedder, server.url) as (opened, report):
        assert (report.unchanged, report.embedded) == (6, 0)
        assert uses_chroma(opened)


def test_going_to_a_server_and_back_embeds_nothing(
    server: Server, built: Path, corpus: Corpus, embedder: Embedder, tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(built, tmp_path / "i"))
    for url in (server.url, ""):
        with in_step(directory, corpus, embedder, url) as (opened, report):
            assert (report.unchanged, report.embedded) == (6, 0)
            assert uses_chroma(opened)


def test_server_that_goes_away_takes_no_search_with_it(
    server: Server, expected: list[list[str]], corpus: Corpus, embedder: Embedder, tmp_path: Path
) -> None:
    failures: list[BaseException] = []
    with in_step(tmp_path / "i", corpus, embedder, server.url) as (opened, _report):

        def search() -> None:
            try:
                while uses_chroma(opened):
                    assert ranked(opened, embedder) == expected
                assert ranked(opened, embedder) == expected
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=search) for _ in range(6)]
        for thread in threads:
            thread.start()
        server.stop()
        for thread in threads:
            thread.join(60)
        assert failures == []
        assert not uses_chroma(opened)
    stamp = opened.stamp
    with in_step(tmp_path / "i", corpus, embedder, server.url) as (opened, report):
        assert (report.unchanged, report.embedded) == (6, 0)
        assert not uses_chroma(opened)
        assert ranked(opened, embedder) == expected
        assert opened.stamp == stamp, "two desks would answer each other's new generation with a new one, for ever"


def test_server_that_stops_answering_does_not_stop_a_search(
    server: Server,
    expected: list[list[str]],
    corpus: Corpus,
    embedder: Embedder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It accepts connections and says nothing, as a server does that is out of memory. Chroma's client waits for ever."""
    monkeypatch.setattr(dense, "QUERY_PATIENCE", 1.0)
    with in_step(tmp_path / "i", corpus, embedder, server.url) as (opened, _report):
        server.signal(signal.SIGSTOP)
        started = time.monotonic()
        assert ranked(opened, embedder) == expected
        assert time.monotonic() - started < 10
    with in_step(tmp_path / "i", corpus, embedder, server.url) as (opened, _report):
        assert ranked(opened, embedder) == expected
        assert not uses_chroma(opened)
    server.signal(signal.SIGCONT)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "localhost", "http://", "https://127.0.0.1:9/x", "http://[", "http://a:b"]
)
def test_address_where_no_server_is_gives_exact_comparison(
    url: str, expected: list[list[str]], corpus: Corpus, embedder: Embedder, built: Path, tmp_path: Path
) -> None:
    with in_step(Path(shutil.copytree(built, tmp_path / "i")), corpus, embedder, url) as (opened, report):
        assert report.on_disk
        assert not uses_chroma(opened)
        assert ranked(opened, embedder) == expected


def test_server_that_comes_back_empty_is_filled_again(
    server: Server, expected: list[list[str]], corpus: Corpus, embedder: Embedder, tmp_path: Path
) -> None:
    with in_step(tmp_path / "i", corpus, embedder, server.url) as (opened, _report):
        stamp = opened.stamp
    server.stop()
    shutil.rmtree(server.directory)
    server.start()
    assert server.collections() == set()
    with in_step(tmp_path / "i", corpus, embedder, server.url) as (opened, report):
        assert report.embedded == 0
        assert opened.stamp == stamp
        assert uses_chroma(opened)
        assert ranked(opened, embedder) == expected


def test_old_collections_are_dropped_and_those_of_others_stay(
    server: Server, corpus: Corpus, embedder: Embedder, tmp_path: Path
) -> None:
    assert server.collections(add="somebody-elses") == {"somebody-elses"}
    for fewer in (corpus, corpus[:-1], corpus[:-2]):
        with in_step(tmp_path / "i", fewer, embedder, server.url) as (opened, _report):
            assert uses_chroma(opened)
        generation = generations.opened(tmp_path / "i")
        assert server.collections() == {"somebody-elses", generation.manifest.collection}
        generation.close()


def test_second_machine_with_the_same_library_does_not_disturb_the_first(
    server: Server, expected: list[list[str]], corpus: Corpus, embedder: Embedder, tmp_path: Path
) -> None:
    with in_step(tmp_path / "one", corpus, embedder, server.url) as (first, _report):
        with in_step(tmp_path / "two", corpus, embedder, server.url) as (second, _report):
            assert uses_chroma(second)
            assert ranked(second, embedder) == expected
        assert ranked(first, embedder) == expected
        assert uses_chroma(first), "its collection was replaced under its hands"
