"""An adversarial loss: the non-saturating one with one-sided label smoothing (Salimans et al., 2016, section 3.4).

Use it by name: `gannet train images photos --set loss.name=smoothed`.
"""

from torch import Tensor
from torch.nn.functional import logsigmoid

from gannet.adversarial.losses import AdversarialLoss, non_saturating_generator, zero

TARGET = 0.9
"""The probability that the discriminator is taught to give reals, in place of 1."""


def smoothed_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Descend the cross entropy of logits (b,) of reals with 0.9, and of fakes with 0."""
    of_reals = TARGET * logsigmoid(real) + (1 - TARGET) * logsigmoid(-real)
    return -(of_reals + logsigmoid(-fake)).mean()


# Both players' losses, and the threshold above which a sample passes for real; here a logit of zero.
SMOOTHED = AdversarialLoss(smoothed_discriminator, non_saturating_generator, zero)
