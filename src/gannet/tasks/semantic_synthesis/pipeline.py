"""The pipeline of a painter: a drawn map of classes becomes a picture, of which parts can be drawn anew."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeAlias, cast

import numpy as np
import torch
from PIL import Image
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import interpolate, one_hot

from gannet.augmentation.levels import from_levels
from gannet.media import image, photograph
from gannet.media.label_map import NOTHING
from gannet.media.medium import Medium, Pixels
from gannet.media.photograph import LOSSY, Photograph
from gannet.media.pixels import Picture, fit_picture, read_picture
from gannet.media.tiling import as_values
from gannet.networks.painting import REGION_NOISE, STRIDE
from gannet.pipelines.pipeline import ConverterPipeline, Input
from gannet.runtime.files import write_text
from gannet.runtime.randomness import generator
from gannet.schema import Section, nearest
from gannet.tasks.semantic_synthesis.config import (
    GENERATOR,
    PaintingNetwork,
    Settings,
    build_network,
    config_of,
)
from gannet.tasks.semantic_synthesis.drawing import gimp_palette, read_drawing, read_palette
from gannet.tasks.semantic_synthesis.keeping import Kept, around, harmonized, kept_part
from gannet.tasks.semantic_synthesis.styles import SeenStyles
from gannet.tasks.semantic_synthesis.tags import LabelTags, StyleTags, cluster_styles, read_tags, tags_file
from gannet.tasks.semantic_synthesis.words import OwnTags, Understood, by_label, concerned, understand

PALETTE, TAGS = "palette.gpl", "tags.yaml"
FileName: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "file-path"})]
"""An option that names a file, as JSON schemas say it."""
Tagged: TypeAlias = Mapping[int, tuple[list[str], LabelTags | None]]
"""Of each label that words speak of, by its number: the names of its tags, and those that it has of its own."""


class PaintOptions(Section):
    """What is asked of a painter."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Another seed paints another picture of the same map."""
    region: str = ""
    """Classes to be painted anew, all else as the seed has it: "sky", or several with commas."""
    region_seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    """Another one paints these regions in another way."""
    words: str = ""
    """How it is to look, in English or Persian: "a bright sky over dark water", "autumn", or tags: "sky: bright"."""
    palette: FileName = ""
    """A file that says what colours of the drawing mean: lines such as `#87ceeb sky`, or a palette of GIMP's; empty:
    palette.gpl beside the model."""
    tags: FileName = ""
    """A file of style tags that words speak of, an edited copy of tags.yaml; empty: those beside the model."""


