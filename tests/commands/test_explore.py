"""`gannet explore`: what it draws is what `apply` draws, says that it is synthetic, and mistakes are a sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gannet
from gannet.api import ExploreOptions
from gannet.provenance.metadata import SOURCE_TYPE, SYNTHETIC, read_facts

Command = Callable[..., Any]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_a_folder_holds_the_samples_of_its_seeds(tiny_run: Path, tmp_path: Path) -> None:
    asked = ExploreOptions(seed=3, to=[7, 2], frames=2, label="4")
    made = gannet.explore(tiny_run, tmp_path / "seeds", asked)
    assert made.kind == "walk" and made.count == 3
    files = sorted((tmp_path / "seeds").glob("*.png"))
    for file, seed in zip(files, (3, 7, 2), strict=True):
        own = gannet.load(tiny_run)(num=1, seed=seed, label="4").save(tmp_path / f"{seed}.png")
        assert (pixels(file) == pixels(own)).all()


@pytest.mark.parametrize("ending", [".gif", ".webp", ".mp4"])
def test_a_walk_moves_and_says_what_made_it(tiny_run: Path, tmp_path: Path, ending: str) -> None:
    if ending == ".mp4":
        pytest.importorskip("av")
    made = gannet.explore(tiny_run, tmp_path / f"walk{ending}", ExploreOptions(seed=1, to=2, frames=6, label="3"))
    assert made.count == 6 and made.facts["seed"] == 1 and made.facts["to"] == [2]
    if ending == ".mp4":
        assert b"trainedAlgorithmicMedia" in made.out.read_bytes()
        return
    with Image.open(made.out) as film:
        assert film.n_frames > 1
        told = read_facts(film)
    assert told[SOURCE_TYPE] == SYNTHETIC and told["model"] == "example" and told["class"] == ["3"]


def test_the_middle_of_a_row_is_the_picture_itself(tiny_run: Path, tmp_path: Path) -> None:
    asked = {"seed": 5, "label": "1"}
    sheet = gannet.explore(tiny_run, tmp_path / "sheet.png", ExploreOptions(direction=[2, 1], **asked))
    assert sheet.kind == "directions" and sheet.count == 14 and list(sheet.directions) == [2, 1]
    assert sheet.directions[1] > sheet.directions[2] > 0
    one = pixels(gannet.explore(tiny_run, tmp_path / "one.png", ExploreOptions(**asked)).out)
    found, side = pixels(sheet.out), pixels(sheet.out).shape[1] // 7
    factor = (side - 2) // 8  # Two pixels lie between pictures.
    assert found.shape[0] == 2 * side
    for row in (0, 1):
        shown = found[row * side : row * side + 8 * factor : factor, 3 * side : 3 * side + 8 * factor : factor]
        assert (shown == one).all()


def test_a_move_is_a_place_on_a_row(tiny_run: Path, tmp_path: Path) -> None:
    row = gannet.explore(tiny_run, tmp_path / "row", ExploreOptions(seed=5, direction=1, strength=3, label="1"))
    moved = gannet.explore(tiny_run, tmp_path / "moved.png", ExploreOptions(seed=5, move={1: 2}, label="1"))
    assert (pixels(sorted(row.out.glob("*.png"))[5]) == pixels(moved.out)).all()


def test_an_animation_along_a_direction_goes_there_and_back(tiny_run: Path, tmp_path: Path) -> None:
    made = gannet.explore(tiny_run, tmp_path / "way.gif", ExploreOptions(direction=1, frames=10, strength=8))
    assert made.count == 10
    with pytest.raises(ValueError, match="along one direction"):
        gannet.explore(tiny_run, tmp_path / "two.gif", ExploreOptions(direction=[1, 2]))


def test_the_command_line_makes_the_same_file(tiny_run: Path, tmp_path: Path, gannet_command: Command) -> None:
    words = ["--seed", 3, "--to", 7, "--frames", 5, "--class", 1, "--class", 2, "--truncation", 0.7, "--move", "1=-1.5"]
    ended = gannet_command("explore", tiny_run, *words, "--out", tmp_path / "a.png", "--json")
    assert ended.code == 0
    told = json.loads(ended.out)["result"]
    assert told["count"] == 5 and told["class"] == ["1", "2"] and told["move"] == ["1=-1.5"] and "1" in told["shares"]
    asked = ExploreOptions(seed=3, to=(7,), frames=5, label=("1", "2"), truncation=0.7, move=("1=-1.5",))
    gannet.explore(tiny_run, tmp_path / "b.png", asked)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_walk_goes_from_a_picture_that_was_found(tiny_run: Path, tmp_path: Path, gannet_command: Command) -> None:
    own = gannet.load(tiny_run)(num=1, seed=11, label="6").save(tmp_path / "own.png")
    words = ["--picture", own, "--steps", 60, "--seconds", 600, "--class", 6]
    ended = gannet_command("explore", tiny_run, *words, "--out", tmp_path / "found.png")
    assert ended.code == 0 and "PSNR" in ended.out and "The nearest picture that was found" in ended.out
    found = pixels(tmp_path / "found.png")
    assert np.abs(found - pixels(own)).mean() < 12, "near in pixels, of 255 levels"
    walked = gannet.explore(
        tiny_run, tmp_path / "walk", ExploreOptions(picture=own, steps=60, seconds=600, label="6", to=4, frames=3)
    )
    assert walked.projection is not None and walked.projection.psnr > 20
    first, *_, last = sorted((tmp_path / "walk").glob("*.png"))
    assert (pixels(first) == found).all()
    assert (pixels(last) == pixels(gannet.load(tiny_run)(num=1, seed=4, label="6").save(tmp_path / "4.png"))).all()


@pytest.mark.parametrize("content", [None, b"", b"no picture", "torn"])
def test_a_picture_that_cannot_be_read_is_a_sentence(
    tiny_run: Path, tmp_path: Path, content: Any, gannet_command: Command
) -> None:
    path = tmp_path / "bad.png"
    if content == "torn":
        Image.effect_noise((64, 64), 50).save(path)
        content = path.read_bytes()[:1500]
    if content is not None:
        path.write_bytes(content)
    ended = gannet_command("explore", tiny_run, "--picture", path, "--out", tmp_path / "found.png")
    assert ended.code == 2 and "bad.png" in ended.err and len(ended.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--class", "Hat"], "does not know the class 'Hat'"),
        (["--direction", 9], "Direction 9 is none of the 8"),
        (["--direction", 1, "--to", 2], "give one of the two"),
        (["--move", "1:2"], "is no move; write DIRECTION=STRENGTH"),
        (["--move", "99=2"], "Direction 99"),
        (["--class", 1, "--class", 2, "--to", 3, "--to", 4], "2 classes are given for 3 seeds"),
        (["--frames", 1], "frames"),
        (["--truncation", 0], "truncation"),
        (["--to", 2, "--out", "walk.avi"], "animations|saved as"),
        (["--to", 2, "--out", "there.gif"], "exists"),
        (["--seed", -1], "seed"),
    ],
)
def test_mistakes_are_a_sentence(
    tiny_run: Path,
    tmp_path: Path,
    words: list[Any],
    told: str,
    gannet_command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import re

    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.gif").write_bytes(b"mine")
    ended = gannet_command("explore", tiny_run, *words)
    assert ended.code == 2 and re.search(told, ended.err), ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there.gif"]


@pytest.mark.parametrize("model", ["super-resolution-fast", "hippocampus", "loss-v1"])
def test_other_models_are_refused_by_their_task(model: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a generator of pictures"):
        gannet.explore(model, tmp_path / "walk.gif", ExploreOptions(to=1))
