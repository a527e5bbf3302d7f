"""Generation: new samples like those in the data, from noise, optionally of a class that is asked for.

Two networks play the classic game: the generator forges, the discriminator polices (Goodfellow et al., 2014). The data
are pictures of one size, or points in the plane. The generator's running average is what is kept.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from pydantic import model_validator
from torch import Tensor, nn

from gannet.adversarial.audit import Audit
from gannet.adversarial.contest import DISCRIMINATOR, GENERATOR, Contest
from gannet.adversarial.game import Game, Observer, Pass
from gannet.adversarial.losses import LOSSES
from gannet.adversarial.referee import Referee, Rule
from gannet.augmentation.distortions import vary
from gannet.data.cache import build_dataset
from gannet.data.loader import Loader
from gannet.data.points import POINTS, PointSource
from gannet.data.sources import Source
from gannet.data.sources import open_source as open_pictures
from gannet.data.survey import fitting_size, survey
from gannet.metrics.features import Features, extract, fit_components, suits
from gannet.metrics.judgement import Evidence, Judgement, Query, judge_samples
from gannet.metrics.utility import MOST, Utility, measure_utility
from gannet.networks import PAIRS, Pair
from gannet.pipeline import Pipeline
from gannet.randomness import address
from gannet.recipe import (
    Checkpoints,
    Choice,
    Data,
    Loss,
    Optimizer,
    Penalty,
    Positive,
    Recipe,
    Record,
    Section,
    check,
    choose,
    nearest,
)
from gannet.recipe import Referee as RefereeSettings
from gannet.samples import Samples, latents, padded, walk

AUDIT_SAMPLES, SHEET_SAMPLES, POINT_COUNT, HELD_OUT_POINTS = 256, 64, 100_000, 10_000
JUDGED, AUDITED, COMPONENT_SAMPLES, PART = 10_000, 100_000, 5_000, 500
LARGEST_AUTO_SIZE = {"cuda": 128, "cpu": 64}

judged_by = "referee/energy_distance"


class Config(Section):
    """The keys of `task` for generation."""

    conditional: bool = False
    """Generate samples of a class that is asked for; needs labelled data."""


class Description(Section):
    """What the samples are.

    Attributes:
        name: the data's name, without a path.
        shape: of one sample: (c, h, w) for pictures in [-1, 1], (d,) for points.
        classes: the names of the classes, empty when there are none.
    """

    name: str
    shape: tuple[Positive, ...]
    classes: tuple[str, ...] = ()


class Settings(Section):
    """What `config.json` keeps of a generator."""

    description: Description
    network: Choice
    conditional: bool

    @model_validator(mode="after")
    def _classes_are_known(self) -> Self:
        if self.conditional and not self.description.classes:
            raise ValueError("a conditional generator needs the names of its classes")
        return self


def open_source(recipe: Recipe) -> Source | PointSource:
    """Open the pictures or points that the recipe names; nothing is decoded yet."""
    name = recipe.data.source
    if not name:
        raise ValueError(
            f"The recipe {recipe.name} has no data of its own: give a folder, gannet train {recipe.name} DATA."
        )
    return POINTS[name] if name in POINTS else open_pictures(name, recipe.data.stack)


def describe(recipe: Recipe, source: Source | PointSource) -> Description:
    """Choose size and channels, from a survey of the data where the recipe leaves them open."""
    if isinstance(source, PointSource):
        return Description(name=source.name, shape=(2,))
    data = recipe.data
    looked = survey(source) if "auto" in (data.size, data.channels) else None
    size = auto_size(looked.median_side) if looked and data.size == "auto" else data.size
    channels = looked.channels if looked and data.channels == "auto" else data.channels
    if _config(recipe).conditional and not source.classes:
        raise ValueError(
            f"{source.name} has no labels, which task.conditional needs; put the pictures of each class into a "
            "sub-folder of its own, or set task.conditional=false."
        )
    return Description(name=Path(source.name).name, shape=(int(channels), int(size), int(size)), classes=source.classes)


def auto_size(median_side: float) -> int:
    """The pixels a side to train at: near the pictures' own, within what the device can do."""
    return fitting_size(median_side, LARGEST_AUTO_SIZE["cuda" if torch.cuda.is_available() else "cpu"])


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the chosen size, channels and width into the recipe."""
    pair = _pair(recipe.network).sized(description.shape)
    updates: dict[str, Any] = {
        "network": Choice(name=recipe.network.name, **asdict(pair)),
        "optimizer": {player: recipe.optimizer.get(player, Optimizer()) for player in (GENERATOR, DISCRIMINATOR)},
    }
    if len(description.shape) == 3:
        channels, size, _ = description.shape
        updates["data"] = Data(**{**recipe.data.model_dump(), "channels": channels, "size": size})
    if unknown := set(recipe.optimizer) - {GENERATOR, DISCRIMINATOR}:
        raise ValueError(f"Unknown key 'optimizer.{min(unknown)}'; {nearest(min(unknown), (GENERATOR, DISCRIMINATOR))}")
    return recipe.model_copy(update=updates)


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network, shape and classes, so that its weights fit."""
    updates: dict[str, Any] = {
        "network": config.network,
        "task": Choice(name="generation", conditional=config.conditional),
    }
    if len(config.description.shape) == 3:
        channels, size, _ = config.description.shape
        updates["data"] = recipe.data.model_copy(update={"channels": channels, "size": size})
    return recipe.model_copy(update=updates)


