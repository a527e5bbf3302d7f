"""What learns from real and generated scans: a classifier of slices and a segmenter of volumes, sized for one core."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from scan_data import Labelled
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate, one_hot

from gannet.augmentation.distortions import vary
from gannet.metrics.atlas import Atlas
from gannet.metrics.segmentation import confusion, dice
from gannet.networks.recognizer import RecognizerChoice

SIDE, WIDTH, DEPTH = 64, 8, 5
"""Of slices that are classified, and of the network that does it."""
CHANNELS = 16
"""Of the segmenter at half the size."""
Change = Callable[[Labelled, torch.Generator], Labelled]


class Lesson(NamedTuple):
    """How a network learns.

    Attributes:
        steps, batch: how many, and how many scans each.
        rate: of Adam, which falls to zero along a quarter of a cosine.
        loss: of outputs and labels.
    """

    steps: int
    batch: int
    rate: float
    loss: Callable[[Tensor, Tensor], Tensor]


def learn(network: nn.Module, parts: Sequence[Labelled], change: Change, lesson: Lesson, seed: int) -> nn.Module:
    """Let a network learn from parts, of which each batch takes equal shares; every arm takes as many steps."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lesson.rate, weight_decay=0.01)
    fading = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, lesson.steps)
    count = lesson.batch // len(parts)
    network.train()
    for _ in range(lesson.steps):
        drawn = [_some(part, torch.randint(len(part.scans), (count,), generator=generator)) for part in parts]
        batch = change(Labelled(*(torch.cat(columns) for columns in zip(*drawn, strict=True))), generator)
        loss = lesson.loss(network(batch.scans), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        fading.step()
    return network.eval()


def _some(part: Labelled, rows: Tensor) -> Labelled:
    return Labelled(part.scans[rows], part.labels[rows])


def as_it_is(batch: Labelled, generator: torch.Generator) -> Labelled:  # noqa: ARG001
    """Change nothing."""
    return batch


def varied(batch: Labelled, generator: torch.Generator) -> Labelled:
    """Turn and enlarge slices slightly, mirror half of them, and add a little noise."""
    mirrored = torch.rand(len(batch.scans), 1, 1, 1, generator=generator) < 0.5
    return Labelled(vary(torch.where(mirrored, batch.scans.flip(-1), batch.scans), generator), batch.labels)


def jittered(batch: Labelled, generator: torch.Generator) -> Labelled:
    """Shift volumes and labels by up to three voxels, and change brightness and contrast."""
    scans, labels = [], []
    for scan, label in zip(*batch, strict=True):
        by = torch.randint(-3, 4, (3,), generator=generator).tolist()
        contrast, light = torch.rand(2, generator=generator) * torch.tensor([0.4, 0.2]) + torch.tensor([0.8, -0.1])
        scans.append((scan.roll(by, (1, 2, 3)) * contrast + light).clamp(-1, 1))
        labels.append(label.roll(by, (0, 1, 2)))
    return Labelled(torch.stack(scans), torch.stack(labels))


def classify(
    parts: Sequence[Labelled], test: Labelled, classes: int, change: Change, settings: tuple[int, int]
) -> np.ndarray:
    """Learn classes of slices and tell which of a test set are told rightly, (n,).

    Args:
        settings: steps and seed.
    """
    steps, seed = settings
    torch.manual_seed(seed)
    network = RecognizerChoice(width=WIDTH, depth=DEPTH).build((1, SIDE, SIDE), classes)
    learn(network, [sized(part) for part in parts], change, Lesson(steps, 32, 2e-3, cross_entropy), seed)
    with torch.no_grad():
        told = torch.cat([network(part) for part in sized(test).scans.split(200)]).argmax(1)
    return (told == test.labels).double().numpy()


def sized(part: Labelled) -> Labelled:
    """Slices at the size at which they are classified."""
    if part.scans.shape[-1] == SIDE:
        return part
    return Labelled(interpolate(part.scans, (SIDE, SIDE), mode="area"), part.labels)


class Segmenter(nn.Module):
    """A U-Net in three dimensions that works at half the size (after Cicek et al., 2016, "3D U-Net")."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        width = CHANNELS
        self.entry = _block(1, width, 2)
        self.level = _block(width, width, 1)
        self.down = nn.Sequential(_block(width, 2 * width, 2), _block(2 * width, 2 * width, 1))
        self.up = _block(3 * width, width, 1)
        self.exit = nn.Conv3d(width + 1, classes, 3, padding=1)

    def forward(self, scan: Tensor) -> Tensor:
        """Map (b, 1, d, h, w) to logits (b, classes, d, h, w)."""
        half = self.level(self.entry(scan))
        found = self.up(torch.cat([_enlarged(self.down(half), half), half], 1))
        logits: Tensor = self.exit(torch.cat([_enlarged(found, scan), scan], 1))
        return logits


def _block(before: int, after: int, stride: int) -> nn.Sequential:
    layers = nn.Conv3d(before, after, 3, stride, 1, bias=False), nn.InstanceNorm3d(after, affine=True)
    return nn.Sequential(*layers, nn.LeakyReLU(0.1))


def _enlarged(small: Tensor, like: Tensor) -> Tensor:
    return interpolate(small, like.shape[2:], mode="trilinear")


def overlap_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy and one less the soft Dice of the regions (Milletari et al., 2016, "V-Net", section 3)."""
    true = one_hot(labels, logits.shape[1]).movedim(-1, 1)[:, 1:].float()
    told = logits.softmax(1)[:, 1:]
    shared, both = (told * true).sum((0, 2, 3, 4)), (told.square() + true).sum((0, 2, 3, 4))
    return cross_entropy(logits, labels) + 1 - (2 * shared / both.clamp_min(1)).mean()


def segment(
    parts: Sequence[Labelled], test: Labelled, classes: int, change: Change, settings: tuple[int, int]
) -> np.ndarray:
    """Learn to label volumes and give the mean Dice over regions of each of a test set, (n,).

    Args:
        settings: steps and seed.
    """
    steps, seed = settings
    torch.manual_seed(seed)
    network = learn(Segmenter(classes), parts, change, Lesson(steps, 4, 3e-3, overlap_loss), seed)
    with torch.no_grad():
        told = torch.cat([network(part).argmax(1) for part in test.scans.split(4)])
    return overlaps(told.numpy(), test.labels.numpy(), classes)


def atlas_overlaps(known: Labelled, test: Labelled, classes: int) -> np.ndarray:
    """Give the mean Dice over regions, of each of a test set, of the atlas that needs no learning, (n,)."""
    atlas = Atlas.fit(known.scans[:, 0].numpy().astype(np.float64), known.labels.numpy(), classes)
    told = np.stack([atlas(scan) for scan in test.scans[:, 0].numpy().astype(np.float64)])
    return overlaps(told, test.labels.numpy(), classes)


def overlaps(told: np.ndarray, true: np.ndarray, classes: int) -> np.ndarray:
    """Give the mean Dice over the regions that are there or told, but for the background, of each volume (n, d, h, w):
    (n,); 1 where there are none, and none is told.
    """
    of_regions = [dice(confusion(truth, found, classes))[1:] for truth, found in zip(true, told, strict=True)]
    return np.array([1.0 if np.isnan(one).all() else np.nanmean(one) for one in of_regions])
