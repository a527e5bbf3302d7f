"""Whatever a photograph is like, what a model does not change of it stays, and what cannot be seen is never shown."""

import io
from typing import Any

import numpy as np
import pytest
from contracts import untrained
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from gannet.media.photograph import Photograph, read_photograph
from gannet.media.pyramid import as_mask, extended, visible

RANDOM = np.random.default_rng(0)
ORIENTATION = 0x0112
TASKS = ("super-resolution", "colorization", "inpainting", "restoration")
SCALE = {"super-resolution": 2}
LOST = np.zeros((14, 11), bool)
LOST[3:6, 4:8] = True


def encoded(picture: Image.Image, **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG", **options)
    return content.getvalue()


def made_of(task: str, given: Any, lost: np.ndarray = LOST) -> Photograph:
    more = {"mask": Photograph(as_mask(lost))} if task in ("inpainting", "restoration") else {}
    made = untrained(task)(given, **more)
    return read_photograph(made.encode(".png"))


@pytest.mark.parametrize("task", TASKS)
@settings(max_examples=12, deadline=None)
@given(
    mode=st.sampled_from(["L", "LA", "P", "RGB", "RGBA", "I;16"]),
    density=st.none() | st.tuples(*[st.integers(30, 4_000)] * 2),
    orientation=st.sampled_from([None, *range(1, 9)]),
)
def test_a_photograph_is_turned_once_and_is_as_large_on_paper(
    task: str, mode: str, density: Any, orientation: int | None
) -> None:
    across, down = (14, 11) if orientation and orientation > 4 else (11, 14)
    values = RANDOM.integers(0, 256, (down, across, 4), np.uint8)
    deep = Image.fromarray(values[..., 0].astype(np.uint16) * 257)
    picture = deep if mode == "I;16" else Image.fromarray(values).convert(mode)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation or 1
    content = encoded(picture, exif=exif, **({"dpi": density} if density else {}))
    upright, scale = read_photograph(ImageOps.exif_transpose(picture_of(content))), SCALE.get(task, 1)
    made = made_of(task, content)
    assert made.values.shape[:2] == (14 * scale, 11 * scale)
    if density:
        wanted = density[::-1] if orientation and orientation > 4 else density
        assert made.density == pytest.approx([scale * one for one in wanted], abs=0.1)
    else:
        assert made.density is None
    assert (made.alpha is None) == (upright.alpha is None)
    if task in ("inpainting", "restoration"):
        assert np.array_equal(made.values[~LOST], upright.values[~LOST]), "hidden colours too"
        assert upright.alpha is None or np.array_equal(made.alpha, upright.alpha)  # type: ignore[arg-type]


def picture_of(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("deep", [False, True])
def test_colours_that_are_hidden_do_not_change_what_is_seen(task: str, channels: int, deep: bool) -> None:
    one = RANDOM.integers(0, 256, (14, 11, channels), np.uint8).astype(np.uint16 if deep else np.uint8)
    one[..., -1] = np.where(np.arange(11) < 5, 0, one[..., -1] | 1)
    other = one.copy()
    other[:, :5, :-1] = RANDOM.integers(0, 256, (14, 5, channels - 1))
    given = [Photograph(values[..., :-1], values[..., -1]) for values in (one, other)]
    ours, theirs = (untrained(task)(each, **lost_in(task)).value for each in given)
    assert np.array_equal(ours.alpha, theirs.alpha)
    seen = ours.alpha > 0
    assert np.array_equal(ours.values[seen], theirs.values[seen])
    if task == "super-resolution":
        assert np.array_equal(ours.values, theirs.values)


def lost_in(task: str) -> dict[str, Photograph]:
    return {"mask": Photograph(as_mask(LOST))} if task == "inpainting" else {}


def test_a_white_disc_on_black_that_nobody_sees_has_no_dark_edge_when_it_is_enlarged() -> None:
    rows, columns = np.mgrid[:24, :24]
    inside = (rows - 12) ** 2 + (columns - 12) ** 2 < 64
    disc = Photograph(np.repeat(as_mask(inside), 3, 2), as_mask(inside)[..., 0])
    made = untrained("super-resolution")(disc).value
    assert made.values[made.alpha > 0].min() > 200


@given(
    unknown=st.lists(st.booleans(), min_size=30, max_size=30),
    kind=st.sampled_from([np.uint8, np.uint16]),
)
def test_known_values_stay_and_the_others_lie_between_them(unknown: list[bool], kind: type) -> None:
    gaps = np.array(unknown).reshape(6, 5)
    values = RANDOM.integers(0, 200, (6, 5, 3)).astype(kind)
    values[gaps] = 255
    found = extended(values, gaps)
    assert found.dtype == values.dtype and np.array_equal(found[~gaps], values[~gaps])
    if not gaps.all():
        known = values[~gaps]
        assert (found >= known.min(0)).all() and (found <= known.max(0)).all()


def test_what_is_opaque_or_invisible_is_as_it_was() -> None:
    values = RANDOM.integers(0, 256, (4, 4, 3), np.uint8)
    assert visible(opaque := Photograph(values)) is opaque
    nothing = Photograph(values, np.zeros((4, 4), np.uint8))
    assert np.array_equal(visible(nothing).values, values)


def test_what_is_hidden_is_not_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = untrained("restoration")
    monkeypatch.setattr(type(model), "damaged", lambda _, scan: np.ones(scan.values.shape[:2], bool))
    alpha = np.where(np.arange(20) < 10, 0, 255).astype(np.uint8) * np.ones((8, 1), np.uint8)
    photograph = Photograph(RANDOM.integers(0, 256, (8, 20, 3), np.uint8), alpha)
    assert not model.find(photograph).values[:, :8].any(), "but for its edge"
    assert model(photograph).value is photograph, "all that is seen is damaged, so nothing is known"
