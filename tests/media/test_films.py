"""Films are decoded as they are shown, and nothing that a hostile one claims takes memory or time."""

import io
import math
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from films import film, levels, means, ramp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gannet.media import films
from gannet.media.clip import medium
from gannet.media.films import VideoArray, at_rate, film_format, read_film
from gannet.provenance.boxes import within
from gannet.runtime.selection import evenly_spaced

FILM = film(ramp(12))


def shown(content: bytes, rate: float = 25) -> list[int]:
    return means(list(at_rate(read_film(content), rate)))


@pytest.mark.parametrize("ending", ["mp4", "mov", "m4v", "mkv", "webm", "avi"])
def test_every_format_gives_its_frames_in_order(ending: str) -> None:
    found = shown(film(ramp(12), ending))
    assert len(found) == 12
    np.testing.assert_allclose(found, np.linspace(0, 255, 12), atol=6)


def test_an_animation_gives_its_frames_for_as_long_as_they_are_shown() -> None:
    content = io.BytesIO()
    first, *others = [Image.new("L", (8, 8), grey) for grey in (0, 100, 200)]
    first.save(content, "GIF", save_all=True, append_images=others, duration=[40, 120, 80])
    assert shown(content.getvalue()) == [0, 100, 100, 100, 200, 200]


def test_frames_at_uneven_times_come_out_even() -> None:
    content = film(levels(0, 80, 160, 240), "mkv", times=(0, 40, 200, 240))
    np.testing.assert_allclose(shown(content)[:6], [0, 80, 80, 80, 80, 160], atol=4)


@pytest.mark.parametrize(("rate", "count"), [(25, 25), (50, 50), (12.5, 12), (5, 5), (30, 30)])
def test_a_second_has_as_many_frames_as_are_asked_for(rate: float, count: int) -> None:
    found = shown(film(ramp(25)), rate)
    assert len(found) in {count, count + 1} and found == sorted(found) and found[-1] > 225


@settings(max_examples=40)
@given(st.integers(1, 40), st.floats(1, 60), st.floats(1, 60))
def test_any_rate_to_any_other_keeps_length_and_order(count: int, own: float, rate: float) -> None:
    class Clip:
        size = (1, 1)

        def frames(self) -> object:
            return ((np.full((1, 1, 3), number), 1 / own) for number in range(count))

    clip = Clip()
    clip.rate = own  # type: ignore[attr-defined]
    found = [int(one[0, 0, 0]) for one in at_rate(clip, rate)]  # type: ignore[arg-type]
    assert abs(len(found) - count / own * rate) <= 0.5 + 1e-6 or found == [count - 1]
    assert found == sorted(found)
    if rate >= own:
        assert set(found) >= set(range(count - 1))


def test_a_film_that_is_over_at_once_has_one_frame_its_last() -> None:
    assert shown(film(ramp(1)), 10) == [0]
    assert shown(film(ramp(4)), 1) == shown(film(ramp(4)), 1000)[-1:] != [0]


def test_a_film_that_was_held_sideways_is_upright() -> None:
    frames = ramp(4, (48, 32))
    frames[:, :, :24] = 255  # The left half is white.
    plain, turned = (read_film(film(frames, rotation=angle)) for angle in (0, 90))
    assert plain.size == (48, 32) and turned.size == (32, 48)
    first = next(turned.frames())[0]
    assert first[30:].mean() > 240 and first[:18].mean() < 30  # Against the clock, left comes to lie below.


