"""The page in a browser: a photograph is upscaled, a hole filled by a brush, a run found again, in two languages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
PATIENCE = 120_000
"""Milliseconds that a busy machine may take."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a window."""
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, studio: Any) -> Iterator[Any]:
    """The studio's page, which asks no other machine for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    opened, hosts = context.new_page(), set()
    opened.set_default_timeout(PATIENCE)
    opened.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "://" in request.url else None)
    opened.goto(studio.url)
    opened.wait_for_selector("#use-start")
    yield opened
    context.close()
    assert hosts == {studio.url.removeprefix("http://")}


def choose(page: Any, field: str, word: str) -> None:
    """Choose a word of a dropdown by typing it."""
    page.click(f"#{field} input")
    page.fill(f"#{field} input", word)
    page.get_by_role("option", name=word, exact=True).first.click()


def result(page: Any, to: Path) -> Path:
    """Fetch the first file of the results."""
    page.wait_for_selector("#use-files a[href]")
    with page.expect_download() as fetched:
        page.locator("#use-files a[href]").first.click()
    fetched.value.save_as(to)
    return to


def test_a_photograph_is_upscaled(page: Any, photograph: Path, tmp_path: Path) -> None:
    choose(page, "use-model", "super-resolution-fast-v1")
    page.set_input_files("#use-fields input[type=file]", photograph)
    page.wait_for_selector("#use-fields img")
    page.click("#use-start")
    made = result(page, tmp_path / "made.png")
    with Image.open(made) as picture:
        assert picture.size == (96, 64)
    assert b"compositeWithTrainedAlgorithmicMedia" in made.read_bytes()
    assert page.locator(".cm-content").first.inner_text().startswith("gannet apply super-resolution-fast-v1")


def test_a_hole_is_filled_where_it_is_painted(page: Any, photograph: Path, tmp_path: Path) -> None:
    with Image.open(photograph) as small:
        small.resize((240, 160)).save(photograph)
    choose(page, "use-model", "inpainting-v2")
    page.wait_for_selector("#over-mask canvas")
    page.set_input_files("#use-fields input[type=file] >> nth=0", photograph)
    page.wait_for_selector("#use-fields img")
    page.wait_for_timeout(3000)  # Until the photograph lies under the brush.
    place = page.locator("#over-mask canvas").first.bounding_box()
    middle = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(middle[0] - 15, middle[1])
    page.mouse.down()
    page.mouse.move(middle[0] + 15, middle[1], steps=8)
    page.mouse.up()
    page.click("#use-start")
    with Image.open(result(page, tmp_path / "filled.png")) as made, Image.open(photograph) as was:
        assert made.size == was.size
        changed = Image.eval(
            Image.merge("L", [difference(made.convert("RGB"), was.convert("RGB"))]), lambda light: 255 * (light > 0)
        ).getbbox()
    assert changed, "something was filled"
    assert changed[0] > 0 and changed[1] > 0 and changed[2] < 240 and changed[3] < 160, "and not all of it"


def difference(one: Image.Image, other: Image.Image) -> Image.Image:
    """How much two pictures differ, pixel by pixel."""
    from PIL import ImageChops

    return ImageChops.difference(one, other).convert("L")


def test_seeds_are_walked_between_and_moved_by_sliders(page: Any, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Explore", exact=True).click()
    choose(page, "explore-model", "tiny")
    page.wait_for_function("!document.querySelector('#explore-model').textContent.includes('Fashion')")
    page.click("#explore-show")
    page.wait_for_selector("#explore-seeds img >> nth=7")
    seeds = page.locator("#explore-seeds button:has(img)")
    seeds.nth(2).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#explore-from input').value === '2'")
    seeds.nth(5).click()
    page.wait_for_function("document.querySelector('#explore-to input').value === '5'")
    page.click("#explore-walk")
    page.wait_for_selector("#explore-files a[href]")
    with page.expect_download() as fetched:
        page.locator("#explore-files a[href]").first.click()
    fetched.value.save_as(tmp_path / "walk.gif")
    with Image.open(tmp_path / "walk.gif") as film:
        assert film.n_frames > 1
    assert b"trainedAlgorithmicMedia" in (tmp_path / "walk.gif").read_bytes()
    page.locator("#explore-direction-1 input[type=range]").focus()
    before = page.locator("#explore-moved img").count() and page.get_attribute("#explore-moved img", "src")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("(was) => (document.querySelector('#explore-moved img') || {}).src !== was", arg=before)
    page.wait_for_selector("text=--move")


def test_a_run_is_found_again_when_the_page_is_opened(page: Any) -> None:
    page.get_by_role("tab", name="Train", exact=True).click()
    page.wait_for_selector("#train-view .run h3")
    assert "512 of 512 images" in page.locator("#train-view .state").first.inner_text()
    assert page.locator("#train-view svg").count() > 1 and page.locator("#train-view img").count() == 2


def test_a_mistake_is_told_in_a_sentence(page: Any) -> None:
    choose(page, "use-model", "super-resolution-fast-v1")
    page.wait_for_selector("#use-fields input[type=file]", state="attached")
    page.click("#use-start")
    assert "Nothing was given for: photograph." in page.wait_for_selector(".toast-body").inner_text()


def test_the_page_is_persian_from_right_to_left(page: Any) -> None:
    page.get_by_role("link", name="فارسی").click()
    page.wait_for_selector("#use-start")
    page.wait_for_function("document.documentElement.dir === 'rtl'")
    assert page.evaluate("document.documentElement.lang") == "fa"
    assert page.locator("#use-start").inner_text() == "آغاز"
    assert page.evaluate("getComputedStyle(document.querySelector('#use-model')).direction") == "rtl"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_runs_over_the_edge_of_a_telephone(browser: Any, studio: Any, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    narrow = context.new_page()
    narrow.set_default_timeout(PATIENCE)
    narrow.goto(studio.url)
    narrow.wait_for_selector("#use-start")
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 400
    context.close()
