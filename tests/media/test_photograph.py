"""Photographs keep what came with them; tiles give what the whole gives."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from gannet.augmentation.degrading import reduced
from gannet.media import find_medium
from gannet.media.photograph import Photograph, read_photograph
from gannet.media.pixels import natural_pixels
from gannet.media.tiling import TiledOperation, as_tensor, as_values, in_tiles
from gannet.networks.srresnet import Enlarger, EvenEnlarger
from gannet.networks.unet import Unet
from gannet.tasks.restoration import Detector

ORIENTATION = 0x0112
RANDOM = np.random.default_rng(0)


def noise(*shape: int, kind: type = np.uint8) -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(kind).max + 1, shape).astype(kind)


def enlarger(channels: int = 3, scale: int = 2) -> Enlarger:
    torch.manual_seed(0)
    network = Enlarger(channels, scale, 8, 2).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), side=st.integers(3, 50))
@torch.no_grad()
def test_tiles_give_what_the_whole_gives(height: int, width: int, side: int) -> None:
    network = enlarger()
    photograph = Photograph(noise(height, width, 3))
    whole = as_values(network(as_tensor(photograph.values)), np.uint8)
    tiled = in_tiles(photograph, TiledOperation(network, network.receptive_radius, 2), side).values
    assert tiled.shape == (2 * height, 2 * width, 3)
    assert np.abs(whole.astype(int) - tiled).max() <= 1


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    side=st.integers(8, 40),
    fade=st.integers(1, 4),
    stride=st.sampled_from([1, 4]),
)
def test_tiles_that_agree_pass_into_each_other_unseen(
    height: int, width: int, side: int, fade: int, stride: int
) -> None:
    photograph = Photograph(noise(height, width, 3))
    operation = TiledOperation(lambda tile: tile.repeat_interleave(2, 2).repeat_interleave(2, 3), 1, 2, stride, fade)
    assert np.array_equal(in_tiles(photograph, operation, side).values, photograph.values.repeat(2, 0).repeat(2, 1))


def test_tiles_that_disagree_show_no_edge() -> None:
    drawn = iter(np.linspace(-1, 1, 9))
    photograph = Photograph(np.full((90, 96, 1), 100, np.uint8))
    operation = TiledOperation(lambda tile: torch.full_like(tile, next(drawn)), 2, fade=8)
    made = in_tiles(photograph, operation, 32).values.astype(int)
    assert made[0, 0, 0] == 0 and made[-1, -1, 0] == 255 and next(drawn, None) is None
    assert max(np.abs(np.diff(made, axis=axis)).max() for axis in (0, 1)) <= 255 * 3 / 8 / 16 + 1


@settings(max_examples=15, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), side=st.integers(4, 60), fold=st.sampled_from([1, 2]))
@torch.no_grad()
def test_tiles_of_a_network_that_halves_give_what_the_whole_gives(
    height: int, width: int, side: int, fold: int
) -> None:
    torch.manual_seed(0)
    network = Unet(4, 2, fold).unet(3, 3).eval()
    torch.nn.init.normal_(network.exit.weight)
    photograph = Photograph(noise(height, width, 3))
    whole = as_values(network(as_tensor(photograph.values)), np.uint8)
    tiled = in_tiles(photograph, TiledOperation(network, network.receptive_radius, 1, network.stride), side).values
    assert np.abs(whole.astype(int) - tiled).max() <= 1


@settings(max_examples=10, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), side=st.integers(4, 60))
@torch.no_grad()
def test_damage_is_found_by_tiles_where_the_whole_finds_it(height: int, width: int, side: int) -> None:
    torch.manual_seed(0)
    network = Detector(3, Unet(4, 1, 2)).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)  # So that nothing is zero.
    photograph = Photograph(noise(height, width, 3))

    def scores(tile: torch.Tensor) -> torch.Tensor:
        return network(tile).sigmoid().expand(-1, 3, -1, -1)

    whole = as_values(scores(as_tensor(photograph.values)), np.uint8)
    tiled = in_tiles(photograph, TiledOperation(scores, network.receptive_radius, 1, network.stride), side).values
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def how_far(network: torch.nn.Module, picture: torch.Tensor, stride: int) -> int:
    """How many pixels away a pixel of (1, c, 96, 96) still matters to one in the middle."""
    found = 0
    for place in range(48, 48 + stride):
        (gradient,) = torch.autograd.grad(network(picture)[0, 0, place, place], picture)
        rows = gradient[0].abs().sum((0, 2)).nonzero()
        found = max(found, place - int(rows.min()), int(rows.max()) - place)
    return found


def test_what_stands_out_from_around_it_matters_as_far_as_the_detector_says() -> None:
    torch.manual_seed(0)
    network = Detector(1, Unet(4, 1, 1)).eval()
    for parameter in network.parameters():
        torch.nn.init.uniform_(parameter, 0.1, 1)  # So that nothing is zero, and nothing cancels.
    near = how_far(network.unet, torch.rand(1, 2, 96, 96, requires_grad=True), network.stride)
    far = how_far(network, torch.rand(1, 1, 96, 96, requires_grad=True), network.stride)
    assert far == near + 2 and far <= network.receptive_radius == network.unet.receptive_radius + 2


@pytest.mark.parametrize("fold", [1, 2, 4])
def test_the_reach_of_a_network_that_halves_is_no_shorter_than_what_matters(fold: int) -> None:
    torch.manual_seed(0)
    network = Unet(4, 2, fold).unet(1, 1)
    torch.nn.init.ones_(network.exit.weight)
    picture = torch.randn(1, 1, 192, 192, requires_grad=True)
    for place in range(96, 96 + network.stride):
        (gradient,) = torch.autograd.grad(network(picture)[0, 0, place, place], picture)
        rows = gradient[0, 0].abs().sum(1).nonzero()
        assert (
            place - int(rows.min()) <= network.receptive_radius and int(rows.max()) - place <= network.receptive_radius
        )


@torch.no_grad()
def test_a_reach_that_is_too_short_shows() -> None:
    network = enlarger()
    photograph = Photograph(noise(40, 40, 3))
    whole = as_values(network(as_tensor(photograph.values)), np.uint8)
    tiled = in_tiles(photograph, TiledOperation(network, 1, 2), 8).values
    assert np.abs(whole.astype(int) - tiled).max() > 1


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_values_survive_the_way_to_a_tensor_and_back(kind: type) -> None:
    values = noise(5, 7, 3, kind=kind)
    assert np.array_equal(as_values(as_tensor(values), kind), values)


@pytest.mark.parametrize("kind", [Enlarger, EvenEnlarger])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_an_untrained_enlarger_is_bicubic_as_pillow_has_it(scale: int, kind: type[Enlarger]) -> None:
    # Pillow cuts off what overshoots between its two passes, so nothing may.
    small = Image.fromarray(80 + noise(12, 18, 3) // 4)
    large = small.resize((18 * scale, 12 * scale), Image.Resampling.BICUBIC)
    made = as_values(kind(3, scale, 8, 1)(as_tensor(np.asarray(small))).detach(), np.uint8)
    assert np.abs(made.astype(int) - np.asarray(large)).max() <= 1
    back = as_values(reduced(as_tensor(np.asarray(large)), scale), np.uint8)
    theirs = np.asarray(large.resize(small.size, Image.Resampling.BICUBIC))
    assert np.abs(back.astype(int) - theirs).max() <= 1


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    content = io.BytesIO()
    picture.save(content, form, **options)
    return content.getvalue()


def test_the_profile_and_the_camera_s_notes_survive_and_the_rotation_is_carried_out(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x010F] = 6, "Camera"
    read = read_photograph(encoded(Image.fromarray(noise(6, 9, 3)), "JPEG", exif=exif, icc_profile=profile))
    assert read.values.shape == (9, 6, 3)
    for ending in (".jpg", ".png", ".webp", ".tif"):
        with Image.open(read.save(tmp_path / f"a{ending}")) as again:
            again.load()
        assert again.info["icc_profile"] == profile and again.size == (6, 9)
        assert again.getexif()[0x010F] == "Camera" and ORIENTATION not in again.getexif()


@pytest.mark.parametrize("make", [lambda v: v, lambda v: v.astype(np.uint16) * 257], ids=["8", "16"])
def test_grey_stays_as_deep_as_it_is(make: Callable[[np.ndarray], np.ndarray], tmp_path: Path) -> None:
    values = make(noise(5, 4))
    Image.fromarray(values).save(tmp_path / "a.png")
    read = read_photograph(tmp_path / "a.png")
    assert np.array_equal(read.values[..., 0], values)
    with Image.open(read.save(tmp_path / "b.png")) as again:
        assert np.array_equal(np.asarray(again), values)


def test_transparency_is_kept_and_grows_along(tmp_path: Path) -> None:
    values = noise(8, 8, 4)
    Image.fromarray(values).save(tmp_path / "a.png")
    read = read_photograph(tmp_path / "a.png")
    with Image.open(read.save(tmp_path / "b.png")) as again:
        assert np.array_equal(np.asarray(again), values)
    values[..., 3] = 80 + values[..., 3] // 4
    larger = read_photograph(Image.fromarray(values)).with_values(noise(16, 16, 3))
    assert larger.alpha is not None
    theirs = Image.fromarray(values[..., 3]).resize((16, 16), Image.Resampling.BICUBIC)
    assert np.abs(larger.alpha.astype(int) - np.asarray(theirs)).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_every_mode_is_read_and_written(mode: str, tmp_path: Path) -> None:
    picture = Image.fromarray(noise(6, 5, 3)).convert("L" if mode == "I;16" else mode)
    picture = Image.fromarray(noise(6, 5, kind=np.uint16)) if mode == "I;16" else picture
    form = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    # Pillow 12 takes YCbCr that is not compressed for RGB.
    options = {"compression": "tiff_lzw"} if mode == "YCbCr" else {}
    read = read_photograph(encoded(picture, form, **options))
    for ending in (".jpg", ".png", ".webp", ".tiff"):
        with Image.open(read.save(tmp_path / f"{mode[0]}{ending}")) as again:
            assert again.size == (5, 6)


@pytest.mark.parametrize("content", [b"", b"no picture", encoded(Image.fromarray(noise(64, 64, 3)), "PNG")[:900]])
def test_what_is_broken_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match="a.png cannot be read: .*[.]$"):
        read_photograph(tmp_path / "a.png")
    with pytest.raises(ValueError, match="There is no picture at"):
        read_photograph(tmp_path / "b.png")


def test_a_format_says_what_it_cannot_hold() -> None:
    wide = Photograph(np.zeros((1, 16_384, 1), np.uint8))
    with pytest.raises(ValueError, match="WEBP takes 16,383 pixels a side, not 16,384x1"):
        wide.encode(".webp", {})
    assert read_photograph(wide.encode(".png", {})).values.shape == (1, 16_384, 1)


@pytest.mark.parametrize("error", [TypeError("fill"), AttributeError("encode"), OSError("short")])
def test_a_cameras_broken_notes_cost_only_themselves(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise error

    values = noise(5, 6, 3)
    picture = Image.fromarray(values)
    picture.getexif()[ORIENTATION] = 6
    with monkeypatch.context() as context:
        context.setattr(Image.Exif, "tobytes", broken)
        picture.getexif()[0x010F] = "a camera"
        photograph = read_photograph(picture)
    assert np.array_equal(photograph.values, np.rot90(values, -1)) and photograph.exif == b""


@pytest.mark.parametrize("orientation", range(10))
def test_photographs_are_turned_as_pillow_turns_them(orientation: int) -> None:
    picture = Image.fromarray(noise(5, 6, 3))
    picture.getexif()[ORIENTATION] = orientation
    turned = np.asarray(ImageOps.exif_transpose(picture))
    assert np.array_equal(read_photograph(picture).values, turned)
    assert picture.getexif()[ORIENTATION] == orientation, "what was given was changed"


def test_a_profile_of_greys_is_not_given_to_colours() -> None:
    grey = Photograph(noise(4, 4, 1), profile=b"greys")
    assert grey.with_values(noise(8, 8, 1)).profile == b"greys"
    assert grey.with_values(noise(4, 4, 3)).profile == b""


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_become_eight_by_their_full_range_as_they_do_to_learn_from(channels: int) -> None:
    values = np.repeat(np.arange(2**16, dtype=np.uint16).reshape(256, 256, 1), channels, 2)
    wanted = np.rint(values / 257).astype(np.uint8)
    shown = np.asarray(Photograph(values).shown()).reshape(values.shape)
    assert np.array_equal(shown, wanted)
    assert np.array_equal(natural_pixels(Image.fromarray(values[..., 0])), wanted[..., :1])
    with_alpha = np.asarray(Photograph(values, values[..., 0]).shown())
    assert np.array_equal(with_alpha[..., -1], wanted[..., 0])


def test_a_kind_that_is_not_read_is_told_of_by_its_ending_unless_it_is_a_picture_all_the_same(tmp_path: Path) -> None:
    picture = Image.fromarray(noise(5, 6, 3))
    (tmp_path / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    picture.save(tmp_path / "raw.nef", "TIFF")
    refused = [("photograph", "phone.HEIC", "HEIC"), ("image", "phone.HEIC", "HEIC")]
    for medium, name, kind in [*refused, ("photograph", "raw.nef", "raw files of cameras")]:
        with pytest.raises(ValueError, match=f"{name} cannot be read: Gannet does not read {kind}; make a PNG"):
            find_medium(medium).open(tmp_path / name)
    picture.save(tmp_path / "renamed.heic", "PNG")
    assert np.array_equal(read_photograph(tmp_path / "renamed.heic").values, np.asarray(picture))
