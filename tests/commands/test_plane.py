"""The game in the plane is the trainer's own, a turn at a time; other models of the same points."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gannet.adversarial.two_player import of_the_pass
from gannet.commands.plane.distributions import BRUSH, DISTRIBUTIONS, drawn, plane
from gannet.commands.plane.game import BATCH, CELLS, LOOK_EVERY, PLAYERS, PlaneGame, recipe_of
from gannet.commands.plane.models import Mixture, NaiveBayes, portray
from gannet.commands.plane.options import EDGE, PlaneOptions
from gannet.recipe import Average
from gannet.runtime.devices import launch
from gannet.training.distributed import RunningAverage
from gannet.training.passes import BatchPass, Place
from gannet.training.trainer import Trainer, TrainingSetup


def weights(game: PlaneGame, player: str) -> Tensor:
    return torch.cat([values.detach().flatten().clone() for values in game.networks[player].parameters()])


def all_weights(game: PlaneGame) -> Tensor:
    return torch.cat([weights(game, player) for player in PLAYERS])


class Rounds:
    """A game's own batches, as the trainer asks for them."""

    pins = False

    def __init__(self, game: PlaneGame) -> None:
        self.game = game

    def batch(self, first: int, count: int, stride: int) -> dict[str, Tensor]:
        assert count == stride == BATCH
        return self.game.batch(first)


@pytest.mark.parametrize("changes", [{}, {"loss": "relativistic", "penalty": 0, "latent": 2, "generator_rate": 3e-3}])
def test_a_round_is_the_trainers_to_the_bit(changes: dict[str, object], tmp_path: Path) -> None:
    options = PlaneOptions(**changes)
    stepped, trained = PlaneGame(options), PlaneGame(options)
    setup = TrainingSetup(trained.game, RunningAverage({"generator": trained.networks["generator"]}, Average()), {})
    fabric = launch("cpu", "32")
    trainer = Trainer(recipe_of(options), setup, Rounds(trained), fabric, tmp_path, SimpleNamespace(notify=print))
    for _ in range(4):
        stepped.play()
        trainer.round()
    assert torch.equal(all_weights(stepped), all_weights(trained))
    assert not torch.equal(all_weights(stepped), all_weights(PlaneGame(options)))


@pytest.mark.parametrize("player", PLAYERS)
def test_a_step_of_one_player_changes_that_player_alone(player: str) -> None:
    game, (other,) = PlaneGame(PlaneOptions()), set(PLAYERS) - {player}
    game.play()
    before = {name: weights(game, name) for name in PLAYERS}
    game.step(player)
    assert torch.equal(weights(game, other), before[other])
    assert not torch.equal(weights(game, player), before[player])
    with pytest.raises(ValueError, match=r"no player 'referee'; allowed: discriminator, generator"):
        game.step("referee")


def test_the_field_is_flat_before_the_discriminator_learns_and_bends_then() -> None:
    game = PlaneGame(PlaneOptions())
    untrained = game.frame().field
    assert (untrained - 0.5).abs().max() < 0.1
    for _ in range(100):
        game.step("discriminator")
    trained = game.frame()
    assert trained.field.max() - trained.field.min() > 0.5
    assert trained.fool_rate < 0.2 < 0.8 < trained.accuracy_real


class Slope(nn.Module):
    """Scores a point by x + 2 y."""

    def forward(self, points: Tensor) -> Tensor:
        return points @ torch.tensor([1.0, 2.0])


def test_the_field_is_the_belief_over_the_plane_from_its_top_left() -> None:
    game = PlaneGame(PlaneOptions())
    game.networks["discriminator"] = Slope()
    field, middle = game.frame().field, EDGE * (1 - 1 / CELLS)
    for row, column, x, y in ((0, 0, -1, 1), (0, -1, 1, 1), (-1, 0, -1, -1), (-1, -1, 1, -1)):
        logit = torch.tensor(middle * (x + 2 * y))
        assert field[row, column] == pytest.approx(float(logit.sigmoid()), abs=1e-5)


