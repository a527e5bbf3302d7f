"""The two-player game: which turns there are, who moves in each, at what loss, and that nobody else is moved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import log
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gannet.adversarial.game import Game, Outcome, Pass, Turn
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
from gannet.monitoring.audit import Audit, Exhibits
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
        self.kept: dict[str, Any] = {}

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(COUNT, *shape, generator=torch.Generator().manual_seed(2))

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(COUNT, *shape, generator=torch.Generator().manual_seed(3))

    def shared(self, name: str, make: Callable[[Pass], Any]) -> Any:
        if name not in self.kept:
            self.kept[name] = make(self)
        return self.kept[name]


@pytest.fixture
def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    discriminator = nn.Sequential(nn.Linear(SIDE, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    return {GENERATOR: nn.Linear(SIDE, SIDE), DISCRIMINATOR: discriminator}


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


def play(turn: Turn, networks: dict[str, nn.Module], run: Draws | None = None) -> Outcome:
    """Play as the trainer does: the others are frozen, gradients go to the players' parameters only."""
    let_move({name: list(each.parameters()) for name, each in networks.items()}, turn.players, turn.records)
    outcome = turn.play(run or Draws())
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


@pytest.mark.parametrize("update", ["shared", "simultaneous"])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_players_with_shared_passes_feel_what_they_would_feel_alternating(
    networks: dict[str, nn.Module], name: str, update: Any
) -> None:
    """The same losses and gradients, where neither has moved before the other."""
    strengths = Penalties(r1=Strength(0.5, 4), between=Strength(10.0, 1))
    found = []
    for each in ("alternating", update):
        gradients, run = {}, Draws()
        for turn in game_of(networks, name).turns(strengths, each):
            if turn.name != "r1":
                for network in networks.values():
                    network.zero_grad(set_to_none=True)
                outcome = play(turn, networks, run)
                for player in turn.players:
                    gradients[player] = [parameter.grad for parameter in networks[player].parameters()]
                    gradients[player] += list(outcome.losses[player].values())
        found.append(gradients)
    assert found[0].keys() == found[1].keys() == {GENERATOR, DISCRIMINATOR}
    for player in found[0]:
        torch.testing.assert_close(found[0][player], found[1][player])


def test_shared_fakes_are_made_once_a_round_and_descended_through_by_the_generator_alone(
    networks: dict[str, nn.Module],
) -> None:
    made: list[Tensor] = []

    def generate(run: Pass) -> Tensor:
        made.append(networks[GENERATOR](run.normal(SIDE)))
        return made[-1]

    run, strengths = Draws(), Penalties(r1=Strength(0.5, 4), r2=Strength(2.0, 1))
    for turn in replace(game_of(networks), generate=generate).turns(strengths, "shared"):
        before = {name: [one.grad for one in network.parameters()] for name, network in networks.items()}
        play(turn, networks, run)
        for name, network in networks.items():
            moved = any(one.grad is not old for one, old in zip(network.parameters(), before[name], strict=True))
            assert moved == (name in turn.players and before[name][0] is None), (turn.name, name)
    assert len(made) == 1 and networks[GENERATOR].weight.grad is not None


def test_those_who_update_simultaneously_take_one_turn_and_lazy_penalties_their_own(
    networks: dict[str, nn.Module],
) -> None:
    turns = game_of(networks).turns(Penalties(r1=Strength(0.5, 4)), "simultaneous")
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


# Several discriminators

WHOLE, PART = "whole", "part"
STRENGTHS = Penalties(Strength(0.5, 4), Strength(2.0, 3), Strength(10.0, 1))


