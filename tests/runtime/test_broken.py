"""A broken file is left out whatever it raises; an assertion of our own that fails is never taken for one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import picture_dataset
from PIL import Image

from gannet.api import AugmentOptions, augment, doctor
from gannet.commands.augment import copies, images
from gannet.data import survey
from gannet.data.sources import folder, open_source
from gannet.media.image import ImageMedium
from gannet.runtime.broken import is_defect, unless_broken


def failing(module: str) -> Callable[..., Any]:
    """A function of a module of that name whose assertion fails."""
    scope: dict[str, Any] = {"__name__": module}
    exec("def fail(*_, **__):\n    assert False, 'a defect'", scope)
    found: Callable[..., Any] = scope["fail"]
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    for index in range(3):
        Image.fromarray(np.full((8, 8, 3), index, np.uint8)).save(tmp_path / "data" / f"{index}.png")
    return tmp_path / "data"


def test_whose_assertion_failed_is_told_by_where_it_stands() -> None:
    for module, ours in (("gannet.media.pixels", True), ("PIL.TiffImagePlugin", False), ("gannetry", False)):
        with pytest.raises(AssertionError) as found:
            failing(module)()
        assert is_defect(found.value) == ours
    with unless_broken():
        failing("PIL.TiffImagePlugin")()
    with unless_broken():
        raise SyntaxError("as some decoders do")
    with pytest.raises(AssertionError, match="a defect"), unless_broken():
        failing("gannet.media.pixels")()


@pytest.mark.parametrize(
    ("where", "name"),
    [(copies, "natural_pixels"), (copies, "to_file"), (images, "_read")],
)
def test_a_defect_of_ours_is_not_left_out_when_augmenting(
    where: Any, name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "cores", lambda: 1)
    monkeypatch.setattr(where, name, failing("gannet.elsewhere"))
    with pytest.raises(AssertionError, match="a defect"):
        augment(data, tmp_path / "new", AugmentOptions(times=2, kinds="noise"))


def test_a_defect_of_ours_is_not_left_out_of_the_cache_or_a_survey(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ImageMedium, "fit", failing("gannet.elsewhere"))
        with pytest.raises(AssertionError, match="a defect"):
            picture_dataset(open_source(str(data)), 4, 4, 3)
    with monkeypatch.context() as patch:
        patch.setattr(ImageMedium, "read", failing("gannet.elsewhere"))
        with pytest.raises(AssertionError, match="a defect"):
            survey.survey(open_source(str(data)))
    monkeypatch.setattr(folder.Folder, "read", failing("PIL.elsewhere"))
    with pytest.raises(ValueError, match="no readable picture"):
        doctor(data)
