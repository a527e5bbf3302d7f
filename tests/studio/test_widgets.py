"""How values are shown: texts escaped and coloured, volumes in three planes, clips with their parts, files as such."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scan_files import nifti

pytest.importorskip("gradio")

from gannet.media.text import HEADING
from gannet.studio.actions import grouped
from gannet.studio.widgets import clip, file, image, photograph, text, volume, widget

KNOWN = {"class", "dir", "style", "tabindex", "aria-describedby", "role", "id"}


class Seen(HTMLParser):
    """The letters of HTML that are read without pointing at anything, and the marks of those that were restored."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.sure, self.names, self.attributes, self.told = "", [], set[str](), set[str](), 0
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.names.add(tag)
        self.attributes |= found.keys()
        if tag == "span" and (self.told or found.get("class") == "told"):
            self.told += 1
        if tag == "i":
            self.sure.append(found["style"])

    def handle_endtag(self, tag: str) -> None:
        self.told -= tag == "span" and self.told > 0

    def handle_data(self, data: str) -> None:
        self.words += data if not self.told else ""


def gap(sign: str, position: int, restored: str, *others: str) -> dict[str, Any]:
    """A gap as records tell it."""
    sure = [round(0.9 - 0.1 * at, 4) for at in range(len(restored))]
    alternatives = [{"text": one, "probability": 0.5 / (at + 1)} for at, one in enumerate((restored, *others))]
    return {
        "sign": sign,
        "position": position,
        "restored": restored,
        "confidences": sure,
        "alternatives": alternatives,
    }


def test_gaps_are_marked_where_they_stood_and_all_else_is_as_it_was() -> None:
    damaged = "a [3] b [...] c"
    gaps = [gap("[3]", 2, "xyz", "uvw"), gap("[...]", damaged.index("[..."), "q")]
    seen = Seen(text.marked("a xyz b q c", gaps, "en"))
    assert seen.words == "a xyz b q c"
    assert seen.sure == ["--sure:0.90", "--sure:0.80", "--sure:0.70", "--sure:0.90"]
    assert "uvw" in text.marked("a xyz b q c", gaps, "en")


def test_gaps_are_marked_within_brackets_and_where_line_ends_stayed() -> None:
    damaged = "a [3] b [...\n...] c [2]"
    gaps = [
        gap("[3]", 2, "xyz"),
        gap("[...\n...]", damaged.index("[...\n"), "q"),
        gap("[2]", damaged.index("[2"), "uv"),
    ]
    gaps[1]["line_ends"] = "\n"
    for restored in ("a [xyz] b [q]\n c [uv]", "a xyz b q\n c uv"):
        seen = Seen(text.marked(restored, gaps, "en"))
        assert seen.words == restored and len(seen.sure) == 6


def test_a_heading_moves_the_gaps() -> None:
    assert text.HEADING == HEADING
    words = '# Restored by a model: {"model": "x"}\nab c'
    assert Seen(text.marked(words, [gap("[1]", 1, "b")], "en")).sure == ["--sure:0.90"]
    assert Seen(text.marked(words, [gap("[1]", 1, "b")], "en")).words == words
    title = "# Ode\nab c"
    assert Seen(text.marked(title, [gap("[1]", 7, "b")], "en")).sure == ["--sure:0.90"]


@pytest.mark.parametrize("wrong", [[gap("[1]", 99, "b")], [{"sign": "[1]"}], [gap("[1]", 0, "zz")], [{}]])
def test_a_record_that_does_not_fit_marks_nothing(wrong: list[dict[str, Any]]) -> None:
    seen = Seen(text.marked("ab c", wrong, "en"))
    assert seen.words == "ab c" and seen.sure == []


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '" onmouseover="x', "&lt;"]
)
def test_nothing_of_a_text_is_markup(hostile: str) -> None:
    gaps = [gap(hostile, 2, hostile, hostile)]
    html = text.marked(f"a {hostile} {hostile}", gaps, "en")
    seen = Seen(html)
    assert seen.words == f"a {hostile} {hostile}"
    assert seen.names <= {"div", "span", "i", "b", "bdi", "ol", "li", "small"}
    assert all(name in KNOWN for name in seen.attributes)


def test_a_text_keeps_its_own_direction_and_its_newlines(tmp_path: Path) -> None:
    words = "سلام دنیا\r\nHello\n"
    (tmp_path / "a.txt").write_bytes(words.encode())
    html = text.shown([], [{"text": tmp_path / "a.txt"}], "en")
    assert 'dir="auto"' in html and Seen(html).words.replace("\r", "") == words.replace("\r", "")


