"""Provenance: every picture says that it is synthetic, in metadata that others can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gannet.provenance.formats import PICTURES
from gannet.provenance.metadata import (
    BEFORE,
    SOURCE_TYPE,
    SYNTHETIC,
    check_format,
    joined,
    read_facts,
    save_film,
    save_picture,
)

HOSTILE = """a"b'<c>&d</x:xmpmeta>]]>\u00e9\U0001f426\n\x01"""
SOURCE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
MAKER = "{http://ns.adobe.com/xap/1.0/}CreatorTool"
grey = Image.new("L", (8, 8), 100)


def packet(path: Path) -> dict[str, str]:
    """The attributes of the XMP that a file carries, read as XML."""
    with Image.open(path) as picture:
        raw = picture.info.get("xmp") or picture.info["XML:com.adobe.xmp"]
    text = raw.decode() if isinstance(raw, bytes) else raw
    (description,) = ElementTree.fromstring(text).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    return dict(description.attrib)


def comment(path: Path) -> dict[str, object]:
    with Image.open(path) as picture:
        raw = picture.info.get("comment") or picture.info["Comment"]
    return dict(json.loads(raw))


@pytest.mark.parametrize("ending", [".png", ".jpg", ".jpeg", ".webp", ".PNG"])
@pytest.mark.parametrize("model", ["digits", HOSTILE])
def test_xmp_tells_the_kind_the_model_and_the_seed(tmp_path: Path, ending: str, model: str) -> None:
    path = tmp_path / f"one{ending}"
    save_picture(grey, path, {"model": model, "seed": 7})
    found = packet(path)
    assert found[SOURCE] == SYNTHETIC
    assert SYNTHETIC.endswith("/trainedAlgorithmicMedia")
    assert json.loads(found[MAKER].removeprefix("Gannet: ")) == {"model": model, "seed": 7}


@pytest.mark.parametrize("ending", [".png", ".jpg", ".gif"])
@pytest.mark.parametrize("model", ["digits", HOSTILE, "m" * 1000])
def test_a_comment_tells_it_too(tmp_path: Path, ending: str, model: str) -> None:
    path = tmp_path / f"one{ending}"
    save_picture(grey, path, {"model": model, "seed": 7})
    assert comment(path) == {"DigitalSourceType": SYNTHETIC, "model": model, "seed": 7}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_name_breaks_the_xmp(tmp_path_factory: pytest.TempPathFactory, model: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.png"
    save_picture(grey, path, {"model": model, "seed": 0})
    assert json.loads(packet(path)[MAKER].removeprefix("Gannet: "))["model"] == model


def test_pillow_reads_the_xmp(tmp_path: Path) -> None:
    pytest.importorskip("defusedxml")
    save_picture(grey, tmp_path / "one.png", {})
    with Image.open(tmp_path / "one.png") as picture:
        assert SYNTHETIC in str(picture.getxmp())


@pytest.mark.parametrize("ending", [".png", ".webp", ".gif"])
def test_pixels_are_not_touched(tmp_path: Path, ending: str) -> None:
    picture = Image.linear_gradient("L")
    save_picture(picture, tmp_path / f"one{ending}", {})
    with Image.open(tmp_path / f"one{ending}") as found:
        assert found.convert("L").tobytes() == picture.tobytes()


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_a_film_has_all_frames_and_their_time(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"film{ending}"
    save_film([Image.new("L", (8, 8), 40 * index) for index in range(5)], path, {"model": "m"}, seconds=0.1)
    times = []
    with Image.open(path) as film:
        assert film.n_frames == 5
        assert film.info["loop"] == 0
        for index in range(5):
            film.seek(index)
            film.load()
            times.append(film.info["duration"])
    assert times == [100] * 5


@pytest.mark.parametrize("ending", [".jpg", ".jpeg"])
def test_a_film_is_refused_where_the_format_has_one_picture(tmp_path: Path, ending: str) -> None:
    with pytest.raises(ValueError, match=r"\.gif"):
        save_film([grey, grey], tmp_path / f"film{ending}", {})


@pytest.mark.parametrize("name", ["one.bmp", "one.tiff", "one", "one.png.exe", ".png"])
def test_an_unknown_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"\.png, \.jpg, \.jpeg, \.webp, \.gif"):
        save_picture(grey, tmp_path / name, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", PICTURES)
def test_the_known_endings_pass(ending: str) -> None:
    check_format(Path(f"one{ending}"))
    check_format(Path(f"one{ending.upper()}"))


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"one\.jpg cannot be written"):
        save_picture(Image.new("RGBA", (8, 8)), tmp_path / "one.jpg", {})
    assert not list(tmp_path.iterdir())


def test_a_failed_save_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one.png"
    save_picture(grey, path, {})
    old = path.read_bytes()

    def full(_: Image.Image, temporary: Path, **__: object) -> None:
        temporary.write_bytes(old[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(ValueError, match="No space left on device"):
        save_picture(grey, path, {})
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="cannot be written"):
        save_picture(grey, tmp_path / "file" / "one.png", {})


def told_by(tmp_path: Path, **text: str) -> dict[str, Any]:
    info = PngInfo()
    for name, words in text.items():
        info.add_text({"xmp": "XML:com.adobe.xmp"}.get(name, name), words)
    Image.new("L", (2, 2)).save(tmp_path / "some.png", pnginfo=info)
    with Image.open(tmp_path / "some.png") as picture:
        return read_facts(picture)


def test_a_type_is_found_however_long_the_packet_and_another_one_is_none(tmp_path: Path) -> None:
    assert told_by(tmp_path, xmp=f"{'x' * 70_000}{SYNTHETIC}") == {SOURCE_TYPE: SYNTHETIC}
    assert told_by(tmp_path, Comment='{"DigitalSourceType": "x\\"/><evil/>"}') == {}
    assert told_by(tmp_path, Comment="[" * 100_000) == {}


def test_what_was_said_before_at_too_great_length_is_kept_as_its_type() -> None:
    earlier = {SOURCE_TYPE: SYNTHETIC, "model": "m" * 10_000}
    assert joined({"model": "b"}, earlier) == {"model": "b", SOURCE_TYPE: SYNTHETIC, BEFORE: {SOURCE_TYPE: SYNTHETIC}}