class Judge(nn.Module):
    """Maps (b, side) to logits (b,) and the features of two layers."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(side, 5), nn.Linear(5, 4), nn.Linear(4, 1)

    def forward(self, sample: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        one = self.first(sample).tanh()
        other = self.second(one).tanh()
        return self.last(other).squeeze(1), (one, other)


@pytest.fixture
def several() -> dict[str, nn.Module]:
    """A generator, and discriminators of whole samples and of their first two numbers."""
    torch.manual_seed(0)
    return {GENERATOR: nn.Linear(SIDE, SIDE), WHOLE: Judge(SIDE), PART: Judge(2)}


def scored_by(network: nn.Module) -> Callable[[Tensor, Any], Scores]:
    return lambda sample, _: Scores(*network(sample))


def begin(sample: Tensor, _: Any) -> Tensor:
    return sample[:, :2]


def game_of_several(networks: dict[str, nn.Module], name: str = "non-saturating", **more: Any) -> TwoPlayer:
    discriminators = [
        Discriminator(WHOLE, scored_by(networks[WHOLE])),
        Discriminator(PART, scored_by(networks[PART]), begin),
    ]
    game = TwoPlayer(
        LOSSES[name],
        discriminators,
        prepare=of_the_pass,
        real=lambda run: run.sample["real"],
        generate=lambda run: networks[GENERATOR](run.normal(SIDE)),
    )
    return replace(game, **more)


def turns_of(networks: dict[str, nn.Module], **more: Any) -> dict[str, Turn]:
    return {turn.name: turn for turn in game_of_several(networks, **more).turns(STRENGTHS)}


def seen_by(networks: dict[str, nn.Module], name: str) -> tuple[Any, Any]:
    """What a discriminator says of reals and fakes: logits and features of each."""
    run, view = Draws(), begin if name == PART else lambda sample, _: sample
    fake = networks[GENERATOR](run.normal(SIDE))
    return networks[name](view(run.sample["real"], run)), networks[name](view(fake, run))


def test_each_discriminator_moves_with_its_penalties_behind_it_then_the_generator(
    several: dict[str, nn.Module],
) -> None:
    assert [(turn.name, turn.players, turn.every) for turn in turns_of(several).values()] == [
        ("whole", (WHOLE,), 1),
        ("r1-whole", (WHOLE,), 4),
        ("r2-whole", (WHOLE,), 3),
        ("part", (PART,), 1),
        ("r1-part", (PART,), 4),
        ("r2-part", (PART,), 3),
        ("generator", (GENERATOR,), 1),
    ]


def test_all_discriminators_update_with_the_generator_and_lazy_penalties_apart(
    several: dict[str, nn.Module],
) -> None:
    turns = game_of_several(several).turns(STRENGTHS, "simultaneous")
    assert [(turn.name, turn.players) for turn in turns] == [
        ("both", (WHOLE, PART, GENERATOR)),
        ("r1-whole", (WHOLE,)),
        ("r2-whole", (WHOLE,)),
        ("r1-part", (PART,)),
        ("r2-part", (PART,)),
    ]
    Game(several, turns, (GENERATOR,))


def test_one_discriminator_of_any_name_keeps_the_names_of_penalties(several: dict[str, nn.Module]) -> None:
    """Noise is addressed by them, so runs from before there were several go on."""
    alone = [Discriminator(WHOLE, scored_by(several[WHOLE]))]
    turns = game_of_several(several, discriminators=alone).turns(STRENGTHS)
    assert [turn.name for turn in turns] == ["whole", "r1", "r2", "generator"]
    outcome = turns[-1].play(Draws())
    assert list(outcome.losses[GENERATOR]) == ["adversarial"]


@pytest.mark.parametrize("matching", [0.0, 0.3])
def test_each_turn_gives_gradients_to_its_own_player_only(several: dict[str, nn.Module], matching: float) -> None:
    for turn in turns_of(several, feature_matching=matching).values():
        for network in several.values():
            network.zero_grad(set_to_none=True)
        let_move({name: list(each.parameters()) for name, each in several.items()}, turn.players)
        outcome = turn.play(Draws())
        torch.stack(list(outcome.losses[turn.players[0]].values())).sum().backward()
        for name, network in several.items():
            gradients = [parameter.grad for parameter in network.parameters()]
            if name in turn.players:
                assert sum(float(one.abs().sum()) for one in gradients if one is not None) > 0, turn.name
            else:
                assert all(one is None for one in gradients), (turn.name, name)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_each_discriminator_scores_what_it_sees(several: dict[str, nn.Module], name: str) -> None:
    turns = {turn.name: turn for turn in game_of_several(several, name).turns(Penalties())}
    for player in (WHOLE, PART):
        real, made = seen_by(several, player)
        outcome = turns[player].play(Draws())
        expected = LOSSES[name].discriminator(real[0], made[0])
        assert list(outcome.losses) == [player] and list(outcome.losses[player]) == ["adversarial"]
        assert outcome.losses[player]["adversarial"].item() == pytest.approx(expected.item(), rel=1e-6)
        assert list(outcome.watched) == [f"{player}/real", f"{player}/fake"]
        torch.testing.assert_close(outcome.watched[f"{player}/real"], real[0])
        torch.testing.assert_close(outcome.watched[f"{player}/fake"], made[0])


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_generator_descends_the_sum_over_all_discriminators(several: dict[str, nn.Module], name: str) -> None:
    more = {"weight": 0.7, "extra_losses": lambda fake, _: {"size": fake.square().mean()}}
    turn = game_of_several(several, name, **more).turns(Penalties())[-1]
    (losses,) = turn.play(Draws()).losses.values()
    assert list(losses) == ["adversarial-whole", "adversarial-part", "size"]
    for player in (WHOLE, PART):
        real, made = seen_by(several, player)
        expected = 0.7 * LOSSES[name].generator(real[0], made[0])
        assert losses[f"adversarial-{player}"].item() == pytest.approx(expected.item(), rel=1e-6)
    fake = several[GENERATOR](Draws().normal(SIDE))
    assert losses["size"].item() == pytest.approx(fake.square().mean().item(), rel=1e-6)


def test_penalties_are_of_what_each_discriminator_sees(several: dict[str, nn.Module]) -> None:
    turns, run = turns_of(several), Draws()
    real, fake = run.sample["real"][:, :2], several[GENERATOR](run.normal(SIDE))[:, :2]

    def score(sample: Tensor) -> Tensor:
        logits: Tensor = several[PART](sample)[0]
        return logits

    expected = {"r1": 0.5 * 4 * squared_gradient(score, real), "r2": 2.0 * 3 * squared_gradient(score, fake)}
    for name, value in expected.items():
        assert turns[f"{name}-part"].play(run).losses[PART][name].item() == pytest.approx(value.item(), rel=1e-6)
    found = turns["part"].play(run).losses[PART]["gradient_penalty"]
    assert found.item() == pytest.approx(10 * gradient_penalty(score, real, fake, run.uniform()).item(), rel=1e-6)


@pytest.mark.parametrize("update", ["alternating", "shared", "simultaneous"])
def test_feature_matching_is_the_mean_absolute_difference(several: dict[str, nn.Module], update: Any) -> None:
    turns = game_of_several(several, feature_matching=0.3).turns(Penalties(), update)
    losses = turns[-1].play(Draws()).losses[GENERATOR]
    assert list(losses) == [
        "adversarial-whole",
        "feature_matching-whole",
        "adversarial-part",
        "feature_matching-part",
    ]
    for name in (WHOLE, PART):
        (_, known), (_, made) = seen_by(several, name)
        layers = [(ours - theirs).abs().mean().item() for ours, theirs in zip(made, known, strict=True)]
        expected = 0.3 * sum(layers) / len(layers)
        assert losses[f"feature_matching-{name}"].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["non-saturating", "relativistic"])
def test_feature_matching_sends_no_gradient_to_reals_or_to_how_they_are_seen(
    several: dict[str, nn.Module], name: str
) -> None:
    """The fakes are to come to the reals' features, and not the other way round."""
    real = Draws().sample["real"].clone().requires_grad_()
    game = game_of_several(several, name, feature_matching=0.3, real=lambda _: real)
    losses = game.turns(Penalties())[-1].play(Draws()).losses[GENERATOR]
    matched = losses["feature_matching-whole"] + losses["feature_matching-part"]
    (to_real,) = torch.autograd.grad(matched, [real], retain_graph=True, allow_unused=True)
    assert to_real is None or not to_real.any()
    to_generator = torch.autograd.grad(matched, list(several[GENERATOR].parameters()))
    assert all(bool(one.abs().sum() > 0) for one in to_generator)


