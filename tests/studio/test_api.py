"""The studio's HTTP API: every tab's verbs, called as a program calls them."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

import gannet
from gannet.api import ExploreOptions

Ask = Callable[..., Any]
Upload = Callable[..., list[dict[str, Any]]]


def fetched(file: dict[str, Any], to: Path) -> Path:
    """A result, as a browser fetches it."""
    to.write_bytes(httpx.get(file["url"], timeout=60).content)
    return to


def test_models_of_the_package_and_of_runs_are_listed(ask: Ask) -> None:
    (models,) = ask("models").data
    assert models["tiny"] == "generation" and models["inpainting-v2"] == "inpainting"


def test_a_photograph_is_what_the_library_makes_of_it_and_keeps_its_mark(
    ask: Ask, upload: Upload, photograph: Path, tmp_path: Path
) -> None:
    files, told = ask("apply", "super-resolution-fast-v1", upload(photograph), {}).data
    made = fetched(files[0], tmp_path / "made.png")
    gannet.apply("super-resolution-fast-v1", photograph, out=tmp_path / "own.png")
    with Image.open(made) as one, Image.open(tmp_path / "own.png") as other:
        assert one.size == (96, 64) and np.abs(np.subtract(one, other, dtype=np.int16)).max() <= 1
        assert b"compositeWithTrainedAlgorithmicMedia" in made.read_bytes()
    assert told["command"].startswith("gannet apply super-resolution-fast-v1 photograph.png")


def test_a_hole_is_filled_and_the_rest_stays(ask: Ask, upload: Upload, photograph: Path, tmp_path: Path) -> None:
    mask = Image.new("L", (24, 16))
    mask.paste(255, (8, 4, 14, 10))
    mask.save(tmp_path / "mask.png")
    given = upload(photograph, tmp_path / "mask.png")
    files, _ = ask("apply", "inpainting-v2", given, {"mask": "mask.png"}).data
    with Image.open(fetched(files[0], tmp_path / "filled.png")) as made, Image.open(photograph) as was:
        outside = np.asarray(mask) == 0
        assert (np.asarray(made.convert("RGB"))[outside] == np.asarray(was)[outside]).all()


def test_an_archive_becomes_one_and_what_is_broken_in_it_is_named(
    ask: Ask, upload: Upload, photograph: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "given.zip", "w") as packed:
        packed.write(photograph, "one.png")
        packed.write(photograph, "deep/two.png")
        packed.writestr("broken.png", b"no picture")
    files, told = ask("apply", "super-resolution-fast-v1", upload(tmp_path / "given.zip"), {}).data
    assert {file["orig_name"] for file in files} == {"one.png", "two.png"}
    with Image.open(fetched(files[0], tmp_path / "made.png")) as picture:
        assert picture.size == (96, 64)
    assert any("broken.png cannot be read" in line for line in told["lines"])


def test_samples_are_those_of_their_seed(ask: Ask, tmp_path: Path) -> None:
    files, _ = ask("apply", "tiny", None, {"num": 3, "seed": 5}).data
    again, _ = ask("apply", "tiny", None, {"num": 3, "seed": 5}).data
    assert len(files) == 3
    one, other = (fetched(of[2], tmp_path / name).read_bytes() for of, name in ((files, "a.png"), (again, "b.png")))
    assert one == other


def test_a_walk_is_what_the_library_makes_of_it(ask: Ask, studio: Any, tmp_path: Path) -> None:
    asked = {"seed": 3, "to": [7], "frames": 5, "class": ["2"]}
    files, told = ask("explore", "tiny", None, {**asked, "out": "walk.gif"}).data
    own = gannet.explore(studio.folder / "runs" / "tiny", tmp_path / "own.gif", ExploreOptions(**asked))
    assert fetched(files[0], tmp_path / "walk.gif").read_bytes() == own.out.read_bytes()
    assert told["command"].endswith("tiny --seed 3 --to 7 --frames 5 --class 2 --out walk.gif")


def test_a_picture_is_looked_for(ask: Ask, upload: Upload, photograph: Path, tmp_path: Path) -> None:
    files, told = ask("explore", "tiny", upload(photograph), {"steps": 5, "out": "found.png"}).data
    assert fetched(files[0], tmp_path / "found.png").read_bytes()[:4] == b"\x89PNG" and "PSNR" in told["lines"][1]
    assert "--picture photograph.png" in told["command"]


def test_a_run_is_judged_and_its_card_is_told(ask: Ask) -> None:
    (found,) = ask("judge", "tiny", "", {"num": 150}).data
    assert found["judgement"]["measures"] and found["command"].endswith("tiny --num 150")
    assert "fashion" in ask("card", "fashion-mnist-v1").data[0]["card"].lower()


def test_data_are_examined(ask: Ask) -> None:
    (found,) = ask("doctor", "digits").data
    assert found["recipe"] == "digits" and "1,797 pictures" in found["lines"][0]


def waited_for(ask: Ask, run: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What is seen of a run once it is so."""
    until = time.monotonic() + 200
    while time.monotonic() < until:
        (seen,) = ask("view", run).data
        if wanted(seen):
            return dict(seen)
        time.sleep(1)
    raise AssertionError(seen)


def test_a_run_is_trained_stopped_and_resumed(ask: Ask) -> None:
    changes = {"images": 10**8, "network.width": 4, "batch": 16, "checkpoint.every": 10**8}
    (begun,) = ask("train", "digits", "", changes, "short").data
    assert begun["run"] == "short" and "--set batch=16" in begun["command"]
    seen = waited_for(ask, "short", lambda run: run["images"] > 0)
    assert seen["training"] and seen["total"] == 10**8
    assert "being trained" in ask("resume", "short", {}).error
    assert "(given: 'abc')" in ask("resume", "short", {"images": "abc"}).error
    ask("stop", "short")
    stopped = waited_for(ask, "short", lambda run: not run["training"])
    assert 0 < stopped["images"] < 10**8 and not stopped["trouble"] and not stopped["finished"]
    assert not ask("resume", "short", {"images": stopped["images"] + 64}).error
    ended = waited_for(ask, "short", lambda run: run["finished"])
    assert ended["total"] == stopped["images"] + 64


def test_why_a_training_did_not_begin_is_told(ask: Ask) -> None:
    (begun,) = ask("train", "digits", "", {"batch": -1}, "wrong").data
    seen = waited_for(ask, begun["run"], lambda run: bool(run["trouble"]))
    assert seen["trouble"].startswith("batch: ") and not seen["training"]
