"""The page in a browser: a photograph is upscaled, a hole filled by a brush, a run found again, in two languages."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image


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


def test_the_picture_follows_the_brush(page: Any, tmp_path: Path) -> None:
    choose(page, "use-model", "landscapes-v1")
    page.wait_for_selector("#painted img")
    page.locator("#map").get_by_role("radio", name="mountain").check(force=True)
    before, place = page.get_attribute("#painted img", "src"), page.locator("#map canvas").bounding_box()
    page.mouse.move(place["x"] + 60, place["y"] + 60)
    page.mouse.down()
    page.mouse.move(place["x"] + 200, place["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_function("was => document.querySelector('#painted img').src !== was", arg=before)
    followed = page.get_attribute("#painted img", "src")
    page.get_by_label("words").fill("autumn")
    page.get_by_label("words").press("Enter")
    page.wait_for_function("was => document.querySelector('#painted img').src !== was", arg=followed)
    page.get_by_role("button", name="Take back").click()
    page.click("#use-start")
    with Image.open(result(page, tmp_path / "saved.png")) as saved:
        assert saved.size == (256, 192)
    assert b"rainedAlgorithmicMedia" in (tmp_path / "saved.png").read_bytes()


def test_gaps_of_a_text_tell_how_sure_the_model_is_and_what_else_may_stand(page: Any) -> None:
    choose(page, "use-model", "lost-words-v1")
    page.fill("#use-fields textarea >> nth=0", "In the beginning God created the hea[3] and <b>the earth</b>")
    page.click("#use-start")
    gap = page.locator("#texts .gap")
    gap.wait_for()
    assert (
        gap.locator("> i").count() == 3
        and 0 < float(gap.locator("> i").first.evaluate("one => one.style.getPropertyValue('--sure')")) <= 1
    )
    assert not gap.locator(".told").is_visible()
    gap.focus()
    assert gap.locator(".told li").count() == 5 and gap.locator(".told").is_visible()
    assert "<b>the earth</b>" in page.locator("#texts .restored").inner_text()


def test_a_volume_is_looked_through_in_three_planes(page: Any) -> None:
    choose(page, "use-model", "hippocampus-v1")
    page.wait_for_selector("#volumes", state="attached")
    page.click("#use-start")
    page.wait_for_selector("#volumes .plane")
    assert page.locator("#volumes .plane").count() == 3
    window, slider = page.locator("#volumes .slice span").first, page.locator("#volumes input[type=range]").first
    before = window.evaluate("one => getComputedStyle(one).backgroundPosition")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert window.evaluate("one => getComputedStyle(one).backgroundPosition") != before
    labels = page.locator("#volumes .slice span + span").first
    assert labels.is_visible()
    page.locator("#volumes input[type=checkbox]").uncheck()
    assert not labels.is_visible()


def test_many_files_become_one_archive(page: Any, photograph: Path, tmp_path: Path) -> None:
    choose(page, "use-model", "colorization-v3")
    page.wait_for_selector("#over-hints")
    page.get_by_role("button", name="Many files, or a zip of them").click()
    (tmp_path / "broken.png").write_bytes(b"no picture")
    shutil.copy(photograph, tmp_path / "second.png")
    page.set_input_files("#use-many input[type=file]", [photograph, tmp_path / "second.png", tmp_path / "broken.png"])
    page.wait_for_selector("#use-many .file-preview")
    page.click("#use-start")
    with zipfile.ZipFile(result(page, tmp_path / "all.zip")) as archive:
        assert {"photograph.png", "second.png"} < set(archive.namelist())
    told = page.locator("#use-status").inner_text()
    assert "broken.png cannot be read" in told and "2 done, 1 failed" in told


def test_work_stops_when_it_is_asked_to(page: Any) -> None:
    choose(page, "use-model", "fashion-mnist-v1")
    page.wait_for_selector("#use-fields input[type=file]", state="detached")
    page.locator("#use-fields input[type=number]").first.fill("4096")
    page.click("#use-start")
    page.wait_for_function("document.querySelector('#use-status').textContent.trim() !== ''")
    page.click("#use-stop")
    assert "topped" in page.wait_for_selector(".toast-body").inner_text()


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
    choose(page, "use-model", "inpainting-v2")
    page.wait_for_selector("#over-mask canvas")
    page.click("#use-start")
    assert "Nothing was given for: photograph, mask." in page.wait_for_selector(".toast-body").inner_text()


def test_the_page_is_persian_from_right_to_left(page: Any) -> None:
    page.get_by_role("link", name="فارسی").click()
    page.wait_for_selector("#use-start")
    page.wait_for_function("document.documentElement.dir === 'rtl'")
    assert page.evaluate("document.documentElement.lang") == "fa"
    assert page.locator("#use-start").inner_text() == "آغاز"
    assert page.evaluate("getComputedStyle(document.querySelector('#use-model')).direction") == "rtl"
    page.wait_for_selector("#use-fields >> text=اینجا رها کنید")  # Gradio's own words, too.


def test_the_page_speaks_its_own_language_and_not_the_browsers(visit: Any) -> None:
    page = visit(locale="fa-IR")
    page.wait_for_selector("#use-fields >> text=Drop Image Here")
    assert page.evaluate("document.documentElement.lang") == "en"


def test_a_class_is_chosen_to_be_explored(page: Any) -> None:
    page.get_by_role("tab", name="Explore", exact=True).click()
    page.get_by_label("Class", exact=True).click()
    page.get_by_role("option", name="Trouser", exact=True).click()
    page.wait_for_selector("#explore-seeds img >> nth=7")
    assert page.get_by_label("Class", exact=True).input_value() == "Trouser"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_runs_over_the_edge_of_a_telephone(visit: Any, scheme: str) -> None:
    narrow = visit(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 400


FOCUSED = """() => {
  const one = document.activeElement, text = (all) => [...(all || [])].map((each) => each.innerText).join(" ");
  const name = one.getAttribute("aria-label") || text(one.labels) || one.innerText || one.title;
  return { tag: one.tagName, id: one.id, name: name.trim(), outline: getComputedStyle(one).outlineStyle };
}"""
"""What has the focus: what it is called, and whether it is seen to have it."""


@pytest.mark.parametrize("model", ["super-resolution-fast-v1", "landscapes-v1", "lost-words-v1"])
def test_every_control_is_reached_by_keyboard_is_seen_to_be_and_has_a_name(page: Any, model: str) -> None:
    choose(page, "use-model", model)
    page.wait_for_selector("#painted img" if model == "landscapes-v1" else "#use-stop")
    page.wait_for_timeout(2000)  # Until the parts of the model before are gone.
    reached: list[dict[str, str]] = []
    while len(reached) < 60 and (not reached or reached[-1]["id"] != "use-stop"):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    controls = [one for one in reached if one["tag"] != "BODY"]
    assert {"use-start", "use-stop"} <= {one["id"] for one in controls}
    assert [one for one in controls if not one["name"] or one["outline"] == "none"] == []
