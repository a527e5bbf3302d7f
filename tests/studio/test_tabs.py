"""Jobs on the page: a training that outlives it, work that is stopped, and two tabs that do not disturb each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image


def apply_to(page: Any, model: str, photograph: Path) -> None:
    """Let a tab apply a model to a photograph."""
    page.click("#use-model input")
    page.fill("#use-model input", model)
    page.get_by_role("option", name=model, exact=True).first.click()
    page.set_input_files("#use-fields input[type=file]", photograph)
    page.wait_for_selector("#use-fields img")
    page.click("#use-start")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A photograph that takes its time."""
    Image.effect_noise((1400, 1000), 60).convert("RGB").save(tmp_path / "large.png")
    return tmp_path / "large.png"


def test_a_tab_stops_its_own_job_and_another_one_gets_its_result(
    visit: Callable[..., Any], large: Path, photograph: Path
) -> None:
    first, second = visit(), visit()
    apply_to(first, "super-resolution-v4", large)
    first.wait_for_function("document.querySelector('#use-status').innerText.trim()")
    second.click("#use-stop")
    apply_to(second, "super-resolution-fast-v1", photograph)
    second.wait_for_function("document.querySelector('#use-status').innerText.trim()")
    assert first.locator(".toast-body").count() == 0, "the stop of another tab is nothing to this one"
    first.click("#use-stop")
    assert "Stopped" in first.wait_for_selector(".toast-body").inner_text()
    assert second.wait_for_selector("#use-files a[href]").get_attribute("href")
    assert second.locator(".toast-body").count() == 0 and first.locator("#use-files a[href]").count() == 0


def test_a_closed_tab_leaves_no_job_behind(visit: Callable[..., Any], large: Path, photograph: Path) -> None:
    first, second = visit(), visit()
    apply_to(first, "super-resolution-v4", large)
    first.wait_for_function("document.querySelector('#use-status').innerText.trim()")
    first.close()
    apply_to(second, "super-resolution-fast-v1", photograph)
    assert second.wait_for_selector("#use-files a[href]", timeout=60_000).get_attribute("href")


def test_a_training_goes_on_while_the_page_is_loaded_anew_and_is_stopped_from_it(page: Any, studio: Any) -> None:
    page.get_by_role("tab", name="Train", exact=True).click()
    page.fill("#train-name textarea, #train-name input", "reloaded")
    page.get_by_label("images", exact=True).fill("100000000")  # However slow the page is, it finds it under way.
    page.click("#train-start")
    page.wait_for_selector("#train-view .run h3 >> text=reloaded")
    page.wait_for_function(IMAGES)
    page.reload()
    page.wait_for_selector("#use-start")
    page.get_by_role("tab", name="Train", exact=True).click()
    page.wait_for_selector("#train-view .run h3 >> text=reloaded")
    page.wait_for_function(IMAGES)
    assert page.locator("#train-view .state").first.inner_text().startswith("Training")
    assert page.locator("#train-view .said").first.inner_text().strip(), "the verdict so far"
    page.click("#train-stop")
    page.wait_for_function("/stopped/i.test(document.querySelector('#train-view .state')?.innerText)")
    assert (studio.folder / "runs" / "reloaded" / "model" / "config.json").is_file(), "it was saved"


IMAGES = "/[1-9][\\d,]* of [\\d,]+ images/.test(document.querySelector('#train-view .state')?.innerText)"
"""Whether the page tells of a run that has seen images."""


def test_a_page_that_nobody_touches_asks_for_few_frames(visit: Callable[..., Any]) -> None:
    page = visit()
    page.add_init_script(COUNTED)
    page.reload()
    page.wait_for_selector("#use-start")
    page.wait_for_function("performance.now() > 12_000")
    page.evaluate("window.given = 0")
    page.wait_for_timeout(3_000)
    assert page.evaluate("window.given") < 60, "gradio asks for sixty a second for each thing that was ever done"
    assert page.evaluate("new Promise((go) => requestAnimationFrame(() => go(true)))"), "whoever asks is given one"
    assert page.evaluate(DROPPED) == "dropped"


COUNTED = """
    window.given = 0;
    const draw = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (act) => draw((now) => { window.given += 1; act(now); });
"""
"""Counts the frames that a page is given."""
DROPPED = """new Promise((go) => {
    cancelAnimationFrame(requestAnimationFrame(() => go("given")));
    setTimeout(() => go("dropped"), 600);
})"""
"""What becomes of a frame that is not wanted any more."""


def test_of_a_run_only_what_changed_is_drawn_anew(page: Any, studio: Any) -> None:
    page.get_by_role("tab", name="Train", exact=True).click()
    page.wait_for_selector("#train-runs")
    if not page.locator("#train-runs >> text=tiny").count():
        page.click("#train-runs input")
        page.get_by_role("option", name="tiny", exact=True).first.click()
    page.wait_for_selector("#train-view .run h3 >> text=tiny")
    page.evaluate("for (const part of document.querySelectorAll('#train-view .run > *')) part.drawn = 1")
    log = studio.folder / "runs" / "tiny" / "log.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*lines, lines[-1].replace('"images": 512', '"images": 576')]))
    page.wait_for_function("[...document.querySelectorAll('#train-view .run > *')].some((part) => !part.drawn)")
    kept = "['h3', '.beside'].every((part) => document.querySelector(`#train-view ${part}`).drawn)"
    assert page.evaluate(kept), "pictures that are the same are not sent through the browser again"
