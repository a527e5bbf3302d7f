"""How much of the fakes lies among the reals, and how much of the reals is covered, by nearest neighbours."""

import torch
from torch import Tensor

NEAREST_MANIFOLD, NEAREST_COVERAGE = 3, 5
ROWS = 1_000


def fidelity(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Measure precision and recall (Kynkaanniemi et al., 2019, equations 1 to 3), density and coverage (Naeem et
    al., 2020).

    precision: the share of fakes inside a ball that reaches from a real to its third nearest real. recall: the same
    with the roles exchanged. density: how many such balls, of the fifth nearest, hold a fake, over 5 (equation 4).
    coverage: the share of reals whose ball of the fifth nearest holds a fake (equation 5).

    Args:
        real, fake: (n, d), (m, d), at least six each.
    """
    real, fake = real.float(), fake.float()
    real_radii = neighbour_distances(real, (NEAREST_MANIFOLD, NEAREST_COVERAGE))
    (fake_radii,) = neighbour_distances(fake, (NEAREST_MANIFOLD,)).T
    held, recalled, density, covered = [], torch.zeros(len(real), dtype=torch.bool), 0, []
    for rows, part in enumerate(real.split(ROWS)):
        radii = real_radii[rows * ROWS : rows * ROWS + ROWS]
        distances = torch.cdist(part, fake)
        held.append((distances <= radii[:, :1]).any(0))
        inside = distances <= radii[:, 1:]
        density += int(inside.sum())
        covered.append(inside.any(1))
        recalled[rows * ROWS : rows * ROWS + ROWS] = (distances <= fake_radii).any(1)
    return {
        "precision": float(torch.stack(held).any(0).float().mean()),
        "recall": float(recalled.float().mean()),
        "density": density / (NEAREST_COVERAGE * len(fake)),
        "coverage": float(torch.cat(covered).float().mean()),
    }


def neighbour_distances(features: Tensor, which: tuple[int, ...]) -> Tensor:
    """Give the distances of each row (n, d) to its k-th nearest other row, for each k in `which`: (n, len(which))."""
    found = []
    for start in range(0, len(features), ROWS):
        part = features[start : start + ROWS]
        distances = torch.cdist(part, features)
        rows = torch.arange(len(part))
        distances[rows, start + rows] = torch.inf
        nearest = distances.topk(max(which), largest=False).values
        found.append(nearest[:, [k - 1 for k in which]])
    return torch.cat(found)
