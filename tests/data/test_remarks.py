"""What there is to know of the files of data is said once for each kind, by the doctor and by training alike."""

import json
from pathlib import Path

import numpy as np
import pytest
from pictures import picture_dataset
from PIL import Image

import gannet
from gannet.data.cache import Dataset, cache_folder
from gannet.data.samples import Labels, load_samples
from gannet.data.sources import open_source
from gannet.media.image import ImageMedium, Options, medium
from gannet.media.medium import MADE
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE, save_film, save_picture
from gannet.schema import check
from gannet.tasks import generation

RANDOM = np.random.default_rng(0)


def picture() -> Image.Image:
    return Image.fromarray(RANDOM.integers(0, 256, (8, 8, 3), np.uint8))


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Ten plain pictures; a film that a model made; a file of two pages; a photograph that a model changed."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number in range(10):
        picture().save(folder / f"{number}.png")
    save_film([picture(), picture()], folder / "film.gif", {"model": "a"})
    picture().save(folder / "scan.tif", save_all=True, append_images=[picture()])
    save_picture(picture(), folder / "zebra.jpg", {SOURCE_TYPE: COMPOSITE, "model": "a"})
    return folder


def opened(folder: Path) -> Dataset:
    return picture_dataset(open_source(str(folder)), 8, 8, 3)


TOLD = (
    f"mixed: 2, such as film.gif: {MADE}.",
    "mixed: 1, such as film.gif: it holds several frames, of which only the first is used.",
    "mixed: 1, such as scan.tif: it holds several pages, of which only the first is used.",
)


def test_marks_and_further_frames_are_counted_when_files_are_decoded_and_when_the_cache_is_opened(mixed: Path) -> None:
    assert opened(mixed).notes() == opened(mixed).notes() == TOLD
    assert len(opened(mixed)) == 13, "what is remarked on is used all the same"


def test_doctor_and_training_say_the_same(mixed: Path) -> None:
    assert set(TOLD) <= set(gannet.doctor(mixed).lines())
    options = check(Options, {"size": 8, "channels": 3}, "data")
    recipe = generation.example()
    source = open_source(str(mixed))
    fields = {"real": medium.choose(iter(()), options)}
    assert load_samples(recipe, source, fields, Labels.UNUSED).notes == TOLD


def test_of_plain_pictures_nothing_is_said_or_stored(mixed: Path) -> None:
    for path in (*mixed.glob("*.gif"), *mixed.glob("*.tif"), *mixed.glob("*.jpg")):
        path.unlink()
    assert opened(mixed).notes() == ()
    (index,) = cache_folder().glob("data-*/index.json")
    assert "remarks" not in json.loads(index.read_text(encoding="utf-8"))


def test_a_file_whose_notes_are_broken_is_used(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("its notes are broken")

    monkeypatch.setattr(ImageMedium, "marks", broken)
    assert len(opened(mixed)) == 13 and opened(mixed).notes() == ()
