"""A studio in a process of its own, with a run to look at; what needs gradio or a browser is left out without."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image
from served import as_file

SECONDS_TO_START = 240
"""A busy machine imports gradio in more than a minute."""
PATIENCE = 120_000
"""Milliseconds that a busy machine may take to show something."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Studio(NamedTuple):
    """A running studio.

    Attributes:
        url: of its page.
        folder: that it was started in; its runs lie in `runs`.
        log: what it wrote.
        process: its number.
    """

    url: str
    folder: Path
    log: Path
    process: int


class Answer(NamedTuple):
    """What an endpoint answered: a status, and data, or the sentence of an error."""

    status: int
    data: list[Any] | None
    error: str | None


@pytest.fixture(scope="module")
def studio(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio on a free port, in which no other module's tests started anything."""
    pytest.importorskip("gradio")
    folder = tmp_path_factory.mktemp("studio")
    shutil.copytree(tiny_run, folder / "runs" / "tiny")
    (folder / "secret.txt").write_text("a secret of this machine")
    with served(folder, "--data", str(folder / "runs")) as started:
        yield started


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[Studio]]:
    """Start a studio of one's own."""
    return served


@contextmanager
def served(folder: Path, *words: str) -> Iterator[Studio]:
    """Start a studio in a folder, on a free port, and stop it."""
    log = folder / "log.txt"
    with log.open("wb") as out:
        started = [sys.executable, "-m", "gannet", "studio", "--port", "0", *words]
        process = subprocess.Popen(started, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield Studio(_address(log, process), folder, log, process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and process.poll() is None:
        if (said := log.read_text()).startswith("The studio is at "):
            return said.split()[4]
        time.sleep(0.5)
    raise AssertionError(f"The studio did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def upload(studio: Studio) -> Callable[..., list[dict[str, Any]]]:
    """Upload files and give them as endpoints take them."""
    import httpx

    def give(*files: Path) -> list[dict[str, Any]]:
        parts = [("files", (file.name, file.read_bytes())) for file in files]
        answer = httpx.post(f"{studio.url}/gradio_api/upload", files=parts, timeout=60)
        assert answer.status_code == 200, answer.text
        return [as_file(path) for path in answer.json()]

    return give


@pytest.fixture(scope="module")
def ask(studio: Studio) -> Callable[..., Answer]:
    """Call an endpoint, and wait for its answer."""
    import httpx

    def call(name: str, *data: Any, body: dict[str, Any] | None = None) -> Answer:
        with httpx.Client(base_url=studio.url, timeout=120) as client:
            begun = client.post(f"/gradio_api/call/{name}", json={"data": list(data)} if body is None else body)
            if begun.status_code != 200:
                return Answer(begun.status_code, None, begun.text)
            answered = client.get(f"/gradio_api/call/{name}/{begun.json()['event_id']}")
        events = [part for part in answered.text.split("\n\n") if part.startswith(("event: complete", "event: error"))]
        told = json.loads(events[-1].split("data: ", 1)[1])
        failed = events[-1].startswith("event: error")
        return Answer(answered.status_code, None if failed else told, told["error"] if failed else None)

    return call


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a window."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, studio: Studio) -> Iterator[Callable[..., Any]]:
    """Open the studio's page as somebody new; it asks no other machine for anything, and no script of it fails."""
    contexts, hosts, faults = list[Any](), set[str](), list[str]()

    def open_page(**given: Any) -> Any:
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 1000}, **given}))
        opened = contexts[-1].new_page()
        opened.set_default_timeout(PATIENCE)
        opened.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "://" in request.url else None)
        opened.on("console", lambda said: faults.append(said.text) if "TypeError" in said.text else None)
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.goto(studio.url)
        opened.wait_for_selector("#use-start")
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert hosts <= {studio.url.removeprefix("http://")}
    assert not faults, "the page's scripts go without a fault"


@pytest.fixture
def page(visit: Callable[..., Any]) -> Any:
    """The studio's page."""
    return visit()


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A picture of 24x16 pixels, brighter to the right."""
    picture = Image.linear_gradient("L").rotate(90).resize((24, 16)).convert("RGB")
    picture.save(tmp_path / "photograph.png")
    return tmp_path / "photograph.png"


@pytest.fixture(autouse=True, scope="session")
def files_of_this_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the server sets for itself; modules that are tested within this process look it up."""
    os.environ.setdefault("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploaded")))
