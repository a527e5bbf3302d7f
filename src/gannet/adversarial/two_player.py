"""The two-player game, for any generator and any discriminators: losses, gradient penalties and turns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

import torch
from torch import Tensor

from gannet.adversarial.game import Outcome, Pass, Turn
from gannet.adversarial.lecam import LeCam
from gannet.adversarial.losses import AdversarialLoss
from gannet.adversarial.penalties import gradient_penalty, squared_gradient
from gannet.adversarial.similarity import feature_distance

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
Prepared = TypeVar("Prepared")


class Lazy(Protocol):
    """A penalty's strength, and the rounds between two applications (Karras et al., 2020, appendix B)."""

    @property
    def weight(self) -> float:
        """Mean weight per round."""

    @property
    def every(self) -> int:
        """Rounds between two applications."""


Update: TypeAlias = Literal["alternating", "shared", "simultaneous"]
Side: TypeAlias = Literal["real", "fake"]


@dataclass(frozen=True)
class Scores:
    """What a discriminator says of samples.

    Attributes:
        logits: (b,), or as many a sample as it likes to judge parts by, (b, ...).
        features: its activations, for feature matching; empty where nobody wants them.
        losses: what it descends besides for what it saw, by name.
        watched: per-sample tensors (b, ...) for observers, by name.
    """

    logits: Tensor
    features: tuple[Tensor, ...] = ()
    losses: Mapping[str, Tensor] = field(default_factory=dict)
    watched: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Discriminator(Generic[Prepared]):
    """A discriminator: what it sees of a sample, and how it scores that.

    Attributes:
        name: of its network, its turn and its scores.
        score: maps what it sees (b, ...) to scores.
        view: what it sees of samples (b, ...), reals and fakes alike: a frame, a scale, an augmented picture.
        score_side: as `score`, where the samples are all of one side and may be seen together; penalties ask `score`,
            for each sample alone. None: that, too.
    """

    name: str
    score: Callable[[Tensor, Prepared], Scores]
    view: Callable[[Tensor, Prepared], Tensor] = lambda sample, _: sample
    score_side: Callable[[Tensor, Prepared, Side], Scores] | None = None

    def judge(self, sample: Tensor, given: Prepared, side: Side) -> Scores:
        """Score samples of one side, as they were viewed."""
        return self.score(sample, given) if self.score_side is None else self.score_side(sample, given, side)


@dataclass(frozen=True)
class Penalties:
    """The gradient penalties of each discriminator; None for those that are not wanted.

    Attributes:
        r1, r2: on reals and on fakes (Mescheder et al., 2018).
        between: of gradient norms other than one, between reals and fakes (Gulrajani et al., 2017).
    """

    r1: Lazy | None = None
    r2: Lazy | None = None
    between: Lazy | None = None


