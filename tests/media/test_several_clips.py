"""Several clips of one length: side by side as a film, in rows as a sheet."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gannet.media.films import at_rate, read_film
from gannet.media.several_clips import SeveralClipsMedium
from gannet.provenance.metadata import SOURCE_TYPE, SYNTHETIC, read_facts

medium = SeveralClipsMedium(10.0)


def four() -> torch.Tensor:
    """Four flat clips (4, 1, 6, 16, 16), each of its own grey."""
    greys = torch.tensor([-1.0, -0.5, 0.5, 1.0])
    return greys.view(4, 1, 1, 1, 1).expand(4, 1, 6, 16, 16)


@pytest.mark.parametrize("ending", [".mp4", ".gif"])
def test_several_play_in_a_square_one_fills_the_film(ending: str) -> None:
    for clips, size in ((four()[:1], (16, 16)), (four(), (484, 484))):
        film = read_film(medium.encode(clips, ending, {"model": "m"}))
        assert film.size == size and film.facts[SOURCE_TYPE] == SYNTHETIC
        assert len(list(at_rate(film, 10))) == 6
    frame = next(iter(at_rate(film, 10)))
    corners = [int(frame[row, column].mean()) for row in (100, 350) for column in (100, 350)]
    assert corners == pytest.approx([0, 64, 191, 255], abs=5)


def test_a_sheet_has_a_row_a_clip_and_is_marked() -> None:
    with Image.open(io.BytesIO(medium.encode(four(), ".png", {"model": "m"}))) as sheet:
        pixels = np.asarray(sheet.convert("L"))
        assert read_facts(sheet)["model"] == "m"
    rows = [int(pixels[int((row + 0.5) * pixels.shape[0] / 4), 10]) for row in range(4)]
    assert rows == pytest.approx([0, 64, 191, 255], abs=1)


def test_other_endings_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"Futures are saved as \.mp4, \.gif, \.png, not \.avi"):
        medium.encode(four(), ".avi", {})
