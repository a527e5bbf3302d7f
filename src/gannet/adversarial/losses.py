"""Adversarial losses: what the discriminator and the generator descend, and what *fooled* means for each.

Scores are logits or critic values of shape (b,); a positive logit says real. Losses are scalars, descended by their
player. Each pair is one formula from its paper.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, relu, softplus

from gannet.runtime.plugins import find_part, register
from gannet.runtime.wording import reason


class PlayerLoss(Protocol):
    """A loss over the scores of reals and fakes, both (b,)."""

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the scalar that the player descends."""


class Decision(Protocol):
    """The score above which a sample passes for real."""

    def __call__(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return thresholds for the reals and for the fakes, broadcastable to (b,)."""


@dataclass(frozen=True)
class AdversarialLoss:
    """A discriminator's and a generator's loss, and the decision that says which samples pass for real.

    Attributes:
        discriminator, generator: the players' losses.
        decide: the thresholds that scores are held against.
        needs_real: whether the generator's loss looks at the scores of reals.
    """

    discriminator: PlayerLoss
    generator: PlayerLoss
    decide: Decision
    needs_real: bool = False

    def pass_for_real(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Tell which reals and which fakes the discriminator takes for real, two boolean tensors (b,).

        A fake that passes has fooled the discriminator.
        """
        real_threshold, fake_threshold = self.decide(real, fake)
        return real > real_threshold, fake > fake_threshold


def zero(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Count as real when the logit is positive, that is D(x) > 1/2."""
    return real.new_zeros(()), fake.new_zeros(())


def pairwise(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Count as real when scored above the partner: each real is held against one fake."""
    return fake, real


def midpoint(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Count as real when nearer to the mean score of the reals: for critics, whose scores have no fixed zero."""
    middle = (real.mean() + fake.mean()) / 2
    return middle, middle


def minimax_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Descend -mean[log D(x) + log(1 - D(G(z)))] (Goodfellow et al., 2014, algorithm 1)."""
    return -(logsigmoid(real) + logsigmoid(-fake)).mean()


def minimax_generator(real: Tensor, fake: Tensor) -> Tensor:  # noqa: ARG001
    """Descend mean log(1 - D(G(z))) (Goodfellow et al., 2014, algorithm 1)."""
    return logsigmoid(-fake).mean()


def non_saturating_generator(real: Tensor, fake: Tensor) -> Tensor:  # noqa: ARG001
    """Descend -mean log D(G(z)) (Goodfellow et al., 2014, section 3)."""
    return -logsigmoid(fake).mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Descend mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z))) (Lim and Ye, 2017; Miyato et al., 2018, equation 16)."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def critic_generator(real: Tensor, fake: Tensor) -> Tensor:  # noqa: ARG001
    """Descend -mean D(G(z)) (Miyato et al., 2018, equation 17; Arjovsky et al., 2017, algorithm 1)."""
    return -fake.mean()


def least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Descend mean (D(x) - 1)^2 / 2 + mean (D(G(z)) + 1)^2 / 2 (Mao et al., 2017, equation 2 with a = -1, b = 1)."""
    return ((real - 1) ** 2 + (fake + 1) ** 2).mean() / 2


def least_squares_generator(real: Tensor, fake: Tensor) -> Tensor:  # noqa: ARG001
    """Descend mean (D(G(z)) - 1)^2 / 2 (Mao et al., 2017, equation 2 with c = 1)."""
    return ((fake - 1) ** 2).mean() / 2


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Descend mean D(G(z)) - mean D(x) (Arjovsky et al., 2017, equation 2); wants a Lipschitz penalty."""
    return fake.mean() - real.mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Descend mean softplus(-(D(x) - D(G(z)))), one fake a real (Jolicoeur-Martineau, 2019, equation 3)."""
    return softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Descend mean softplus(-(D(G(z)) - D(x))), one fake a real (Jolicoeur-Martineau, 2019, equation 4)."""
    return softplus(real - fake).mean()


LOSSES: dict[str, AdversarialLoss] = {
    "minimax": AdversarialLoss(minimax_discriminator, minimax_generator, zero),
    "non-saturating": AdversarialLoss(minimax_discriminator, non_saturating_generator, zero),
    "hinge": AdversarialLoss(hinge_discriminator, critic_generator, zero),
    "least-squares": AdversarialLoss(least_squares_discriminator, least_squares_generator, zero),
    "wasserstein": AdversarialLoss(wasserstein_critic, critic_generator, midpoint),
    "relativistic": AdversarialLoss(relativistic_discriminator, relativistic_generator, pairwise, needs_real=True),
}
"""Every loss by the name that `loss.name` takes."""


def find_loss(name: str) -> AdversarialLoss:
    """Give the loss of that name: one of ours, or an `AdversarialLoss` that an entry point of `gannet.losses` names.

    Raises:
        ValueError: there is none; one sentence.
    """
    found = find_part(name, LOSSES, "gannet.losses", "loss")
    if not isinstance(found, AdversarialLoss):
        raise ValueError(
            f"The loss {name!r} is none of a game of two: its entry point is to name an AdversarialLoss, which holds "
            "both players' losses."
        )
    return found


def register_loss(
    name: str, discriminator: PlayerLoss, generator: PlayerLoss, decide: Decision = zero, needs_real: bool = True
) -> None:
    """Let recipes of this process choose a loss of your own, by `loss.name`.

    Args:
        name: what it goes by.
        discriminator, generator: what each player descends, a scalar of the scores of reals and of fakes, both (b,).
        decide: the thresholds above which samples pass for real; without it zero, as for logits.
        needs_real: whether the generator's loss looks at the scores of reals; where it does not, False saves a pass.

    Raises:
        ValueError: the name is none, or is taken; or a loss does not give one number that its player can descend.
    """
    players = {"discriminator": (discriminator, {"reals", "fakes"}), "generator": (generator, {"fakes"})}
    for player, (loss, needed) in players.items():
        what = f"The {player}'s loss of {name!r}"
        reached = _reached(what, loss)
        if lacking := sorted(needed - reached):
            raise ValueError(f"{what} does not depend on the scores of {lacking[0]}: nothing is learned from them.")
    if "reals" in reached and not needs_real:
        raise ValueError(f"{what} looks at the scores of reals; leave needs_real=False out.")
    register("gannet.losses", name, AdversarialLoss(discriminator, generator, decide, needs_real), LOSSES)


def _reached(what: str, loss: PlayerLoss) -> set[str]:
    """Try a loss on scores, and name those that it depends on; ValueError where it gives no number."""
    scores = {"reals": torch.zeros(2, requires_grad=True), "fakes": torch.zeros(2, requires_grad=True)}
    try:
        found = loss(scores["reals"], scores["fakes"])
    except Exception as error:  # What others wrote raises anything.
        raise ValueError(f"{what} cannot take the scores of reals and fakes, both (2,): {reason(error)}.") from None
    if not isinstance(found, Tensor) or found.ndim:
        given = f"a tensor {tuple(found.shape)}" if isinstance(found, Tensor) else repr(found)
        raise ValueError(f"{what} is to give one number as a tensor, such as a mean; it gave {given}.")
    if not found.requires_grad:
        return set()
    gradients = torch.autograd.grad(found, list(scores.values()), allow_unused=True)
    return {name for name, gradient in zip(scores, gradients, strict=True) if gradient is not None}
