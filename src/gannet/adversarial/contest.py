"""The turns of the classic contest, for any generator and discriminator: one forges, the other polices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from torch import Tensor

from gannet.adversarial.game import Outcome, Pass, Turn
from gannet.adversarial.losses import AdversarialLoss
from gannet.adversarial.penalties import gradient_penalty, squared_gradient

GENERATOR, DISCRIMINATOR = "generator", "discriminator"


class Lazy(Protocol):
    """A penalty's strength, and the rounds between two applications (Karras et al., 2020, appendix B)."""

    @property
    def weight(self) -> float:
        """Mean weight per round."""

    @property
    def every(self) -> int:
        """Rounds between two applications."""


Moves: TypeAlias = Literal["in-turn", "at-once"]
Penalty: TypeAlias = tuple[str, Lazy, Callable[[Pass], Tensor]]


@dataclass(frozen=True)
class Contest:
    """Reals, fakes and scores of one pass, however a task makes them.

    A penalty of every round is part of the discriminator's loss; a lazy one is a turn of its own, in which the
    discriminator takes a step on it alone whenever it is due.

    Attributes:
        loss: the losses of the two players.
        real: the real samples (b, ...) of a pass.
        generate: the generator's samples (b, ...) for a pass.
        score: the discriminator's logits (b,) for samples of a pass.
        see: how it sees samples (b, ...) of a pass, reals and fakes alike: augmented, perhaps.
        beside: what else the generator descends, by name, for its samples of a pass.
        weight: of the adversarial loss among all that.
    """

    loss: AdversarialLoss
    real: Callable[[Pass], Tensor]
    generate: Callable[[Pass], Tensor]
    score: Callable[[Tensor, Pass], Tensor]
    see: Callable[[Tensor, Pass], Tensor] = lambda sample, _: sample
    beside: Callable[[Tensor, Pass], dict[str, Tensor]] = lambda *_: {}
    weight: float = 1.0

    def turns(
        self, r1: Lazy | None, r2: Lazy | None, between: Lazy | None, moves: Moves = "in-turn"
    ) -> tuple[Turn, ...]:
        """The discriminator's turn, its lazy penalties (R1, R2, WGAN-GP between reals and fakes), the generator's turn.

        Args:
            moves: `at-once` lets both move from one shared pass, which saves a pass through each network.
        """
        named = (("r1", r1, self._r1), ("r2", r2, self._r2), ("gradient_penalty", between, self._between))
        penalties = [(name, strength, penalty) for name, strength, penalty in named if strength is not None]
        constant = [of for of in penalties if of[1].every == 1]
        lazy = [self._lazy(*of) for of in penalties if of not in constant]
        if moves == "at-once":
            return Turn("both", (DISCRIMINATOR, GENERATOR), lambda run: self._play_both(run, constant)), *lazy
        return (
            Turn("discriminator", (DISCRIMINATOR,), lambda run: self._discriminate(run, constant)),
            *lazy,
            Turn("generator", (GENERATOR,), self._forge),
        )

    def _play_both(self, run: Pass, constant: Sequence[Penalty]) -> Outcome:
        police = self._discriminate(run, constant)
        forger = self.loss.generator(police.watched["real_score"], police.watched["fake_score"])
        return Outcome({**police.losses, GENERATOR: {"adversarial": forger}}, police.watched)

    def _discriminate(self, run: Pass, constant: Sequence[Penalty]) -> Outcome:
        fake = self._fake(run)
        real_score, fake_score = self.score(self._real(run), run), self.score(fake, run)
        losses = {"adversarial": self.loss.discriminator(real_score, fake_score)}
        losses |= {name: strength.weight * penalty(run) for name, strength, penalty in constant}
        return Outcome({DISCRIMINATOR: losses}, {"real_score": real_score, "fake_score": fake_score})

    def _forge(self, run: Pass) -> Outcome:
        fake = self.generate(run)
        fake_score = self.score(self.see(fake, run), run)
        real_score = self.score(self._real(run), run) if self.loss.needs_real else fake_score
        adversarial = self.weight * self.loss.generator(real_score, fake_score)
        return Outcome({GENERATOR: {"adversarial": adversarial, **self.beside(fake, run)}})

    def _real(self, run: Pass) -> Tensor:
        return self.see(self.real(run), run)

    def _fake(self, run: Pass) -> Tensor:
        return self.see(self.generate(run), run)

    def _lazy(self, name: str, strength: Lazy, penalty: Callable[[Pass], Tensor]) -> Turn:
        def play(run: Pass) -> Outcome:
            return Outcome({DISCRIMINATOR: {name: strength.weight * strength.every * penalty(run)}})

        return Turn(name, (DISCRIMINATOR,), play, every=strength.every)

    def _r1(self, run: Pass) -> Tensor:
        return squared_gradient(lambda sample: self.score(sample, run), self._real(run))

    def _r2(self, run: Pass) -> Tensor:
        return squared_gradient(lambda sample: self.score(sample, run), self._fake(run))

    def _between(self, run: Pass) -> Tensor:
        real, fake, mix = self._real(run), self._fake(run), run.uniform()
        return gradient_penalty(lambda sample: self.score(sample, run), real, fake, mix)
