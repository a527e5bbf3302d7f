"""The one table of formats, and what comes of it."""

import io

import numpy as np
import pytest
from PIL import Image

from gannet.media.photograph import LOSSY
from gannet.media.pixels import EXTENSIONS
from gannet.provenance.formats import ALL, FILMS, PHOTOGRAPHS, PICTURES, Format, written


def test_the_lists_that_come_of_it() -> None:
    assert tuple(PICTURES) == (".png", ".jpg", ".jpeg", ".webp", ".gif")
    assert tuple(PHOTOGRAPHS) == (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
    assert set(FILMS) == {".gif", ".webp", ".png"} and LOSSY == (".jpg", ".jpeg")
    endings = "png apng jpg jpeg jfif jpe bmp dib gif webp tif tiff pgm ppm pbm pnm avif jp2 tga"
    assert {f".{ending}" for ending in endings.split()} == EXTENSIONS
    assert ALL[-1].name == "TGA"


@pytest.mark.parametrize(("ending", "form"), written(lambda _: True).items())
def test_a_format_holds_what_the_table_says(ending: str, form: Format) -> None:
    Image.init()
    assert ending in form.read and Image.registered_extensions()[ending] == form.name
    content, values = io.BytesIO(), np.random.default_rng(0).integers(0, 256, (32, 32, 4), np.uint8)
    values[..., 3] = np.where(values[..., 3] > 127, 255, 0)
    picture = Image.fromarray(values)
    if not form.transparent:
        with pytest.raises(OSError, match="RGBA"):
            picture.save(content, form.name)
        return
    picture.save(content, form.name, **({"lossless": True, "exact": True} if form.name == "WEBP" else {}))
    found = Image.open(io.BytesIO(content.getvalue()))
    assert found.format in form.decoders and found.has_transparency_data
    assert np.array_equal(np.asarray(found.convert("RGBA")), values) == form.full
