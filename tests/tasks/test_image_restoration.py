"""What networks of photographs learn from: patches that lie as they should, holes that hide what was there."""

from functools import partial
from math import isfinite
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import max_pool2d, pad

from gannet.adversarial.similarity import pixel_distance
from gannet.augmentation.draws import Drawn
from gannet.augmentation.lab import to_lab
from gannet.data.samples import open_data
from gannet.networks.patch import PatchDiscriminator
from gannet.networks.smooth_filling import smoothly_filled
from gannet.networks.unet import Unet
from gannet.recipe import Stage
from gannet.runtime.randomness import generator
from gannet.schema import Choice
from gannet.tasks import colorization, inpainting, restoration
from gannet.tasks._image_restoration import LOOK_SEED
from gannet.tasks._image_restoration.game import scores_near
from gannet.tasks._image_restoration.pipeline import Settings
from gannet.tasks._image_restoration.training_pairs import MOST_SHIFTED, cut, cut_upright, shifted
from gannet.tasks.generation import Description
from gannet.tasks.inpainting import HINTED, LOST, near_or_far, spoilt
from gannet.tasks.restoration.detector import IGNORED, cross_entropy
from gannet.training.passes import BatchPass, Place

TORCH, LAST = torch.Generator().manual_seed(0), torch.channels_last


def draws(count: int, seed: int = 0) -> Drawn:
    return Drawn(count, torch.Generator().manual_seed(seed))


def test_upright_patches_stay_upright() -> None:
    ramp = torch.arange(12.0)[:, None].expand(12, 16).expand(40, 1, 12, 16)
    patches = cut_upright(ramp, 8, draws(40))
    assert bool((patches[:, :, 1:] - patches[:, :, :-1] == 1).all())
    assert not bool((cut(ramp, 8, draws(40))[:, :, 1:] - cut(ramp, 8, draws(40))[:, :, :-1] == 1).all())


def test_shifted_pictures_are_parts_of_them_and_reach_every_place() -> None:
    pictures = torch.arange(400.0).view(1, 1, 20, 20).expand(6, 1, 20, 20)
    corners = set()
    for seed in range(100):
        part = shifted(pictures, draws(3, seed))
        assert part.shape == (6, 1, 20 - MOST_SHIFTED, 20 - MOST_SHIFTED)
        assert torch.equal(part[:3], part[3:]), "what is made and what it should be were shifted apart"
        corners |= set(part[:, 0, 0, 0].int().tolist())
    assert len(corners) > 0.9 * MOST_SHIFTED**2


def test_far_pictures_show_all_of_it_and_near_ones_a_patch() -> None:
    ramp = torch.arange(16.0)[:, None].expand(16, 16).expand(40, 1, 16, 16)
    near = (torch.arange(40) % 2).float()
    shown = near_or_far(ramp, 8, near, draws(40))
    steps = (shown[:, :, 1:] - shown[:, :, :-1]).flatten(1)
    assert bool((steps[near > 0] == 1).all()) and bool((steps[near == 0] == 2).all())
    assert torch.equal(shown[near == 0][0, 0, :, 0], torch.arange(0.5, 16, 2))


def test_damage_to_be_found_shows_where_it_is_said_to_be() -> None:
    config = restoration.Config(patch=32, damages=("scratches",))
    pictures, lost = restoration.search(torch.zeros(80, 3, 64, 64), draws(80), config)
    assert pictures.shape == (80, 3, 32, 32) and lost.shape == (80, 1, 32, 32)
    near = max_pool2d(pad(lost, (1, 1, 1, 1), value=1.0), 3, 1)[:, 0] > 0  # A soft scan has soft edges.
    for picture, hole, edged in zip(pictures, lost[:, 0] > 0, near, strict=True):
        background = picture[:, ~edged]
        assert float((background - background[:, :1]).abs().max()) < 1e-6
        assert bool((picture[:, hole] != background[:, :1]).any(0).all())


