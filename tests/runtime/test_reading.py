"""What is read whole is bounded, and only ever a file."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from gannet.media import find_medium, medium_names
from gannet.media.pixels import is_transparent
from gannet.runtime import reading
from gannet.runtime.reading import read_bounded, read_file

MEDIA = sorted(medium_names())


def test_a_file_is_read_whole_up_to_the_limit_and_not_beyond(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_FILE", 100)
    (tmp_path / "file").write_bytes(bytes(range(100)))
    assert read_file(tmp_path / "file") == bytes(range(100))
    (tmp_path / "file").write_bytes(bytes(101))
    with pytest.raises(ValueError, match="101 bytes is over the limit of 100"):
        read_file(tmp_path / "file")


def test_what_grows_while_it_is_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_FILE", 100)
    stream = io.BytesIO(bytes(1000))
    with pytest.raises(ValueError, match="over the limit"):
        read_bounded(stream)
    assert stream.tell() == 101


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes among Windows' files")
@pytest.mark.parametrize("name", MEDIA)
def test_every_medium_refuses_pipes_and_devices_in_a_sentence_that_names_them(name: str, tmp_path: Path) -> None:
    medium = find_medium(name)
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", Path("/dev/zero")):
        with pytest.raises(ValueError, match=f"{path.name} cannot be read: it is no regular file but a pipe"):
            medium.open(path)
    assert not is_transparent(tmp_path / "pipe.jpg")


@pytest.mark.parametrize("name", MEDIA)
def test_every_medium_reads_no_more_of_a_file_than_a_value_may_have(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "some.png")
    monkeypatch.setattr(reading, "LARGEST_FILE", 8)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(ValueError, match=r"some\.png cannot be read: its file of .* over the limit of 8"):
        find_medium(name).open(tmp_path / "some.png")