def test_a_result_shows_its_record(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abc")
    (tmp_path / "a.record.json").write_text(json.dumps({"gaps": [gap("[1]", 1, "b", "d")]}))
    shown = text.shown([], [{"text": tmp_path / "a.txt", "record": tmp_path / "a.record.json"}], "fa")
    assert "در اینجا" in shown and "مطمئن" in shown and shown.count('class="gap"') == 1


def pictures(html: str) -> list[Image.Image]:
    """The pictures that HTML holds."""
    found = re.findall(r"url\(data:image/\w+;base64,([^)]+)\)", html)
    return [Image.open(io.BytesIO(base64.b64decode(one))) for one in found]


def test_a_volume_is_shown_in_three_planes_with_what_is_labelled(tmp_path: Path) -> None:
    labels = np.zeros((12, 10, 8), np.uint8)
    labels[2:5, 3:6, 1:4] = 1
    (tmp_path / "a.nii.gz").write_bytes(nifti(np.arange(960, dtype=np.float32).reshape(12, 10, 8), packed=True))
    (tmp_path / "a.labels.nii.gz").write_bytes(nifti(labels, packed=True))
    files = {"volume": tmp_path / "a.nii.gz", "labels": tmp_path / "a.labels.nii.gz"}
    html = volume.shown([], [files], "en")
    assert re.findall(r'aria-label="([^"]+)"', html) == ["From above", "From the front", "From the side"]
    assert re.findall(r'max="(\d+)" value="(\d+)"', html) == [("7", "4"), ("9", "5"), ("11", "6")]
    assert [one.mode for one in pictures(html)] == ["L", "RGBA"] * 3
    over = np.asarray(pictures(html)[1])
    assert int((over[..., 3] > 0).sum()) == int((labels > 0).sum()), "as many pixels as voxels are labelled"
    assert "checkbox" in html and "checkbox" not in volume.shown([], [{"volume": files["volume"]}], "en")


def test_of_many_volumes_the_first_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(nifti(np.ones((8, 8, 8), np.float32), packed=True))
    html = volume.shown([], [{"volume": tmp_path / "a.nii.gz"}] * 9, "en")
    assert html.count("<section") == volume.MOST_SHOWN


def test_clips_stand_beside_their_named_parts() -> None:
    alone, whole = {"clip": Path("a.mp4")}, {"clip": Path("b.mp4"), "background": Path("b.background.png")}
    assert clip.shown([], [alone, whole], "en") == [
        ("a.mp4", None),
        ("b.mp4", "clip"),
        ("b.background.png", "background"),
    ]


def test_results_are_grouped_by_what_they_belong_to() -> None:
    names = ["volume", "labels"]
    paths = [
        Path(one)
        for one in ("r/b.nii.gz", "r/a.labels.nii.gz", "r/a.nii.gz", "r/lonely.labels.nii.gz", "r/b.T2.nii.gz")
    ]
    found = grouped(paths, names)
    assert [{name: path.name for name, path in one.items()} for one in found] == [
        {"volume": "a.nii.gz", "labels": "a.labels.nii.gz"},
        {"volume": "b.nii.gz"},
        {"volume": "b.T2.nii.gz"},
        {"volume": "lonely.labels.nii.gz"},
    ]
    assert list(found[0]) == names


def test_a_photograph_is_beside_the_one_that_it_was_made_of(tmp_path: Path) -> None:
    for name, colour in (("a", "red"), ("b", "blue")):
        Image.new("RGB", (4, 4), colour).save(tmp_path / f"{name}.png")
    made = tmp_path / "made" / "b.png"
    made.parent.mkdir()
    Image.new("RGB", (8, 8), "white").save(made)
    before, after = photograph.shown([tmp_path / "a.png", tmp_path / "b.png"], [{"photograph": made}], "en")
    assert before.size == (8, 8) and before.getpixel((0, 0)) == (0, 0, 255) and after == str(made)


def test_a_medium_without_a_widget_is_a_file() -> None:
    assert widget("signal") is file and widget("../text") is file and widget("image") is image
    assert file.shown([], [{"signal": Path("a.npy"), "noise": Path("a.noise.npy")}], "en") == ["a.npy", "a.noise.npy"]
    assert file.shown([], [], "en") is None