def test_without_features_feature_matching_says_what_it_needs(networks: dict[str, nn.Module]) -> None:
    turn = replace(game_of(networks), feature_matching=0.1).turns(Penalties())[-1]
    with pytest.raises(AssertionError, match="features"):
        turn.play(Draws())


@pytest.mark.parametrize("update", ["shared", "simultaneous"])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_several_with_shared_passes_feel_what_they_would_feel_alternating(
    several: dict[str, nn.Module], name: str, update: Any
) -> None:
    found = []
    for each in ("alternating", update):
        game, losses, gradients = game_of_several(several, name, feature_matching=0.2), {}, {}
        run = Draws()
        for turn in game.turns(Penalties(between=Strength(10.0, 1)), each):
            outcome = play(turn, several, run)
            losses |= outcome.losses
            for player in turn.players:
                gradients[player] = [parameter.grad for parameter in several[player].parameters()]
                several[player].zero_grad(set_to_none=True)
        found.append((losses, gradients))
    assert found[0][0].keys() == found[1][0].keys() == {WHOLE, PART, GENERATOR}
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("update", ["alternating", "shared", "simultaneous"])
def test_a_pass_is_prepared_once(several: dict[str, nn.Module], update: Any) -> None:
    prepared: list[Pass] = []

    def prepare(run: Pass) -> Pass:
        prepared.append(run)
        return run

    game = game_of_several(several, "relativistic", prepare=prepare, feature_matching=0.1)
    for turn in game.turns(STRENGTHS, update):
        prepared.clear()
        run = Draws()
        turn.play(run)
        assert prepared == [run], turn.name