def samples(recipe: Recipe, source: Source | PointSource, description: Description) -> tuple[Loader, Loader]:
    """The training and the held-out samples: `real` (b, *shape) and, for labelled data, `label` (b,)."""
    if isinstance(source, PointSource):
        arrays = {"real": source.draw(POINT_COUNT, 0)}
        held_out = np.arange(POINT_COUNT) < HELD_OUT_POINTS
    else:
        channels, height, width = description.shape
        dataset = build_dataset(source, height, width, channels, recipe.data.fit)
        held_out, arrays = dataset.held_out, {"real": dataset.images}
        if _config(recipe).conditional:
            arrays["label"] = dataset.labels
    known = np.flatnonzero(~held_out)
    if recipe.data.limit:
        random = np.random.default_rng(address(recipe.seed, "limit"))
        known = np.sort(random.permutation(known)[: recipe.data.limit])
    return Loader(arrays, known, recipe.seed), Loader(arrays, np.flatnonzero(held_out), recipe.seed)


def noise(recipe: Recipe, description: Description, count: int) -> dict[str, np.ndarray]:
    """Meaningless samples of the right shapes and types."""
    random = np.random.default_rng(0)
    if len(description.shape) == 1:
        return {"real": random.standard_normal((count, *description.shape), dtype=np.float32)}
    arrays = {"real": random.integers(0, 256, (count, *description.shape), dtype=np.uint8)}
    labels = np.arange(count) % max(1, len(description.classes))
    return arrays | ({"label": labels} if _config(recipe).conditional else {})


def game(recipe: Recipe, description: Description) -> Game:
    """The classic contest between the pair of networks that the recipe names."""
    pair, loss, classes = (
        _pair(recipe.network),
        recipe.loss,
        len(description.classes) if _config(recipe).conditional else 0,
    )
    forger = pair.generator(description.shape, classes)
    police = pair.discriminator(description.shape, classes)

    def generate(run: Pass) -> Tensor:
        fake: Tensor = forger(run.normal(forger.latent), run.sample.get("label"))
        return fake

    def score(sample: Tensor, run: Pass) -> Tensor:
        logits: Tensor = police(sample, run.sample.get("label"))
        return logits.float()

    if getattr(pair, "normalization", "") == "batch" and (loss.r1 or loss.r2 or loss.gradient_penalty):
        raise ValueError(
            "Batch normalization mixes the samples whose gradients a penalty wants apart; set network.normalization "
            "to none or spectral, or leave out loss.r1, loss.r2 and loss.gradient_penalty."
        )
    contest = Contest(choose(loss.name, LOSSES, "loss"), lambda run: run.sample["real"], generate, score)
    turns = contest.turns(loss.r1, loss.r2, loss.gradient_penalty)
    return Game({GENERATOR: forger, DISCRIMINATOR: police}, turns, (GENERATOR,))


