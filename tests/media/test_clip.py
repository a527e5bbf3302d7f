"""Clips: brought to one rate, size and length; written as files that are played and say where they came from."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from films import film, levels, means, ramp
from PIL import Image

import gannet
from gannet.augmentation import colours, geometry
from gannet.media.clip import ClipMedium, Options, as_video, medium
from gannet.media.films import Film, at_rate, read_film
from gannet.provenance.boxes import read_packet, with_packet
from gannet.provenance.metadata import SOURCE_TYPE, SYNTHETIC, read_facts

FACTS = {"model": "a", "seed": 3, "said": 'quoted "so" & <so>'}


def drawn(count: int = 6, side: int = 16) -> torch.Tensor:
    """A clip (3, t, h, w) in [-1, 1] in which a bright square moves."""
    clip = torch.full((3, count, side, side), -0.5)
    for at in range(count):
        clip[:, at, 4:8, at : at + 4] = torch.tensor([0.9, 0.2, -0.9])[:, None, None]
    return clip


def test_the_same_frames_become_the_same_film_every_time() -> None:
    model = Path(__file__).parents[2] / "models-research" / "moving-digits-v1"
    if not model.exists():
        pytest.skip("models-research/moving-digits-v1 is beside the package's source only")
    clip = gannet.load(model)(num=1, label="5").values[0]
    assert len({medium.encode(clip, ".mp4", FACTS) for _ in range(60)}) == 1


@pytest.mark.parametrize("ending", [".mp4", ".gif"])
def test_what_is_written_is_read_again_and_says_where_it_came_from(ending: str) -> None:
    clip = drawn()
    read = medium.open(medium.encode(clip, ending, FACTS))
    assert isinstance(read, Film) and medium.marks(read) == {**FACTS, SOURCE_TYPE: SYNTHETIC}
    assert "it says that a model had a hand in it" in medium.remarks(read)
    frames = np.stack(list(at_rate(read, medium.rate)))
    assert frames.shape == (6, 16, 16, 3)
    wanted = ((clip + 1) * 127.5).permute(1, 2, 3, 0).numpy()
    assert np.abs(frames - wanted).mean() < 6  # Colours are stored at half the size.


@pytest.mark.parametrize("ending", [".mp4", ".gif"])
def test_what_says_nothing_says_nothing(ending: str) -> None:
    content = medium.encode(drawn(), ending, {})
    assert medium.marks(medium.open(content)) == {} and b"trainedAlgorithmicMedia" not in content


def test_the_mark_of_an_mp4_is_in_its_xmp_too_where_others_look_for_it() -> None:
    content = medium.encode(drawn(), ".mp4", FACTS)
    assert "trainedAlgorithmicMedia" in read_packet(io.BytesIO(content))
    plain = film(ramp(3))
    marked = with_packet(plain, {"model": "another"})
    assert read_film(marked).facts == {"model": "another", SOURCE_TYPE: SYNTHETIC}
    assert means(list(at_rate(read_film(marked), 25))) == means(list(at_rate(read_film(plain), 25)))


def test_a_gif_is_also_a_picture_with_a_mark() -> None:
    with Image.open(io.BytesIO(medium.encode(drawn(), ".gif", FACTS))) as picture:
        assert read_facts(picture)[SOURCE_TYPE] == SYNTHETIC
        assert picture.info["loop"] == 0 and picture.info["duration"] == 40


@pytest.mark.parametrize("rate", [10, 25, 29.97])
def test_a_clip_is_played_at_its_own_rate(rate: float) -> None:
    read = read_film(ClipMedium(rate).encode(drawn(), ".mp4", {}))
    assert read.rate == pytest.approx(rate, abs=0.01)


def test_sides_that_are_odd_get_one_more_pixel_in_an_mp4_and_none_in_a_gif() -> None:
    clip = drawn()[:, :, :15, :13]
    assert read_film(medium.encode(clip, ".mp4", {})).size == (14, 16)
    assert read_film(medium.encode(clip, ".gif", {})).size == (13, 15)


def test_grey_clips_and_those_that_were_read_are_written_too() -> None:
    grey = read_film(medium.encode(drawn()[:1], ".mp4", {}))
    first = next(grey.frames())[0].astype(int)
    assert np.ptp(first, axis=2).max() <= 4
    again = read_film(medium.encode(read_film(film(ramp(9), rate=30)), ".gif", {}))
    assert len(list(again.frames())) == 9


def test_another_ending_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"Clips are saved as \.mp4, \.gif, not \.png\."):
        medium.encode(drawn(), ".png", {})


def test_clips_are_brought_to_size_rate_and_channels() -> None:
    field = medium.field((8, 8), 1, 12.5, 4)
    fitted = medium.fit(read_film(film(ramp(16, (48, 32)))), field)
    assert fitted.shape == (8, 8, 8, 1) and fitted.dtype == np.uint8
    assert np.ptp(fitted, axis=(1, 2)).max() <= 3 and (np.diff(fitted.mean((1, 2, 3))) > 20).all()
    values = medium.to_array(fitted[None, :4])
    assert values.shape == (1, 1, 4, 8, 8) and values.min() >= -1 and values.max() <= 1
    np.testing.assert_allclose(values[0, 0, :, 0, 0], fitted[:4, 0, 0, 0] / 127.5 - 1, atol=1e-6)


def test_a_clip_that_is_shorter_than_a_window_is_refused_with_both_lengths() -> None:
    field = medium.field((8, 8), 3, 25, 32)
    with pytest.raises(ValueError, match=r"it has 12 frames at 25 a second, fewer than the 32 of a clip"):
        medium.fit(read_film(film(ramp(12))), field)


@pytest.mark.parametrize(
    ("rate", "length", "frames", "words"),
    [
        (25, 32, 12, "it has 12 frames at 25 a second, fewer than the 32 of a clip; data.length=12 would take it in"),
        (10, 8, 15, "it has 6 frames at 10 a second, fewer than the 8 of a clip; data.length=6 or data.rate=25 would"),
        (10, 8, 1, "it has 1 frame at 10 a second, fewer than the 8 of a clip$"),
    ],
)
def test_what_would_take_a_short_clip_in_is_said_and_does(rate: float, length: int, frames: int, words: str) -> None:
    reading = read_film(film(ramp(frames)))
    with pytest.raises(ValueError, match=words) as told:
        medium.fit(reading, medium.field((8, 8), 3, rate, length))
    for key, value in re.findall(r"data\.(\w+)=(\d+)", str(told.value)):
        asked = {"rate": rate, "length": length, key: int(value)}
        assert len(medium.fit(reading, medium.field((8, 8), 3, asked["rate"], int(asked["length"])))) >= asked["length"]


@pytest.mark.parametrize(
    ("films", "rate"),
    [(((10, 40), (24, 12), (24, 12)), 10), (((10, 6), (24, 48), (24, 12)), 24), (((10, 10), (24, 48)), 24)],
)
def test_the_rate_is_that_of_most_seconds_and_one_that_there_is(films: Any, rate: float) -> None:
    given = (read_film(film(ramp(frames), rate=own)) for own, frames in films)
    field = medium.choose(given, Options(size=8, length=4))
    assert field.rate == rate
    assert field.told == (f"Taken at {rate} frames a second (data.rate), 4 to a clip (data.length).",)


def test_arrays_are_clips_as_they_are() -> None:
    clips = np.random.default_rng(0).integers(0, 256, (3, 5, 8, 8, 3), np.uint8)
    field = medium.field((8, 8), 3, 25, 4)
    np.testing.assert_array_equal(medium.fit_many(clips, field), clips)
    np.testing.assert_array_equal(medium.fit(clips[0], field), clips[0])
    assert medium.fit_many(clips, medium.field((4, 4), 1, 25, 4)).shape == (3, 5, 4, 4, 1)
    assert medium.count(clips) == ("8x8", "frames")
    with pytest.raises(ValueError, match="is no clip; give uint8 of time x height x width"):
        as_video(clips.astype(np.float32))


@pytest.mark.parametrize(
    ("own", "chosen"), [(25, 25), (30, 30), (50, 25), (60, 30), (120, 30)], ids=lambda rate: f"{rate:g}"
)
def test_what_is_left_open_is_chosen_by_the_clips(own: int, chosen: float) -> None:
    grey = read_film(film(ramp(4, (96, 64)), rate=own))
    assert medium.choose(iter([grey]), Options()) == medium.field((64, 64), 1, chosen, 32)


def test_colour_is_seen_in_any_of_the_clips() -> None:
    red = levels(200)
    red[..., 1:] = 0
    clips = [read_film(film(ramp(2))), read_film(film(red))]
    assert medium.choose(iter(clips), Options(size=16)).given == (32, 16, 16, 3)


def test_all_frames_of_a_clip_are_moved_and_coloured_alike() -> None:
    clip = drawn()[None].repeat(2, 1, 1, 1, 1)
    places, tints = geometry.turn(torch.tensor([0.3, -1.0])), colours.contrast(torch.tensor([0.5, 2.0]))
    moved, tinted = medium.move(clip, places), medium.recolour(clip, tints)
    for at in range(clip.shape[2]):
        assert torch.allclose(moved[:, :, at], geometry.warp(clip[:, :, at], places))
        assert torch.allclose(tinted[:, :, at], colours.recolour(clip[:, :, at], tints))


def test_a_sheet_shows_a_row_of_frames_a_clip() -> None:
    clips = torch.stack([drawn(12), -drawn(12), drawn(12)])
    one, many = medium.preview(clips[:1]), medium.preview(clips)
    assert many.width > 2 * many.height and abs(one.width - one.height) < one.width
    row = many.height // 3
    first, second = (np.asarray(many.crop((0, at * row, many.width, (at + 1) * row))).mean() for at in (0, 1))
    assert second > first + 50
    ending, content = medium.film(clips, {"model": "a"})
    played = read_film(content)
    assert ending == ".gif" and played.facts["model"] == "a" and len(list(at_rate(played, medium.rate))) == 12


def test_the_doctor_tells_lengths_cuts_and_what_stands_still() -> None:
    moves, cuts, still = np.zeros((3, 10, 16, 16, 3), np.uint8)
    for at in range(10):
        moves[at, :, at : at + 4] = 200
    cuts[5:] = 255
    found = medium.examine([moves, cuts[:8], still])
    assert found.lines == (
        "Lengths: 8 to 10 frames, half of them 10 or more.",
        "1 of them hold cuts, 1 in all; clips go across them.",
        "1 of them stand still.",
    )
    assert found.pictures is not None and found.pictures.shape == (3, 3, 16, 16)
    assert not np.array_equal(found.pictures[0], found.pictures[2])
