"""Exploring: what a generator of pictures draws between seeds, along its directions, and nearest to a picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from gannet.commands.apply import check_place
from gannet.commands.options import ExploreOptions
from gannet.media import image
from gannet.media.film_encoding import MP4, check_animation
from gannet.media.grids import draw_grid
from gannet.pipelines.hub import load, untrained
from gannet.pipelines.packing import FORMATS
from gannet.pipelines.sample_places import check_many_files
from gannet.pipelines.samples import Samples
from gannet.provenance.metadata import check_format, save_picture
from gannet.runtime.devices import choose_device
from gannet.runtime.names import file_ending, format_ending
from gannet.runtime.progress import Watch
from gannet.tasks.generation.exploring import Explorer, Point, check_explored
from gannet.tasks.generation.pipeline import GenerationPipeline
from gannet.tasks.generation.projection import Projection, Search, fitted_picture, project

COLUMNS = 7
"""Of a sheet of directions: an odd number, so that the middle one is the picture as it is."""
MOVING = (".gif", ".webp", MP4)
"""The endings by which an animation is meant; a .png is a sheet."""
USUAL = {"walk": "walk.gif", "directions": "directions.png", "picture": "picture.png"}
"""The names of what is made, where none is given."""


@dataclass(frozen=True)
class Explored:
    """What came of exploring.

    Attributes:
        out: where the pictures are.
        kind: `walk`, `directions` or `picture`.
        facts: what their metadata say.
        count: how many pictures were drawn.
        directions: those that were gone along, by number, each with its share of what the first layer changes.
        projection: what was found of a picture that was given; None where none was.
    """

    out: Path
    kind: str
    facts: Mapping[str, object]
    count: int
    directions: Mapping[int, float] = field(default_factory=dict)
    projection: Projection | None = None

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        told: dict[str, Any] = {"out": str(self.out), "kind": self.kind, "count": self.count, **self.facts}
        told["shares"] = {str(number): share for number, share in self.directions.items()}
        if found := self.projection:
            told["projection"] = {name: getattr(found, name) for name in ("psnr", "drawn_psnr", "steps", "in_time")}
        return told

    def lines(self) -> list[str]:
        """Say it in words."""
        what = "a picture" if self.count == 1 else f"{self.count:,} pictures"
        shares = [
            f"Direction {number} makes {100 * share:.1f} % of what the latent vector changes at the first layer."
            for number, share in self.directions.items()
        ]
        return [f"Saved {self.out}: {what}.", *(self.projection.lines() if self.projection else []), *shares]


def explore(target: str | Path, out: str | Path, options: ExploreOptions, watch: Watch) -> Explored:
    """Explore a model; see `gannet.api.explore`."""
    # What is wrong is told by the config alone, before weights are fetched and read.
    known = check_explored(untrained(target))
    for label in options.label:
        known.labels(1, label)
    path = Path(out or USUAL[_kind(options)])
    _check_out(path, options)
    picture = fitted_picture(known, options.picture) if options.picture else None
    pipeline = cast(GenerationPipeline, load(target, options.weights).to(choose_device("auto")))
    explorer, numbers = Explorer(pipeline), list(dict.fromkeys([*options.direction, *options.moves]))
    shares = explorer.shares(numbers)
    found = None if picture is None else _find(explorer, picture, options, watch)
    watch.step(0, 0, "Drawing")
    values = _draw(explorer, _points(explorer, found, options), options, path)
    facts = _facts(pipeline, options, found)
    _save(Samples(values, None, facts, _moves(path, options)), path, options)
    return Explored(path, _kind(options), facts, len(values), shares, found)


def _kind(options: ExploreOptions) -> str:
    if options.direction:
        return "directions"
    return "walk" if options.to or len(options.label) > 1 else "picture"


def _moves(path: Path, options: ExploreOptions) -> bool:
    """Tell whether an animation is asked for."""
    return file_ending(path) in MOVING and _kind(options) != "picture"


def _check_out(path: Path, options: ExploreOptions) -> None:
    """Raise ValueError where what is asked for cannot be saved there."""
    if _moves(path, options):
        check_animation(path)
        if len(options.direction) > 1:
            raise ValueError(
                f"{path.name}: an animation goes along one direction; give one, or name a .png for a sheet."
            )
    elif format_ending(path, image.medium.saved) in FORMATS:
        check_many_files(path, image.medium)
    else:
        check_format(path)
    check_place(path)


def _find(explorer: Explorer, picture: Tensor, options: ExploreOptions, watch: Watch) -> Projection:
    """Look for what is nearest to a picture, of its class where one is given."""
    label = explorer.point(0, options.label[0]).label if options.label else None
    search = Search(options.seed, options.steps, options.seconds)
    return project(explorer.pipeline, picture, search, label, watch)


def _points(explorer: Explorer, found: Projection | None, options: ExploreOptions) -> list[Point]:
    """Give what is drawn or walked between: what was found or the seed, then the further seeds, each of its class."""
    classes: list[str | None] = [*options.label] or [None]
    if found and found.point.label is not None and not options.label:
        classes = [explorer.classes[found.point.label]]
    seeds = [options.seed, *options.to]
    count = max(len(seeds), len(classes))
    seeds, classes = (seeds * count)[:count], (classes * count)[:count]
    points = [explorer.point(seed, label, options.truncation) for seed, label in zip(seeds, classes, strict=True)]
    if found:
        kept = 1 if options.to else count
        points[:kept] = [replace(point, latent=found.point.latent) for point in points[:kept]]
    return [explorer.moved(point, options.moves) for point in points]


def _draw(explorer: Explorer, points: list[Point], options: ExploreOptions, path: Path) -> Tensor:
    """Draw the pictures (n, c, h, w); those of an animation along a direction go there and back."""
    if not options.direction:
        return explorer.walk(points, options.frames)
    if not _moves(path, options):
        return explorer.along(points[0], options.direction, _reach(options.strength, COLUMNS))
    there = explorer.along(points[0], options.direction, _reach(options.strength, options.frames // 2 + 1))
    return torch.cat([there, there[1:-1].flip(0)])


def _reach(strength: float, count: int) -> Tensor:
    """So many distances from one side to the other, in even steps."""
    return torch.linspace(-strength, strength, count)


def _facts(pipeline: GenerationPipeline, options: ExploreOptions, found: Projection | None) -> dict[str, object]:
    """Say the model, and all that was asked for but how long it took."""
    asked = options.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={"picture", "steps", "seconds", "weights"}
    )
    known = pipeline.facts(pipeline.options({"seed": options.seed}))
    return {**known, **asked, **({"projection": f"PSNR {found.psnr:.1f} dB"} if found else {})}


def _save(samples: Samples, path: Path, options: ExploreOptions) -> None:
    """Save as what the name says: an animation, a sheet, or a file each."""
    in_rows = options.direction and not samples.animated
    if in_rows and format_ending(path, image.medium.saved) not in FORMATS:
        save_picture(draw_grid(samples.values, COLUMNS), path, samples.facts)
    else:
        samples.save(path)
