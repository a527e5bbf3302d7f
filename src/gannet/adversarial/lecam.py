"""LeCam's regularizer for scarce data (Tseng et al., 2021, "Regularizing Generative Adversarial Networks under ...").

A discriminator that learns its few samples by heart scores reals ever higher and fakes ever lower. Held to where the
others were scored of late, it cannot: what it then descends bounds the LeCam divergence of reals and fakes.
"""

from typing import Protocol

from torch import Tensor

from gannet.adversarial.game import Curve, Observer, Seen, State
from gannet.adversarial.losses import AdversarialLoss, pairwise


class Anchoring(Protocol):
    """How strongly scores are held, and to how long an average."""

    @property
    def weight(self) -> float:
        """Of the term in a discriminator's loss."""

    @property
    def decay(self) -> float:
        """Of the running averages, a round."""

    @property
    def start(self) -> int:
        """Images after which the term sets in."""


class LeCam:
    """The term, and the running averages that it holds scores to; those are of whole rounds, of all processes.

    Attributes:
        averages: `discriminator/real` and `discriminator/fake` -> the running average of its scores.
        rounds: `discriminator/real`, ... -> how many rounds the average is of.
    """

    curves = (Curve("Running averages of the discriminator's scores, which it is held to"),)

    def __init__(self, strength: Anchoring) -> None:
        self.strength = strength
        self.averages: dict[str, Tensor] = {}
        self.rounds: dict[str, int] = {}
        self.images = 0

    def loss(self, discriminator: str, real: Tensor, fake: Tensor) -> Tensor:
        """Give mean (D(x) - alpha_F)^2 + mean (D(G(z)) - alpha_R)^2, weighted (equation 4); zero before it sets in.

        Args:
            real, fake: the discriminator's scores of a pass, (b, ...).
        """
        of_real, of_fake = (self.averages.get(f"{discriminator}/{side}") for side in ("real", "fake"))
        if of_real is None or of_fake is None or self.images < self.strength.start:
            return real.new_zeros(())
        # After a resume they lie on the processor.
        apart = (real - of_fake.to(real.device)).square().mean() + (fake - of_real.to(real.device)).square().mean()
        return self.strength.weight * apart

    def observe(self, seen: Seen) -> None:
        """Let the averages follow a round's scores; of few rounds they are plain means (as Adam's moments)."""
        self.images = seen.images
        for name, scores in seen.watched.items():
            if name.endswith(("/real", "/fake")):
                self._follow(name, scores.float().mean())

    def _follow(self, name: str, mean: Tensor) -> None:
        count = self.rounds.get(name, 0) + 1
        before = self.averages.get(name, mean).to(mean.device)
        step = (1 - self.strength.decay) / (1 - self.strength.decay**count)
        self.averages[name], self.rounds[name] = before + step * (mean - before), count

    def measures(self) -> dict[str, float]:
        """Give the averages."""
        return {name: float(average) for name, average in self.averages.items()}

    def state_dict(self) -> State:
        """Give the averages, of how many rounds they are, and the images seen."""
        return {"averages": dict(self.averages), "rounds": dict(self.rounds), "images": self.images}

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`."""
        self.averages, self.rounds = dict(state["averages"]), dict(state["rounds"])
        self.images = state["images"]

    @property
    def observers(self) -> dict[str, Observer]:
        """Give what watches the game for it."""
        return {"lecam": self}


def hold_scores(strength: Anchoring, loss: AdversarialLoss) -> LeCam:
    """Give the regularizer of a game with that loss.

    Raises:
        ValueError: scores mean something only beside each other, as in the relativistic losses.
    """
    if loss.decide is pairwise:
        raise ValueError(
            "loss.lecam holds each score to an average of others, and a relativistic loss looks at differences only; "
            "leave out loss.lecam, or choose another loss.name."
        )
    return LeCam(strength)
