"""What goes with age and what stays: files that pages had open, uploaded data, workplaces of killed studios."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gannet.studio import bounds, sweeping
from gannet.studio.settings import Settings

NOW = time.time()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A studio with runs, data and a workplace."""
    for name in ("runs/one", "runs/uploads", "data", "work/files"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "runs/one/recipe.yaml").write_text("data:\n  source: /somewhere/uploads/aaaaaaaa\n")
    return Settings(tmp_path / "runs", tmp_path / "data", tmp_path / "work")


def old(path: Path, days: float) -> Path:
    """Give a file or folder, with all in it, the age of some days."""
    for one in (*(path.rglob("*") if path.is_dir() else ()), path):
        os.utime(one, (NOW - days * sweeping.DAY,) * 2, follow_symlinks=False)
    return path


def folder(path: Path, days: float) -> Path:
    """Make a folder with a file, so old."""
    path.mkdir(parents=True)
    (path / "a.png").write_bytes(b"x")
    return old(path, days)


def test_files_that_pages_had_open_go_after_a_day(settings: Settings) -> None:
    gone, kept = folder(settings.work / "files" / "abc", 1.1), folder(settings.work / "files" / "def", 0.9)
    sweeping.sweep(settings, NOW)
    assert not (gone / "a.png").exists() and (kept / "a.png").exists()
    sweeping.sweep(settings, NOW + 2 * sweeping.DAY)
    assert list((settings.work / "files").iterdir()) == []


def test_uploaded_data_go_after_a_week_unless_a_run_learned_from_them(settings: Settings) -> None:
    uploads = settings.runs / bounds.UPLOADS
    learned, unused = folder(uploads / "aaaaaaaa", 100), folder(uploads / "bbbbbbbb", 8)
    recent, partial = folder(uploads / "cccccccc", 6), folder(uploads / f"{bounds.PARTIAL}x1", 8)
    sweeping.sweep(settings, NOW)
    assert (learned.exists(), unused.exists(), recent.exists(), partial.exists()) == (True, False, True, False)


def test_what_a_user_put_there_stays(settings: Settings, tmp_path: Path) -> None:
    uploads, elsewhere = settings.runs / bounds.UPLOADS, folder(tmp_path / "own", 100)
    mine = folder(uploads / "my photographs", 100)
    (uploads / "dddddddd").symlink_to(elsewhere)
    (uploads / "eeeeeeee").write_text("a file of that name")
    added = folder(uploads / "ffffffff", 100)
    (added / "new.png").write_bytes(b"x")
    old(added / "a.png", 100), os.utime(added, (NOW - 100 * sweeping.DAY,) * 2)
    sweeping.sweep(settings, NOW)
    assert mine.exists() and (elsewhere / "a.png").exists() and (uploads / "eeeeeeee").exists()
    assert (added / "a.png").exists(), "something in it is new"
    assert (settings.runs / "one" / "recipe.yaml").exists()


def test_uploads_of_a_linked_folder_stay(settings: Settings, tmp_path: Path) -> None:
    kept = folder(tmp_path / "own" / "bbbbbbbb", 100)
    (settings.runs / bounds.UPLOADS).rmdir()
    (settings.runs / bounds.UPLOADS).symlink_to(tmp_path / "own")
    sweeping.sweep(settings, NOW)
    assert kept.exists()


def test_the_same_upload_is_kept_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(settings.work / "files"))
    given = settings.work / "files" / "a.npz"
    given.write_bytes(b"data")
    place = settings.runs / bounds.UPLOADS / "99999999"
    first = bounds.uploaded_data([str(given)], place)
    old(place, 30)
    assert bounds.uploaded_data([str(given)], place) == first == str(place / "a.npz")
    assert [one.name for one in place.parent.iterdir()] == [place.name]
    sweeping.sweep(settings, NOW + 1)
    assert place.exists(), "it was used just now"


def test_workplaces_of_killed_studios_go_and_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = "import os\nfrom gannet.studio.sweeping import workplace\nwith workplace() as place:\n    os._exit(9)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    (killed,) = tmp_path.glob(f"{sweeping.PREFIX}*")
    strange = folder(tmp_path / f"{sweeping.PREFIX}of-somebody", 100)
    with sweeping.workplace() as running:
        assert not killed.exists()
        with sweeping.workplace() as another:
            assert running.exists() and another != running
    assert strange.exists() and not running.exists()
