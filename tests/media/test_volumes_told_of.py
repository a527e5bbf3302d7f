"""What the doctor is told of volumes, and what nobody is told."""

import warnings

import numpy as np
import pytest
from scan_files import nifti, numbered

from gannet.media.volume import Options, medium
from gannet.media.volumes import Volume, affine_of


@pytest.mark.parametrize(
    ("sides", "spacing", "roomy"), [((91, 109, 91), 2.0, 4.0), ((64, 67, 40), 2.0, None), ((8, 9, 80), 0.5, 0.7)]
)
def test_scans_that_would_be_cropped_are_told_with_the_spacing_that_keeps_them(
    sides: tuple[int, int, int], spacing: float, roomy: float | None
) -> None:
    scan = Volume(np.zeros(sides, np.float32), affine_of((spacing, spacing, spacing), sides))
    found = medium.choose(iter([scan]), Options())
    assert dict(found.advised) == ({"data.spacing": roomy} if roomy else {}) and bool(found.told) == bool(roomy)
    if roomy:
        assert f"data.spacing={roomy:g} keeps most whole" in found.told[0]
        assert not medium.choose(iter([scan]), Options(spacing=roomy)).told, "what is advised is enough"
    assert not medium.choose(iter([scan]), Options(fit="stretch")).told


def test_what_nibabel_has_to_say_of_odd_headers_reaches_nobody(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        high = medium.open(nifti(numbered().astype(np.float64) * 1e300))
        medium.open(nifti(numbered(), qform_code=77))
        with pytest.raises(ValueError, match="its header is broken"):
            medium.open(nifti(numbered()).replace(b"n+1\0", b"abc\0"))
    assert not told and not caplog.records and capfd.readouterr().err == ""
    assert isinstance(high, Volume) and "some of its voxels are no numbers, and count as 0" in high.told


def test_the_doctor_is_told_of_what_reaches_the_edge() -> None:
    held = np.zeros((2, 1, 12, 12, 12), np.uint8)
    held[0, 0, 3:9, 3:9, 3:9] = 200
    held[1, 0, 3:, 3:9, 2:10] = 200
    assert [line for line in medium.examine(held).lines if "edge" in line] == [
        "1 of them reach the edge of data.size: either they end there, or they are cut off."
    ]


def test_the_doctor_is_told_of_empty_slices_and_copies_look_alike() -> None:
    full = medium.fit(Volume(numbered((8, 8, 8)), np.eye(4)), medium.field((8, 8, 8)))
    half, none = full.copy(), np.zeros_like(full)
    half[..., 4:] = 0
    found = medium.examine(np.stack([full, half, none]))
    assert "1 of them hold nothing" in found.lines[0] and "1 of them have empty slices" in found.lines[1]
    assert found.pictures is not None and found.pictures.shape == (3, 1, 8, 24)
    assert np.array_equal(found.pictures[0], medium.examine(full[None]).pictures[0])  # type: ignore[index]
