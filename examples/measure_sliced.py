"""A measure: the sliced Wasserstein distance between the features of reals and of fakes (Rabin et al., 2011).

`gannet judge` takes it beside its own measures, with the same interval and floor.
"""

import torch
from torch import Tensor

DIRECTIONS = 64
"""Lines that features are projected to; more of them make the figure steadier."""


def sliced(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Give the mean distance of projections of reals (n, d) to as many of fakes (n, d); 0 where all are alike."""
    # The same directions at every call, so that the figures of two models can be compared.
    random = torch.Generator().manual_seed(0)
    directions = torch.randn(real.shape[1], DIRECTIONS, generator=random).to(real)
    directions = directions / directions.norm(dim=0)
    # In one dimension the cheapest way from one set to the other pairs them in their order.
    apart = (real @ directions).sort(0).values - (fake @ directions).sort(0).values
    return {"sliced distance": float(apart.abs().mean())}


# Low values are better; a function without `best` says the same, others say "high", or the number that is best.
sliced.best = "low"  # type: ignore[attr-defined]
