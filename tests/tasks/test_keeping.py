"""Keeping a part of a picture while the rest is painted: nothing of it changes, and what is painted meets it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gannet.media.photograph import Photograph
from gannet.tasks.semantic_synthesis.keeping import REACH, harmonized, kept_part

SIDE = 64


def picture(colour: tuple[int, ...], kept: slice, dtype: Any = np.uint8) -> Photograph:
    """A picture of one colour of which some columns are kept."""
    values = np.broadcast_to(np.array(colour, dtype), (SIDE, SIDE, len(colour)))
    alpha = np.zeros((SIDE, SIDE), dtype)
    alpha[:, kept] = np.iinfo(dtype).max
    return Photograph(values, alpha)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("colour", [(10, 200, 90), (77,)])
def test_what_is_kept_stays_bit_for_bit_and_the_rest_is_painted(
    painter: Any, colour: tuple[int, ...], dtype: Any
) -> None:
    told = np.zeros((SIDE, SIDE), np.uint8)
    made = painter(Image.fromarray(told), keep=picture(colour, slice(0, 30), dtype)).value
    assert made.values.dtype == dtype and made.alpha is None and made.values.shape == (SIDE, SIDE, 3)
    assert (made.values[:, :30] == np.array(colour, dtype)).all()
    assert made.values[:, 30:].std() > 0


@given(apart=st.floats(-0.5, 0.5), shade=st.floats(-0.4, 0.4))
def test_a_class_is_brought_to_what_is_kept_of_it_and_others_stay(apart: float, shade: float) -> None:
    painted = torch.full((1, 3, 16, 16), shade)
    share, shares = torch.zeros(1, 1, 16, 16), torch.zeros(1, 2, 16, 16)
    share[..., :6] = 1
    shares[:, 0, :8], shares[:, 1, 8:] = 1, 1
    kept = painted + torch.tensor([apart, -apart, 0])[None, :, None, None]
    kept[:, :, 8:] = shade
    brought = harmonized(painted, kept, share, shares)
    torch.testing.assert_close(brought[:, :, :8], kept[:, :, :1, :1].expand(1, 3, 8, 16))
    torch.testing.assert_close(brought[:, :, 8:], painted[:, :, 8:])
    assert torch.equal(harmonized(painted, kept, 0 * share, shares), painted), "nothing is kept to be brought to"


def test_words_win_over_what_is_kept_but_where_the_two_meet(painter: Any) -> None:
    """Of what is painted of a class that words speak of, only a seam's width takes the colours that are kept."""
    painted, share, shares = torch.zeros(1, 3, 16, 48), torch.zeros(1, 1, 16, 48), torch.ones(1, 1, 16, 48)
    share[..., :10] = 1
    brought = harmonized(painted, torch.full_like(painted, 0.4), share, shares, [0])[0, 0, 8]
    assert torch.allclose(brought[:10], torch.tensor(0.4)) and (brought[10 + 2 * REACH :] == 0).all()
    assert (brought[9 : 11 + 2 * REACH].diff() < 0).all() and float(brought.diff().abs().max()) < 0.05
    told = Image.fromarray(np.zeros((SIDE, SIDE), np.uint8))
    away = slice(14 + 2 * REACH + 2, None)
    label, colour = painter.classes[0], (60, 60, 60)
    means = {}
    for words in (f"{label}: dark", f"{label}: bright"):
        made = painter(told, keep=picture(colour, slice(0, 14)), words=words).value.values
        assert (made[:, :14] == colour).all()
        means[words] = made[:, away].mean()
    assert means[f"{label}: bright"] > means[f"{label}: dark"] + 20


def test_no_seam_shows_where_a_class_goes_on(painter: Any) -> None:
    told = Image.fromarray(np.zeros((SIDE, SIDE), np.uint8))
    made = painter(told, keep=picture((10, 200, 90), slice(0, 30))).value.values.astype(int)
    across = np.abs(np.diff(made.mean(0), axis=0)).max(1)
    assert across[29] < 12, "levels from the last column that is kept to the first that is painted"


def test_half_transparent_pixels_are_half_kept(painter: Any) -> None:
    told, part = Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)), picture((255, 0, 0), slice(0, 30))
    assert part.alpha is not None
    part.alpha[:, 40:44] = 128
    made = painter(told, keep=part).value.values.astype(int)
    part.alpha[:, 40:44] = 0
    alone = painter(told, keep=part).value.values.astype(int)
    wanted = (alone[:, 40:44] * 127 + np.array([255, 0, 0]) * 128) / 255
    assert np.abs(made[:, 40:44] - wanted).max() < 8


def test_a_picture_of_another_size_or_without_holes_is_refused() -> None:
    part = picture((1, 2, 3), slice(0, 30))
    with pytest.raises(ValueError, match="is 64x64 and the map 32x16"):
        kept_part(part, (16, 32))
    for alpha in (None, np.zeros((SIDE, SIDE), np.uint8), np.full((SIDE, SIDE), 255, np.uint8)):
        with pytest.raises(ValueError, match="opaque everywhere, or nowhere; erase"):
            kept_part(Photograph(part.values, alpha), (SIDE, SIDE))


def test_a_picture_of_which_a_part_is_kept_says_that_it_was_put_together(
    painter: Any, tmp_path: Path, gannet_command: Any
) -> None:
    painter.save_pretrained(tmp_path / "painter")
    Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)).save(tmp_path / "map.png")
    picture((9, 9, 9), slice(0, 30)).picture().save(tmp_path / "part.png")
    command = ["apply", str(tmp_path / "painter"), str(tmp_path / "map.png"), "--out", str(tmp_path / "whole.png")]
    done = gannet_command(*command, "--input", f"keep={tmp_path / 'part.png'}")
    assert done.code == 0, done.err
    assert done.code == 0, done.err
    assert b"compositeWithTrainedAlgorithmicMedia" in (tmp_path / "whole.png").read_bytes()


def test_what_is_kept_beside_a_jpeg_map_is_saved_as_it_was(painter: Any, tmp_path: Path, gannet_command: Any) -> None:
    painter.save_pretrained(tmp_path / "painter")
    Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)).save(tmp_path / "map.jpg")
    picture((9, 80, 200), slice(0, 30)).picture().save(tmp_path / "part.png")
    asked = ["apply", tmp_path / "painter", tmp_path / "map.jpg", "--input", f"keep={tmp_path / 'part.png'}"]
    done = gannet_command(*asked, "--out", tmp_path / "made")
    assert done.code == 0, done.err
    with Image.open(next((tmp_path / "made").glob("map*"))) as made:
        assert made.format == "PNG" and (np.asarray(made)[:, :30] == (9, 80, 200)).all()