def test_pixels_that_are_not_square_are_made_so() -> None:
    import av

    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        for pixels in ramp(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    assert read_film(content.getvalue()).size == (96, 32)


def test_sound_is_told_of() -> None:
    quiet, loud = (read_film(film(ramp(4), sound=sound)) for sound in (False, True))
    assert not quiet.sounds and loud.sounds
    assert list(medium.remarks(loud)) == ["its sound is not kept"] and not medium.remarks(quiet)


def test_parts_of_a_film_together_are_the_whole() -> None:
    content = film(ramp(60))
    whole, parts = read_film(content), []
    for start, end in ((0.0, 0.8), (0.8, 1.6), (1.6, math.inf)):
        part = means(list(at_rate(whole.between(start, end), 25)))
        assert len(part) == 20
        parts += part
    assert parts == means(list(at_rate(whole, 25)))
    assert whole.measured() == pytest.approx(2.4)


def test_frames_are_decoded_one_at_a_time() -> None:
    content = film(ramp(200, (320, 240)))
    reading = read_film(content)
    sum(1 for _ in reading.frames())  # What is loaded once is no part of it.
    tracemalloc.start()
    assert sum(1 for _ in at_rate(reading, 25)) == 200
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10 * 320 * 240 * 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "its file is empty"),
        (b"once upon a time there was a film", "it is no film in a format that Gannet reads"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\nfile:///etc/passwd\n", "it is no film"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "it is no film"),
        (FILM[:200], "damaged or cut short"),
        (b"GIF89a" + b"\xff" * 30, "pixels|damaged"),
        (b"\x1a\x45\xdf\xa3" + bytes(100), "damaged or cut short|no moving pictures"),
        (b"RIFF\x10\x00\x00\x00AVI LIST" + bytes(50), "damaged or cut short|no moving pictures"),
    ],
)
def test_what_is_no_film_is_refused_in_a_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=words) as caught:
        medium.open(tmp_path / "clip.mp4")
    assert str(caught.value).startswith(str(tmp_path / "clip.mp4")) and "\n" not in str(caught.value)


def test_a_film_of_sound_alone_is_refused() -> None:
    import av

    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        tone = container.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        container.mux([*tone.encode(silence), *tone.encode()])
    with pytest.raises(ValueError, match="no moving pictures"):
        read_film(content.getvalue())


def claiming(content: bytes, size: int, count: int) -> bytes:
    """The same film, whose index claims so many frames of so many bytes."""
    (box,) = within(io.BytesIO(content), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsz")
    return content[: box.start + 4] + struct.pack(">II", size, count) + content[box.start + 12 :]


@pytest.mark.parametrize(("size", "count"), [(2**31 - 1, 12), (1, 2**31), (0, 2**32 - 1)])
def test_an_index_that_promises_more_than_the_file_holds_is_not_followed(size: int, count: int) -> None:
    started = time.monotonic()
    with pytest.raises(ValueError, match="claims more frames than a file of"):
        read_film(claiming(film(ramp(12)), size, count))
    assert time.monotonic() - started < 5


def test_a_film_of_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = film(ramp(3, (96, 64)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # It is set by what follows.
    monkeypatch.setenv("GANNET_MEGAPIXELS", "0.005")
    with pytest.raises(ValueError, match="more pixels than the limit"):
        read_film(content)


def test_a_film_that_claims_to_last_for_days_is_refused() -> None:
    reading = read_film(film(levels(0, 100), "mkv", times=(0, 90_000_000)))
    with pytest.raises(ValueError, match="is to last 25 hours; films of up to 24 hours are read"):
        reading.measured()


def test_a_film_whose_end_is_missing_is_cut_short_or_refused() -> None:
    content = film(ramp(40, (96, 64)), "mkv")
    try:
        found = shown(content[: len(content) * 2 // 3])
    except ValueError as error:
        assert "damaged or cut short" in str(error)
    else:
        assert 0 < len(found) <= 40


@settings(max_examples=40)
@given(st.data())
def test_no_byte_that_is_changed_leads_to_anything_but_a_sentence(data: st.DataObject) -> None:
    content = bytearray(FILM)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        reading = read_film(bytes(content)).between(0, 4)
        assert sum(1 for _ in at_rate(reading, 25)) <= 101
    except ValueError as error:
        assert "\n" not in str(error)


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(ValueError, match=r"pip install 'gannet\[video\]'"):
        read_film(FILM)


def test_formats_are_told_by_their_first_bytes_and_not_by_names() -> None:
    assert {ending: film_format(film(ramp(3), ending)[:32]) for ending in ("mp4", "webm", "avi")} == {
        "mp4": "mov",
        "webm": "matroska",
        "avi": "avi",
    }


def test_frames_are_spread_evenly_over_a_clip() -> None:
    frames = [np.full((1, 1, 3), number, np.uint8) for number in range(100)]
    found = [int(one[0, 0, 0]) for one in evenly_spaced(iter(frames), 4)]
    assert found == sorted(found) and found[0] < 20 and found[-1] > 60 and len(found) == 4
    assert len(evenly_spaced(iter(frames[:3]), 8)) == 3


def test_a_clip_in_memory_is_what_it_is() -> None:
    held = VideoArray(ramp(5))
    assert held.size == (48, 32) and means(list(at_rate(held, 7))) == means(list(ramp(5)))
    assert films.NEEDS.startswith("films need PyAV")