def test_nearly_half_of_what_is_searched_has_a_kind_of_damage() -> None:
    config = restoration.Config(patch=32, damages=("scratches",))
    _, lost = restoration.search(torch.zeros(400, 3, 64, 64), draws(400), config)
    damaged = lost.flatten(1).any(1)
    # The kind hits half; of those, patches of larger photographs may show none of it.
    assert 0.4 < float(damaged.float().mean()) < 0.52
    assert 0.01 < float(lost[damaged].mean()) < 0.1


def test_most_edges_of_damage_to_be_found_are_sharp_and_some_soft() -> None:
    config = restoration.Config(patch=32, damages=("scratches",))
    pictures, _ = restoration.search(torch.zeros(400, 3, 64, 64), draws(400), config)
    tones = torch.tensor([len(picture[0].unique()) for picture in pictures])
    soft, damaged = (tones > 2).sum(), (tones > 1).sum()
    assert 0.04 < float(soft / damaged) < 0.2


def test_the_overlap_that_is_lacking_counts_a_hair_as_much_as_a_stain() -> None:
    lost, found = torch.zeros(2, 1, 40, 40), torch.zeros(2, 1, 40, 40)
    lost[0, 0, :20], found[0, 0, 10:30] = 1, 1  # Half of a stain, and as much beside it.
    lost[1, 0, 0, :20], found[1, 0, 0, 10:30] = 1, 1  # Half of a hair, and as much beside it.
    expected = 1 - ((2 * 400 + 10) / (1600 + 10) + (2 * 10 + 10) / (40 + 10)) / 2
    scores = 100 * (2 * found - 1)
    torch.testing.assert_close(restoration.overlap_lacking(scores, lost), torch.tensor(expected))
    assert float(restoration.overlap_lacking(scores.new_full(scores.shape, -100), torch.zeros_like(lost))) < 1e-6


