"""Clips out of folders: films, animations and numbered pictures; long ones in parts, none of which is lost."""

from __future__ import annotations

import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from films import film, levels, ramp, write
from PIL import Image

import gannet
from gannet.data.cache import Dataset, build_dataset
from gannet.data.loader import Loader
from gannet.data.sources import media_of, open_source
from gannet.data.sources.clips import FEWEST_FRAMES, ClipSource
from gannet.media.clip import Options, medium
from gannet.provenance.metadata import encode_picture

MEDIA = {"real": medium}


def opened(folder: Path, **options: object) -> ClipSource:
    source = open_source(str(folder), MEDIA, Options(**{"size": 8, "rate": 25, "length": 8, **options}))  # type: ignore[arg-type]
    assert isinstance(source, ClipSource)
    return source


def cached(folder: Path, **options: object) -> Dataset:
    chosen = Options(**{"size": 8, "rate": 25, "length": 8, **options})  # type: ignore[arg-type]
    field = medium.field((8, 8), 3, float(chosen.rate), chosen.length)
    return build_dataset(opened(folder, **options), {"real": field})


def names(source: ClipSource) -> list[str]:
    return [record.name for record in source.records()]


def numbered(folder: Path, greys: list[int], stem: str = "", width: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, grey in enumerate(greys, 1):
        Image.new("L", (12, 10), grey).save(folder / f"{stem}{number:0{width}}.png")


@pytest.fixture
def actions(tmp_path: Path) -> Path:
    """Two classes of two films each, one too short, one broken, one that is no film, and a text beside them."""
    for number, ending in enumerate(("mp4", "webm")):
        write(tmp_path / "walk" / f"{number}.{ending}", film(ramp(12 + number), ending))
        write(tmp_path / "run" / f"{number}.{ending}", film(ramp(10 + number)[::-1], ending))
    write(tmp_path / "run" / "short.mov", film(ramp(5), "mov"))
    write(tmp_path / "run" / "story.mp4", b"once upon a time")
    write(tmp_path / "run" / "nothing.avi", b"")
    write(tmp_path / "notes.txt", b"notes")
    return tmp_path


def test_folders_are_classes_and_what_cannot_be_used_is_named(actions: Path) -> None:
    found = cached(actions)
    assert found.classes == ("run", "walk") and found.labels.tolist() == [0, 0, 1, 1]
    assert np.diff(found.columns["real"].offsets).tolist() == [10, 11, 12, 13]
    reasons = dict(found.skipped)
    assert reasons["run/short.mov"].startswith("it has 5 frames at 25 a second, fewer than the 8 of a clip")
    assert reasons["run/story.mp4"].startswith("it is no film in a format") and reasons["run/nothing.avi"] == (
        "its file is empty"
    )
    assert found.skipped_count == 3 and found.sizes == {"48x32": 4}


def test_a_zip_gives_the_same_clips(actions: Path, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", actions)
    one, other = cached(actions), cached(Path(packed))
    np.testing.assert_array_equal(one.first, other.first)
    assert one.labels.tolist() == other.labels.tolist() and one.skipped == other.skipped


def test_clips_are_cut_anew_where_rate_or_length_change(actions: Path) -> None:
    prints = {opened(actions, **change).fingerprint() for change in ({}, {"rate": 5}, {"length": 64}, {"size": 16})}
    assert len(prints) == 4
    assert {cached(actions, **change).fingerprint for change in ({}, {"length": 9})} != {cached(actions).fingerprint}


def test_numbered_pictures_of_a_folder_are_a_clip_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    numbered(tmp_path / "a", list(range(0, 240, 20)))  # 10 comes behind 9, not behind 1.
    numbered(tmp_path / "b", list(range(240, 0, -20)), "frame_", 4)
    Image.new("L", (12, 10)).save(tmp_path / "cover.png")
    found = cached(tmp_path)
    assert names(opened(tmp_path)) == ["a", "b"] and not found.classes
    first, second = (found.columns["real"]._row(row)[:, 0, 0, 0].tolist() for row in (0, 1))
    assert first == list(range(0, 240, 20)) and second == list(range(240, 0, -20))


def test_folders_around_series_are_classes_and_a_series_of_another_name_is_another_clip(tmp_path: Path) -> None:
    numbered(tmp_path / "walk" / "one", [10] * 8)
    numbered(tmp_path / "walk" / "two", [20] * 9)
    numbered(tmp_path / "run" / "all", [30] * 8, "first-")
    numbered(tmp_path / "run" / "all", [40] * 9, "second-")
    source = opened(tmp_path)
    assert source.classes == ("run", "walk")
    assert names(source) == ["run/all/first-", "run/all/second-", "walk/one", "walk/two"]
    assert cached(tmp_path).labels.tolist() == [0, 0, 1, 1]


def test_a_broken_frame_is_named_with_its_clip(tmp_path: Path) -> None:
    for folder in "abc":
        numbered(tmp_path / folder, [10] * 9)
    (tmp_path / "b" / "4.png").write_bytes((tmp_path / "b" / "4.png").read_bytes()[:40])
    found = cached(tmp_path)
    ((name, reason),) = found.skipped
    assert name == "b" and reason.startswith("its frame 4.png cannot be read")


def test_a_long_film_is_cut_into_parts_that_together_hold_all_of_it(tmp_path: Path) -> None:
    count = 3 * FEWEST_FRAMES - 20
    frames = levels(*(number % 256 for number in range(count)), size=(16, 16))
    write(tmp_path / "long.mkv", film(frames, "mkv"))
    write(tmp_path / "brief.mp4", film(frames[:20]))
    source = opened(tmp_path)
    assert names(source) == ["brief.mp4", "long.mkv 0 s", "long.mkv 10 s", "long.mkv 20 s"]
    assert [record.group for record in source.records()] == ["", *["long.mkv"] * 3]
    found = cached(tmp_path)
    assert found.columns["real"].offsets[-1] == count + 20
    seen = found.first[20:, 0, 0, 0].astype(int)
    assert np.abs(seen - np.arange(count) % 256).mean() < 6
    assert len(set(found.held_out[1:].tolist())) == 1, "parts of a film are on both sides of the split"


def test_a_long_animation_is_cut_too_and_what_claims_to_last_for_days_is_left_out(tmp_path: Path) -> None:
    frames = [Image.new("L", (8, 8), number % 256) for number in range(2 * FEWEST_FRAMES)]
    moves = {"save_all": True, "append_images": frames[1:], "duration": 40}
    frames[0].save(tmp_path / "long.gif", **moves)  # type: ignore[arg-type]
    write(tmp_path / "endless.mkv", film(levels(0, 100), "mkv", times=(0, 90_000_000)))
    found = cached(tmp_path)
    ((name, reason),) = found.skipped
    assert name == "endless.mkv" and reason.startswith("it is to last 25 hours")
    assert found.first[:, 0, 0, 0].tolist() == [number % 256 for number in range(2 * FEWEST_FRAMES)]


def test_one_long_film_is_learned_from_and_held_out_by_its_parts(tmp_path: Path) -> None:
    write(tmp_path / "long.mkv", film(levels(*(n % 256 for n in range(4 * FEWEST_FRAMES)), size=(16, 16)), "mkv"))
    found = cached(tmp_path)
    assert len(found) == 4 and 0 < found.held_out.sum() < 4


def test_a_film_that_is_most_of_what_there_is_leaves_its_end_alone_out(tmp_path: Path) -> None:
    levels_ = levels(*(n * 7 % 256 for n in range(20 * FEWEST_FRAMES)), size=(16, 16))
    write(tmp_path / "m-long.mkv", film(levels_, "mkv"))
    for name in "abcyz":
        write(tmp_path / f"{name}.mp4", film(levels_[ord(name) :][:20]))
    held_out = cached(tmp_path).held_out
    assert held_out[3:-2].tolist() == [False] * 18 + [True] * 2
    assert 0 < held_out[[0, 1, 2, -2, -1]].sum() < 5


def test_windows_show_all_of_a_clip(tmp_path: Path) -> None:
    numbered(tmp_path / "a", list(range(0, 200, 10)))
    numbered(tmp_path / "b", list(range(200, 0, -10)))
    found = cached(tmp_path)
    loader = Loader(found.columns, np.arange(2), seed=0)
    shown = loader.numbered(np.arange(len(loader)))["real"]
    assert shown.shape == (6, 3, 8, 8, 8)
    greys = ((shown[:3, 0, :, 0, 0] + 1) * 127.5).round().flatten().tolist()
    assert set(greys) == set(range(0, 200, 10))


def test_no_more_than_a_part_is_decoded_at_a_time(tmp_path: Path) -> None:
    write(tmp_path / "long.mkv", film(levels(*([90] * 8 * FEWEST_FRAMES), size=(64, 64)), "mkv"))
    source = opened(tmp_path)
    field = medium.field((64, 64), 3, 25, 8)
    records = list(source.records())
    medium.fit(records[0].read(), field)  # type: ignore[arg-type]
    tracemalloc.start()
    fitted = [medium.fit(record.read(), field).nbytes for record in records]  # type: ignore[arg-type]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(fitted) == 8 and most < 3 * max(fitted)


def test_a_folder_without_clips_is_refused_with_what_may_be_given(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", b"a")
    with pytest.raises(
        ValueError, match=r"holds no clips \(1 other files were ignored\); give a folder or zip of films"
    ):
        opened(tmp_path)
    write(tmp_path / "a.mp4", film(ramp(20)))
    with pytest.raises(ValueError, match="holds only one readable clip"):
        cached(tmp_path)
    with pytest.raises(ValueError, match="is a single clip, which is not a data set"):
        opened(tmp_path / "a.mp4")


def test_films_without_the_library_say_what_to_install(actions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(ValueError, match=r"pip install 'gannet\[video\]'"):
        opened(actions)


def test_the_doctor_tells_of_clips(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(4):
        write(tmp_path / f"{number}.mp4", film(random.integers(0, 256, (40, 32, 32, 3), np.uint8)))
    shutil.copy(tmp_path / "0.mp4", tmp_path / "again.mp4")
    write(tmp_path / "loud.mp4", film(ramp(40), sound=True))
    write(tmp_path / "short.mp4", film(ramp(3)))
    assert list(media_of(str(tmp_path))) == ["value"]
    report = gannet.doctor(str(tmp_path))
    words = "\n".join(report.lines())
    assert "6 clips" in words and "25 frames/s" in words and "Lengths: 40 frames each." in words
    assert "1, such as loud.mp4: its sound is not kept." in words
    assert report.unreadable[0][0] == "short.mp4" and report.exact_duplicates.count == 1
    assert "Taken at 25 frames a second (data.rate), 32 to a clip (data.length)." in report.findings
    assert "1 left out:\n- 1, such as short.mp4: it has 3 frames" in words


def test_the_doctor_recommends_what_needs_no_classes_where_there_are_none(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(4):
        content = film(random.integers(0, 256, (40, 16, 16, 3), np.uint8))
        write(tmp_path / "loose" / f"{number}.mp4", content)
        write(tmp_path / "sorted" / "ab"[number % 2] / f"{number}.mp4", content)
    loose, sorted_ = (gannet.doctor(str(tmp_path / folder)) for folder in ("loose", "sorted"))
    assert loose.advice.recipe == "video-generation" and loose.advice.reasons == (
        "Tasks that learn from clips: video-generation, video-prediction.",
        "With classes, in sub-folders, also: clip-recognition.",
    )
    assert sorted_.advice.reasons == (
        "Tasks that learn from clips: clip-recognition, video-generation, video-prediction.",
    )
    assert "2 classes (a, b) of 2 clips each." in sorted_.lines()


def test_the_doctor_of_pictures_tells_of_films_among_them(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for number in range(12):
        write(folder / f"{number}.png", encode_picture(Image.new("L", (12, 10), 20 * number), {}))
    write(folder / "a.mp4", film(ramp(12)))
    told = f"There are clips among them as well, in 2 files: gannet train video-generation {folder} learns from those."
    assert told not in gannet.doctor(str(folder)).findings
    write(folder / "b.webm", film(ramp(12), "webm"))
    report = gannet.doctor(str(folder))
    assert report.kind == "pictures" and told in report.findings


def test_what_was_decoded_by_an_earlier_version_is_decoded_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its entry lies where the key without a version led."""
    write(tmp_path / "films" / "one.mp4", film(ramp(12)))
    write(tmp_path / "films" / "two.mp4", film(ramp(12)[::-1]))
    with monkeypatch.context() as earlier:
        earlier.setattr(type(medium), "words", property(lambda self: (self.name,)))
        earlier.setattr("gannet.media.clip.at_rate", lambda _clip, _rate: [levels(0)[0]] * 9)
        assert not cached(tmp_path / "films").first.any()
    found = cached(tmp_path / "films")
    assert len(found.first) == 24 and found.first.any()
