"""What lies in a folder: regular files of its own; everything else is named and never opened."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from pictures import picture_dataset

from gannet.commands.augment.fakes import FakeSource, synthetic_parts
from gannet.data.records import left_out_of
from gannet.data.sources import open_source
from gannet.data.sources.contents import NOWHERE, OUTSIDE, SPECIAL, contents, is_run_folder
from gannet.data.sources.folder import Folder
from gannet.data.sources.several import Several
from gannet.data.survey import count_learned

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and pipes need rights on Windows")


def test_pipes_sockets_and_broken_links_spoil_nothing(write_pictures) -> None:
    folder = write_pictures("a.png", "sub/b.png", "sub/c.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "self.png").symlink_to("self.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as plug:
        place = Path.cwd()
        os.chdir(folder)  # The names of sockets are short.
        plug.bind("plug.png")
        os.chdir(place)
        found = contents(folder)
        dataset = picture_dataset(open_source(str(folder)), 4, 4, 3)
    assert sorted(found.files) == ["a.png", "sub/b.png", "sub/c.png"] and len(dataset) == 3
    told = {"gone.png": NOWHERE, "self.png": NOWHERE, "zero.png": OUTSIDE, "pipe.png": SPECIAL, "plug.png": SPECIAL}
    assert dict(found.left_out) == told == dict(dataset.skipped)


def test_what_is_never_read_counts_for_no_sample(write_pictures) -> None:
    folder = write_pictures("a.png", "b.png", "c.png")
    (folder / "d.heic").write_bytes(b"a photograph")
    (folder / "e.png").symlink_to("nowhere.png")
    source = open_source(str(folder))
    assert [name for name, _ in left_out_of(source)] == ["d.heic", "e.png"]
    assert source.count() == count_learned(source, 100) == len(list(source.records())) == 3
    assert left_out_of(Several((source, source), (1.0, 1.0))) == 2 * left_out_of(source)
    assert len(list(synthetic_parts(AnySource(), source, 30))) == 2, "64 and 26 fakes"


class AnySource(FakeSource):
    """Draws for data without classes; nothing is drawn here."""

    def __init__(self) -> None:
        settings = SimpleNamespace(conditional=False)
        super().__init__(SimpleNamespace(settings=settings), lambda pictures, _: pictures, 1.0, 0)


@contextmanager
def deep(folder: Path, depth: int, content: bytes) -> Iterator[None]:
    """Fold folders into each other, a picture deeper than Python calls; they are taken away, which pytest could not."""
    place = Path.cwd()
    try:
        os.chdir(folder)
        for level in range(depth):
            Path("dd").mkdir()
            os.chdir("dd")
            if level == 1_100:
                Path("deep.png").write_bytes(content)
        os.chdir(place)
        yield
    finally:
        os.chdir(folder)
        levels = 0
        while Path("dd").is_dir():
            os.chdir("dd")
            levels += 1
        for _ in range(levels):
            Path("deep.png").unlink(missing_ok=True)
            os.chdir("..")
            Path("dd").rmdir()
        os.chdir(place)


def test_folders_may_lie_deeper_than_python_calls(write_pictures) -> None:
    folder = write_pictures("a.png", "b.png")
    with deep(folder, 1_450, (folder / "a.png").read_bytes()):
        dataset = picture_dataset(open_source(str(folder)), 4, 4, 3)
    assert len(dataset) == 3
    ((name, reason),) = dataset.skipped
    assert name.startswith("dd/dd/") and reason.startswith("it cannot be listed (")


def test_a_folder_that_may_not_be_read_is_named(write_pictures, monkeypatch) -> None:
    folder = write_pictures("a.png", "locked/b.png")
    scandir = os.scandir

    def refuse(place: str):
        if Path(place).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    assert contents(folder).left_out == [("locked/", "it cannot be listed (Permission denied)")]
    with pytest.raises(ValueError, match=r"locked cannot be listed \(Permission denied\); check its rights\.$"):
        contents(folder / "locked")


def test_a_folders_own_name_goes_before_those_of_links(write_pictures) -> None:
    folder = write_pictures("z/1.png")
    (folder / "a").symlink_to(folder / "z")
    assert contents(folder).files == ["z/1.png"]


def test_the_folders_of_runs_are_no_data(write_pictures) -> None:
    folder = write_pictures("cats/1.png", "runs/one/samples/000.png", "cooking/samples/1.png")
    (folder / "runs/one/state").mkdir()
    for place in ("runs/one", "cooking"):
        (folder / place / "recipe.yaml").touch()
    assert is_run_folder(folder / "runs/one") and not is_run_folder(folder / "cooking")
    names = sorted(contents(folder).files)
    assert names == ["cats/1.png", "cooking/recipe.yaml", "cooking/samples/1.png"] and not contents(folder).left_out
    with pytest.raises(ValueError, match=r"one is the folder of a run, and the pictures in it are its own; give"):
        open_source(str(folder / "runs/one"))


def test_what_goes_away_after_it_was_listed_is_told_by_reading_it(write_pictures) -> None:
    folder = write_pictures("a.png", "b.png", "c.png")
    source = open_source(str(folder))
    before = source.fingerprint()
    (folder / "a.png").unlink()
    assert source.fingerprint() != before
    assert [name for name, _ in picture_dataset(source, 4, 4, 3).skipped] == ["a.png"]


def test_a_file_that_begins_as_no_picture_is_not_read_to_its_end(tmp_path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(1 << 29)
    read = []

    def check(head: bytes) -> None:
        read.append(len(head))
        raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"):
        Folder(tmp_path).read("huge.png", check)
    assert read == [32]


def test_a_single_pipe_is_no_data(tmp_path) -> None:
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"a\.npz is neither a file nor a folder; give a folder"):
        open_source(str(tmp_path / "a.npz"))


@pytest.mark.parametrize("name", ["a.parquet", "train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", "a.npz"])
def test_packed_data_that_lead_elsewhere_are_refused_and_not_taken_for_fewer(write_idx, tmp_path, name) -> None:
    import numpy as np

    folder = tmp_path / "idx"
    if name.endswith(".gz"):
        write_idx("train", np.zeros((2, 4, 4), np.uint8), None)
    folder.mkdir(exist_ok=True)
    (folder / name).symlink_to("/dev/zero")
    if name == "train-images-idx3-ubyte":
        write_idx("t10k", np.zeros((2, 4, 4), np.uint8), None)
    with pytest.raises(ValueError, match=rf"{name} is not read: it leads out of the data"):
        open_source(str(folder))


def test_where_nothing_can_be_read_the_first_reason_is_said(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.heic").write_bytes(b"a photograph")
    with pytest.raises(ValueError, match=r"holds no readable picture \(first a\.heic: Gannet does not read"):
        open_source(str(tmp_path / "photos"))


def test_sources_of_one_name_are_told_apart_by_where_they_lie(write_pictures) -> None:
    place = write_pictures("photographs/train/a.png", "clothing/train/b.png", "others/c.png")
    folders = [str(place / one) for one in ("photographs/train", "clothing/train", "others")]
    one, other, third = map(open_source, folders)
    assert Several((one, other), (1.0, 1.0), tuple(folders[:2])).name == "photographs/train + clothing/train"
    assert Several((one, third), (1.0, 1.0), (folders[0], folders[2])).name == "train + others"