def test_a_critics_field_is_one_half_midway_between_the_scores_of_both_sides() -> None:
    game = PlaneGame(PlaneOptions(loss="wasserstein"))
    game.networks["discriminator"] = Slope()
    frame, slope = game.frame(), Slope()
    middle = (slope(game.held_out).mean() + slope(frame.fakes).mean()) / 2
    believed = (slope(torch.from_numpy(plane(CELLS))) - middle).sigmoid().view(CELLS, CELLS)
    assert torch.allclose(frame.field, believed, atol=1e-5)


def test_the_ring_is_learned_and_a_planted_collapse_is_named() -> None:
    game = PlaneGame(PlaneOptions())
    assert game.verdict()["diagnosis"]["state"] == "too-early"
    game.play(7 * LOOK_EVERY)
    first, *_, last = game.referee.looks
    assert last["energy_distance"] < 0.1 < 2 * first["energy_distance"] and last["diversity"] > 0.7
    assert "mode-collapse" not in said(game)
    game.change(PlaneOptions(fault="mode-collapse"))
    game.play(4 * LOOK_EVERY)
    assert game.frame().fakes.unique(dim=0).shape == (1, 2)
    assert game.verdict()["diagnosis"]["state"] == "mode-collapse"


def said(game: PlaneGame) -> list[str]:
    verdict = game.verdict()
    return [verdict["diagnosis"]["state"], *(one["state"] for one in verdict["also"])]


def test_what_is_changed_holds_from_now_on_and_is_judged_anew() -> None:
    game = PlaneGame(PlaneOptions())
    game.play(2)
    before, referee = all_weights(game), game.referee
    game.change(PlaneOptions(fault="mode-collapse"))
    assert game.referee is referee
    game.change(PlaneOptions(loss="hinge", distribution="moons", generator_rate=0.0))
    assert game.referee is not referee and torch.equal(all_weights(game), before)
    game.play()
    assert torch.equal(weights(game, "generator"), before[-len(weights(game, "generator")) :])
    images, same = game.images, game.options
    game.change(same)
    assert game.images == images == 3 * BATCH
    game.change(PlaneOptions(seed=1))
    assert game.images == 0 and not torch.equal(all_weights(game), before)


def test_games_follow_from_their_seeds_and_leave_each_other_and_torch_alone() -> None:
    alone, one, other = (PlaneGame(PlaneOptions(seed=seed)) for seed in (3, 3, 4))
    torch.manual_seed(0)
    drawn_before = torch.get_rng_state()
    alone.play(3)
    for _ in range(3):
        one.play()
        other.play()
    assert torch.equal(drawn_before, torch.get_rng_state())
    assert torch.equal(all_weights(one), all_weights(alone))
    assert not torch.equal(all_weights(one), all_weights(other))


def test_noise_is_on_what_the_discriminator_sees_and_not_on_what_is_shown() -> None:
    game = PlaneGame(PlaneOptions(noise=0.5))
    run = of_the_pass(BatchPass(game.batch(0), Place(0, 0, 0, "discriminator"), BATCH, slice(0, BATCH)))
    seen = game._seen(torch.zeros(BATCH, 2), run)
    assert float(seen.std()) == pytest.approx(0.5, rel=0.15)
    quiet = PlaneGame(PlaneOptions())
    assert torch.equal(game.frame().fakes, quiet.frame().fakes) and torch.equal(game.held_out, quiet.held_out)