class Told(torch.nn.Module):
    """Gives the same answer whatever it is shown."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = torch.nn.Parameter(answer)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        assert len(pictures) == len(self.answer)
        return self.answer


def test_all_or_nothing_of_held_out_damage_is_found() -> None:
    config, shown = restoration.Config(patch=32, damages=("scratches",)), torch.zeros(40, 3, 64, 64)
    _, lost = restoration.search(shown, Drawn(40, generator(LOOK_SEED, "search")), config)
    (auxiliary,) = restoration.task.auxiliaries
    for scores, share in ((2 * lost - 1, 1.0), (-torch.ones_like(lost), 0.0)):
        assert auxiliary.measure(Told(scores), shown, config) == {"found_f1": share}


def test_what_nobody_could_tell_counts_neither_in_learning_nor_in_measuring() -> None:
    config, shown = restoration.Config(patch=32, scans="world"), torch.rand(40, 3, 64, 64, generator=TORCH) - 0.5
    _, lost = restoration.search(shown, Drawn(40, generator(LOOK_SEED, "search")), config)
    assert bool((lost == IGNORED).any()) and bool((lost == 1).any())
    (auxiliary,) = restoration.task.auxiliaries
    right = torch.where(lost == 1, 9.0, -9.0)
    for scores in (right, torch.where(lost == IGNORED, 9.0, right)):
        assert auxiliary.measure(Told(scores), shown, config) == {"found_f1": 1.0}


def test_a_stain_on_scans_of_the_world_counts_as_a_share_of_them() -> None:
    config, shown = restoration.Config(patch=32, scans="world"), torch.rand(40, 3, 64, 64, generator=TORCH) - 0.5
    run = partial(BatchPass, {"real": shown}, Place(0, 0, 0, "find"), 40, slice(40))
    (auxiliary,) = restoration.task.auxiliaries
    losses = auxiliary.turn(Told(torch.zeros(40, 1, 32, 32)), config).play(run()).losses["detector"]
    _, lost = restoration.search(shown, run(), config)
    torch.testing.assert_close(losses["cross_entropy"], cross_entropy(torch.zeros_like(lost), lost, 0.1))
    plain = float(cross_entropy(torch.zeros_like(lost), lost))
    assert float(losses["cross_entropy"].detach()) != pytest.approx(plain, rel=0.002)


def test_the_detector_descends_cross_entropy_and_lacking_overlap() -> None:
    config, pictures = restoration.Config(patch=32), torch.rand(4, 3, 64, 64, generator=TORCH)
    detector = Told(torch.randn(4, 1, 32, 32, generator=TORCH))
    (auxiliary,) = restoration.task.auxiliaries
    turn = auxiliary.turn(detector, config)
    losses = turn.play(BatchPass({"real": pictures}, Place(0, 0, 0, "find"), 4, slice(4))).losses["detector"]
    assert set(losses) == {"cross_entropy", "overlap"} and all(float(loss.detach()) > 0 for loss in losses.values())


@pytest.mark.parametrize(
    ("stage", "learning"),
    [
        ("search", {"detector"}),
        ("pixel", {"detector", "generator"}),
        ("game", {"detector", "generator", "discriminator"}),
    ],
)
def test_while_it_searches_only_the_detector_learns(stage: str, learning: set[str]) -> None:
    task, recipe = restoration.task, restoration.task.example()
    recipe = recipe.model_copy(update={"stages": (Stage(name="search", images=16), *recipe.stages)})
    description = task.describe(recipe, open_data(recipe, task.media(recipe), task.Data(**recipe.data.options)))
    turns = task.game(task.resolve(recipe, description), description).turns
    assert {player for turn in turns if turn.due(0, stage) for player in turn.players} == learning


@given(height=st.integers(1, 20), width=st.integers(1, 20), seed=st.integers(0, 9))
def test_a_smooth_filling_lies_between_what_is_known(height: int, width: int, seed: int) -> None:
    numbers = torch.Generator().manual_seed(seed)
    pictures = torch.rand(2, 3, height, width, generator=numbers)
    lost = (torch.rand(2, 1, height, width, generator=numbers) < 0.7).float()
    filled = smoothly_filled(pictures, lost)
    assert torch.equal(filled[(lost == 0).expand_as(filled)], pictures[(lost == 0).expand_as(filled)])
    for one, known, hole in zip(filled, pictures, lost, strict=True):
        if not bool(hole.all()):
            values = known[:, hole[0] == 0]
            assert float(one.min()) >= min(0.0, float(values.min())) - 1e-6
            assert float(one.max()) <= float(values.max()) + 1e-6


def test_a_smooth_filling_does_not_know_what_is_lost() -> None:
    pictures, lost = torch.rand(1, 3, 17, 22, generator=TORCH), torch.zeros(1, 1, 17, 22)
    lost[..., 3:15, 2:20] = 1
    other = torch.where(lost > 0, torch.rand(1, 3, 17, 22, generator=TORCH), pictures)
    assert torch.equal(smoothly_filled(pictures, lost), smoothly_filled(other, lost))
    flat = torch.full_like(pictures, 0.25)
    torch.testing.assert_close(smoothly_filled(flat, lost), flat)


@pytest.mark.parametrize("hinted", [None, 1.0])
def test_only_a_hint_tells_what_is_lost_and_only_at_half_the_size(hinted: float | None) -> None:
    pictures, lost = torch.rand(1, 3, 16, 16, generator=TORCH), torch.zeros(1, 1, 16, 16)
    lost[..., 4:12, 4:12] = 1
    given = spoilt(pictures, lost, None if hinted is None else torch.tensor([hinted]))
    assert torch.equal(given[:, :3, :4], pictures[:, :, :4])
    assert given[:, 3].max() == (LOST if hinted is None else HINTED) and given[0, 3, 0, 0] == 0
    inside = given[0, :3, 4:12, 4:12]
    told = (
        pictures[0, :, 4:12, 4:12].reshape(3, 4, 2, 4, 2).mean((2, 4)).repeat_interleave(2, 1).repeat_interleave(2, 2)
    )
    assert torch.allclose(inside, told) == (hinted is not None)


@pytest.mark.parametrize("overview", [False, True])
def test_only_an_overview_tells_a_place_of_what_is_beyond_its_reach(overview: bool) -> None:
    torch.manual_seed(0)
    network = Unet(width=4, depth=1, fold=1, overview=overview).unet(1, 1)
    torch.nn.init.normal_(network.exit.weight)
    picture = torch.rand(1, 1, 8, 8 * network.receptive_radius)
    other = picture.clone()
    other[..., : network.receptive_radius] = 0
    made = [network(one)[..., 2 * network.receptive_radius + 1 :] for one in (picture, other)]
    assert torch.equal(*made) != overview


def test_what_passes_through_has_the_channels_of_a_pixel_side_by_side() -> None:
    layouts: list[bool] = []
    network = Unet(width=4, depth=1).unet(3, 1)
    for layer in (network.entry, network.down[0], network.up[0]):
        layer.register_forward_hook(lambda *seen: layouts.append(seen[-1].is_contiguous(memory_format=LAST)))
    network(torch.rand(2, 3, 16, 16, generator=TORCH))
    assert layouts == [True, True, True]


def test_what_passes_through_does_not_fade_before_anything_is_learned() -> None:
    torch.manual_seed(0)
    network = Unet(width=16, depth=4).unet(3, 1)
    torch.nn.init.normal_(network.exit.weight)
    sizes = []
    for layer in (network.entry, network.down[-1], network.up[-1]):
        layer.register_forward_hook(lambda *seen: sizes.append(float(seen[-1].detach().std((0, 2, 3)).mean())))
    network(
        torch.rand(4, 3, 1, 1, generator=TORCH).expand(-1, -1, 64, 64) * 2 - 1
    )  # Even pictures: pooling takes nothing.
    assert len(sizes) == 3 and min(sizes) > 0.1 * max(sizes)


def test_a_normalizing_network_sees_finely_first_and_judges_by_what_it_learned_from() -> None:
    torch.manual_seed(0)
    network = Unet(width=4, depth=2).unet(3, 1, torch.nn.BatchNorm2d)
    torch.nn.init.normal_(network.exit.weight)
    pictures = torch.rand(4, 3, 32, 32, generator=TORCH)
    bottom: list[torch.Tensor] = []
    network.down[-1].register_forward_hook(lambda *seen: bottom.append(seen[-1]))
    (network(pictures) ** 2).mean().backward()
    assert float(bottom[0].detach().abs().mean()) > 0
    below: Any = network.down[-1]
    assert float(below[0].weight.grad.abs().max()) == 0.0, "what comes from below was heard before anything was learned"
    for learning in (True, False):
        network.train(learning)
        alone = torch.allclose(network(pictures)[:1], network(pictures[:1]), atol=1e-5)
        assert alone != learning, "only while it learns do the others of a batch matter"


def test_what_is_filled_a_part_at_a_time_has_no_overview() -> None:
    with pytest.raises(ValueError, match="leave network.overview=true out"):
        inpainting.InpaintingPipeline.network(
            Settings(
                description=Description(name="photos", shape=(3, 16, 16)),
                network=Choice(name="unet", overview=True),
                task=Choice(name="inpainting"),
            )
        )


def test_colours_stay_when_the_exposure_changes() -> None:
    pictures = torch.rand(30, 3, 20, 20, generator=TORCH) * 2 - 1
    pair = colorization.task.pair.make(pictures, draws(30), colorization.Config(patch=20))
    true = to_lab(cut_upright(pictures, 20, draws(30)))
    assert torch.equal(pair.input, pair.target[:, :1]) and torch.equal(pair.target[:, 1:], true[:, 1:])
    changes = (pair.input - true[:, :1]).mean((1, 2, 3))
    assert float(changes.min()) < -0.05 and float(changes.max()) > 0.05, "some lighter, some darker"
    first, order = pair.input[0].flatten(), true[0, 0].flatten().argsort()
    assert bool((first[order].diff() >= 0).all()), "what is lighter stays lighter"


def test_within_holes_a_small_one_counts_as_much_as_a_large_one() -> None:
    target, lost = torch.zeros(2, 3, 16, 16), torch.zeros(2, 1, 16, 16)
    lost[0, :, :2, :2], lost[1, :, :8] = 1, 1
    distances = [
        pixel_distance(target + lost * torch.tensor(off).view(2, 1, 1, 1), target, lost)
        for off in ([0.5, 0.0], [0.0, 0.5])
    ]
    assert [float(distance) for distance in distances] == pytest.approx([0.25, 0.25])


def turns_within(stage: str, patch: int = 32) -> tuple[Any, list[Any]]:
    """The networks and the turns of a stage, of an example that counts holes alone."""
    task, example = inpainting.task, inpainting.task.example()
    more = {"within": True, "patch": patch}
    recipe = example.model_copy(
        update={
            "task": Choice(name="inpainting", **{**example.task.options, **more}),
            "data": example.data.with_options(size=2 * patch),
            "network": Choice(name="pyramid", width=4, depth=1, coarse=4, blocks=1),
        }
    )
    description = Description(name="digits", shape=(1, 2 * patch, 2 * patch))
    game = task.game(task.resolve(recipe, description), description)
    return game, [turn for turn in game.turns if turn.due(0, stage)]


def played(turn: Any, lost: float, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The losses of a turn on pictures of which a stripe is lost, or nothing."""

    def stripe(pictures: torch.Tensor, _: Any) -> torch.Tensor:
        mask = torch.zeros_like(pictures[:, :1])
        mask[..., 12:16] = lost
        return mask

    monkeypatch.setitem(inpainting.HOLES, "strokes", stripe)
    pictures = torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(3)) * 2 - 1
    outcome = turn.play(BatchPass({"real": pictures}, Place(0, 0, 0, turn.name), 4, slice(4)))
    return {name: float(loss.detach()) for losses in outcome.losses.values() for name, loss in losses.items()}


