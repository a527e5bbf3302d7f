"""What a clip may begin with: a still of any kind, or the end of a film."""

import io
from pathlib import Path

import numpy as np
import pytest
from films import film, levels
from PIL import Image

from gannet.media import find_medium
from gannet.media.context import medium
from gannet.provenance.metadata import SOURCE_TYPE, SYNTHETIC, encode_picture


def picture(mode: str, size: tuple[int, int] = (12, 8)) -> bytes:
    content = io.BytesIO()
    Image.new(mode, size, {"RGBA": (255, 0, 0, 0), "P": 3}.get(mode, 200)).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 1), ("RGBA", 4), ("P", 3), ("I;16", 1)])
def test_a_still_of_any_mode_is_one_frame(mode: str, channels: int) -> None:
    given = medium.open(picture(mode))
    (frame,) = given.last(1, 25)
    assert frame.shape == (8, 12, channels) and frame.dtype == np.uint8
    assert medium.size(given) == (12, 8) and medium.describe(given) == ("12x8", "still")


def test_of_a_film_the_last_frames_count() -> None:
    greys = [*range(0, 200, 2), 240, 20]
    given = medium.open(film(levels(*greys), rate=25))
    found = [int(frame.mean()) for frame in given.last(3, 25)]
    assert found == pytest.approx([198, 240, 20], abs=4)
    half = [int(frame.mean()) for frame in given.last(3, 12.5)]
    assert half == pytest.approx([192, 196, 240], abs=4), "at half the rate every other frame is one"


def test_a_film_whose_index_is_longer_than_what_it_shows_still_ends(tmp_path: Path) -> None:
    path = tmp_path / "long.gif"
    frames = [Image.new("RGB", (16, 16), (grey, grey, grey)) for grey in (0, 100, 200)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[40, 40, 4000])
    found = [int(frame.mean()) for frame in medium.open(path).last(2, 25)]
    assert found == pytest.approx([200, 200], abs=3), "the last frame of an animation is shown for long"


def test_too_few_frames_are_told_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="is given has 1 frame, and the model goes on from 2; give a film"):
        medium.open(picture("RGB")).last(2, 25)
    with pytest.raises(ValueError, match="has 3 frames, and the model goes on from 5"):
        medium.open(film(levels(0, 100, 200))).last(5, 25)


def test_arrays_and_pillows_pictures_are_taken_as_they_are() -> None:
    clip = np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3)
    assert np.array_equal(np.stack(medium.open(clip).last(2, 25)), clip)
    assert np.array_equal(medium.open(clip[0]).last(1, 25)[0], clip[0])
    assert np.array_equal(medium.open(Image.fromarray(clip[1])).last(1, 25)[0], clip[1])
    with pytest.raises(ValueError, match="int is no picture and no film"):
        medium.open(3)


def test_marks_of_either_are_read_and_sound_is_told_of() -> None:
    marked = encode_picture(Image.new("RGB", (8, 8)), {"model": "m"})
    assert medium.marks(medium.open(marked))[SOURCE_TYPE] == SYNTHETIC
    loud = medium.open(film(levels(*[100] * 10), sound=True))
    assert list(medium.notices(loud)) == ["its sound is not kept"]


@pytest.mark.parametrize("content", [b"", b"hello, I am a text", picture("RGB")[:40], film(levels(0, 1))[:200]])
def test_what_is_neither_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"film.mp4 cannot be read: .+\.$"):
        medium.open(path)


def test_the_name_that_older_models_keep_is_found() -> None:
    assert find_medium("beginning") is find_medium("context") is medium
