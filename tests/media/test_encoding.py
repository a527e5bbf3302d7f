"""What a medium read it can write: a value goes through a file of every format that keeps all of it, unchanged."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gannet.media import Medium, image, label_map, photograph, points
from gannet.media.photograph import Photograph

RANDOM = np.random.default_rng(0)
COLOURS = RANDOM.integers(0, 256, (5, 7, 3), np.uint8)
NUMBERS = RANDOM.integers(0, 4, (5, 7), np.uint8)
CASES: list[tuple[Medium, object, str, np.ndarray[Any, Any]]] = [
    (image.medium, COLOURS, ".png", COLOURS),
    (image.medium, COLOURS[..., 0], ".png", COLOURS[..., 0]),
    (image.medium, Image.fromarray(COLOURS).convert("P"), ".webp", COLOURS),
    (image.medium, Image.fromarray(COLOURS), ".webp", COLOURS),
    (image.medium, torch.from_numpy(COLOURS).permute(2, 0, 1) / 127.5 - 1, ".png", COLOURS),
    (photograph.medium, Photograph(COLOURS), ".png", COLOURS),
    (photograph.medium, torch.from_numpy(COLOURS).permute(2, 0, 1) / 127.5 - 1, ".png", COLOURS),
    (label_map.medium, NUMBERS, ".png", NUMBERS),
    (label_map.medium, Image.fromarray(NUMBERS), ".png", NUMBERS),
    (label_map.medium, torch.from_numpy(NUMBERS.astype(np.int64)), ".png", NUMBERS),
    (points.medium, np.float32([0.5, -2]), ".csv", np.float32([0.5, -2])),
    (points.medium, torch.tensor([0.5, -2]), ".csv", np.float32([0.5, -2])),
]


@pytest.mark.parametrize(("medium", "value", "ending", "wanted"), CASES)
def test_what_was_read_or_made_is_written_as_it_is(
    medium: Medium, value: object, ending: str, wanted: np.ndarray[Any, Any]
) -> None:
    if isinstance(value, Image.Image) and value.mode == "P":
        wanted = np.asarray(value.convert("RGB"))
    read = medium.read(medium.encode(value, ending, {}))
    found = read.values if isinstance(read, Photograph) else np.asarray(read)
    np.testing.assert_array_equal(found, wanted)


def test_a_picture_of_any_mode_can_be_written() -> None:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16"):
        picture = Image.fromarray(COLOURS).convert("L" if mode == "I;16" else mode)
        if mode == "I;16":
            picture = Image.fromarray(NUMBERS.astype(np.uint16) * 256)
        for ending in image.medium.saved:
            content = image.medium.encode(picture, ending, {"model": "digits"})
            assert image.medium.size(image.medium.read(content)) == (7, 5)
            assert image.medium.marks(image.medium.read(content))["model"] == "digits"
