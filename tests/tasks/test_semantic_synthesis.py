"""Painting label maps: what rules a layer, what the players descend, and what drawings of any program mean."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from gannet.adversarial.penalties import squared_gradient
from gannet.media.label_map import colour_table
from gannet.media.photograph import Photograph
from gannet.networks.painting import Clade, class_adaptive, guided_sampling, places_inside
from gannet.networks.place_norm import normalized
from gannet.networks.style import StyleBank, StyleEncoder, averaged, completed
from gannet.tasks.semantic_synthesis import example
from gannet.tasks.semantic_synthesis.config import GENERATOR, build_network, config_of
from gannet.tasks.semantic_synthesis.drawing import MOST_SHADES, gimp_palette, read_drawing, read_palette, voc_palette
from gannet.tasks.semantic_synthesis.game import (
    DISCRIMINATOR,
    balanced_loss,
    bands,
    build_game,
    class_mask,
    coarsened,
    fake_loss,
    log_odds,
    mean_colours,
    mixed,
    texture_distance,
)
from gannet.tasks.semantic_synthesis.keeping import REACH, around
from gannet.tasks.semantic_synthesis.words import LONGEST, most_of, understand
from gannet.training.passes import BatchPass, Place

CLASSES = ("sky", "sea", "sand")
PALETTE = [("#87c5eb", 0), ("#2b5fa8", 1), ("#e3c98b", 2)]
COLOURS = np.array([[0x87, 0xC5, 0xEB], [0x2B, 0x5F, 0xA8], [0xE3, 0xC9, 0x8B]], np.uint8)


def halves(side: int = 16) -> torch.Tensor:
    """Shares (1, 2, side, side) of a map whose left half is of one class and whose right half of another."""
    left = torch.zeros(1, 1, side, side)
    left[..., : side // 2] = 1
    return torch.cat([left, 1 - left], 1)


def banded(height: int = 48, width: int = 64) -> np.ndarray:
    """A map of three bands."""
    return np.repeat(np.arange(3, dtype=np.uint8), height // 3)[:, None].repeat(width, 1)


# What rules a layer


def test_a_layer_is_normalized_scaled_and_shifted_by_the_numbers_of_its_class() -> None:
    # None so small that what keeps the division from zero is seen.
    features = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    numbers = torch.zeros(1, 2, 4, 8)  # Of two classes: four numbers each for scale and shift, and nothing for places.
    numbers[0, 0, 0], numbers[0, 1, 0] = torch.tensor([1.0] * 4 + [3.0] * 4), torch.tensor([-1.0] * 4 + [5.0] * 4)
    basis = torch.cat([halves(), torch.zeros(1, 6, 16, 16)], 1)
    found = class_adaptive(features, guided_sampling(numbers.flatten(2), basis))
    rooted = features / features.square().mean(1, keepdim=True).sqrt()
    assert torch.allclose(found[..., :8], 2 * rooted[..., :8] + 3, atol=1e-4)
    assert torch.allclose(found[..., 8:], torch.full_like(found[..., 8:], 5.0), atol=1e-4)


def test_normalizing_looks_at_a_place_alone() -> None:
    features = torch.randn(1, 8, 4, 4)
    changed = features.clone()
    changed[..., 2, 2] *= 7
    assert torch.allclose(normalized(features), normalized(changed), atol=1e-4)
    changed[:, 0, 1, 1] += 3
    apart = (normalized(features) - normalized(changed)).abs().sum(1) > 1e-3
    assert apart.nonzero().tolist() == [[0, 1, 1]]


def test_places_are_told_from_the_middle_of_a_region_in_its_own_spread() -> None:
    across, down = places_inside(halves())[0]
    assert across[0, :8].sum().abs() < 1e-3 and across[0, 0] < -1 and across[0, 7] > 1
    assert torch.allclose(across[:, :8], across[:, 8:], atol=1e-3), "each region has a middle of its own"
    assert torch.allclose(down[0], -down[-1], atol=1e-4)
    assert across[:, :8].square().mean() == pytest.approx(1, abs=0.02)


def test_nobodys_pixels_have_no_place() -> None:
    shares = halves()
    shares[..., 12:] = 0
    assert (places_inside(shares)[..., 12:] == 0).all() and places_inside(shares).isfinite().all()


@pytest.mark.parametrize("halved", [True, False])
def test_a_painter_paints_any_size_in_colour(halved: bool) -> None:
    painter = Clade(width=2, latent=4).painter(2, 8)
    shares = halves(32)[..., :16, :]
    noise = torch.randn(1, 1, 16, 32)
    with torch.no_grad():
        for head in painter.heads:
            torch.nn.init.normal_(head.weight)
        painted = painter(shares, torch.zeros(1, 2, 8), torch.zeros(1, 2, 8), noise, halved)
    assert painted.shape == ((1, 3, 8, 16) if halved else (1, 3, 16, 32)) and painted.abs().max() <= 1


# Styles


def test_the_style_begins_with_the_mean_colour_of_each_class_and_is_nothing_where_it_is_not() -> None:
    picture = torch.full((1, 3, 16, 16), -0.5)
    picture[:, 0, :, :8] = 0.25
    shares = torch.cat([halves(), torch.zeros(1, 1, 16, 16)], 1)
    style = StyleEncoder(8)(picture, shares)[0]
    assert torch.allclose(style[0, :3], torch.tensor([0.25, -0.5, -0.5]), atol=1e-5)
    assert torch.allclose(style[1, :3], torch.full((3,), -0.5), atol=1e-5)
    assert (style[2] == 0).all()


def test_what_a_picture_lacks_is_taken_from_the_one_most_like_it() -> None:
    styles = torch.zeros(4, 3, 2)
    styles[:, 0, 0] = torch.tensor([0.0, 0.1, 0.9, 0.0])
    styles[:, 1, 0] = torch.tensor([0.0, 0.3, 0.7, 0.0])
    there = torch.tensor([[True, False, False], [True, True, False], [True, True, False], [False, False, False]])
    found = completed(styles, there)
    assert found[0, 1, 0] == pytest.approx(0.3), "its sky is like that of the second"
    assert torch.equal(found[there], styles[there]), "what is there stays"
    assert (found[:, 2] == 0).all(), "nobody has the third class"
    assert found[3, 0].isfinite().all()


def test_a_bank_gives_back_the_newest_styles_and_averaging_never_mixes_them() -> None:
    bank = StyleBank(2, 4)
    for value in (-1.0, 0.2):
        bank.keep(torch.full((300, 2, 4), value), torch.ones(300, 2, dtype=torch.bool))
    styles, there = bank.kept()
    assert len(styles) == 512 and bool(there.all())
    assert (styles[:88] - 0.2).abs().max() < 0.005 and (styles[88:300] + 1).abs().max() < 0.005
    assert not any(tensor.is_floating_point() for tensor in bank.state_dict().values())


# What the players descend


def test_each_class_that_is_there_counts_the_same_however_few_its_pixels_are() -> None:
    shares = torch.zeros(1, 3, 4, 4)
    shares[0, 0] = 1
    shares[0, 0, 0, 0], shares[0, 1, 0, 0] = 0, 1
    logits = torch.zeros(1, 4, 4, 4)
    logits[0, 0] = 2.0
    right, wrong = (-torch.log_softmax(torch.tensor([2.0, 0, 0, 0]), 0)[one] for one in (0, 1))
    assert balanced_loss(logits, shares) == pytest.approx(float(right + wrong) / 2, abs=1e-5)


def test_texture_is_the_same_wherever_in_its_class_it_lies_and_another_is_not() -> None:
    grain = torch.randn(1, 5, 16, 8, generator=torch.Generator().manual_seed(0))
    flat = torch.zeros(1, 5, 16, 8)
    picture, moved, swapped = (torch.cat(parts, 3) for parts in ((grain, flat), (grain.flip(2), flat), (flat, grain)))
    assert texture_distance([picture], [moved], halves()) == pytest.approx(0, abs=1e-6)
    # Half of the pixels are of spread 1, so that the mean square is 1/2; each class differs by 1 and weighs a half.
    assert texture_distance([picture], [swapped], halves()) == pytest.approx(2, rel=0.2)
    alone = torch.cat([halves()[:, :1], torch.zeros(1, 1, 16, 16)], 1)
    assert texture_distance([picture], [torch.cat([grain, 9 * grain], 3)], alone) == pytest.approx(0, abs=1e-6)


def test_a_coarse_map_loses_what_is_small_and_keeps_what_is_large_and_nobodys() -> None:
    maps = torch.zeros(2, 32, 32, dtype=torch.int64)
    maps[:, :, 16:], maps[:, 5, 5] = 1, 1
    shares = torch.nn.functional.one_hot(maps, 3).permute(0, 3, 1, 2).float()
    shares[:, :, 31] = 0
    made = coarsened(shares, torch.tensor([True, False]), torch.tensor([0.5, 0.5]))
    assert torch.equal(made[1], shares[1])
    assert made[0, 0, 5, 5] == 1 and made[0, 0, :31, :15].all() and made[0, 1, :31, 17:].all()
    assert torch.equal(made.sum(1), shares.sum(1)), "each pixel has one class, but for nobody's"
    everywhere = coarsened(shares, torch.tensor([True, True]), torch.tensor([0.0, 1.0]))
    assert torch.equal(everywhere.sum(1), shares.sum(1))


def test_a_band_holds_what_varies_over_so_many_pixels() -> None:
    along = torch.arange(64.0)
    for band, period in ((0, 2), (3, 16)):
        wave = torch.sin(2 * torch.pi * along / period + 0.7).expand(1, 3, 64, 64)
        energy = torch.tensor([one.square().mean() for one in bands(wave)])
        assert int(energy.argmax()) == band
    assert all(one.abs().max() < 1e-6 for one in bands(torch.full((1, 3, 64, 64), 0.3)))


@pytest.mark.parametrize("side", [1, 8, 24, 120])
def test_bands_are_of_any_size_and_flat_ones_ask_for_nothing(side: int) -> None:
    picture = torch.randn(2, 3, side, side)
    assert all(one.isfinite().all() for one in bands(picture))
    flat, shares = torch.zeros(2, 3, side, side), torch.ones(2, 1, side, side)
    for given in (flat, 1e-6 * picture):
        given = given.requires_grad_()
        apart = texture_distance([given, *bands(given)], [flat, *bands(flat)], shares)
        apart.sum().backward()
        assert apart.isfinite().all() and given.grad is not None and given.grad.isfinite().all()


@pytest.mark.parametrize("side", [16, 48])
@pytest.mark.parametrize("weights", [{"texture": 1.0}, {"perceptual": 0.0}, {"texture": 0.0, "perceptual": 1.0}])
def test_only_losses_that_weigh_something_are_computed_at_any_size(side: int, weights: dict[str, float]) -> None:
    recipe, losses = example(), {"texture": 0.0, "perceptual": 0.0} | weights
    config = config_of(recipe.task).model_copy(update=losses)
    players = build_game(recipe, config, build_network(recipe.network, 2, 8), 2).turns
    turn = next(one for one in players if one.name == "small_generator")
    sample = {"image": torch.zeros(2, 3, side, side), "map": torch.zeros(2, side, side, dtype=torch.int64)}
    found = turn.play(BatchPass(sample, Place(0, 0, 0, turn.name), 2, slice(0, 2))).losses[GENERATOR]
    assert {name for name in ("texture", "perceptual") if name in found} == {n for n, w in losses.items() if w}
    assert all(one.isfinite() for one in found.values())


def test_pixels_of_nobody_do_not_count() -> None:
    shares = torch.zeros(2, 3, 4, 4)
    assert balanced_loss(torch.randn(2, 4, 4, 4), shares) == 0
    shares[0, 2, 1, 1] = 1
    logits = torch.randn(2, 4, 4, 4)
    assert balanced_loss(logits, shares) == pytest.approx(float(-logits[0, :, 1, 1].log_softmax(0)[2]), abs=1e-5)


def test_fakes_are_a_class_of_their_own() -> None:
    logits = torch.zeros(1, 4, 2, 2)
    assert fake_loss(logits) == pytest.approx(np.log(4), abs=1e-5)
    assert log_odds(logits) == pytest.approx(np.log(3) * 2, abs=1e-5), "four pixels, over the root of their number"
    logits[:, 3] = 50
    assert fake_loss(logits) == pytest.approx(0, abs=1e-5)


def discriminator_of_shapes() -> Any:
    """The discriminator of a game, of 12 channels at the largest size."""
    recipe = example()
    config = config_of(recipe.task).model_copy(update={"discriminator_width": 12})
    return build_game(recipe, config, build_network(recipe.network, 4, 8), 4).networks[DISCRIMINATOR]


def test_scores_of_a_discriminator_do_not_grow_with_the_weights_of_its_many_layers() -> None:
    torch.manual_seed(0)
    network, picture = discriminator_of_shapes(), torch.rand(2, 3, 32, 32) * 2 - 1
    torch.nn.init.normal_(network.exit.weight)
    with torch.no_grad():
        before = network(picture)
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d) and layer is not network.exit:
                layer.weight *= 20
        assert network(picture).abs().max() < 2 * before.abs().max()


def test_steps_ten_times_too_large_do_not_blow_a_discriminator_up() -> None:
    torch.manual_seed(0)
    network, shares = discriminator_of_shapes(), torch.zeros(2, 4, 32, 32)
    shares[:, 0], shares[:, 3, 5, 7] = 1, 1  # One class has a single pixel, which counts as much as all others.
    shares[:, 0, 5, 7] = 0
    optimizer = torch.optim.Adam(network.parameters(), 6e-3, betas=(0.0, 0.99))
    for _ in range(20):
        real, fake = torch.rand(2, 2, 3, 32, 32) * 2 - 1
        for penalized in (False, True):
            if penalized:
                loss = squared_gradient(lambda seen: log_odds(network(seen)), real)
            else:
                loss = balanced_loss(network(real), shares) + fake_loss(network(fake))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            assert float(loss.detach()) < 100


def test_label_mix_takes_whole_regions_from_the_real_or_the_fake() -> None:
    shares, real, fake = halves(), torch.ones(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)
    mask = class_mask(shares, torch.tensor([[1.0, 0.0]]))
    mixture = mixed(real, fake, mask)
    assert (mixture[..., :8] == 1).all() and (mixture[..., 8:] == 0).all()
    assert set(mask.unique().tolist()) == {0.0, 1.0}


def test_the_mean_colour_of_a_class_is_that_over_all_pictures() -> None:
    pictures = torch.stack([torch.full((3, 16, 16), value) for value in (0.0, 1.0)])
    filled = mean_colours(pictures, halves().expand(2, -1, -1, -1))
    assert torch.allclose(filled, torch.full_like(filled, 0.5))
    assert averaged(pictures, halves().expand(2, -1, -1, -1))[1, 0, 0] == 1


# Drawings


def drawn(told: np.ndarray) -> Image.Image:
    return Image.fromarray(COLOURS[told])


def test_a_drawing_in_the_palettes_colours_is_read_as_it_is() -> None:
    told, words = read_drawing(drawn(banded()), PALETTE, CLASSES)
    assert np.array_equal(told, banded()) and words == ()


def test_numbers_in_grey_and_saved_label_maps_are_read_as_they_are() -> None:
    saved = Image.fromarray(banded())
    assert np.array_equal(read_drawing(saved, PALETTE, CLASSES)[0], banded())
    saved.putpalette(colour_table().ravel().tolist())
    assert np.array_equal(read_drawing(saved, PALETTE, CLASSES)[0], banded())
    assert [one for one, _ in zip(voc_palette(2), "ab", strict=True)] == ["#000000", "#800000"]


def test_numbers_of_nobody_are_known_and_others_are_refused() -> None:
    told = banded()
    told[0] = 11
    for mode in ("L", "P"):
        saved = Image.fromarray(told)
        if mode == "P":
            saved.putpalette(colour_table().ravel().tolist())
        assert np.array_equal(read_drawing(saved, PALETTE, CLASSES, (11, 255))[0], told)
    with pytest.raises(ValueError, match=r"number 11, and the model knows 3 classes, from 0 \(sky\) to 2 \(sand\)"):
        read_drawing(Image.fromarray(told), PALETTE, CLASSES)


def test_smooth_edges_become_the_nearest_colour_and_it_says_so() -> None:
    smooth = drawn(banded(96, 128)).filter(ImageFilter.GaussianBlur(0.7))
    told, words = read_drawing(smooth, PALETTE, CLASSES)
    assert (told == banded(96, 128)).mean() > 0.97
    assert "nearest" in words[0] and "%" in words[0]


def test_a_jpeg_of_a_drawing_is_read(tmp_path: Path) -> None:
    drawn(banded(96, 128)).save(tmp_path / "map.jpg", quality=75)
    with Image.open(tmp_path / "map.jpg") as picture:
        told, _ = read_drawing(picture, PALETTE, CLASSES)
    assert (told == banded(96, 128)).mean() > 0.97


def test_a_colour_that_nobody_knows_is_named_with_the_nearest() -> None:
    picture = np.array(drawn(banded()))
    picture[:10, :10] = (0x40, 0xA0, 0x40)
    with pytest.raises(ValueError, match=r"#40a040 on 3% \(the nearest is #2b5fa8, sea\)"):
        read_drawing(Image.fromarray(picture), PALETTE, CLASSES)


def test_a_photograph_is_no_drawing() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    with pytest.raises(ValueError, match="as in a photograph"):
        read_drawing(Image.fromarray(noise), PALETTE, CLASSES)


GREYS = [("#ffffff", 0), ("#808080", 1), ("#404044", 2)]


def pencil(grain: float) -> Image.Image:
    """Lines of several shades on paper, which has a grain."""
    picture, random = Image.new("L", (800, 800), 255), np.random.default_rng(0)
    for line in random.integers(0, 800, (14, 5, 2)).tolist():
        ImageDraw.Draw(picture).line([tuple(place) for place in line], int(random.integers(30, 160)), 10, "curve")
    values = np.asarray(picture.resize((200, 200), Image.Resampling.BOX), np.float64)
    return Image.fromarray((values + grain * random.standard_normal(values.shape)).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("grain", [0, 3, 8])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("palette", [PALETTE, GREYS])
def test_a_drawing_in_pencil_is_no_map(grain: float, mode: str, palette: list[tuple[str, int]]) -> None:
    with pytest.raises(ValueError, match=r"shades of grey, as .*; in a map, .* from 0 \(sky\) to 2 \(sand\)\.$"):
        read_drawing(pencil(grain).convert(mode), palette, CLASSES)


def test_a_map_in_greys_is_read_also_where_it_was_smoothed_and_saved_as_a_jpeg(tmp_path: Path) -> None:
    levels = np.array([one for one, _ in GREYS])
    colours = np.array([[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in levels], np.uint8)
    smooth = Image.fromarray(colours[banded(96, 128)]).filter(ImageFilter.GaussianBlur(0.7))
    smooth.save(tmp_path / "map.jpg", quality=75)
    with Image.open(tmp_path / "map.jpg") as picture:
        assert len(np.unique(np.asarray(picture))) > MOST_SHADES
        told, _ = read_drawing(picture, GREYS, CLASSES)
    assert (told == banded(96, 128)).mean() > 0.97


def test_a_palette_is_read_as_painting_programs_save_it(tmp_path: Path) -> None:
    path = tmp_path / "own.gpl"
    path.write_text(gimp_palette("mine", [one for one, _ in PALETTE], CLASSES))
    assert read_palette(path, CLASSES) == PALETTE
    path.write_text("#ffffff sky\n#eeeeee sky\n")
    assert read_palette(path, CLASSES) == [("#ffffff", 0), ("#eeeeee", 0)]


@pytest.mark.parametrize(
    ("words", "problem"), [("#ffffff skies", "did you mean 'sky'"), ("nothing", "no line such as")]
)
def test_a_palette_that_means_nothing_is_refused(words: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text(words)
    with pytest.raises(ValueError, match=problem):
        read_palette(tmp_path / "own.txt", CLASSES)
    with pytest.raises(ValueError, match="cannot be read"):
        read_palette(tmp_path / "other.txt", CLASSES)


# Words

SCENE = ("sky", "tree", "grass", "water", "lamp")


@pytest.mark.parametrize(
    ("sentence", "tags", "unknown"),
    [
        ("a bright sky over dark water", {("sky", "bright"), ("water", "dark")}, ()),
        ("The sky is warm and bright, with green trees", {("sky", "warm"), ("sky", "bright"), ("tree", "green")}, ()),
        ("warm and dark water", {("water", "warm"), ("water", "dark")}, ()),
        ("sky: bright, autumn", {("sky", "bright"), ("tree", "warm"), ("grass", "warm")}, ()),
        ("dark", {("", "dark")}, ()),
        ("a bright lamp by the purple lake", {("lamp", "bright")}, ("purple",)),
        ("آسمان روشن بالای آب تیره", {("sky", "bright"), ("water", "dark")}, ()),
        ("درخت‌ها سبز هستند و آسمان آبي", {("tree", "green"), ("sky", "cold")}, ()),
        ("پاییز", {("tree", "warm"), ("grass", "warm")}, ()),
        ("", set(), ()),
    ],
)
def test_sentences_in_english_and_persian_are_read_for_tags_of_labels(
    sentence: str, tags: set[tuple[str, str]], unknown: tuple[str, ...]
) -> None:
    found = understand(sentence, SCENE)
    assert ({(tag.label, tag.name) for tag in found.tags}, found.unknown) == (tags, unknown)


def test_it_is_said_which_words_were_understood() -> None:
    told = understand("a purple, bright sky", SCENE).told()
    assert told == "of the words was understood: sky: bright; not understood: purple"
    assert "nothing; not understood: hello" in understand("hello", SCENE).told()


def test_more_words_than_a_sentence_are_refused() -> None:
    sentence = "bright " * (LONGEST // 7)
    assert understand(sentence, SCENE).tags and not understand("", SCENE).tags
    with pytest.raises(
        ValueError, match=r"^The words are 1,001 characters, and at most 1,000 are read; say it shorter.$"
    ):
        understand("b" * (LONGEST + 1), SCENE)


@pytest.mark.parametrize(
    ("words", "problem"),
    [("skye: bright", "did you mean 'sky'"), ("sky: brigth", "no tag that sky can have; did you mean 'bright'")],
)
def test_tags_that_are_spelled_wrong_are_refused(words: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        understand(words, SCENE)


def test_a_tag_asks_for_the_mean_colours_that_have_most_of_what_it_means() -> None:
    colours = torch.rand(40, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    colours[7], colours[9], colours[11], colours[13] = torch.tensor([[1.0] * 3, [-1.0] * 3, [1, 0, -1], [-1, 0, 1]])
    for tag, number in (("bright", 7), ("dark", 9), ("warm", 11), ("cold", 13)):
        found = most_of(colours, [tag])
        assert found[0] == number and len(found) == 4
    assert most_of(colours, ["colourful", "warm"])[0] == 11


# The pipeline


def shapes_map(side: int = 64) -> np.ndarray:
    told = np.zeros((side, side), np.uint8)
    told[side // 4 : side // 2, side // 4 : side // 2] = 1
    told[side // 2 :, side // 2 :] = 2
    return told


def painted(painter: Any, told: np.ndarray, **options: Any) -> np.ndarray:
    value = painter(Image.fromarray(told), **options).value
    assert isinstance(value, Photograph)
    return value.values.astype(np.int64)


def test_a_seed_paints_the_same_picture_and_another_one_another(painter: Any) -> None:
    told = shapes_map()
    assert np.array_equal(painted(painter, told, seed=3), painted(painter, told, seed=3))
    assert np.abs(painted(painter, told, seed=3) - painted(painter, told, seed=4)).mean() > 2


@pytest.mark.parametrize("size", [(40, 56), (16, 16), (33, 17)])
def test_the_picture_is_as_large_as_the_map(painter: Any, size: tuple[int, int]) -> None:
    told = np.zeros(size, np.uint8)
    told[: size[0] // 2] = 3
    assert painted(painter, told).shape == (*size, 3)


def test_a_region_is_painted_anew_and_what_lies_far_from_it_stays(painter: Any) -> None:
    told = np.zeros((32, 512), np.uint8)
    told[8:24, 8:24] = 1
    first, second = painted(painter, told), painted(painter, told, region="disc", region_seed=5)
    apart = np.abs(first - second).mean(2)
    assert apart[told == 1].mean() > 1 and (apart[:, 24 + 2 * REACH :] == 0).all()
    assert 0 < apart[8:24, 24 : 24 + REACH].mean() < apart[told == 1].mean(), "it passes into what is around it"
    with pytest.raises(ValueError, match="did you mean 'disc'"):
        painter(Image.fromarray(told), region="dics")


def test_what_is_painted_anew_passes_evenly_into_what_is_not() -> None:
    share = torch.zeros(1, 1, 9, 80)
    share[..., 30:50] = 1
    weights = around(share)[0, 0, 4]
    assert (
        (weights[30:50] == 1).all()
        and (weights[: 30 - 2 * REACH] == 0).all()
        and (weights[50 + 2 * REACH :] == 0).all()
    )
    falling = weights[49 : 51 + 2 * REACH]
    assert torch.allclose(falling.diff(), torch.full_like(falling.diff(), falling.diff().mean()), atol=1e-6)
    assert (around(torch.ones(1, 1, 9, 9)) == 1).all() and (around(torch.zeros(1, 1, 9, 9)) == 0).all()


def test_a_region_painted_anew_looks_unlike_it_was(painter: Any) -> None:
    style = painter.styles.drawn(0)
    disc = torch.tensor([name == "disc" for name in painter.classes])
    chosen = painter.styles.unlike(style, disc)
    kept = painter.network.bank.kept()[0]
    apart = (kept - style)[:, disc, :3].square().mean((1, 2))
    others = [number for number in range(len(kept)) if number not in chosen.tolist()]
    assert len(chosen) == len(kept) // 2 and apart[chosen].min() >= apart[others].max()


def test_words_change_what_they_speak_of_and_nothing_else(painter: Any) -> None:
    told = np.zeros((32, 512), np.uint8)
    told[8:24, 8:24] = 1
    dark, bright = (painted(painter, told, words=f"disc: {tag}") for tag in ("dark", "bright"))
    assert bright[told == 1].mean() > dark[told == 1].mean() + 10
    assert (np.abs(bright - dark)[:, 24 + 2 * REACH :] == 0).all()
    made = painter(Image.fromarray(told), words="a bright disc")
    assert list(made.notices()) == ["of the words was understood: disc: bright"]
    with pytest.raises(ValueError, match="did you mean 'disc'"):
        painter(Image.fromarray(told), words="dics: dark")


def test_a_region_anew_leaves_what_words_made_of_other_labels(painter: Any) -> None:
    told = np.zeros((32, 512), np.uint8)
    told[8:24, 8:24], told[8:24, 400:416] = 1, 2
    square = painter.classes[2]
    worded = painted(painter, told, words=f"{square}: dark")
    both = painted(painter, told, words=f"{square}: dark", region="disc", region_seed=5)
    assert (both[:, 24 + 2 * REACH :] == worded[:, 24 + 2 * REACH :]).all()
    assert np.abs(both - worded)[told == 1].mean() > 1


def test_a_worded_region_is_drawn_by_the_regions_seed(painter: Any) -> None:
    told = np.ones((32, 32), np.uint8)
    dark = [painted(painter, told, words="disc: dark", region="disc", region_seed=seed) for seed in range(1, 9)]
    assert max(np.abs(one - dark[0]).mean() for one in dark) > 1
    bright = painted(painter, told, words="disc: bright", region="disc", region_seed=1)
    assert max(one.mean() for one in dark) < bright.mean()


def test_a_pictures_style_is_taken(painter: Any) -> None:
    told = Image.fromarray(shapes_map())
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    first, second = (painter(told, style=one).value.values for one in (red, blue))
    assert not np.array_equal(first, second)
    with pytest.raises(ValueError, match="give that as style"):
        painter(told, style_map=told)


def test_a_map_is_painted_at_the_command_line_and_the_palette_lies_beside_the_model(
    painter: Any, tmp_path: Path, gannet_command: Any
) -> None:
    painter.save_pretrained(tmp_path / "model")
    colours = read_palette(tmp_path / "model" / "palette.gpl", painter.classes)
    assert [number for _, number in colours] == [0, 1, 2, 3]
    Image.fromarray(shapes_map()).save(tmp_path / "map.png")
    ended = gannet_command(
        "apply", tmp_path / "model", tmp_path / "map.png", "--seed", 2, "--out", tmp_path / "made.png"
    )
    assert ended.code == 0, ended.err
    with Image.open(tmp_path / "made.png") as made:
        assert made.size == (64, 64) and "trainedAlgorithmicMedia" in str(made.info)
    Image.new("RGB", (64, 64), "#40a040").save(tmp_path / "green.png")
    ended = gannet_command("apply", tmp_path / "model", tmp_path / "green.png", "--out", tmp_path / "none.png")
    assert ended.code == 2 and "#40a040 on 100%" in ended.err and not (tmp_path / "none.png").exists()


def test_the_example_learns_at_half_the_size_first() -> None:
    assert [stage.name for stage in example().stages] == ["small", "large"]
