"""LeCam's regularizer and CHAIN's steering: known answers, several discriminators, and who feels them."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gannet.adversarial.chain import CLIMB_ROUNDS, ChainControl
from gannet.adversarial.game import Seen
from gannet.adversarial.lecam import LeCam, hold_scores
from gannet.adversarial.losses import LOSSES
from gannet.adversarial.two_player import (
    DISCRIMINATOR,
    GENERATOR,
    Discriminator,
    Penalties,
    Scores,
    TwoPlayer,
    of_the_pass,
)

STRENGTH: Any = SimpleNamespace(weight=0.3, decay=0.99, start=0)
REAL, FAKE = torch.tensor([1.0, 3.0]), torch.tensor([-2.0, 0.5])


def seen(real: float, fake: float, images: int = 64, name: str = DISCRIMINATOR) -> Seen:
    """A round of two samples a side, about these means."""
    spread = torch.tensor([-0.5, 0.5])
    return Seen(images, 2, {}, {f"{name}/real": real + spread, f"{name}/fake": fake + spread})


def held(rounds: Sequence[tuple[float, float]], decay: float) -> tuple[float, float]:
    """The running averages written out: each round's mean weighs decay to the power of how long ago it was."""
    weights = [decay**age for age in reversed(range(len(rounds)))]
    real, fake = (sum(w * one[side] for w, one in zip(weights, rounds, strict=True)) for side in (0, 1))
    return real / sum(weights), fake / sum(weights)


@given(
    rounds=st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=12),
    decay=st.sampled_from([0.0, 0.5, 0.99]),
)
@settings(deadline=None)
def test_scores_are_held_to_the_averages_of_the_other_side(rounds: list[tuple[float, float]], decay: float) -> None:
    """Tseng et al., 2021, equation 4: reals to that of fakes, fakes to that of reals."""
    lecam = LeCam(SimpleNamespace(weight=0.3, decay=decay, start=0))  # type: ignore[arg-type]
    for one in rounds:
        lecam.observe(seen(*one))
    of_real, of_fake = held(rounds, decay)
    expected = 0.3 * (sum((x - of_fake) ** 2 for x in (1, 3)) / 2 + sum((x - of_real) ** 2 for x in (-2, 0.5)) / 2)
    assert float(lecam.loss(DISCRIMINATOR, REAL, FAKE)) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert lecam.measures() == pytest.approx({"discriminator/real": of_real, "discriminator/fake": of_fake}, abs=1e-4)


def test_it_sets_in_when_it_is_told_to_and_once_something_was_seen() -> None:
    lecam = LeCam(SimpleNamespace(weight=0.3, decay=0.9, start=128))  # type: ignore[arg-type]
    found = []
    for images in (64, 128, 192):
        found.append(float(lecam.loss(DISCRIMINATOR, REAL, FAKE)))
        lecam.observe(seen(1.0, -1.0, images))
    assert found[:2] == [0.0, 0.0] and found[2] > 0


def test_a_round_in_which_a_discriminator_did_not_move_changes_nothing_of_it() -> None:
    lecam = LeCam(STRENGTH)
    lecam.observe(seen(1.0, -1.0, name="frame"))
    before = dict(lecam.averages)
    lecam.observe(Seen(128, 2, {}, {}))
    lecam.observe(seen(5.0, -5.0, 192, name="clip"))
    assert all(torch.equal(lecam.averages[name], value) for name, value in before.items())
    assert float(lecam.averages["clip/real"]) == 5.0


def test_it_goes_on_bit_for_bit() -> None:
    whole, before, after = (LeCam(STRENGTH) for _ in range(3))
    rounds = torch.randn(9, 2, generator=torch.Generator().manual_seed(0)).tolist()
    for number, one in enumerate(rounds):
        for lecam in (whole, before if number < 4 else after):
            lecam.observe(seen(*one, images=number))
        if number == 3:
            after.load_state_dict(before.state_dict())
    assert whole.state_dict() == after.state_dict()


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_of_differences_alone_is_refused(name: str) -> None:
    if name == "relativistic":
        with pytest.raises(ValueError, match="leave out loss.lecam, or choose another loss.name"):
            hold_scores(STRENGTH, LOSSES[name])
    else:
        assert hold_scores(STRENGTH, LOSSES[name]).strength is STRENGTH


# In a game

SIDE = 3


class Draws:
    """A pass with noise that is the same at every call."""

    def __init__(self) -> None:
        self.sample = {"real": torch.randn(4, SIDE, generator=torch.Generator().manual_seed(1))}

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(4, *shape, generator=torch.Generator().manual_seed(2))

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(4, *shape, generator=torch.Generator().manual_seed(3))

    def shared(self, _: str, make: Callable[[Any], Any]) -> Any:
        return make(self)


