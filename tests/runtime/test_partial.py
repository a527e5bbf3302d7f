"""Names of files fit on disks, whatever stands around them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.runtime import partial
from gannet.runtime.files import write_bytes
from gannet.runtime.names import LONGEST_NAME, shortened
from gannet.runtime.partial import ABANDONED, PARTIAL, clear_folders, is_torn, partial_path

stems = st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1, max_size=300)


@given(stems, st.sampled_from(["", ".png", ".mask.png", "~12.jpeg"]))
def test_a_name_fits_and_keeps_its_ending(stem: str, ending: str) -> None:
    name = shortened(stem, ending)
    whole = f"{stem}{ending}".encode("utf-8", "surrogatepass")
    fits = len(whole) <= LONGEST_NAME and whole.decode("utf-8", "ignore").encode() == whole
    assert name.endswith(ending) and len(name.encode()) <= LONGEST_NAME
    assert (name == f"{stem}{ending}") == fits


def test_two_long_names_stay_two() -> None:
    assert shortened("a" * 300 + "1", ".png") != shortened("a" * 300 + "2", ".png")


@given(stems.filter(lambda stem: stem not in {".", ".."}), st.sampled_from(["", ".png"]))
def test_the_name_of_a_file_in_the_making_fits_as_well(stem: str, ending: str) -> None:
    name = partial_path(Path(shortened(stem)), ending).name
    assert len(name.encode()) <= LONGEST_NAME
    assert PARTIAL.fullmatch(name) or "\n" in stem


@pytest.mark.parametrize("name", ["a" * 255, "é" * 127, "鳥" * 85])
def test_a_file_of_the_longest_name_can_be_written(name: str, tmp_path: Path) -> None:
    write_bytes(tmp_path / name, b"whole")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"]


ANOTHER = "ffff" if partial.START != "ffff" else "0000"


def left_by(path: Path, host: str = partial.HOST, start: str = partial.START) -> Path:
    """The name under which a process of this number writes, on that machine and from that start on."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(partial, "HOST", host)
        patched.setattr(partial, "START", start)
        return partial_path(path)


def test_what_this_process_writes_is_not_torn_and_what_an_earlier_one_of_its_number_wrote_is(tmp_path: Path) -> None:
    assert not is_torn(left_by(tmp_path / "a.json")) and is_torn(left_by(tmp_path / "a.json", start=ANOTHER))
    older = [tmp_path / f".a.json.{process}.partial" for process in (os.getpid(), ended())]
    assert all(map(is_torn, older)), "as they were called before their names told more"
    assert not is_torn(tmp_path / f".a.json.{os.getppid()}.partial") and not is_torn(tmp_path / "a.partial")


def ended() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_what_another_machine_writes_stays_for_a_day(tmp_path: Path) -> None:
    here, there = left_by(tmp_path / "a.json"), left_by(tmp_path / "a.json", host="0" * 8)
    here, there = (path.with_name(path.name.replace(f".{os.getpid()}.", f".{ended()}.")) for path in (here, there))
    assert is_torn(here)
    there.touch()
    assert not is_torn(there)
    before = time.time() - ABANDONED - 60
    os.utime(there, (before, before))
    assert is_torn(there)
    there.unlink()
    assert not is_torn(there)


def test_folders_in_the_making_are_removed_when_nobody_makes_them_any_more(tmp_path: Path) -> None:
    out = tmp_path / "run"
    kept = [partial_path(out), partial_path(out), left_by(out, host="0" * 8)]
    for folder in (*kept, left_by(out, start=ANOTHER)):
        folder.mkdir()
    clear_folders(out, {"recipe.yaml"})
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_threads_that_write_one_file_each_write_it_whole(tmp_path: Path) -> None:
    contents = [bytes([number]) * 100_000 for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_bytes(tmp_path / "one", content), contents))
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert (tmp_path / "one").read_bytes() in contents