def test_all_that_a_pass_is_about_is_what_was_prepared(several: dict[str, nn.Module]) -> None:
    """A pair of input and target is made once, and every part of the game is handed that very pair."""
    handed: list[object] = []
    made = object()

    def note(values: Callable[[], Tensor], given: object) -> Tensor:
        handed.append(given)
        return values()

    game = TwoPlayer(
        LOSSES["relativistic"],
        [
            Discriminator(
                WHOLE,
                lambda sample, given: (handed.append(given), Scores(*several[WHOLE](sample)))[1],
                lambda sample, given: note(lambda: sample, given),
            )
        ],
        prepare=lambda _: made,
        real=lambda given: note(lambda: Draws().sample["real"], given),
        generate=lambda given: note(lambda: several[GENERATOR](Draws().normal(SIDE)), given),
        extra_losses=lambda fake, given: {"extra": note(lambda: fake.mean(), given)},
    )
    for turn in (*game.turns(STRENGTHS), *game.turns(STRENGTHS, "simultaneous")):
        turn.play(Draws())
    assert handed and all(given is made for given in handed)


def test_discriminators_of_one_name_are_refused(several: dict[str, nn.Module]) -> None:
    twice = [Discriminator(WHOLE, scored_by(several[WHOLE])), Discriminator(WHOLE, scored_by(several[WHOLE]))]
    with pytest.raises(AssertionError, match="names of their own"):
        game_of_several(several, discriminators=twice)
    with pytest.raises(AssertionError, match="names of their own"):
        game_of_several(several, discriminators=[])


def test_a_discriminator_called_as_the_generator_is_refused(several: dict[str, nn.Module]) -> None:
    discriminators = [
        Discriminator(GENERATOR, scored_by(several[WHOLE])),
        Discriminator(PART, scored_by(several[PART]), begin),
    ]
    with pytest.raises(AssertionError, match="names of their own"):
        Game(
            several,
            game_of_several(several, discriminators=discriminators).turns(Penalties(), "simultaneous"),
            (GENERATOR,),
        )


def test_turns_of_one_name_are_refused(networks: dict[str, nn.Module]) -> None:
    with pytest.raises(AssertionError, match="names of their own"):
        Game(networks, (turn(), turn()), ())


# The audit


def test_the_audit_hands_scores_the_condition_of_the_samples_that_they_stand_beside() -> None:
    """A toy whose samples are their condition: the discriminator sees through whoever shows it the wrong one."""
    training = {"real": torch.arange(8.0)[:, None], "label": torch.arange(8)}
    held_out = {"real": torch.arange(20.0, 28.0)[:, None], "label": torch.arange(20, 28)}
    handed: list[tuple[Tensor, Tensor]] = []

    def draw(exhibits: Exhibits) -> Tensor:
        handed.append((exhibits["real"], exhibits["label"]))
        return exhibits["label"][:, None] + 0.5

    def scores(sample: Tensor, exhibits: Mapping[str, Tensor]) -> Tensor:
        handed.append((sample, exhibits["label"]))
        return 1 - 4 * (sample[:, 0] - exhibits["label"]).abs()

    looks = [lambda fake: {"highest": float(fake.max())}]
    figures = Audit(draw, scores, LOSSES["non-saturating"], training, held_out, looks)()
    assert figures["accuracy_train"] == figures["accuracy_held_out"] == 1.0
    assert figures["separation"] == 1.0 and figures["highest"] == 27.5
    (_, first), *rest = handed
    assert torch.equal(first, held_out["label"])
    assert sum(torch.equal(label, training["label"]) for _, label in rest) == 1
    for sample, label in rest:
        assert (sample[:, 0] - label).abs().max() <= 0.5


def test_the_audit_tells_a_discriminator_that_knows_its_training_samples_by_heart() -> None:
    training, held_out = ({"real": torch.full((8, 1), value)} for value in (1.0, 0.0))
    audit = Audit(
        lambda exhibits: torch.full_like(exhibits["real"], 0.2),
        lambda sample, _: 4 * (sample[:, 0] - 0.5),
        LOSSES["non-saturating"],
        training,
        held_out,
    )
    figures = audit()
    assert (figures["accuracy_train"], figures["accuracy_held_out"], figures["separation"]) == (1.0, 0.0, 0.0)


def test_the_audit_leaves_no_gradient_behind(networks: dict[str, nn.Module]) -> None:
    exhibits = {"real": Draws().sample["real"]}

    def scores(sample: Tensor, _: Exhibits) -> Tensor:
        logits: Tensor = networks[DISCRIMINATOR](sample)
        assert not logits.requires_grad
        return logits

    def draw(shown: Exhibits) -> Tensor:
        fake: Tensor = networks[GENERATOR](shown["real"])
        return fake

    Audit(draw, scores, LOSSES["hinge"], exhibits, exhibits)()


def test_the_audit_takes_scores_of_many_parts_a_sample() -> None:
    """A discriminator of patches gives as many logits a sample as it likes."""
    exhibits = {"real": torch.rand(6, 3, generator=torch.Generator().manual_seed(0))}
    audit = Audit(
        lambda shown: shown["real"] - 2, lambda sample, _: sample[:, :, None], LOSSES["hinge"], exhibits, exhibits
    )
    assert audit()["separation"] == 1.0
