"""What restoration learns from, how sensitive it is, what it undoes of fading, and whose network fills."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contracts import untrained
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import measure

from gannet.augmentation.damage import (
    DAMAGES,
    VISIBLE,
    WHOLE,
    Damaged,
    Layer,
    Manner,
    damage,
    laid,
    softened,
)
from gannet.augmentation.draws import Drawn, SeveralEach
from gannet.augmentation.pasting import paste
from gannet.media.photograph import Photograph
from gannet.media.pyramid import as_mask
from gannet.networks.unet import Unet
from gannet.tasks import restoration
from gannet.tasks.restoration.detector import (
    DETECTOR,
    IGNORED,
    SCANS,
    Detector,
    Scans,
    cross_entropy,
    framed,
    overlaid,
    overlap_lacking,
    printed,
    scanned,
)
from gannet.tasks.restoration.evaluation import Mistakes, calibrated, share_taken
from gannet.tasks.restoration.fading import unfaded
from gannet.tasks.restoration.pieces import kinds_of, overlays, prints

CPU = torch.device("cpu")
RANDOM = np.random.default_rng(0)
ONE_PIXEL = np.pad(np.full((1, 1), 9, np.uint8), 2_000)
"""Faint, and seen at full size only."""


def draws(count: int, seed: int = 0) -> Drawn:
    return Drawn(count, torch.Generator().manual_seed(seed))


def write_piece(path: Path, alpha: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.merge("LA", [Image.new("L", alpha.shape[::-1]), Image.fromarray(alpha)]).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    for number, kind in enumerate(("hairs", "stains", "stains")):
        alpha = np.zeros((20, 20), np.uint8)
        alpha[5:15, 5 + number : 15] = 200 + number
        write_piece(tmp_path / "overlays" / kind / f"{number}.png", alpha)
    return str(tmp_path / "overlays")


def test_a_piece_covers_as_much_as_its_size_tells() -> None:
    stack, pictures = torch.full((1, 10, 10), 255, dtype=torch.uint8), torch.zeros(300, 1, 40, 40)
    covers = paste(pictures, stack, draws(300), (0.25, 0.25))
    assert float(covers.min()) == 0 and float(covers.max()) == 1
    shares = covers.mean((1, 2, 3))
    assert float(shares.max()) == pytest.approx(0.25**2, rel=0.02), "one that lies within it"
    assert float(shares.min()) < 0.02, "and some lie partly beyond its edges"
    assert bool((paste(pictures, stack, draws(300), (9, 9)) > 0.999).all())


def test_a_hair_that_shrinks_stays_whole() -> None:
    stack = torch.zeros(1, 400, 400, dtype=torch.uint8)
    stack[:, :, 199:201] = 255
    cover = paste(torch.zeros(50, 1, 100, 100), stack, draws(50), (0.9, 0.9))
    for one in cover[:, 0]:
        length = max(int((one > 0.1).any(0).sum()), int((one > 0.1).any(1).sum()))
        assert length == 0 or float(one.sum()) > 0.2 * length


def test_soft_damage_shines_through_and_has_soft_edges() -> None:
    lost = torch.zeros(20, 1, 40, 40)
    lost[:, :, 10:30, 10:30] = 1
    layer = softened(Layer(lost, torch.ones(20, 1), torch.ones(20)), draws(20))
    assert bool((layer.opacity >= 2 * VISIBLE - 1e-6).all()) and float(layer.opacity.min()) < 0.4
    assert bool(((layer.cover > 0.02) & (layer.cover < 0.98)).flatten(1).any(1).all())
    torch.testing.assert_close(layer.cover.amax((1, 2, 3)), torch.ones(20))
    torch.testing.assert_close(layer.cover.mean((1, 2, 3)), torch.full((20,), 0.25), atol=0.03, rtol=0)


def test_damage_that_nobody_sees_is_none() -> None:
    picture, cover = torch.full((2, 3, 8, 8), 0.9), torch.ones(2, 1, 8, 8)
    done = laid(picture, Layer(cover, torch.tensor([[0.92], [-1.0]]), torch.ones(2)), 0.1)
    assert done.lost.flatten(1).mean(1).tolist() == [0.0, 1.0]


def test_damage_that_a_scan_does_not_show_is_none() -> None:
    patch, lost = torch.zeros(60, 3, 16, 16), torch.ones(60, 1, 16, 16)
    reddish, faint = torch.tensor([0.3, -0.15, -0.15]), torch.full((3,), 0.12)
    for colour, scans, share in (
        (reddish, Scans(seen=0.1, grey=1.0), 0.0),  # As light as what it lies on.
        (reddish, Scans(seen=0.1), 1.0),
        (faint, Scans(seen=0.1), 0.67),  # Half fade, two thirds of those too far.
        (faint, Scans(), 1.0),
    ):
        spoiled = Damaged(patch + colour[:, None, None], lost)
        pictures, seen = scanned(patch, spoiled, draws(60), scans)
        assert pictures.shape == patch.shape and float((seen == 1).float().mean()) == pytest.approx(share, abs=0.15)


def test_what_nobody_could_tell_is_neither_damaged_nor_undamaged() -> None:
    patch, lost = torch.zeros(60, 1, 16, 16), torch.zeros(60, 1, 16, 16)
    change = torch.zeros(16)
    change[4:8], change[8:], lost[..., 4:] = 0.12, 0.6, 1
    _, seen = scanned(patch, Damaged(patch + change, lost), draws(60), Scans(unseen=0.05, seen=0.2, unsharp=0.0))
    assert torch.equal(seen[:, 0, 0, 8:], torch.ones(60, 8)) and torch.equal(seen[:, 0, 0, :4], torch.zeros(60, 4))
    assert torch.equal(seen[:, 0, 0, 4:8], torch.full((60, 4), IGNORED))


def test_a_stain_and_a_hair_weigh_as_much_as_each_other_and_what_nobody_could_tell_not_at_all() -> None:
    lost, scores = torch.zeros(2, 1, 10, 10), torch.randn(2, 1, 10, 10, generator=torch.Generator().manual_seed(0))
    lost[0, 0, :5] = lost[1, 0, 0, 0] = 1
    plain = torch.nn.functional.binary_cross_entropy_with_logits(scores, lost)
    torch.testing.assert_close(cross_entropy(scores, lost), plain)
    level = cross_entropy(torch.zeros_like(scores), lost, 0.1)  # Half of a picture and one pixel count as a tenth.
    assert float(level) == pytest.approx(np.log(2) * (0.5 + 0.1 + 0.99 + 0.1) / 2)
    mote = cross_entropy(torch.zeros_like(scores), lost, 0.5)  # One pixel no more than twenty.
    assert float(mote) == pytest.approx(np.log(2) * (0.5 + 0.5 + 0.99 + 0.2) / 2)
    ignored = lost.clone()
    ignored[:, :, 9] = IGNORED
    for weight in (0.0, 0.1):
        told = cross_entropy(scores[:, :, :9], lost[:, :, :9], weight)
        torch.testing.assert_close(cross_entropy(scores, ignored, weight), told)
    other = torch.where(ignored == IGNORED, 9.0, scores)
    torch.testing.assert_close(overlap_lacking(scores, ignored), overlap_lacking(other, ignored))


def test_scanned_damage_is_as_wide_as_any_whatever_its_kind(tmp_path: Path) -> None:
    """At one size for all kinds a blot would cover a patch where a hair is lost in it."""
    for kind, half in (("blots", 80), ("hairs", 2)):
        alpha = np.zeros((400, 400), np.uint8)
        alpha[200 - half : 200 + half, 40:360] = 255
        write_piece(tmp_path / kind / "a.png", alpha)
    pieces = overlays(str(tmp_path), ("blots", "hairs"), CPU)
    torch.testing.assert_close(pieces.widths, torch.tensor([160.0, 4.0]) / 400)
    shares = []
    for kind in ("blots", "hairs"):
        config = restoration.Config(patch=128, overlays=str(tmp_path), overlay_kinds=(kind,))
        plain = Damaged(torch.zeros(100, 1, 128, 128), torch.zeros(100, 1, 128, 128))
        shares.append(float(overlaid(plain, draws(100), config, Scans()).lost.mean()))
    assert shares[0] < 0.1 and shares[1] > 0.015


def test_damage_at_the_edge_of_a_piece_is_as_wide_as_it_is(tmp_path: Path) -> None:
    alpha = np.zeros((400, 400), np.uint8)
    alpha[:, :20] = 255
    write_piece(tmp_path / "lines" / "a.png", alpha)
    torch.testing.assert_close(overlays(str(tmp_path), ("lines",), CPU).widths, torch.tensor([20.0]) / 400)


def test_damage_is_rare_before_anything_is_learned_and_all_that_leads_there_learns_something_of_its_own() -> None:
    torch.manual_seed(0)
    network = Detector(3, Unet(width=8, depth=2))
    lost = (torch.rand(8, 1, 64, 64, generator=torch.Generator().manual_seed(1)) < 0.06).float()
    scores = network(lost - torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(2)))
    assert float(scores.detach().sigmoid().max()) < 0.1
    torch.nn.functional.binary_cross_entropy_with_logits(scores, lost).backward()
    gradient = network.unet.exit.weight.grad
    assert gradient is not None and 0.1 < float((gradient > 0).float().mean()) < 0.9


@pytest.mark.parametrize("soft", [0.0, 1.0])
def test_what_is_not_lost_has_hardly_changed(soft: float) -> None:
    before = torch.rand(16, 3, 64, 64, generator=torch.Generator().manual_seed(3)) - 0.5
    for name in DAMAGES:
        done = damage(before, (name,), draws(16), WHOLE, Manner(1.0, soft))
        assert float(((done.pictures - before).abs() * (done.lost == 0)).max()) <= VISIBLE * 1.5 + 1e-6, name
        assert bool(done.lost.any()), name


def test_scans_of_the_world_are_undamaged_at_times_and_printed_on() -> None:
    config = restoration.Config(patch=32, scans="world", damages=("scratches", "stains", "dust"))
    pictures = torch.rand(300, 3, 64, 64, generator=torch.Generator().manual_seed(0)) - 0.5
    scans, lost = restoration.search(pictures, draws(300), config)
    spared = (lost.flatten(1).amax(1) < 1).float().mean()
    assert 0.45 < float(spared) < 0.85 and 0.002 < float((lost == 1).float().mean()) < 0.15
    grey = (scans.std(1).amax((1, 2)) < 1e-6).float().mean()  # Half are grey, half of those faded to a tone.
    assert 0.15 < float(grey) < 0.35
    with_print = printed(pictures, draws(300), 1.0)
    assert float((with_print != pictures).any(1).float().mean()) > 0.05, "letters that are not lost"


def test_pictures_end_in_an_even_frame_and_in_another_picture_beyond_it() -> None:
    """Each pixel of a picture is another level, so that all tell where they come from."""
    picture = torch.linspace(-1, 1, 32 * 48).view(1, 1, 32, 48).expand(200, 3, 32, 48)
    ended = framed(picture, draws(200), 1.0)
    own, other = (ended == picture).all(1), (ended == picture.flip((2, 3))).all(1)
    upright, level = ((own == own[:, :1]).flatten(1).all(1), (own == own[..., :1]).flatten(1).all(1))
    assert bool((upright | level).all()) and 0.3 < float(upright.float().mean()) < 0.8
    for one, mine, beyond in zip(ended, own, other, strict=True):
        frame = one[:, ~(mine | beyond)]
        assert bool((frame == frame[:, :1]).all()), "one colour"
    assert int(own.flatten(1).any(1).sum()) > 150 and int(other.flatten(1).any(1).sum()) > 50
    assert torch.equal(framed(picture, draws(200), 0.0), picture)


def test_frames_are_the_same_however_pictures_are_shared_among_processes() -> None:
    pictures = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))

    class Rows:
        def __init__(self, rows: slice) -> None:
            self.rows, self.all = rows, draws(8)

        def uniform(self, *shape: int) -> torch.Tensor:
            return self.all.uniform(*shape)[self.rows]

        normal = uniform

    halves: Any = [Rows(slice(0, 4)), Rows(slice(4, 8))]
    whole: Any = Rows(slice(0, 8))
    parts = [framed(pictures[half.rows], half, 0.5) for half in halves]
    assert torch.equal(torch.cat(parts), framed(pictures, whole, 0.5))


def test_most_of_what_scans_of_the_world_lost_is_clear_to_see() -> None:
    """A detector learned nothing where more than half of it had changed by less than a twentieth of the range."""
    config = restoration.Config(patch=48, scans="world")
    scans, lost = restoration.search(torch.zeros(300, 3, 96, 96), draws(300), config)
    plain = scans.flatten(2).median(2).values[:, :, None, None]
    changed = (scans - plain).abs().amax(1, keepdim=True)[lost == 1]
    assert float((changed > 0.1).float().mean()) > 0.8


def test_scanned_damage_is_laid_in_pieces(tmp_path: Path) -> None:
    cover = np.full((40, 40, 4), 255, np.uint8)
    cover[0, 0] = 0
    (tmp_path / "spots").mkdir()
    Image.fromarray(cover).save(tmp_path / "spots" / "a.webp", lossless=True)
    config = restoration.Config(patch=48, overlays=str(tmp_path), overlay_kinds=("spots",))
    plain = Damaged(torch.zeros(400, 3, 48, 48), torch.zeros(400, 1, 48, 48))
    hit = []
    for pieces in (1, 3):
        done = overlaid(plain, draws(400), config, Scans(overlaid=Manner(0.5), pieces=pieces))
        hit.append(float((done.lost.flatten(1).sum(1) > 0).float().mean()))
    assert hit[0] < 0.5 and 1 - hit[1] == pytest.approx((1 - hit[0]) ** 3, abs=0.08), "each falls on its own"


def test_print_is_of_letters_large_and_small_and_always_the_same() -> None:
    pages = prints(CPU)
    assert torch.equal(pages, prints.__wrapped__(CPU))
    ink = (pages > 127).float().mean((1, 2))
    assert float(ink.max()) < 0.5 and float(ink.mean()) > 0.03


def test_several_patches_are_cut_of_each_photograph(folder: str) -> None:
    config = restoration.Config(patch=32, views=3, overlays=folder, overlay_kinds=("hairs",))
    levels = torch.linspace(-0.5, 0.5, 4).view(4, 1, 1, 1).expand(4, 1, 40, 40)
    scans, lost = restoration.search(levels, draws(4), config)
    assert scans.shape == (12, 1, 32, 32) and lost.shape == (12, 1, 32, 32)
    whole = SeveralEach(draws(4), 3).uniform(2)
    assert torch.equal(whole, draws(4).uniform(3, 2).flatten(0, 1))


def test_a_kind_of_overlays_counts_as_any_other(folder: str) -> None:
    assert kinds_of(folder) == ("hairs", "stains")
    covers = overlays(folder, ("hairs", "stains"), CPU).covers
    assert [int(one.max()) for one in covers] == [200, 200, 201, 202]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda place: (place / "hairs" / "0.png").write_bytes(b"none"), "which is no picture"),
        (lambda place: write_piece(place / "hairs" / "0.png", np.full((4, 4), 255, np.uint8)), "not transparent"),
        (lambda place: write_piece(place / "hairs" / "0.png", ONE_PIXEL), "of which nothing is left in 400 pixels"),
        (lambda place: (place / "hairs" / "0.png").unlink(), "has nothing in"),
    ],
)
def test_overlays_that_are_none_are_named(folder: str, spoil: Any, words: str) -> None:
    spoil(Path(folder))
    with pytest.raises(ValueError, match=words):
        overlays.__wrapped__(folder, ("hairs", "stains"), CPU)


def test_where_overlays_lie_is_known_whole_while_it_learns_and_not_kept_with_the_model(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(folder).parent)
    here = restoration.Config(overlays="overlays").on_this_machine()
    assert here.overlays == str(Path(folder).resolve()) and here.overlay_kinds == ("hairs", "stains")
    assert "overlays" in restoration.Config.of_this_machine
    for asked, words in (({"overlays": "nowhere"}, "where no kinds"), ({"overlay_kinds": ("lint",)}, "has 'lint'")):
        with pytest.raises(ValueError, match=words):
            restoration.Config(**{"overlays": "overlays", **asked}).on_this_machine()


def as_sure(model: Any, scores: torch.Tensor) -> Any:
    """A model whose detector gives these logits (h, w) to any picture."""

    class Sure(torch.nn.Module):
        stride, receptive_radius = 1, 0

        def __init__(self) -> None:
            super().__init__()
            self.scores = torch.nn.Parameter(scores)

        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            return self.scores[None, None].expand(len(picture), -1, -1, -1)

    return type(model)(model.config, {**model.networks, DETECTOR: Sure()}, "sure")


@given(sensitivity=st.floats(0.001, 0.999), seed=st.integers(0, 99), depth=st.sampled_from([np.uint8, np.uint16]))
@settings(max_examples=40, deadline=None)
def test_what_is_surely_damaged_is_found_and_what_hangs_together_with_it_from_even_chances_on(
    sensitivity: float, seed: int, depth: Any
) -> None:
    """Against regions of scikit-image."""
    scores = 4 * torch.randn(30, 40, generator=torch.Generator().manual_seed(seed))
    model = as_sure(untrained("restoration"), scores).at(sensitivity)
    surely = -np.log(sensitivity / (1 - sensitivity))
    assert np.array_equal(model.damaged(Photograph(np.zeros((30, 40, 3), depth))), hung_together(scores, surely))


def test_damage_across_tiles_and_in_smaller_copies_is_found_whole_from_one_sure_pixel() -> None:
    """A line of 900 pixels, as likely as not, of which one pixel is surely damaged."""

    class Bright(torch.nn.Module):
        stride, receptive_radius = 1, 0

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))

        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            return 8 * picture[:, :1] * self.weight

    model = untrained("restoration")
    bright = type(model)(model.config, {**model.networks, DETECTOR: Bright()}, "bright").at(0.01)
    values = np.zeros((40, 900, 3), np.uint8)
    values[20] = 160
    assert not bright.damaged(Photograph(values)).any()
    values[20, 3] = 255
    found = bright.damaged(Photograph(values))
    assert found[20].all() and not found[:18].any() and not found[23:].any()


def hung_together(scores: torch.Tensor, surely: float) -> np.ndarray:
    """Regions from even chances on, or from the threshold where that is lower, in which something is above it."""
    regions = measure.label(scores.numpy() > min(surely, 0.0), connectivity=2)
    return np.isin(regions, np.setdiff1d(regions[scores.numpy() > surely], 0))


def test_a_model_is_made_as_sensitive_as_undamaged_photographs_allow() -> None:
    scores = torch.full((40, 50), -8.0)
    scores[20, 25], scores[5, 5] = 2.0, -1.0
    model, blank = as_sure(untrained("restoration"), scores), [Photograph(np.zeros((40, 50, 3), np.uint8))] * 2
    fewest = 25 / 2000  # A pixel, with its edges.
    for mean, logit in ((0.0, 2.0), (fewest, -1.0), (2 * fewest, -3.0)):
        made = calibrated(model, blank, Mistakes(mean, 1.0))
        assert share_taken(made, blank[0]) <= mean
        assert np.log(1 / made.sensitivity - 1) == pytest.approx(logit, abs=0.1)
    scores += 20
    with pytest.raises(ValueError, match="at any sensitivity"):
        calibrated(as_sure(model, scores), blank, Mistakes())


def test_the_network_of_another_model_fills_what_is_found() -> None:
    model, filling = untrained("restoration"), untrained("inpainting")
    made = model.filled_by(filling)
    scan = Photograph(RANDOM.integers(0, 256, (20, 24, 3), np.uint8))
    lost = np.zeros((20, 24), bool)
    lost[4:12, 5:15] = True
    mask = Photograph(as_mask(lost))
    assert np.array_equal(made.improve(scan, mask).values, filling.improve(scan, mask).values)
    assert made.networks[DETECTOR] is model.networks[DETECTOR]
    rebuilt = type(made).build(made.config)
    rebuilt.fill(made.tensors())
    assert np.array_equal(rebuilt.damaged(scan), model.damaged(scan)), "its shape does not follow the other's network"


def test_the_share_that_is_damaged_is_told() -> None:
    model, scan = untrained("restoration"), Photograph(RANDOM.integers(0, 256, (20, 24, 3), np.uint8))
    lost = np.zeros((20, 24), bool)
    lost[:5, :6] = True
    assert model(scan, mask=Photograph(as_mask(lost))).shares == {"damaged": 30 / 480}


def colourful(dtype: Any = np.uint8) -> Photograph:
    values = RANDOM.integers(0, 256, (40, 50, 3), np.uint8).astype(dtype)
    return Photograph(values * (257 if dtype == np.uint16 else 1))


def toned(low: int, high: int) -> Photograph:
    light = np.linspace(low, high, 2000).reshape(40, 50, 1)
    return Photograph((light * [1.0, 0.9, 0.7] + [10, 5, 0]).astype(np.uint8))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_photograph_of_all_tones_and_colours_hardly_fades_back(dtype: Any) -> None:
    whole = colourful(dtype)
    assert unfaded(whole, 0.0) is whole
    changed = np.abs(unfaded(whole, 1.0).values.astype(float) - whole.values).max() / whole.largest
    assert changed < 0.03 and unfaded(whole, 1.0).values.dtype == dtype


def test_a_yellowed_print_becomes_grey_and_has_black_and_white_again() -> None:
    made = unfaded(toned(60, 170), 1.0).values.astype(float)
    assert made.max() > 240 and made.min() < 15
    assert np.abs(made - made.mean(2, keepdims=True)).mean() < 4
    half = unfaded(toned(60, 170), 0.5).values.astype(float)
    assert np.abs(half - (made + toned(60, 170).values) / 2).max() <= 1


@given(low=st.integers(0, 200), reach=st.integers(0, 55), channels=st.sampled_from([1, 3]))
@settings(max_examples=30, deadline=None)
def test_what_was_lighter_stays_lighter_however_flat_it_was(low: int, reach: int, channels: int) -> None:
    light = np.linspace(low, low + reach, 200).astype(np.uint8).reshape(10, 20, 1).repeat(channels, 2)
    made = unfaded(Photograph(light), 1.0).values
    assert (np.diff(made.reshape(-1, channels).astype(int), axis=0) >= 0).all()


def test_colours_that_are_hidden_do_not_matter_to_fading() -> None:
    scan = toned(60, 170)
    alpha = np.where(np.arange(50) < 20, 0, 255).astype(np.uint8) * np.ones((40, 1), np.uint8)
    other = scan.values.copy()
    other[:, :20] = RANDOM.integers(0, 256, (40, 20, 3))
    ours, theirs = (unfaded(Photograph(values, alpha), 1.0).values[:, 20:] for values in (scan.values, other))
    assert np.array_equal(ours, theirs)


def test_scans_that_are_clean_are_as_they_ever_were() -> None:
    assert asdict(SCANS["clean"]) == {
        "manner": {"share": 0.5, "soft": 0.0, "least": 0.0},
        "overlaid": {"share": 1.0, "soft": 0.0, "least": 0.0},
        "pieces": 1,
        "unsharp": 0.1,
        **dict.fromkeys(("undamaged", "printed", "framed", "grey", "grain", "unseen", "seen", "lost_weight"), 0.0),
    }