def observers(
    recipe: Recipe, played: Game, kept: dict[str, nn.Module], loaders: tuple[Loader, Loader]
) -> dict[str, Observer]:
    """The referee, who looks at held-out samples too."""
    rule = Rule(recipe.referee.window, recipe.referee.share, recipe.referee.every)
    loss = choose(recipe.loss.name, LOSSES, "loss")
    training, held_out = (loader.spread(AUDIT_SAMPLES) for loader in loaders)
    generator, discriminator = kept[GENERATOR], played.networks[DISCRIMINATOR]
    noise = latents(generator, seed=0, first=0, count=len(held_out["real"]))
    audit = Audit(generator, discriminator, noise, loss, training, held_out)
    return {"referee": Referee(rule, loss, audit)}


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> "GenerationPipeline":
    """Wrap the averaged generator."""
    config = Settings(description=description, network=recipe.network, conditional=_config(recipe).conditional)
    return GenerationPipeline(config, {GENERATOR: kept[GENERATOR]}, recipe.name)


def judge(
    pipeline: "GenerationPipeline", reals: Loader, training: Loader | None, features: Features | None, query: Query
) -> Judgement:
    """Compare as many fakes as there are reals with them, by features that suit their size; see `judge_samples`."""
    description = pipeline.settings.description
    if features is None or not suits(description.shape):
        features = fit_components(reals.spread(COMPONENT_SAMPLES)["real"])
    count = query.num or min(len(reals), JUDGED)
    labels = pipeline.labels(count)
    real_label = torch.cat([part["label"] for part in reals.parts(PART, JUDGED)]) if labels is not None else None
    evidence = Evidence(
        real=extract(features, (part["real"] for part in reals.parts(PART, JUDGED))),
        fake=extract(features, pipeline.stream(count, query.seed)),
        training=extract(features, (part["real"] for part in training.parts(PART, AUDITED))) if training else None,
        features=features.name,
        real_label=real_label,
        fake_label=labels,
        classes=description.classes,
    )
    judgement = judge_samples(evidence, query.seed)
    return replace(judgement, utility=_utility(pipeline, reals, training, query.seed)) if query.utility else judgement


def _utility(pipeline: "GenerationPipeline", reals: Loader, training: Loader | None, seed: int) -> Utility:
    """Classifiers in the principal components of the pixels, on all that the generator has seen and no more."""
    if not pipeline.settings.conditional or training is None:
        raise ValueError("Utility is judged on a run with task.conditional=true, whose own data are still there.")
    if len(training) > MOST:
        raise ValueError(
            f"This run learned from {len(training):,} samples, too many for the classifiers, which must learn from the "
            f"same; train it with data.limit of at most {MOST:,}."
        )
    known, unseen = training.spread(len(training)), reals.spread(JUDGED)
    components, count = fit_components(known["real"]), 2 * len(training)
    labels = pipeline.labels(count)
    assert labels is not None
    fake = extract(components, pipeline.stream(count, seed))

    def augment(repeat: int) -> np.ndarray:
        return components(vary(known["real"], torch.Generator().manual_seed(repeat))).numpy()

    real, test = ((components(part["real"]).numpy(), part["label"].numpy()) for part in (known, unseen))
    return measure_utility(real, (fake.numpy(), labels.numpy()), test, augment, seed)


def example() -> Recipe:
    """A tiny game on the embedded digits."""
    return Recipe(
        name="example",
        task=Choice(name="generation", conditional=True),
        data=Data(source="digits", size=8, channels=1),
        network=Choice(name="dcgan", width=8, latent=8),
        loss=Loss(r1=Penalty(weight=0.1, every=2)),
        images=512,
        batch=16,
        referee=RefereeSettings(window=64, every=128),
        checkpoint=Checkpoints(every=128),
        log=Record(every=64, sheet_every=256),
        precision="32",
        device="cpu",
    )


