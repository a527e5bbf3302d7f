"""The classic contest: which turns there are, who moves in each, at what loss, and that nobody else is moved."""

from dataclasses import dataclass
from math import log

import pytest
import torch
from torch import Tensor, nn

from gannet.adversarial.game import Game, Outcome, Turn
from gannet.adversarial.losses import LOSSES
from gannet.adversarial.penalties import gradient_penalty, squared_gradient
from gannet.adversarial.two_player import (
    DISCRIMINATOR,
    GENERATOR,
    Discriminator,
    Penalties,
    Scores,
    TwoPlayer,
    of_the_pass,
)
from gannet.training.trainer import let_move

COUNT, SIDE = 4, 3


@dataclass(frozen=True)
class Strength:
    weight: float
    every: int


class Draws:
    """A pass with noise that is the same at every call."""

    def __init__(self) -> None:
        self.sample = {"real": torch.randn(COUNT, SIDE, generator=torch.Generator().manual_seed(1))}

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(COUNT, *shape, generator=torch.Generator().manual_seed(2))

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(COUNT, *shape, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    police = nn.Sequential(nn.Linear(SIDE, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    return {GENERATOR: nn.Linear(SIDE, SIDE), DISCRIMINATOR: police}


def game_of(networks: dict[str, nn.Module], name: str = "non-saturating") -> TwoPlayer:
    return TwoPlayer(
        LOSSES[name],
        [Discriminator(DISCRIMINATOR, lambda sample, _: Scores(networks[DISCRIMINATOR](sample)))],
        prepare=of_the_pass,
        real=lambda run: run.sample["real"],
        generate=lambda run: networks[GENERATOR](run.normal(SIDE)),
    )


def all_turns(networks: dict[str, nn.Module], name: str = "non-saturating") -> dict[str, Turn]:
    turns = game_of(networks, name).turns(Penalties(Strength(0.5, 4), Strength(2.0, 3), Strength(10.0, 1)))
    return {turn.name: turn for turn in turns}


def play(turn: Turn, networks: dict[str, nn.Module]) -> Outcome:
    """Play as the trainer does: the others are frozen, gradients go to the players' parameters only."""
    let_move(networks, turn.players)
    outcome = turn.play(Draws())
    for player in turn.players:
        loss = torch.stack(list(outcome.losses[player].values())).sum()
        loss.backward(inputs=list(networks[player].parameters()), retain_graph=True)
    return outcome


def test_the_discriminator_moves_first_then_its_lazy_penalties_then_the_generator(
    networks: dict[str, nn.Module],
) -> None:
    turns = all_turns(networks).values()
    assert [(turn.name, turn.players, turn.every) for turn in turns] == [
        ("discriminator", (DISCRIMINATOR,), 1),
        ("r1", (DISCRIMINATOR,), 4),
        ("r2", (DISCRIMINATOR,), 3),
        ("generator", (GENERATOR,), 1),
    ]


def test_penalties_that_are_not_asked_for_take_no_turn(networks: dict[str, nn.Module]) -> None:
    assert [turn.name for turn in game_of(networks).turns(Penalties())] == ["discriminator", "generator"]
    only = game_of(networks).turns(Penalties(r2=Strength(1, 1)))
    assert [turn.name for turn in only] == ["discriminator", "generator"]
    assert list(only[0].play(Draws()).losses[DISCRIMINATOR]) == ["adversarial", "r2"]


def test_a_lazy_penalty_is_weighted_by_its_rounds_so_that_its_mean_is_its_weight(
    networks: dict[str, nn.Module],
) -> None:
    turns, run = all_turns(networks), Draws()
    real, fake = run.sample["real"], networks[GENERATOR](run.normal(SIDE))
    score = networks[DISCRIMINATOR]
    expected = {
        "r1": 0.5 * 4 * squared_gradient(score, real),
        "r2": 2.0 * 3 * squared_gradient(score, fake),
    }
    for name, value in expected.items():
        losses = turns[name].play(run).losses
        assert list(losses) == [DISCRIMINATOR] and list(losses[DISCRIMINATOR]) == [name]
        assert losses[DISCRIMINATOR][name].item() == pytest.approx(value.item(), rel=1e-6)


def test_a_penalty_of_every_round_is_part_of_the_discriminators_loss(networks: dict[str, nn.Module]) -> None:
    """Huang et al., 2024, equation 4: one step descends the sum."""
    run, score = Draws(), networks[DISCRIMINATOR]
    found = all_turns(networks)["discriminator"].play(run).losses[DISCRIMINATOR]
    fake = networks[GENERATOR](run.normal(SIDE))
    expected = 10.0 * gradient_penalty(score, run.sample["real"], fake, run.uniform())
    assert list(found) == ["adversarial", "gradient_penalty"]
    assert found["gradient_penalty"].item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_both_players_descend_the_loss_that_was_chosen(networks: dict[str, nn.Module], name: str) -> None:
    turns, run = all_turns(networks, name), Draws()
    real = networks[DISCRIMINATOR](run.sample["real"])
    fake = networks[DISCRIMINATOR](networks[GENERATOR](run.normal(SIDE)))
    for player, loss in ((DISCRIMINATOR, LOSSES[name].discriminator), (GENERATOR, LOSSES[name].generator)):
        losses = turns[player].play(run).losses
        assert list(losses) == [player]
        assert losses[player]["adversarial"].item() == pytest.approx(loss(real, fake).item(), rel=1e-6)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_players_who_move_at_once_feel_what_they_would_feel_in_turn(networks: dict[str, nn.Module], name: str) -> None:
    """One shared pass, the same losses and gradients, as neither has moved before the other."""
    strengths = Penalties(r1=Strength(0.5, 4), between=Strength(10.0, 1))
    found = []
    for moves in ("in-turn", "at-once"):
        gradients = {}
        for turn in game_of(networks, name).turns(strengths, moves):
            if turn.name != "r1":
                for network in networks.values():
                    network.zero_grad(set_to_none=True)
                outcome = play(turn, networks)
                for player in turn.players:
                    gradients[player] = [parameter.grad for parameter in networks[player].parameters()]
                    gradients[player] += list(outcome.losses[player].values())
        found.append(gradients)
    assert found[0].keys() == found[1].keys() == {GENERATOR, DISCRIMINATOR}
    for player in found[0]:
        torch.testing.assert_close(found[0][player], found[1][player])


def test_those_who_move_at_once_take_one_turn_and_lazy_penalties_their_own(networks: dict[str, nn.Module]) -> None:
    turns = game_of(networks).turns(Penalties(r1=Strength(0.5, 4)), "at-once")
    assert [(turn.name, turn.players) for turn in turns] == [
        ("both", (DISCRIMINATOR, GENERATOR)),
        ("r1", (DISCRIMINATOR,)),
    ]


def test_the_discriminators_turn_shows_the_scores_of_reals_and_fakes(networks: dict[str, nn.Module]) -> None:
    run = Draws()
    watched = all_turns(networks)["discriminator"].play(run).watched
    torch.testing.assert_close(watched["discriminator/real"], networks[DISCRIMINATOR](run.sample["real"]))
    torch.testing.assert_close(
        watched["discriminator/fake"], networks[DISCRIMINATOR](networks[GENERATOR](run.normal(SIDE)))
    )


def test_every_turn_gives_gradients_to_its_player_and_none_to_the_other(networks: dict[str, nn.Module]) -> None:
    for turn in all_turns(networks).values():
        for network in networks.values():
            network.zero_grad(set_to_none=True)
        play(turn, networks)
        (player,) = turn.players
        (other,) = set(networks) - {player}
        moved = [parameter.grad for parameter in networks[player].parameters() if parameter.grad is not None]
        assert sum(float(gradient.abs().sum()) for gradient in moved) > 0, turn.name
        assert all(parameter.grad is None for parameter in networks[other].parameters()), turn.name


def test_the_relativistic_generator_feels_the_scores_of_reals(networks: dict[str, nn.Module]) -> None:
    """A generator held against its own fakes would sit at softplus(0) whatever it makes."""
    found = all_turns(networks, "relativistic")["generator"].play(Draws()).losses[GENERATOR]["adversarial"]
    assert abs(found.item() - log(2)) > 1e-3


def turn(every: int = 1, stages: tuple[str, ...] = ()) -> Turn:
    return Turn("one", (GENERATOR,), lambda _: Outcome({}), every, stages)


def test_a_turn_is_due_in_the_first_round_and_then_in_every_so_manieth() -> None:
    assert [number for number in range(10) if turn(every=4).due(number, "main")] == [0, 4, 8]
    assert [number for number in range(3) if turn().due(number, "main")] == [0, 1, 2]


def test_a_turn_with_stages_is_due_in_these_only_and_one_without_in_all() -> None:
    staged = turn(every=2, stages=("grow", "polish"))
    assert [staged.due(2, stage) for stage in ("grow", "warm-up", "polish")] == [True, False, True]
    assert not staged.due(1, "grow")
    assert turn().due(0, "anything")


def test_a_game_whose_turns_or_kept_networks_are_missing_is_refused(networks: dict[str, nn.Module]) -> None:
    with pytest.raises(AssertionError, match="lacks"):
        Game({DISCRIMINATOR: networks[DISCRIMINATOR]}, (turn(),), ())
    with pytest.raises(AssertionError, match="lacks"):
        Game(networks, (turn(),), ("critic",))
