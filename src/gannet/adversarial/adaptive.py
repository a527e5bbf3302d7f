"""The controller of adaptive augmentation (Karras et al., 2020, "Training Generative Adversarial Networks ...")."""

import torch
from torch import Tensor

from gannet.adversarial.game import Curve, Mark, Seen, State
from gannet.adversarial.losses import AdversarialLoss

INTERVAL = 4
"""Rounds between two moves of the share."""


class Adaptive:
    """Steers the share so that E[sign D(real)] comes to its target: above, the discriminator overfits (section 3.2).

    Args:
        loss: says which scores pass for real.
        target: of E[sign D(real)].
        cap: the share never exceeds it; above 0.8 augmentations leak into the fakes.
        images: in which the share climbs from 0 to 1 at most.
        discriminator: whose scores are watched.
    """

    curves = (Curve("Share of what is augmented in the game", ("share",), (Mark(0.8, "above it leaks"),)),)

    def __init__(
        self, loss: AdversarialLoss, target: float, cap: float, images: int, discriminator: str = "discriminator"
    ) -> None:
        self.loss, self.target, self.cap, self.images = loss, target, cap, images
        self.discriminator = discriminator
        self.share, self.sign = 0.0, 0.0
        self.signs: list[Tensor] = []

    def observe(self, seen: Seen) -> None:
        """Take note of the scores of a round's reals; every few rounds, move the share."""
        real, fake = (seen.watched[f"{self.discriminator}/{side}"].float() for side in ("real", "fake"))
        threshold, _ = self.loss.decide(real, fake)
        self.signs.append((real - threshold).sign().mean())
        if len(self.signs) == INTERVAL:
            # After a resume the first of them lie on the processor.
            self.sign = float(torch.stack([sign.to(real.device) for sign in self.signs]).mean())
            step = INTERVAL * seen.batch / self.images
            self.share = min(self.cap, max(0.0, self.share + (step if self.sign > self.target else -step)))
            self.signs = []

    def measures(self) -> dict[str, float]:
        """Give the share, and the sign that steers it."""
        return {"share": self.share, "r_t": self.sign}

    def state_dict(self) -> State:
        """Give the share, and what was seen since it moved."""
        return {"share": self.share, "sign": self.sign, "signs": list(self.signs)}

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`."""
        self.share, self.sign, self.signs = state["share"], state["sign"], list(state["signs"])