@pytest.fixture
def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    judges = {name: nn.Sequential(nn.Linear(SIDE, 4), nn.Tanh(), nn.Linear(4, 1)) for name in ("frame", "clip")}
    return {GENERATOR: nn.Linear(SIDE, SIDE), **judges}


def game_of(networks: dict[str, nn.Module], lecam: LeCam) -> TwoPlayer[Any]:
    """Two discriminators: one of them descends something besides for each side, and shows what it saw."""

    def side(sample: Tensor, _: object, which: str) -> Scores:
        values = networks["clip"](sample).squeeze(1)
        return Scores(values, losses={"size": values.square().mean()}, watched={which: sample})

    return TwoPlayer(
        LOSSES["non-saturating"],
        [
            Discriminator("frame", lambda sample, _: Scores(networks["frame"](sample).squeeze(1))),
            Discriminator("clip", lambda sample, _: Scores(networks["clip"](sample).squeeze(1)), score_side=side),
        ],
        prepare=of_the_pass,
        real=lambda run: run.sample["real"],
        generate=lambda run: networks[GENERATOR](run.normal(SIDE)),
        lecam=lecam,
    )


@pytest.mark.parametrize("update", ["alternating", "shared", "simultaneous"])
def test_each_discriminator_is_held_to_its_own_averages_and_the_generator_feels_nothing_of_it(
    networks: dict[str, nn.Module], update: Any
) -> None:
    lecam, run = LeCam(STRENGTH), Draws()
    lecam.observe(seen(2.0, -3.0, name="frame"))
    lecam.observe(seen(0.5, -0.5, name="clip"))
    losses: dict[str, dict[str, Tensor]] = {}
    watched: dict[str, Tensor] = {}
    for turn in game_of(networks, lecam).turns(Penalties(), update):
        outcome = turn.play(run)  # type: ignore[arg-type]
        losses |= outcome.losses
        watched |= outcome.watched
    fake = networks[GENERATOR](run.normal(SIDE))
    for name, (of_real, of_fake) in {"frame": (2.0, -3.0), "clip": (0.5, -0.5)}.items():
        scores = [networks[name](sample).squeeze(1) for sample in (run.sample["real"], fake)]
        expected = 0.3 * ((scores[0] - of_fake).square().mean() + (scores[1] - of_real).square().mean())
        torch.testing.assert_close(losses[name]["lecam"], expected)
        if name == "clip":
            torch.testing.assert_close(losses[name]["size"], scores[0].square().mean() + scores[1].square().mean())
    assert list(losses[GENERATOR]) == ["adversarial-frame", "adversarial-clip"]
    assert torch.equal(watched["clip/real/real"], run.sample["real"])
    assert torch.equal(watched["clip/fake/fake"], fake)


def test_a_penalty_asks_for_the_score_of_each_sample_alone(networks: dict[str, nn.Module]) -> None:
    game, asked = game_of(networks, LeCam(STRENGTH)), []

    def alone(sample: Tensor, _: object) -> Scores:
        asked.append(len(sample))
        return Scores(networks["clip"](sample).squeeze(1))

    clip = Discriminator("clip", alone, score_side=game.discriminators[1].score_side)
    every: Any = SimpleNamespace(weight=1.0, every=1)
    only = TwoPlayer(game.loss, [clip], game.prepare, game.real, game.generate)
    for turn in only.turns(Penalties(every, every, every)):
        turn.play(Draws())  # type: ignore[arg-type]
    assert asked == [4, 4, 4]


# How much CHAIN normalizes


class Told:
    def __init__(self) -> None:
        self.told: list[tuple[float, list[float]]] = []

    def follow(self, share: float, squares: Any) -> None:
        self.told.append((share, [float(values.mean()) for values in squares]))


def test_every_layer_is_told_the_share_and_what_a_whole_round_showed() -> None:
    """p goes up by 0.001 a round where E[sign D(real)] exceeds a half, else down, and stays within 0 and 1."""
    links = [Told(), Told()]
    control = ChainControl(links, LOSSES["non-saturating"], batch=2)
    for real in (3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 0.0, 0.0, 0.0, 0.0):
        one = seen(real, -3.0)
        squares = {
            f"discriminator/{side}/squares/{n}": torch.full((2, 5), n + size)
            for n in (0, 1)
            for side, size in (("real", 0.25), ("fake", 0.5))
        }
        control.observe(Seen(one.images, one.batch, {}, {**one.watched, **squares}))
    shares = [share for share, _ in links[1].told]
    assert shares == pytest.approx([0.0] * 3 + [0.004] * 4 + [0.008] * 4 + [0.004])
    assert CLIMB_ROUNDS == 1000 and control.measures()["share"] == pytest.approx(0.004)
    assert links[0].told[0][1] == [0.25, 0.5] and links[1].told[0][1] == [1.25, 1.5]
