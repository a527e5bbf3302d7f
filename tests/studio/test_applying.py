"""Whole folders through a model on the page: every file, one archive, what is left out, what a stop leaves."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("gradio")

from gannet import api
from gannet.studio import actions, bounds
from gannet.studio.applying import Applying
from gannet.studio.fields import Field
from gannet.studio.forms import Form
from gannet.studio.settings import Settings

MODEL = "super-resolution-fast-v1"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A studio with a workplace."""
    (tmp_path / "work" / "files").mkdir(parents=True)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "work" / "files"))
    return Settings(tmp_path / "runs", tmp_path, tmp_path / "work")


@pytest.fixture
def photographs(settings: Settings) -> list[Path]:
    """Three photographs that were uploaded, of which the second is broken."""
    found = [settings.work / "files" / f"{name}.png" for name in "abc"]
    for number, path in enumerate(found):
        Image.new("RGB", (12, 8), (number * 90, 100, 50)).save(path)
    found[1].write_bytes(found[1].read_bytes()[:40])
    return found


@pytest.fixture
def archive(photographs: list[Path]) -> Path:
    """The same in a zip, in folders."""
    path = photographs[0].with_name("all.zip")
    with zipfile.ZipFile(path, "w") as packed:
        for photograph in photographs:
            packed.write(photograph, f"holiday/{photograph.name}")
    return path


def made(
    inputs: list[Path], settings: Settings, stopping: Callable[[Path], bool] = lambda _: False
) -> tuple[actions.Made, list[tuple[int, int]], dict[str, bytes]]:
    """Apply the model: what came of it, how far it said to be, and what the archive of results holds."""
    told: list[tuple[int, int]] = []
    with actions.workplace(settings) as place:
        _, call = actions.apply(MODEL, {"photograph": inputs}, {}, place, settings)
        found = call(lambda progress, _: told.append((progress.done, progress.total)), lambda: stopping(place))
        with zipfile.ZipFile(found.files[0]) as packed:
            held = {name: packed.read(name) for name in packed.namelist()}
        assert all(
            held[path.relative_to(place / "results").as_posix()] == path.read_bytes() for path in found.files[1:]
        )
    return found, told, held


def test_what_is_broken_is_named_and_the_others_go_on(photographs: list[Path], settings: Settings) -> None:
    found, told, held = made(photographs, settings)
    assert [path.name for path in found.files] == ["results.zip", "a.png", "c.png"] and len(found.results) == 2
    (left,) = [line for line in found.lines if line.startswith("Left out")]
    assert "b.png cannot be read" in left and "/work/" not in left and "\n" not in left
    assert any("2 done, 1 failed" in line for line in found.lines) and "gannet-manifest.jsonl" in held
    assert {total for _, total in told} == {3} and max(done for done, _ in told) == 3


def test_an_archive_is_used_as_a_folder_is(archive: Path, settings: Settings) -> None:
    found, _, held = made([archive], settings)
    assert {name for name in held if name.endswith(".png")} == {"holiday/a.png", "holiday/c.png"}
    assert any("b.png cannot be read" in line for line in found.lines)


def test_what_was_made_before_a_stop_is_kept(photographs: list[Path], settings: Settings) -> None:
    Image.new("RGB", (12, 8)).save(photographs[1])
    found, *_ = made(photographs, settings, lambda place: len(list((place / "results").glob("*.png"))) > 1)
    assert [path.name for path in found.files[1:]] == ["a.png", "b.png"]
    assert found.lines[0].startswith("Stopped")


def test_a_stop_before_anything_was_made_is_told(photographs: list[Path], settings: Settings) -> None:
    with pytest.raises(api.Stopped):
        made(photographs, settings, lambda _: True)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + b"\0" * 60])
def test_what_is_no_archive_is_told_by_its_name(content: bytes, settings: Settings) -> None:
    (settings.work / "files" / "odd.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"^odd\.zip cannot be unpacked: it is damaged, or no archive\.$"):
        made([settings.work / "files" / "odd.zip"], settings)


def test_names_in_an_archive_do_not_lead_out(settings: Settings) -> None:
    path, folder = settings.work / "files" / "out.zip", settings.work / "unpacked"
    with zipfile.ZipFile(path, "w") as packed:
        for name in ("../../outside.png", "/outside.png", "a/../../outside.png"):
            packed.writestr(name, b"x")
    bounds.unpack(path, folder)
    found = list(settings.work.parent.glob("**/outside.png"))
    assert found and all(one.is_relative_to(folder) for one in found)


def test_many_files_stand_for_the_first_input(photographs: list[Path], settings: Settings) -> None:
    interface = api.interface(MODEL)
    fields = [Field("photograph", "photograph", None), Field("photograph", "photograph", None, "many")]
    work_on = Applying(MODEL, MODEL, interface, fields, Form({}), settings, "en")
    request: Any = SimpleNamespace(session_hash="tab")
    lone = str(photographs[2])
    steps = list(work_on.make(request, lone, [str(path) for path in photographs]))
    lines, _, _, said = steps[-1]
    assert "2 done, 1 failed" in lines and "a.png b.png c.png" in said.value
