"""Are planted shares of bad samples, and of copies, read off? On real pictures, in the features of judge-v1.

    GANNET_DATA=... python benchmarks/planted_shares.py --data fashion-mnist cifar10

Held-out pictures stand for fakes. Some are spoiled (noise, blur, cutout, at full strength), and clipped density and
clipped coverage should read what is left; or some are training pictures a little spoiled (at a tenth of that), and the
memorization audit, which looks at pixels, should count them.
"""

import argparse
import datetime
import os
import platform
from collections.abc import Iterator

import torch
from figures import features, loaders
from torch import Generator, Tensor

from gannet.augmentation.distortions import DISTORTIONS
from gannet.metrics.features import fit_components
from gannet.metrics.fidelity import fidelity
from gannet.metrics.measure import draw_halves, measure
from gannet.metrics.memorization import CopyAudit
from gannet.monitoring.data_checks import rows
from gannet.tasks.generation.evaluation import Traces

BAD, COPIED = (0.0, 0.1, 0.2, 0.5), (0.0, 0.01, 0.05, 0.2)
KINDS, LIGHTLY, SLIGHT = ("noise", "blur", "cutout"), ("noise", "blur", "contrast", "warp"), 0.1
READ = ("clipped density", "clipped coverage", "precision", "coverage")


def spoiled(pictures: Tensor, kind: str, strength: float) -> Tensor:
    """Pictures (n, c, h, w), distorted the same way each time."""
    return DISTORTIONS[kind](pictures, strength, Generator().manual_seed(0))


def shares(real: Tensor, fake: Tensor, bad: dict[str, Tensor]) -> Iterator[str]:
    """A row for each kind and share: what each measure reads, and in brackets what reals read."""
    halves = draw_halves(len(real), len(fake), None, 2_500, seed=0)
    for kind, planted in bad.items():
        for share in BAD:
            count = round(share * len(fake))
            mixed = torch.cat([planted[:count], fake[count:]])
            found = {one.name: one for one in measure(fidelity, real, mixed, halves, "judge-v1", "high")}
            told = [f"{found[name].value:.3f} ({found[name].floor:.3f})" for name in READ]
            yield f"| {kind} | {1 - share:.0%} | {' | '.join(told)} |"


def copies(training: Tensor, held_out: Tensor, fake: Tensor, lightly: Tensor) -> Iterator[str]:
    """A row for each share of copies: what the audit says."""
    audit = CopyAudit(training, held_out)
    for share in COPIED:
        count = round(share * len(fake))
        found = audit(torch.cat([lightly[:count], fake[count:]]))
        assert found is not None
        told = f"{found.copied:.1%} ({found.copied_low:.1%} to {found.copied_high:.1%})"
        yield f"| {share:.0%} | {told} | {found.copied_floor:.2%} | {found.extent} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=["fashion-mnist"])
    parser.add_argument("--count", type=int, default=2_000, help="reals, and as many fakes")
    parser.add_argument("--training", type=int, default=10_000, help="training pictures that are searched")
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, ", end="")
    print(f"{datetime.date.today()}; in the features of judge-v1")
    for data in options.data:
        known, unknown = loaders(data)
        pictures = unknown.spread(2 * options.count)["real"]
        pictures = pictures[torch.randperm(len(pictures), generator=Generator().manual_seed(0))]
        originals = known.spread(options.training)["real"]
        traces = Traces(fit_components(rows(originals[:5_000])))
        training, others = traces(originals), traces(pictures).chunk(2)
        held_out, fake = features(pictures).chunk(2)
        bad = {kind: features(spoiled(pictures[len(held_out) :][: options.count // 2], kind, 1.0)) for kind in KINDS}
        print(f"\n{data}, {len(held_out):,} against {len(fake):,}\n")
        print(f"| planted | good | {' | '.join(READ)} |\n{'|---' * (2 + len(READ))}|")
        for row in shares(held_out, fake, bad):
            print(row, flush=True)
        print(f"\n| copies with | planted | found | of held-out reals | extent |\n{'|---' * 5}|")
        for kind in LIGHTLY:
            lightly = traces(spoiled(originals[: options.count // 5], kind, SLIGHT))
            for row in copies(training, *others, lightly):
                print(f"| {kind} {row}", flush=True)


if __name__ == "__main__":
    main()
