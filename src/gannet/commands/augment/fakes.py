"""A GAN as an augmenter: fakes of each class beside the data, the less believable ones left out."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor

from gannet.adversarial.two_player import DISCRIMINATOR
from gannet.data.records import Source, listed
from gannet.data.samples import class_numbers
from gannet.pipelines.hub import load
from gannet.pipelines.packing import Entry, folders, record_line
from gannet.runs.folder import read_recipe
from gannet.runtime.files import digest
from gannet.task import find_task
from gannet.training.checkpoint import CheckpointFolder

BATCH, FAKE = 64, "synthetic"
Score = Callable[[Tensor, Tensor | None], Tensor]


@dataclass(frozen=True)
class FakeSource:
    """A source of fakes: a generator, and what sifts them.

    Attributes:
        pipeline: draws.
        score: how believable pictures are, (b,), by pictures and labels.
        keep: the share of the fakes that stays.
        seed: of the fakes.
        weights: digests of the generator and of what sifts, which tell them from what further training makes of them.
    """

    pipeline: Any
    score: Score
    keep: float
    seed: int
    weights: tuple[str, ...] = ()

    def draw(self, label: int, first: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the most believable fakes of a class (-1: of all) from `first` on.

        Returns:
            pictures (count, c, h, w), their scores (count,), and their indices among the samples of `seed_of(label)`.
        """
        indices = torch.arange(int(first / self.keep), int((first + count) / self.keep))
        labels = None if label < 0 else torch.full((int(indices[-1]) + 1,), label)
        pictures = self.pipeline.pick(indices, self.seed_of(label), labels)
        scores = self.score(pictures, None if labels is None else labels[: len(indices)])
        best = scores.argsort(descending=True)[:count].sort().values
        return pictures[best], scores[best], indices[best]

    def seed_of(self, label: int) -> int:
        """Give each class a seed of its own, so that no two share their latent vectors."""
        return self.seed + 1 + label


def open_fake_source(run: str, keep: float, seed: int, sieve: str = "") -> FakeSource:
    """Load the generator of a run, and what sifts its fakes: the discriminator it played with, or a classifier.

    Args:
        sieve: a recognition model that knows the run's classes; left out, the discriminator.

    Raises:
        ValueError: it is no run, or one without a discriminator, or the classifier does not fit; one sentence.
    """
    if not sieve and not (Path(run) / "recipe.yaml").is_file():
        raise ValueError(f"{run} is no run: fakes are sifted by the discriminator, which only a run keeps.")
    pipeline: Any = load(run)
    if pipeline.inputs:
        raise ValueError(f"{run} is a model for {pipeline.task}, which draws no fakes; give a run of generation.")
    score, told_by = _by_classifier(sieve, pipeline) if sieve else _by_discriminator(Path(run), pipeline)
    return FakeSource(pipeline, score, keep, seed, (digest(pipeline.tensors(), {}), told_by))


def _by_discriminator(run: Path, pipeline: Any) -> tuple[Score, str]:
    """Its logits, and a digest of its weights."""
    checkpoint = CheckpointFolder(run / "state", 1).newest()
    if checkpoint is None or DISCRIMINATOR not in checkpoint["networks"]:
        raise ValueError(f"{run} has no discriminator to sift its fakes; give a run of a game of two, with its state/.")
    recipe = read_recipe(run)
    network = find_task(recipe.task.name).game(recipe, pipeline.config.description).networks[DISCRIMINATOR]
    network.load_state_dict(checkpoint["networks"][DISCRIMINATOR])
    network.eval()

    @torch.no_grad()
    def score(pictures: Tensor, labels: Tensor | None) -> Tensor:
        logits: Tensor = network(pictures, labels)
        return logits.float()

    return score, digest(network.state_dict(), {})


def _by_classifier(sieve: str, pipeline: Any) -> tuple[Score, str]:
    """The probability of the class that was asked for, and a digest of the classifier's weights."""
    classifier: Any = load(sieve)
    if classifier.task != "recognition":
        raise ValueError(f"{sieve} is a model of {classifier.task}; fakes are sifted by one of recognition.")
    drawn, known = pipeline.config.description, classifier.config.description
    same = class_numbers(drawn.classes, known.classes) == tuple(range(len(known.classes)))
    if not (same and pipeline.settings.conditional and drawn.shape == known.shape):
        raise ValueError(
            f"{sieve} names {len(known.classes)} classes of pictures of {'x'.join(map(str, known.shape))}, and the run "
            "draws others or no classes; train both on the same labelled data, at the same size."
        )

    @torch.no_grad()
    def score(pictures: Tensor, labels: Tensor | None) -> Tensor:
        assert labels is not None
        probabilities: Tensor = classifier.probabilities(pictures)
        return probabilities.gather(1, labels[:, None]).flatten()

    return score, digest(classifier.tensors(), {})


def drawn_classes(fakes: FakeSource, source: Source) -> tuple[int, ...]:
    """Give the numbers by which a model draws the classes of the data; none where neither has classes.

    Raises:
        ValueError: it does not, or only one of the two has classes; one sentence.
    """
    known: tuple[str, ...] = fakes.pipeline.settings.description.classes if fakes.pipeline.settings.conditional else ()
    numbers = class_numbers(source.classes, known)
    if numbers is None:
        raise ValueError(
            f"{source.name} has classes ({', '.join(source.classes[:5])}, ...) that the model does not draw; train one "
            "on these data with task.conditional=true."
        )
    if known and not source.classes:
        raise ValueError(f"{source.name} has no classes, and the model draws one of {len(known)}; give labelled data.")
    return numbers


def synthetic_parts(fakes: FakeSource, source: Source, times: int) -> Iterator[Callable[[], list[Entry]]]:
    """Make fakes the parts of an order: `times` as many of each class as the data have to learn from."""
    numbers = drawn_classes(fakes, source)
    counts, homes = Counter[int](), dict[int, PurePosixPath]()
    for record in listed(source):
        if record.split != "test" and (record.label >= 0 or not numbers):  # A loose picture has no class to draw.
            counts[record.label] += 1
            homes.setdefault(record.label, _home(record.name, record.label, source, bool(record.encoded)))
    drawn = {label: numbers[label] if numbers else -1 for label in counts}
    return (
        partial(_part, fakes, drawn[label], label, homes[label], range(first, min(first + BATCH, times * count)))
        for label, count in sorted(counts.items())
        for first in range(0, times * count, BATCH)
    )


def _part(fakes: FakeSource, drawn: int, label: int, home: PurePosixPath, indices: range) -> list[Entry]:
    pictures, scores, origins = fakes.draw(drawn, indices.start, len(indices))
    entries, seed = [], fakes.seed_of(drawn)
    found = zip(indices, pictures, scores.tolist(), origins.tolist(), strict=True)
    for index, picture, score, origin in found:
        path = home / f"{FAKE}-{index:06d}.png"
        facts = {"model": fakes.pipeline.name, "seed": seed, "class": drawn if drawn >= 0 else None, "index": origin}
        facts = {name: value for name, value in facts.items() if value is not None}
        line = record_line(path, "", FAKE, f"{fakes.keep:g}", fakes.pipeline.name, f"{score:.3f}", seed)
        entries.append(Entry(str(path), fakes.pipeline.medium.encode(picture, ".png", facts), label, line))
    return entries


def _home(name: str, label: int, source: Source, is_file: bool) -> PurePosixPath:
    """The folder of a class: where its first picture lies."""
    return PurePosixPath(name).parent if is_file else PurePosixPath("train", folders(source.classes)[label])
