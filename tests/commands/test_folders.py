"""Folders of photographs: what is done is skipped, what cannot be is named, and the manifest says all of it."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gannet
from gannet.media.photograph import PhotographMedium, read_photograph
from gannet.pipelines.manifest import MANIFEST, Line, Manifest, begin
from gannet.runtime import signals

MODEL = "super-resolution"
RANDOM = np.random.default_rng(0)


def write(path: Path, form: str = "", shape: tuple[int, ...] = (8, 10, 3)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RANDOM.integers(0, 256, shape, np.uint8)).save(path, form or None)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("a.png", "deep/b.jpg", "deep/er/c.webp"):
        write(tmp_path / "photos" / name)
    (tmp_path / "photos" / "deep" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "photos"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the photographs that were read, in order."""
    read, names = PhotographMedium.open, list[str]()

    def noting(medium: PhotographMedium, given: Any) -> Any:
        names.append(Path(given).name)
        return read(medium, given)

    monkeypatch.setattr(PhotographMedium, "open", noting)
    return names


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / MANIFEST).read_text(encoding="utf-8").splitlines()[1:]]


def states(folder: Path) -> dict[str, str]:
    return {Path(line["path"]).name: line["state"] for line in lines(folder)}


def results(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def check_manifest(folder: Path) -> Counter[str]:
    """Every line names a file as it is, and a result that is there; every result has a line. Gives the states."""
    told = lines(folder)
    for line in told:
        assert hashlib.sha256((folder / line["path"]).read_bytes()).hexdigest() == line["digest"]
        assert (line["state"] == "failed") == ("result" not in line)
        assert line["state"] == "done" or line["why"]
    assert len({line["path"] for line in told}) == len(told)
    assert {line["result"] for line in told if "result" in line} == set(results(folder))
    return Counter(line["state"] for line in told)


def test_the_same_command_skips_what_is_done(
    photos: Path, tmp_path: Path, opened: list[str], gannet_command: Callable[..., Any]
) -> None:
    out = tmp_path / "big"
    first = gannet_command("apply", MODEL, photos, "--out", out)
    assert first.code == 3 and first.out.splitlines()[-1] == f"3 done, 1 failed (named in {out / MANIFEST}), 0 skipped."
    assert set(results(out)) == {"a.png", "deep/b.jpg", "deep/er/c.webp"}
    assert check_manifest(out) == {"done": 3, "failed": 1}
    before = results(out)
    opened.clear()
    again = json.loads(gannet_command("apply", MODEL, photos, "--out", out, "--json").out)["result"]
    assert (again["count"], again["done"], again["failed"], again["skipped"]) == (3, 0, 1, 3)
    assert opened == ["broken.png"] and results(out) == before
    assert check_manifest(out) == {"skipped": 3, "failed": 1}
    assert not list(tmp_path.glob("*.partial"))


def test_what_is_new_changed_lost_or_mended_is_made_and_nothing_else(
    photos: Path, tmp_path: Path, opened: list[str]
) -> None:
    out = tmp_path / "big"
    write(photos / "lost.png")
    gannet.apply(MODEL, photos, out=out)
    before = results(out)
    opened.clear()
    write(photos / "deep" / "new.png")
    write(photos / "a.png")
    (out / "lost.png").unlink()
    write(photos / "deep" / "broken.png")
    os.utime(photos / "deep" / "b.jpg")  # Only its time is another.
    told = gannet.apply(MODEL, photos, out=out)
    assert sorted(opened) == ["a.png", "broken.png", "lost.png", "new.png"]
    assert told.done == 4 and told.skipped == 2 and not told.left_out
    after = results(out)
    assert after["lost.png"] == before["lost.png"] and after["a.png"] != before["a.png"]
    assert check_manifest(out) == {"done": 4, "skipped": 2}


def test_what_breaks_later_keeps_what_was_made_of_it(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "big"
    gannet.apply(MODEL, photos, out=out)
    before = results(out)
    (photos / "a.png").write_bytes(b"torn")
    for _ in range(2):  # What failed is no more done the second time.
        told = gannet.apply(MODEL, photos, out=out)
        assert told.failed == 2 and told.skipped == 2 and results(out) == before
    write(photos / "a.png")
    assert gannet.apply(MODEL, photos, out=out).done == 1 and results(out)["a.png"] != before["a.png"]


def test_a_folder_moved_with_its_photographs_is_known(photos: Path, tmp_path: Path, opened: list[str]) -> None:
    gannet.apply(MODEL, photos, out=tmp_path / "big")
    (tmp_path / "there").mkdir()
    for name in ("photos", "big"):
        (tmp_path / name).rename(tmp_path / "there" / name)
    opened.clear()
    told = gannet.apply(MODEL, tmp_path / "there" / "photos", out=tmp_path / "there" / "big")
    assert told.skipped == 3 and opened == ["broken.png"]


@pytest.mark.parametrize(
    "more", [("--strength", "0.5"), ("--format", "webp"), ("--width", "20"), ("--weights", "pixel")]
)
def test_another_model_or_option_is_refused_and_changes_nothing(
    more: tuple[str, ...], photos: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    out = tmp_path / "big"
    gannet.apply(MODEL, photos / "a.png", out=out)
    before = (out / MANIFEST).read_bytes()
    ended = gannet_command("apply", MODEL, photos, "--out", out, *more)
    assert ended.code == 2 and "holds what another model or other options made" in ended.err
    assert (out / MANIFEST).read_bytes() == before and set(results(out)) == {"a.png"}
    assert not list(tmp_path.glob("*.partial"))


def test_folders_that_are_not_gannets_own_are_refused(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    with pytest.raises(ValueError, match="big exists; choose another name"):
        gannet.apply(MODEL, photos, out=tmp_path / "big")
    for content in ("", "[]\n", "{}\n", "[" * 100_000, '{"gannet-manifest": 2}\n'):
        (tmp_path / "big" / MANIFEST).write_text(content)
        with pytest.raises(ValueError, match="is damaged, or no manifest that this Gannet reads"):
            gannet.apply(MODEL, photos, out=tmp_path / "big")
    assert [path.name for path in (tmp_path / "big").iterdir()] == [MANIFEST]


def test_what_somebody_else_put_there_stays_and_what_a_killed_process_wrote_is_gone_on_with(
    photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "big"
    gannet.apply(MODEL, photos, out=out)
    made = results(out)
    told = (out / MANIFEST).read_text().splitlines(keepends=True)
    (out / MANIFEST).write_text("".join(line for line in told if "a.png" not in line and "b.jpg" not in line))
    (out / "a.png").write_bytes(b"mine")
    applied = gannet.apply(MODEL, photos, out=out)
    assert (out / "a.png").read_bytes() == b"mine" and results(out) == {**made, "a.png": b"mine"}
    assert any("does not say of what it was made; move it away" in words for words in applied.left_out)
    assert states(out) == {"a.png": "failed", "b.jpg": "done", "c.webp": "skipped", "broken.png": "failed"}


def test_photographs_of_one_name_in_two_folders_do_not_replace_each_other(photos: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "big", write(tmp_path / "others" / "a.png")
    gannet.apply(MODEL, photos / "a.png", out=out)
    before = results(out)
    write(tmp_path / "others" / "z.png")
    told = gannet.apply(MODEL, other.parent, out=out)
    assert told.done == 1 and "which was made of ../photos/a.png; rename one of them" in told.left_out[0]
    again = gannet.apply(MODEL, other.parent, out=out)
    assert again.failed == again.skipped == 1 and "which was made of ../photos/a.png" in again.left_out[0]
    assert gannet.apply(MODEL, photos / "a.png", out=out).skipped == 1
    assert results(out)["a.png"] == before["a.png"]


def test_what_was_made_of_a_page_is_not_replaced_by_a_file_of_its_name(tmp_path: Path) -> None:
    pages = [Image.fromarray(RANDOM.integers(0, 256, (8, 10), np.uint8)) for _ in range(2)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    gannet.apply(MODEL, f"{tmp_path}/scan.tif#2", out=tmp_path / "big")
    before = results(tmp_path / "big")
    (name,) = before
    write(tmp_path / "others" / name)
    with pytest.raises(ValueError, match="which was made of"):
        gannet.apply(MODEL, tmp_path / "others" / name, out=tmp_path / "big")
    assert results(tmp_path / "big") == before


def test_a_width_beyond_what_a_picture_may_have_is_refused_before_anything_is_computed(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gannet.commands.conversion.Conversion.facts", {})
    monkeypatch.setattr("gannet.pipelines.pipeline.ConverterPipeline.make", lambda *_: pytest.fail("computed"))
    with pytest.raises(ValueError, match="more pixels"):
        gannet.apply(MODEL, photos / "a.png", out=tmp_path / "big.png", width=100_000)


def test_the_sheet_of_comparison_shows_the_first_also_when_they_were_made_before(photos: Path, tmp_path: Path) -> None:
    for number in range(12):
        write(photos / f"n{number:02d}.png")
    names = [f"{photos}/n{number:02d}.png" for number in range(12)]
    gannet.apply(MODEL, *names, out=tmp_path / "whole", compare=tmp_path / "whole.png")
    gannet.apply(MODEL, *names[:8], out=tmp_path / "parts")
    gannet.apply(MODEL, *names, out=tmp_path / "parts", compare=tmp_path / "parts.png")
    shown = [np.asarray(Image.open(tmp_path / name)) for name in ("whole.png", "parts.png")]
    np.testing.assert_array_equal(*shown)


def test_what_was_made_of_other_folders_stays_in_the_manifest(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "big"
    write(tmp_path / "others" / "z.png")
    gannet.apply(MODEL, photos, out=out)
    gannet.apply(MODEL, tmp_path / "others", out=out)
    assert check_manifest(out) == {"done": 4, "failed": 1}


CLUTTER = (".DS_Store", "Thumbs.db", "desktop.ini", "deep/._b.jpg", "a.xmp", "a.png.xmp", "deep/b.aae", "Icon\r")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_clutter_and_sidecars_are_no_photographs_and_not_counted(photos: Path, tmp_path: Path) -> None:
    for name in CLUTTER:
        (photos / name).write_bytes(b"clutter")
    told = gannet.apply(MODEL, photos, out=tmp_path / "big")
    assert told.failed == 1 and len(told.left_out) == 1
    named = [path for path in photos.rglob("*") if path.is_file() and path.name != "broken.png"]
    told = gannet.apply(MODEL, *named, out=tmp_path / "named")
    assert told.count == 3 and not told.left_out
    told = gannet.apply(MODEL, f"{photos}/deep/*", out=tmp_path / "found")
    assert told.count == 1 and len(told.left_out) == 1
    with pytest.raises(ValueError, match=r"Thumbs\.db cannot be read"):
        gannet.apply(MODEL, photos / "Thumbs.db", out=tmp_path / "none")


def test_a_torn_last_line_is_cut_off_wherever_it_was_torn(tmp_path: Path) -> None:
    asked = {"model": "m", "strength": float("nan"), "sizes": (1, 2)}
    begin(tmp_path, asked)
    manifest = Manifest(tmp_path, asked)
    for name in ("a", "b"):
        manifest.append(Line(f"../{name}.png", digest=name, result=f"{name}.png", further={"mask": ("x",)}))
    whole = (tmp_path / MANIFEST).read_bytes()
    last = len(whole) - whole[:-1].rindex(b"\n") - 1
    for lost in range(1, last + 1):
        (tmp_path / MANIFEST).write_bytes(whole[:-lost])
        again = Manifest(tmp_path, asked)
        assert again.made("a.png") == manifest.made("a.png") and again.made("b.png") is None
        again.append(Line("../b.png", digest="b", result="b.png", further={"mask": ("x",)}))
        assert (tmp_path / MANIFEST).read_bytes() == whole
    assert Manifest(tmp_path, asked).made("b.png") == manifest.made("b.png")


def test_what_is_damaged_within_a_manifest_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    begin(tmp_path, {})
    good = Line("../\udcff.png", digest="1", result="a.png")
    for odd in (b"\xff\n", b"[1]\n", b'{"path": 1}\n', b'{"path": "x", "state": "odd"}\n', b"[" * 9_999 + b"\n"):
        with (tmp_path / MANIFEST).open("ab") as file:
            file.write(odd)
    Manifest(tmp_path, {}).append(good)
    found = Manifest(tmp_path, {})
    assert found.made("a.png") == good
    found.finish()
    assert len((tmp_path / MANIFEST).read_bytes().splitlines()) == 2


def form(path: Path) -> tuple[str, tuple[int, int]]:
    with Image.open(path) as picture:
        return picture.format or "", picture.size


def test_formats_are_as_asked_and_names_say_them(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for name, kind in (
        ("a.png", "JPEG"),
        ("b.JPG", "PNG"),
        ("c.jpeg", ""),
        ("d.bmp", ""),
        ("e.png", ""),
        ("e.jpg", ""),
    ):
        write(photos / name, kind)
    for asked, made in {
        "keep": {"a.jpg": "JPEG", "b.png": "PNG", "c.jpeg": "JPEG", "d.png": "PNG", "e.png": "PNG", "e.jpg": "JPEG"},
        "webp": dict.fromkeys(("a.webp", "b.webp", "c.webp", "d.webp", "e.png.webp", "e.jpg.webp"), "WEBP"),
        "jpg": dict.fromkeys(("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.png.jpg", "e.jpg"), "JPEG"),
    }.items():
        gannet.apply(MODEL, photos, out=tmp_path / asked, format=asked, width=30)
        found = {name: form(tmp_path / asked / name) for name in results(tmp_path / asked)}
        assert found == {name: (kind, (30, 24)) for name, kind in made.items()}


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_a_quality_is_that_of_what_is_written(ending: str, tmp_path: Path) -> None:
    photo, sizes = write(tmp_path / "a.png", shape=(24, 24, 3)), []
    exact = gannet.load(MODEL)(photo).value.values.astype(int)
    for quality in (10, 90):
        made = tmp_path / f"{quality}.{ending}"
        gannet.apply(MODEL, photo, out=made, quality=quality)
        error = np.abs(read_photograph(made).values.astype(int) - exact).mean()
        sizes.append((made.stat().st_size, -error))
    assert sizes[0] < sizes[1] and sizes[0][1] < sizes[1][1] < 0, "less is smaller, and further from what was made"


WRONG = {
    ("--quality", "0"): "quality",
    ("--quality", "101"): "quality",
    ("--width", "0"): "width",
    ("--width", "100000"): "GANNET_MEGAPIXELS",
    ("--format", "gif"): "'png', 'jpg', 'webp' or 'keep'",
    ("--format", "png", "--quality", "80"): "--quality is for JPEG and WebP",
    ("--out", "new.png", "--quality", "80"): "--quality is for JPEG and WebP",
    ("--out", "new.png", "--format", "jpg"): "are two formats",
    ("--width", "20000", "--format", "webp"): "WEBP takes 16,383 pixels a side",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_cannot_be_written_so_is_one_sentence(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gannet_command: Callable[..., Any]
) -> None:
    photo = write(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    ended = gannet_command("apply", MODEL, photo, *words)
    assert ended.code == 2 and WRONG[words] in ended.err and ended.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def interrupting(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Have Ctrl-C pressed while `b.jpg` is at hand."""
    read = PhotographMedium.open

    def pressing(medium: PhotographMedium, given: Any) -> Any:
        if Path(given).name == "b.jpg":
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return read(medium, given)

    monkeypatch.setattr(signals, "ONE_PRESS", -1.0)
    monkeypatch.setattr(PhotographMedium, "open", pressing)


@pytest.mark.parametrize(("times", "made"), [(1, {"a.png", "deep/b.jpg"}), (2, {"a.png"})])
@pytest.mark.parametrize("out", ["big", "big.zip"])
def test_ctrl_c_finishes_the_photograph_at_hand_and_a_second_one_does_not(
    times: int, made: set[str], out: str, photos: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    words = ("apply", MODEL, photos, "--out", tmp_path / out)
    with pytest.MonkeyPatch.context() as pressed:
        interrupting(pressed, times)
        ended = gannet_command(*words)
    assert ended.code == 130 and ended.err.endswith("Stopped; the same command goes on where it stood.\n")
    if out == "big":
        assert set(results(tmp_path / out)) == made and not list(tmp_path.glob("*.partial"))
        assert {line["result"] for line in lines(tmp_path / out)} == made
    else:
        parts = [path.name for path in (tmp_path / "big.zip.partial" / "parts").iterdir()]
        assert len(parts) == len(made)
    assert gannet_command(*words).code == 3
    if out == "big":
        assert Counter(states(tmp_path / out).values()) == {"skipped": len(made), "done": 3 - len(made), "failed": 1}


def test_in_python_ctrl_c_is_the_usual_exception_once_the_photograph_is_written(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupting(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        gannet.apply(MODEL, photos, out=tmp_path / "big")
    assert set(results(tmp_path / "big")) == {"a.png", "deep/b.jpg"}


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_thousand_photographs_killed_twice_are_all_accounted_for(tmp_path: Path) -> None:
    """30 folders, 12 files broken, two times `kill -9`; the manifest says what became of each."""
    photos, out, chance = tmp_path / "photos", tmp_path / "big", random.Random(0)
    paths = [photos / f"{folder:02d}" / f"{number:04d}.png" for number in range(1000) for folder in [number % 30]]
    for path in paths:
        write(path)
    for path in (broken := chance.sample(paths, 12)):
        path.write_bytes(path.read_bytes()[: chance.randrange(60)])
    command = [sys.executable, "-m", "gannet", "apply", MODEL, photos, "--out", out]
    reached = 0
    for kill in (1, 2):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while not (out / MANIFEST).is_file() or len((out / MANIFEST).read_bytes().splitlines()) < 300 * kill:
                assert process.poll() is None
                time.sleep(0.05)
            process.kill()
        assert len(set(results(out)) - {line.get("result") for line in lines_so_far(out)}) <= 1, "the one at hand"
        assert len(lines_so_far(out)) >= 300 * kill - 2, "the order is a line as well, and one may be torn"
        reached = sum(line["state"] == "done" for line in lines_so_far(out))
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = check_manifest(out)
    assert ended.returncode == 3 and counts == {"done": 988 - reached, "failed": 12, "skipped": reached}
    told = f"{988 - reached} done, 12 failed (named in {out / MANIFEST}), {reached} skipped (done before)."
    assert ended.stdout.splitlines()[-1] == told
    failed = {line["path"] for line in lines(out) if line["state"] == "failed"}
    assert {(out / path).resolve() for path in failed} == set(broken)
    assert set(results(out)) == {path.relative_to(photos).as_posix() for path in set(paths) - set(broken)}
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 3 and check_manifest(out) == {"failed": 12, "skipped": 988}
    print(told, again.stdout.splitlines()[-1])


def lines_so_far(folder: Path) -> list[dict[str, Any]]:
    """Those that are whole."""
    content = (folder / MANIFEST).read_bytes()
    return [json.loads(line) for line in content[: content.rfind(b"\n")].splitlines()[1:]]
