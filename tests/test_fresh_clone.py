"""What somebody does first: clone, `make run`, look. With the packages of this environment, which `make` finds in place."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
DEADLINE = 240.0


def test_a_fresh_clone_serves_after_make_run(tmp_path: Path, library_directory: Path) -> None:
    if not (PROJECT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this is no git checkout, so there is nothing to clone")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(PROJECT), str(clone)], check=True)
    with served(clone, library_directory, tmp_path / "index") as address:
        health = json.loads(fetched(f"{address}/healthz"))
        start = fetched(f"{address}/")
        browsed = fetched(f"{address}/zoeken")
        case = fetched(f"{address}/lees/casus/assen-lariks-zeven-projectleiders")
    assert health["cases"] == len(list(library_directory.glob("*.yaml")))
    assert '<html lang="nl"' in start
    assert "Beschrijf jullie situatie" in start
    assert "assen-lariks-zeven-projectleiders" in browsed
    assert "Wat er in de weg zat" in case


@contextmanager
def served(clone: Path, cases: Path, index: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HORDELOPER_CASES": str(cases), "HORDELOPER_INDEX": str(index)}
    command = ["make", "run", f"VENV={Path(sys.prefix)}", f"PORT={port}"]
    log = index.with_name("make.log")
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, cwd=clone, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    address = f"http://localhost:{port}"
    try:
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
            try:
                fetched(f"{address}/healthz")
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
        else:
            pytest.fail(f"no answer within {DEADLINE} s: {log.read_text(errors='replace')[-3000:]}")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def fetched(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as response:
        return str(response.read().decode("utf-8"))