@dataclass(frozen=True)
class TwoPlayer(Generic[Prepared]):
    """Reals, fakes and scores of one pass, however a task makes them.

    A penalty of every round is part of a discriminator's loss; a lazy one is a turn of its own, in which the
    discriminator takes a step on it alone whenever it is due.

    Attributes:
        loss: the losses of the two players; of several discriminators the generator descends the sum.
        discriminators: one or several, of different names.
        prepare: makes what a pass is about, once a pass: a pair of input and target, a clip and its condition.
        real: the real samples (b, ...) of what was prepared.
        generate: the generator's samples (b, ...) of it.
        extra_losses: what else the generator descends, by name, for its samples.
        weight: of the adversarial loss among all that.
        feature_matching: weight of the distance of a discriminator's features of fakes to those of reals.
        generator: the name of the generator's network.
        lecam: holds each discriminator's scores to where the others were of late; None: nothing does.
    """

    loss: AdversarialLoss
    discriminators: Sequence[Discriminator[Prepared]]
    prepare: Callable[[Pass], Prepared]
    real: Callable[[Prepared], Tensor]
    generate: Callable[[Prepared], Tensor]
    extra_losses: Callable[[Tensor, Prepared], Mapping[str, Tensor]] = lambda *_: {}
    weight: float = 1.0
    feature_matching: float = 0.0
    generator: str = GENERATOR
    lecam: LeCam | None = None

    def __post_init__(self) -> None:
        names = [*(one.name for one in self.discriminators), self.generator]
        assert len(names) > 1 and len(set(names)) == len(names), f"players need names of their own: {names}"

    def turns(self, penalties: Penalties, update: Update = "alternating") -> tuple[Turn, ...]:
        """Give each discriminator's turn and its lazy penalties, then the generator's turn.

        Args:
            update: `shared` lets the generator answer on the fakes that the discriminators have stepped on, which saves
                a pass through it; `simultaneous` lets all step from one shared pass, which saves one through each.
        """
        if update == "shared":
            return tuple(replace(turn, records=(self.generator,)) for turn in _sharing(self).turns(penalties))
        players = [_Player(self, one, penalties, len(self.discriminators) == 1) for one in self.discriminators]
        lazy = [turn for player in players for turn in player.lazy_turns()]
        if update == "simultaneous":
            names = (*(player.name for player in players), self.generator)
            return Turn("both", names, lambda run: self._play_all(run, players)), *lazy
        turns = [turn for player in players for turn in (player.turn(), *player.lazy_turns())]
        return *turns, Turn(self.generator, (self.generator,), self._play_generator)

    def _play_all(self, run: Pass, players: "Sequence[_Player[Prepared]]") -> Outcome:
        given = self.prepare(run)
        fake = self.generate(given)
        played = [player.play(run, given, fake) for player in players]
        named = [(player.name, real, made) for player, (_, real, made) in zip(players, played, strict=True)]
        outcomes = [outcome for outcome, _, _ in played]
        losses: dict[str, dict[str, Tensor]] = {}
        for outcome in outcomes:
            losses |= outcome.losses
        mine = self._adversarial(named) | dict(self.extra_losses(fake, given))
        watched = {name: values for outcome in outcomes for name, values in outcome.watched.items()}
        return Outcome({**losses, self.generator: mine}, watched)

    def _play_generator(self, run: Pass) -> Outcome:
        given = self.prepare(run)
        fake = self.generate(given)
        named = []
        for one in self.discriminators:
            made = one.judge(one.view(fake, given), given, "fake")
            named.append((one.name, self._real_scores(one, given, made), made))
        return Outcome({self.generator: self._adversarial(named) | dict(self.extra_losses(fake, given))})

    def _real_scores(self, one: Discriminator[Prepared], given: Prepared, made: Scores) -> Scores:
        """Score the reals where the generator's losses look at them; else stand in for them."""
        if not (self.loss.needs_real or self.feature_matching):
            return made
        with torch.set_grad_enabled(self.loss.needs_real):
            return one.judge(one.view(self.real(given), given), given, "real")

    def _adversarial(self, named: Sequence[tuple[str, Scores, Scores]]) -> dict[str, Tensor]:
        """Give the generator's losses against each discriminator, of reals and fakes."""
        losses = {}
        for name, real, made in named:
            suffix = "" if len(self.discriminators) == 1 else f"-{name}"
            losses[f"adversarial{suffix}"] = self.weight * self.loss.generator(real.logits, made.logits)
            if self.feature_matching:
                apart = feature_distance(made.features, [values.detach() for values in real.features])
                losses[f"feature_matching{suffix}"] = self.feature_matching * apart
        return losses