class GenerationPipeline(Pipeline):
    """Draws samples: `pipeline(num=64, seed=0)`, of a class, or as a walk through latent space."""

    task: ClassVar[str] = "generation"
    Config: ClassVar[type[Section]] = Settings
    BATCH: ClassVar[int] = 64
    """Samples computed at once. Kernels differ by size, so it is fixed and the last batch is padded."""

    def __call__(self, num: int = 1, seed: int = 0, label: str | int | None = None, frames: int = 1) -> Samples:
        """Draw `num` samples; sample i of a seed is the same whatever `num` is.

        Args:
            label: a class by name or number; None goes through all classes in turn.
            frames: pictures from one sample to the next; more than one makes a closed walk of `num * frames`.

        Raises:
            ValueError: a number below one, or a label that the model does not know.
        """
        if num < 1 or frames < 1 or seed < 0:
            raise ValueError(f"num and frames are 1 or more and seed 0 or more; given: {num}, {frames} and {seed}.")
        vectors = latents(self.networks[GENERATOR], seed, first=0, count=num)
        labels = self.labels(num, None if label is None else str(label))
        if frames > 1:
            vectors = walk(vectors, frames)
            labels = labels.repeat_interleave(frames) if labels is not None else None
        facts = {"model": self.name, "seed": seed, **({"class": label} if label is not None else {})}
        return Samples(self._generate(vectors, labels), labels, facts, animated=frames > 1)

    def demonstrate(self) -> Samples:
        """The same 64 latent vectors, all classes in turn."""
        return self(num=SHEET_SAMPLES, seed=0)

    def stream(self, num: int, seed: int) -> Iterator[Tensor]:
        """The values of the same samples, a batch (b, *shape) at a time, so that any number fits into memory."""
        labels = self.labels(num)
        for first in range(0, num, self.BATCH):
            count = min(self.BATCH, num - first)
            vectors = latents(self.networks[GENERATOR], seed, first, count)
            yield self._generate(vectors, None if labels is None else labels[first : first + count])

    @property
    def settings(self) -> Settings:
        """The model's config."""
        assert isinstance(self.config, Settings)
        return self.config

    @torch.no_grad()
    def _generate(self, vectors: Tensor, labels: Tensor | None) -> Tensor:
        network = self.networks[GENERATOR]
        device = next(network.parameters()).device
        parts = []
        for start in range(0, len(vectors), self.BATCH):
            part = padded(vectors[start : start + self.BATCH], self.BATCH).to(device)
            label = None if labels is None else padded(labels[start : start + self.BATCH], self.BATCH).to(device)
            parts.append(network(part, label)[: len(vectors) - start].float().cpu())
        return torch.cat(parts)

    def labels(self, num: int, label: str | None = None) -> Tensor | None:
        """The classes of `num` samples (num,): all in turn or the one asked for; None without classes."""
        classes = self.settings.description.classes
        if not self.settings.conditional:
            if label is not None:
                raise ValueError("This model was trained without classes; leave the class out.")
            return None
        if label is None:
            return torch.arange(num) % len(classes)
        if label not in classes and not (label.isdecimal() and int(label) < len(classes)):
            raise ValueError(f"This model does not know the class {label!r}; {nearest(label, classes)}")
        number = classes.index(label) if label in classes else int(label)
        return torch.full((num,), number)

    @classmethod
    def build(cls, config: Settings) -> Self:
        """Build the pipeline with an untrained generator."""
        classes = len(config.description.classes) if config.conditional else 0
        network = _pair(config.network).generator(config.description.shape, classes)
        return cls(config, {GENERATOR: network})


def _config(recipe: Recipe) -> Config:
    return check(Config, recipe.task.options, "task")


def _pair(network: Choice) -> Pair:
    return check(choose(network.name, PAIRS, "network"), network.options, "network")


pipeline_class = GenerationPipeline