class PaintingPipeline(ConverterPipeline):
    """Paints drawings: `pipeline("map.png", seed=3).save("picture.png")`."""

    task: ClassVar[str] = "semantic-synthesis"
    inputs: ClassVar[Mapping[str, Input]] = {
        "map": Input(image.medium, "a drawing in the palette's colours, or a label map"),
        "style": Input(image.medium, "a picture whose style is taken", required=False),
        "style_map": Input(image.medium, "the map of that picture; without it, the drawing is taken for it", False),
        "keep": Input(photograph.medium, "a picture that is kept where it is opaque, as large as the map", False),
    }
    Options: ClassVar[type[Section]] = PaintOptions
    Config: ClassVar[type[Section]] = Settings

    @property
    def settings(self) -> Settings:
        """The model's config."""
        assert isinstance(self.config, Settings)
        return self.config

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """A picture."""
        return {"picture": photograph.medium}

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, by their numbers."""
        return self.settings.description.classes

    @property
    def network(self) -> PaintingNetwork:
        """What paints."""
        return cast(PaintingNetwork, self.networks[GENERATOR])

    def choices(self) -> Mapping[str, tuple[str, ...]]:
        """Name the classes that can be painted anew."""
        return {"region": self.classes}

    def check_given(self, names: Any) -> None:
        """Refuse also the map of a picture that is not given."""
        super().check_given(names)
        if "style_map" in names and "style" not in names:
            raise ValueError("A style_map belongs to a picture whose style is taken; give that as style, too.")

    def options(self, given: Mapping[str, object]) -> Section:
        """Check options; ValueError also where a region is none of the model's classes."""
        options = super().options(given)
        assert isinstance(options, PaintOptions)
        if options.tags and not options.words.strip():
            raise ValueError(
                'Tags say what words mean, and no words were given; say some, too, such as --words "sky: stormy".'
            )
        if options.tags or not self.network.bank.styles.is_meta:  # Without weights its own tags are not known yet.
            self._understood(options)
        for name in _named(options.region):
            if name not in self.classes:
                raise ValueError(f"There is no class {name!r} to be painted anew; {nearest(name, self.classes)}")
        return options

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:
        """Paint a drawing of any size at the size that was learned from, and bring the picture to the drawing's."""
        assert isinstance(options, PaintOptions)
        drawn, words = self._read(inputs["map"], options)
        kept = kept_part(inputs["keep"], drawn.shape) if "keep" in inputs else None
        told = torch.from_numpy(_scaled(drawn, self.settings.description.shape))[None]
        style = self._given_style(inputs, told, options)
        style = style if kept is None else self._style_of_kept(kept, told, style)
        understood, tags = self._usable(*self._understood(options), told)
        picture = self._as_asked(told, style, options, tags)
        if kept is not None:
            picture = harmonized(picture, *kept.small(told.shape[1:]), self.class_shares(told).cpu(), list(tags))
        if picture.shape[2:] != drawn.shape:
            picture = interpolate(picture, drawn.shape, mode="bicubic", antialias=True).clamp(-1, 1)
        if options.words:
            words = (*words, understood.told())
        made = Photograph(as_values(picture, "uint8")) if kept is None else kept.with_painted(picture)
        return {"picture": replace(made, notices=(*made.notices, *words))}

    def _read(self, given: Picture, options: PaintOptions) -> tuple[Pixels, tuple[str, ...]]:
        own = list(zip(self.settings.description.palette, range(len(self.classes)), strict=True))
        palette = read_palette(Path(options.palette), self.classes) if options.palette else own
        return read_drawing(given, palette, self.classes, config_of(self.settings.task).ignore)

    def _given_style(self, inputs: Mapping[str, Any], told: Tensor, options: PaintOptions) -> Tensor | None:
        """Give the style of a picture that was given, with that of classes which it lacks, (1, n, s)."""
        if "style" not in inputs:
            return None
        maps = told
        if "style_map" in inputs:
            drawn, _ = self._read(inputs["style_map"], options)
            maps = torch.from_numpy(_scaled(drawn, self.settings.description.shape))[None]
        height, width = maps.shape[1:]
        pixels = fit_picture(read_picture(inputs["style"], 3), height, width, "crop")
        return self.styles.completed(*self.seen(torch.from_numpy(from_levels(pixels))[None], maps))

    def _style_of_kept(self, kept: Kept, told: Tensor, style: Tensor | None) -> Tensor:
        """Give the style of what is kept, (1, n, s), with that of classes of which nothing is."""
        small, share = kept.small(told.shape[1:])
        seen, there = self.seen(small, told.masked_fill(share[:, 0] == 0, NOTHING))
        return self.styles.completed(seen, there) if style is None else torch.where(there[..., None], seen, style)

    @torch.inference_mode()
    def seen(self, pictures: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        """See the style of each class of pictures (b, 3, h, w), (b, n, s), and which classes they have, (b, n)."""
        shares = self.class_shares(maps)
        styles = self.network.encoder(pictures.to(self.device), shares).cpu()
        return styles, (shares.sum((2, 3)) > 0).cpu()

    def class_shares(self, maps: Tensor) -> Tensor:
        """Give what part of each pixel of maps (b, h, w) each class has, (b, n, h, w), on the model's device."""
        count, ignored = len(self.classes), config_of(self.settings.task).ignore
        nobodys = torch.isin(maps, torch.tensor(ignored, dtype=maps.dtype)) | (maps >= count)
        shares = one_hot(maps.long().masked_fill(nobodys, count), count + 1)[..., :count]
        return shares.permute(0, 3, 1, 2).float().to(self.device)

    @property
    def styles(self) -> SeenStyles:
        """The styles that were seen."""
        return SeenStyles.of(self.network.bank)

    def _as_asked(self, told: Tensor, given: Tensor | None, options: PaintOptions, tags: Tagged) -> Tensor:
        """Paint a map (1, h, w), some classes of it anew or as words say; what lies away from these stays as it was."""
        styles = self.styles
        style = styles.drawn(options.seed) if given is None else given
        regional, noise = self._noise(told.shape[1:], options.seed)
        picture = self.painted(told, drawn=(style, regional, noise))
        for label, (names, own) in tags.items():
            style = styles.tagged(style, label, names, own, options.seed)
        picture = self._painted_over(picture, told, list(tags), (style, regional, noise))
        anew = torch.tensor([name in _named(options.region) for name in self.classes])
        if not bool(anew.any()):
            return picture
        style = styles.anew(style, anew, options.region_seed)
        for label, (names, own) in tags.items():
            if bool(anew[label]):
                style = styles.tagged(style, label, names, own, options.region_seed)
        theirs, white = self._noise(told.shape[1:], options.region_seed)
        regional = torch.where(anew[None, :, None], theirs, regional)
        lies = torch.cat([anew, torch.tensor([False])])[told.long().clamp_max(len(anew))]  # Nobody's is no region.
        drawn = style, regional, torch.where(lies[:, None], white, noise)
        return self._painted_over(picture, told, anew.nonzero()[:, 0].tolist(), drawn)

    def _painted_over(
        self, picture: Tensor, told: Tensor, labels: list[int], drawn: tuple[Tensor, Tensor, Tensor]
    ) -> Tensor:
        """Paint some labels of a map (1, h, w) over a picture (1, 3, h, w), whose rest stays."""
        share = self.class_shares(told).cpu()[:, labels].sum(1, keepdim=True)
        return torch.lerp(picture, self.painted(told, drawn=drawn), around(share)) if bool(share.any()) else picture

    def _understood(self, options: PaintOptions) -> tuple[Understood, StyleTags]:
        """Read the words, and give the tags that labels have of their own."""
        if options.tags:
            own = read_tags(Path(options.tags), self.classes, config_of(self.settings.task).style)
        else:
            own = self._tags if options.words else {}
        return understand(options.words, self.classes, _names(own)), own

    def _usable(self, understood: Understood, own: StyleTags, told: Tensor) -> tuple[Understood, Tagged]:
        """Leave out the tags that no style is as, and those of labels that a map (1, h, w) does not show."""
        styles, shown = self.styles, {self.classes[one] for one in told.unique().tolist() if one < len(self.classes)}
        seen = {
            tag: [
                label
                for label in concerned(tag, self.classes, _names(own))
                if styles.has(self.classes.index(label), tag.name, own.get(label))
            ]
            for tag in understood.tags
        }
        understood = understood.narrowed(seen, shown)
        names = by_label({tag: [label for label in seen[tag] if label in shown] for tag in understood.tags})
        return understood, {self.classes.index(label): (names[label], own.get(label)) for label in names}

    @cached_property
    def _tags(self) -> StyleTags:
        return cluster_styles(self.styles.kept, self.styles.there, self.classes)

    def _noise(self, sides: Any, seed: int) -> tuple[Tensor, Tensor]:
        """Draw the noise of each class, (1, n, 8), and of each pixel, (1, 1, h, w)."""
        source = generator(seed, "noise")
        regional = torch.randn(1, len(self.classes), REGION_NOISE, generator=source)
        return regional, torch.randn(1, 1, *sides, generator=source)

    @torch.inference_mode()
    def painted(self, maps: Tensor, seed: int = 0, drawn: tuple[Tensor, Tensor, Tensor] | None = None) -> Tensor:
        """Paint maps (b, h, w): (b, 3, h, w) in [-1, 1], on the CPU; each with a style and noise of its own.

        Args:
            drawn: style, noise of classes and of pixels; None: drawn by the seed.
        """
        if drawn is None:
            styles = self.styles
            each = [(styles.drawn(seed + at), *self._noise(maps.shape[1:], seed + at)) for at in range(len(maps))]
            drawn = tuple(torch.cat(parts) for parts in zip(*each, strict=True))  # type: ignore[assignment]
        assert drawn is not None
        given = (one.to(self.device) for one in drawn)
        painter: Any = self.network.painter
        picture: Tensor = painter(self.class_shares(maps), *given).float().cpu()
        return picture

    def ending(self, given: str) -> str:
        """Give PNG for a map whose ending would spoil what is kept of a picture."""
        return ".png" if given.lower() in LOSSY else super().ending(given)

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network, and what it is given: shares, style, and the noise of regions and pixels."""
        _, height, width = self.settings.description.shape
        told = torch.zeros(1, height // STRIDE * STRIDE, width // STRIDE * STRIDE, dtype=torch.int64)
        regional, noise = self._noise(told.shape[1:], 0)
        return self.network.painter, {
            "shares": self.class_shares(told),
            "style": self.styles.drawn(0),
            "region_noise": regional,
            "noise": noise,
        }

    def save_pretrained(self, folder: str | Path, weights: str = "model") -> Path:
        """Write also the palette, for painting programs, and the tags of styles."""
        folder = super().save_pretrained(folder, weights)
        write_text(folder / PALETTE, gimp_palette(self.name, self.settings.description.palette, self.classes))
        write_text(folder / TAGS, tags_file(cluster_styles(self.styles.kept, self.styles.there, self.classes)))
        return folder

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained network."""
        assert isinstance(config, Settings)
        style = config_of(config.task).style
        return cls(config, {GENERATOR: build_network(config.network, len(config.description.classes), style)})


def _names(tags: StyleTags) -> OwnTags:
    return {label: one.names for label, one in tags.items()}


def _named(region: str) -> list[str]:
    return [name.strip() for name in region.split(",") if name.strip()]


def _scaled(drawn: Pixels, shape: tuple[int, ...]) -> Pixels:
    """Bring a map (h, w) to the scale that was learned at, its sides multiples of 16."""
    _, rows, columns = shape
    height, width = drawn.shape
    scale = max(rows / height, columns / width)
    sides = [max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in (height, width)]
    if [height, width] == sides:
        return drawn
    resized: Pixels = np.array(Image.fromarray(drawn).resize((sides[1], sides[0]), Image.Resampling.NEAREST))
    return resized