@dataclass(frozen=True)
class _Player(Generic[Prepared]):
    """A discriminator's side of the game; one alone needs no name in its turns of penalties."""

    game: TwoPlayer[Prepared]
    one: Discriminator[Prepared]
    penalties: Penalties
    alone: bool

    @property
    def name(self) -> str:
        return self.one.name

    def turn(self) -> Turn:
        def play(run: Pass) -> Outcome:
            given = self.game.prepare(run)
            return self.play(run, given, self.game.generate(given).detach())[0]

        return Turn(self.name, (self.name,), play)

    def play(self, run: Pass, given: Prepared, fake: Tensor) -> tuple[Outcome, Scores, Scores]:
        """Score reals and fakes; give the outcome and both scores."""
        seen_fake = self.one.view(fake, given)
        real = self.one.judge(self._real(given), given, "real")
        made = self.one.judge(seen_fake, given, "fake")
        losses = {"adversarial": self.game.loss.discriminator(real.logits, made.logits)}
        losses |= {name: loss + made.losses[name] for name, loss in real.losses.items()}
        if self.game.lecam:
            losses["lecam"] = self.game.lecam.loss(self.name, real.logits, made.logits)
        for name, strength, penalty in self._wanted():
            if strength.every == 1:
                losses[name] = strength.weight * penalty(run, given)
        watched = {f"{self.name}/real": real.logits, f"{self.name}/fake": made.logits}
        for side, scores in (("real", real), ("fake", made)):
            watched |= {f"{self.name}/{side}/{name}": values for name, values in scores.watched.items()}
        return Outcome({self.name: losses}, watched), real, made

    def lazy_turns(self) -> list[Turn]:
        """Give a turn of its own to each penalty that is not of every round."""
        return [self._lazy(*wanted) for wanted in self._wanted() if wanted[1].every > 1]

    def _wanted(self) -> list[tuple[str, Lazy, Callable[[Pass, Prepared], Tensor]]]:
        named = (
            ("r1", self.penalties.r1, self._r1),
            ("r2", self.penalties.r2, self._r2),
            ("gradient_penalty", self.penalties.between, self._between),
        )
        return [(name, strength, penalty) for name, strength, penalty in named if strength is not None]

    def _lazy(self, name: str, strength: Lazy, penalty: Callable[[Pass, Prepared], Tensor]) -> Turn:
        def play(run: Pass) -> Outcome:
            loss = strength.weight * strength.every * penalty(run, self.game.prepare(run))
            return Outcome({self.name: {name: loss}})

        return Turn(name if self.alone else f"{name}-{self.name}", (self.name,), play, every=strength.every)

    def _real(self, given: Prepared) -> Tensor:
        return self.one.view(self.game.real(given), given)

    def _fake(self, given: Prepared) -> Tensor:
        return self.one.view(self.game.generate(given), given)

    def _logits(self, given: Prepared) -> Callable[[Tensor], Tensor]:
        return lambda sample: self.one.score(sample, given).logits

    def _r1(self, run: Pass, given: Prepared) -> Tensor:  # noqa: ARG002
        return squared_gradient(self._logits(given), self._real(given))

    def _r2(self, run: Pass, given: Prepared) -> Tensor:  # noqa: ARG002
        return squared_gradient(self._logits(given), self._fake(given))

    def _between(self, run: Pass, given: Prepared) -> Tensor:
        real, fake, mix = self._real(given), self._fake(given), run.uniform()
        return gradient_penalty(self._logits(given), real, fake, mix)


def of_the_pass(run: Pass) -> Pass:
    """Prepare nothing: all that a pass is about is its sample."""
    return run


@dataclass(frozen=True)
class _Kept(Generic[Prepared]):
    """What a round's passes are about, and the fakes made of it."""

    given: Prepared
    fake: Tensor


def _sharing(game: TwoPlayer[Prepared]) -> TwoPlayer[_Kept[Prepared]]:
    """Give the game whose turns of a round all are about the same, with the same fakes."""

    def make(run: Pass) -> _Kept[Prepared]:
        given = game.prepare(run)
        return _Kept(given, game.generate(given))

    def knowing(one: Discriminator[Prepared]) -> Discriminator[_Kept[Prepared]]:
        return Discriminator(
            one.name,
            lambda sample, kept: one.score(sample, kept.given),
            lambda sample, kept: one.view(sample, kept.given),
            lambda sample, kept, side: one.judge(sample, kept.given, side),
        )

    return TwoPlayer(
        game.loss,
        [knowing(one) for one in game.discriminators],
        prepare=lambda run: run.shared("fakes", make),
        real=lambda kept: game.real(kept.given),
        generate=lambda kept: kept.fake,
        extra_losses=lambda fake, kept: game.extra_losses(fake, kept.given),
        weight=game.weight,
        feature_matching=game.feature_matching,
        generator=game.generator,
        lecam=game.lecam,
    )
