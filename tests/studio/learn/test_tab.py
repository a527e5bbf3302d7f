"""The tab in a browser: it plays, pauses, steps, and names a planted collapse; nothing of it comes from elsewhere."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the studio's extra is not installed")
driver = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no chromium here")
SERVE = """
import os
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import gradio as gr
from gannet.studio.learn import build
with gr.Blocks(analytics_enabled=False) as page:
    build("fa")
page.launch(prevent_thread_lock=True, quiet=True)
print(page.local_url, flush=True)
page.block_thread()
"""
PATIENCE = 120_000
"""Milliseconds: machines that test are slow and busy."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A studio of this tab alone, in a process of its own."""
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    with driver.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 400, "height": 900})
        opened.set_default_timeout(PATIENCE)
        opened.asked, opened.troubles = [], []
        opened.on("request", lambda request: opened.asked.append(request.url))
        opened.on("pageerror", lambda error: opened.troubles.append(str(error)))
        opened.goto(address)
        opened.wait_for_selector('.learn:not([data-frames="0"])')
        yield opened
        browser.close()


def images(page: Any) -> int:
    return int(page.get_attribute(".learn", "data-images"))


def test_it_plays_pauses_steps_and_names_a_planted_collapse(page: Any, address: str) -> None:
    assert images(page) == 0 and page.get_attribute(".learn", "dir") == "rtl"
    page.click('[data-act="fault"]')
    page.evaluate('document.querySelector("[data-speed]").value = 10')
    page.click('[data-act="toggle"]')
    page.wait_for_selector('.learn[data-diagnosis="mode-collapse"]')
    assert page.inner_text(".diagnosis").count("فروپاشی مُد") == 1
    page.click('[data-act="toggle"]')
    page.wait_for_timeout(2000)  # What was asked for before is answered by then.
    paused, asked = images(page), len(page.asked)
    page.wait_for_timeout(2000)
    assert images(page) == paused and len(page.asked) == asked
    page.click('[data-act="generator"]')
    page.wait_for_selector(f'.learn[data-images="{paused + 128}"]')
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert not page.troubles and all(url.startswith((address, "data:", "blob:")) for url in page.asked)


def test_a_drawing_is_learned_from_and_a_mistake_is_told(page: Any) -> None:
    page.select_option('[data-option="distribution"]', "drawn")
    assert page.is_visible(".trouble") and page.is_visible(".brush")
    board = page.locator(".board")
    board.focus()
    for key in ["Space", "ArrowRight"] * 12:
        board.press(key)
    page.wait_for_selector(".trouble", state="hidden")
    page.click('[data-act="portray"]')
    page.wait_for_function('document.querySelector(".trouble").textContent.includes("rarer colour")')
