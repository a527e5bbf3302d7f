"""What models and verbs say on a page that is not in English: known sentences with their values, others as said."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("gradio")

from gannet import api
from gannet.metrics.memorization import Memorization
from gannet.monitoring.nearness import tell_nearness
from gannet.monitoring.words import catalogue as referee_words
from gannet.studio import actions
from gannet.studio.settings import Settings
from gannet.studio.train import recipe_form
from gannet.studio.translation import saying_of, sayings, translate
from gannet.studio.words import catalogue, languages, say
from gannet.studio.work import mistake, told

FAULTS = (
    *("size", "dark", "light", "broken", "gone", "range", "number"),
    *("many", "class", "gaps", "lost", "film", "scan", "data"),
)
OTHERS = [language for language in languages() if language != "en"]


def test_values_stay_as_they_are_and_read_in_their_own_direction() -> None:
    assert translate("fa", "Saved photo.png.") == "\u2068photo.png\u2069 ذخیره شد."


def test_a_reason_within_a_sentence_is_translated_too() -> None:
    words = translate("fa", "a {b}.nii cannot be read: it is no NIfTI file.")
    assert words == "\u2068a {b}.nii\u2069 خوانده نمی‌شود: پروندهٔ NIfTI نیست."


def test_the_most_exact_sentence_tells_what_was_said_and_leaves_no_english_among_its_values() -> None:
    beside = "each with its foreground (*.foreground.*) and mask (*.mask.*) beside it"
    words = translate("fa", f"Saved 2 results in results, {beside}.")
    assert words == "\u20682\u2069 نتیجه در \u2068results\u2069 ذخیره شد، هر کدام با پیش‌زمینه و ماسک در کنارش."


def test_what_is_not_known_stays_and_english_is_not_looked_up() -> None:
    unknown = "Whatever: there is: no such sentence."
    assert translate("fa", unknown) == unknown and translate("en", "mask") == "mask"
    assert translate("fa", hostile := "a: " * 100_000) == hostile


@pytest.mark.parametrize("language", OTHERS)
def test_every_translation_tells_no_value_that_was_not_said(language: str) -> None:
    for saying in sayings(language):
        fields = {name for _, name, _, _ in string.Formatter().parse(saying.told) if name is not None}
        assert fields <= set(saying.names), saying.told


@pytest.mark.parametrize("closer", [0.4, 0.99])
def test_whether_a_model_gives_training_samples_back_is_told(closer: float) -> None:
    found = Memorization(0.0, closer, 1_626, torch.zeros(0, 2), torch.zeros(0), 0.0, 0.0, 0.002, 0.0, surely=False)
    assert not re.search("[a-z]", translate("fa", found.words()))


@given(st.text("ab{}", max_size=6), st.text("ab\n", max_size=8))
def test_a_sentence_is_found_as_a_regular_expression_finds_it(shape: str, words: str) -> None:
    said = re.sub(r"[{}]", lambda found: f"{{v{found.start()}}}", shape)
    names = re.findall(r"v\d+", said)
    pattern = re.sub(r"\{(v\d+)\}", r"(?P<\1>.+?)", said)
    found = re.fullmatch(pattern, words)
    assert saying_of(said, "").values(words) == (found and {name: found[name] for name in names})


def faults(place: Path) -> dict[str, Callable[[], object]]:
    """What users of the page do wrong most, by what it is about."""
    Image.new("RGB", (24, 16)).save(place / "photo.png")
    Image.new("L", (12, 8)).save(place / "small.png")
    Image.new("L", (24, 16)).save(place / "dark.png")
    Image.new("L", (24, 16), 255).save(place / "light.png")
    (place / "broken.png").write_bytes(b"no picture")
    (place / "whole.txt").write_text("a text without gaps")
    (place / "lost.txt").write_text("[...]")
    (place / "scan.nii").write_bytes(b"no scan, but long enough to have a header" * 20)
    (place / "film.mp4").write_bytes(b"no film")
    settings = Settings(place / "runs", place, place)

    def apply(model: str, options: dict[str, Any], **inputs: str) -> object:
        given = {name: [place / file] for name, file in inputs.items()}
        return actions.apply(model, given, options, place, settings)[1](lambda *_: None, lambda: False)

    enlarge, fill, restore = "super-resolution-fast-v1", "inpainting-v2", "lost-words-v1"
    return {
        "size": lambda: apply(fill, {}, photograph="photo.png", mask="small.png"),
        "dark": lambda: apply(fill, {}, photograph="photo.png", mask="dark.png"),
        "light": lambda: apply(fill, {}, photograph="photo.png", mask="light.png"),
        "broken": lambda: apply(enlarge, {}, photograph="broken.png"),
        "gone": lambda: apply(enlarge, {}, photograph="gone.png"),
        "range": lambda: apply(enlarge, {"strength": 3}, photograph="photo.png"),
        "number": lambda: apply(restore, {"num": 500}, text="whole.txt"),
        "many": lambda: apply("fashion-mnist-v1", {"num": 10**6}),
        "class": lambda: apply("fashion-mnist-v1", {"class": "elephant"}),
        "gaps": lambda: apply(restore, {}, text="whole.txt"),
        "lost": lambda: apply(restore, {}, text="lost.txt"),
        "film": lambda: apply("moving-digits-future-v2", {}, picture="film.mp4"),
        "scan": lambda: api.doctor(str(place / "scan.nii")),
        "data": lambda: actions.judge(enlarge, "", {}, place, settings)[1](lambda *_: None, lambda: False),
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_what_users_do_wrong_most_is_told_in_their_language(fault: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as raised:
        faults(tmp_path)[fault]()
    said = str(mistake(raised.value).message)
    for language in OTHERS:
        known = str(told(mistake(raised.value), language).message)
        assert 'dir="auto"' not in known, f"{said} is told in English on the page {say(language, 'language')}"


def test_a_mistake_that_is_not_known_reads_from_its_own_side_and_stays_no_markup() -> None:
    error = told(mistake(ValueError("Whatever <b>is</b> wrong.")), "fa")
    assert error.message == '<bdi dir="auto">Whatever &lt;b&gt;is&lt;/b&gt; wrong.</bdi>' and error.title == "خطا"
    assert told(mistake(ValueError("Wrong.")), "en").message == "Wrong."


LONG = "Far from your pictures: precision 0.12 (reals: 0.73); only 5% of the plan seen; at this rate 3 min 20 s more."


def test_a_sentence_of_several_parts_is_told_part_by_part() -> None:
    told = translate("fa", LONG)
    assert not set("abcdefghijklmnopqrstuvwxyz") & set(told) and told.endswith(".") and not told.endswith("..")
    assert translate("fa", unknown := "No longer than this; whatever else.") == unknown


PRECISION = {"name": "precision", "value": 0.75, "floor": 0.8, "best": "high"}
COVERAGE = {"name": "coverage", "value": 0.5, "floor": None, "best": "high"}


@pytest.mark.parametrize(
    "judgement",
    [
        {"measures": [PRECISION], "memorization": {"extent": "some", "copied": 0.003}},
        {"measures": [COVERAGE], "rivals": [{"name": "«1»", "measures": [{**COVERAGE, "value": 0.75}]}]},
    ],
)
def test_copies_and_better_models_are_told_as_part_of_a_verdict(judgement: dict[str, Any]) -> None:
    said, told = tell_nearness(judgement).words, translate("fa", tell_nearness(judgement).words)
    assert ";" in said and not set(string.ascii_letters) & set(told) and ".\u2069" not in told


@pytest.mark.parametrize("language", OTHERS)
def test_recipes_are_described_and_their_sections_named(language: str) -> None:
    assert not [name for name, about in api.recipes().items() if translate(language, about) == about]
    assert set(catalogue(language)["sections"]) >= {*(recipe_form("digits").sections().keys() - {""}), "run"}


def test_a_recipe_that_the_doctor_names_stays_as_it_is_typed() -> None:
    assert "segmentation" in translate("fa", "Recipe: segmentation.") and translate("fa", "segmentation") == "ناحیه‌بندی"


def test_digits_are_of_one_kind() -> None:
    """Figures come as Latin digits, so those that stand in the words are such, too."""
    known = [saying.told for saying in sayings("fa")]
    assert not set("۰۱۲۳۴۵۶۷۸۹") & set("".join([*known, str(catalogue("fa")), str(referee_words("fa"))]))