@pytest.mark.parametrize("stage", ["pixel", "game"])
@pytest.mark.parametrize("lost", [0.0, 1.0])
def test_within_holes_all_losses_are_numbers_even_where_nothing_is_lost(
    stage: str, lost: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, turns = turns_within(stage)
    for turn in turns:
        losses = played(turn, lost, monkeypatch)
        assert all(isfinite(loss) for loss in losses.values())
        if "pixel" in losses:
            assert (losses["pixel"] > 1e-3) == (lost > 0)


def test_a_discriminator_of_holes_scores_there_and_near_alone_and_is_told_where() -> None:
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(4, 8)
    pictures, lost = torch.rand(2, 3, 64, 64), torch.zeros(2, 1, 64, 64)
    lost[..., 24:40, 24:40] = 1
    scores = scores_near(discriminator, torch.cat([pictures, lost], 1)).view(2, 8, 8)
    assert bool((scores[:, 3:5, 3:5] != 0).all())
    assert not bool(scores[:, :2].any()) and not bool(scores[:, 6:].any()) and not bool(scores[:, :, 7].any())
    lost[..., 24:40, 24:30] = 0
    assert not torch.equal(scores_near(discriminator, torch.cat([pictures, lost], 1)).view(2, 8, 8)[:, 4], scores[:, 4])


def test_recipes_of_old_runs_say_nothing_of_what_was_not_known_then() -> None:
    assert not {"holes", "within"} & set(inpainting.Config().model_dump(mode="json"))
    told = inpainting.Config(holes="varied", within=True).model_dump(mode="json")
    assert told["holes"] == "varied" and told["within"] is True