def test_a_game_that_diverges_says_so_and_can_still_be_shown() -> None:
    game = PlaneGame(PlaneOptions())
    nn.init.constant_(game.networks["generator"].output.weight, float("nan"))
    with pytest.raises(ValueError, match=r"^The game diverged: .*lower the learning rates"):
        game.play()
    frame = game.frame()
    assert frame.field.isfinite().all() and frame.fakes.isfinite().all()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"loss": "hing"}, "did you mean 'hinge'"),
        ({"noise": 7}, "noise: input should be less than or equal to 1 (given: 7)"),
        ({"generator_rate": float("nan")}, "generator_rate: "),
        ({"distribution": "drawn"}, "0 points were drawn; draw at least 10"),
        ({"distribution": "drawn", "drawn": [(9.0, 0.0, 0)] * 20}, "drawn.0.0: "),
        ({"drawn": [(0.0, 0.0, 0)] * 3000}, "drawn: "),
        ({"speed": 1}, "Unknown key 'speed'"),
    ],
)
def test_a_mistake_is_one_sentence(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError) as refused:
        PlaneOptions(**given)
    assert words in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(DISTRIBUTIONS))
def test_a_distribution_lies_in_the_plane_has_two_classes_and_follows_from_its_seed(name: str) -> None:
    points, label = DISTRIBUTIONS[name].draw(2000, 5)
    assert points.shape == (2000, 2) and points.dtype == np.float32 and np.abs(points).max() < EDGE
    assert 0.4 < label.mean() < 0.6 and set(label) == {0, 1}
    again, other = DISTRIBUTIONS[name].draw(2000, 5), DISTRIBUTIONS[name].draw(2000, 6)
    assert np.array_equal(points, again[0]) and not np.array_equal(points, other[0])


def test_points_of_a_drawing_lie_about_it_and_keep_its_classes() -> None:
    points, label = drawn(((-1.0, 0.5, 0), (1.0, -0.5, 1))).draw(1000, 0)
    assert np.array_equal(label, points[:, 0] > 0) and 0.4 < label.mean() < 0.6
    about = points - np.where(label[:, None], (1.0, -0.5), (-1.0, 0.5))
    assert about.std() == pytest.approx(BRUSH, rel=0.1)


def slanted(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Two classes, left and right, in each of which y follows x."""
    random = np.random.default_rng(0)
    along, label = 0.4 * random.standard_normal(count), random.integers(2, size=count)
    points = np.stack([along + 3 * label, along], 1) + 0.02 * random.standard_normal((count, 2))
    return points, label


@pytest.mark.parametrize(("kind", "follows"), [(NaiveBayes, False), (Mixture, True)])
def test_naive_bayes_draws_each_axis_by_itself_and_a_mixture_does_not(kind: type, follows: bool) -> None:
    points, label = slanted(1000)
    made, kinds = kind(0).fit(points, label).draw(1000, 1)
    correlation = np.corrcoef(made[kinds == 0].T)[0, 1]
    assert correlation > 0.95 if follows else abs(correlation) < 0.15
    for one in (0, 1):
        assert np.allclose(made[kinds == one].mean(0), points[label == one].mean(0), atol=0.1)
        assert (kinds == one).mean() == pytest.approx((label == one).mean(), abs=0.05)


def test_every_model_tells_apart_what_lies_apart_and_only_generative_ones_draw() -> None:
    left_top = [(-1 + 0.01 * i, 1.0, 0) for i in range(20)]
    right_bottom = [(1 - 0.01 * i, -1.0, 1) for i in range(20)]
    portraits = portray(PlaneOptions(distribution="drawn", drawn=left_top + right_bottom))
    assert [one.kind for one in portraits] == ["generative"] * 2 + ["discriminative"] * 4
    for one in portraits:
        assert one.accuracy == 1.0 and one.field[8, 8] < 0.5 < one.field[-8, -8]
        assert (one.drawn is not None) == (one.kind == "generative")


def test_naive_bayes_cannot_tell_the_rings_classes_and_a_mixture_can() -> None:
    found = {one.name: one.accuracy for one in portray(PlaneOptions(distribution="ring"))}
    assert found["naive Bayes"] < 0.75 and min(found["Gaussian mixture"], found["neural network"]) > 0.95


def test_models_of_one_class_alone_are_refused() -> None:
    with pytest.raises(ValueError, match=r"need points of both; draw more of the rarer colour\.$"):
        portray(PlaneOptions(distribution="drawn", drawn=[(0.0, 0.1 * i, 0) for i in range(12)]))
