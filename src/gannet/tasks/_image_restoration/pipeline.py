"""The pipeline of a network that makes better photographs of lesser ones."""

from abc import abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from gannet.adversarial.two_player import GENERATOR
from gannet.data.image_dataset import Description
from gannet.media import photograph
from gannet.media.medium import Medium
from gannet.media.photograph import LOSSY, Photograph, check_size
from gannet.media.pyramid import hidden, marked
from gannet.networks import chosen
from gannet.pipelines.pipeline import ConverterPipeline, Input, Pipeline
from gannet.schema import Choice, Section
from gannet.tasks._image_restoration.familiarity import Familiarity, familiarity, read_familiarity
from gannet.tasks._image_restoration.statistics import statistics

if TYPE_CHECKING:
    from gannet.data.records import Source

TRUE = "pixel"
"""The stage whose weights are true to pixels."""


class Settings(Section):
    """What `config.json` keeps of it: the pictures it learned from, its network, and the options of its task."""

    description: Description
    network: Choice
    task: Choice


class PhotographOptions(Section):
    """What is asked of a model that makes better photographs."""

    strength: Annotated[float, Field(json_schema_extra={"minimum": 0, "maximum": 1})] | None = None
    """0 is true to pixels, 1 sharp; left out, as the model is."""


PHOTOGRAPH = Input(photograph.medium, "a photograph of any size")


class PhotographPipeline(ConverterPipeline):
    """Makes photographs better: `pipeline("photo.jpg").save("better.jpg")`.

    Attributes:
        offered: what `network.name` may be, by name.
        sparing: whether what need not change comes back bit for bit, so that files should not lose it either.
        coloured: whether the colours of what it is given count.
        expected: what to expect of a photograph that is far from those that it learned from, in a few words.
        familiarity: what it learned from, in numbers; None where that is not known.
    """

    offered: ClassVar[dict[str, Any]]
    sparing: ClassVar[bool] = False
    coloured: ClassVar[bool] = True
    expected: ClassVar[str]
    familiarity: Familiarity | None = None
    inputs: ClassVar[Mapping[str, Input]] = {"photograph": PHOTOGRAPH}
    Options: ClassVar[type[Section]] = PhotographOptions
    Config: ClassVar[type[Section]] = Settings

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """A photograph."""
        return {"photograph": photograph.medium}

    @classmethod
    def choice(cls, network: Choice) -> Any:
        """Check what builds the network."""
        return chosen(network, cls.offered)

    @classmethod
    @abstractmethod
    def network(cls, config: Settings) -> nn.Module:
        """Build the network that makes pictures."""

    @classmethod
    def build_networks(cls, config: Settings) -> dict[str, nn.Module]:
        """Build all networks that are kept, by name."""
        return {GENERATOR: cls.network(config)}

    @classmethod
    @abstractmethod
    def fixed(cls, config: Settings) -> dict[str, Any]:
        """Name the options of the task that the network's shape follows from."""

    def enlarged(self, side: int) -> int:
        """Tell how many pixels a side becomes."""
        return side

    @abstractmethod
    def improve(self, given: Photograph, mask: Photograph | None = None) -> Photograph:
        """Make a photograph better; a mask tells where, for models that want to know."""

    def options(self, given: Mapping[str, object]) -> Section:
        """Check options; ValueError also where the strength is out of its range."""
        options = super().options(given)
        assert isinstance(options, PhotographOptions)
        check_strength(0 if options.strength is None else options.strength)
        return options

    def tuned(self, options: Section) -> Self:
        """Blend the weights where a strength is asked for."""
        assert isinstance(options, PhotographOptions)
        return self if options.strength is None else self.blended(options.strength)

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:  # noqa: ARG002
        """Make a photograph better, whatever its size."""
        return {"photograph": self.improve(inputs["photograph"], inputs.get("mask"))}

    def learn_from(self, source: "Source", name: str) -> None:
        """Look at what its networks learn from, so that it can tell what is far from that."""
        self.familiarity = familiarity(source, name, self.coloured)

    def warnings(self, inputs: Mapping[str, Any]) -> tuple[str, ...]:
        """Say where a photograph is far from what it learned from, and what to expect."""
        known = self.familiarity
        if known is None:
            return ()
        photograph, mask = inputs["photograph"], inputs.get("mask")
        found = statistics(photograph, hidden(photograph) | (marked(mask) if mask else False))
        if found is None or not known.is_far(found):
            return ()
        striking = known.most_striking(found)
        how = f"far {striking} than most of" if striking else "unlike"
        return (f"{how} what {self.name or 'the model'} learned from ({known.data}); {self.expected}",)

    def save_pretrained(self, folder: str | Path, weights: str = "model") -> Path:
        """Write also what it learned from, in numbers."""
        written = super().save_pretrained(folder, weights)
        if self.familiarity:
            self.familiarity.write(written)
        return written

    @classmethod
    def from_pretrained(cls, source: str | Path, weights: str = "model") -> Pipeline:
        """Load also what it learned from, in numbers, where that was kept."""
        pipeline = super().from_pretrained(source, weights)
        assert isinstance(pipeline, PhotographPipeline) and pipeline.file is not None
        pipeline.familiarity = read_familiarity(pipeline.file.parent)
        return pipeline

    def ending(self, given: str) -> str:
        """Keep the ending, but for one whose format would spoil what comes back bit for bit."""
        return ".png" if self.sparing and given.lower() in LOSSY else super().ending(given)

    def check_result(self, inputs: Mapping[str, Any], ending: str) -> None:
        """Raise ValueError where a format takes no photograph so large."""
        given = inputs[next(iter(self.inputs))]
        check_size(ending, *map(self.enlarged, given.values.shape[:2]))

    def compute(self, given: Tensor) -> Tensor:
        """Make better pictures (b, c, h, w) in [-1, 1], with as many channels as it learned from."""
        return self._made(given)

    @torch.inference_mode()
    def _made(self, given: Tensor) -> Tensor:
        """What the network makes of what it is given."""
        self.steps.look()
        network = self.networks[GENERATOR]
        result: Tensor = network(given.to(next(network.parameters()).device)).float().clamp(-1, 1).cpu()
        return result

    def earlier(self) -> "PhotographPipeline | None":
        """Give the model as it was before the game, where its weights lie beside this one's."""
        if self.file is None or self.file.stem == TRUE or not self.file.with_stem(TRUE).is_file():
            return None
        return type(self).from_pretrained(self.file.parent, TRUE)  # type: ignore[return-value]

    def blended(self, strength: float) -> Self:
        """Blend the weights of what makes pictures by `strength`, those before the game by the rest.

        Wang et al. (2018), "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", section 3.4.

        Raises:
            ValueError: a strength outside 0 to 1, or a model without weights from before the game.
        """
        check_strength(strength)
        other = self.earlier()
        if self.file is not None and self.file.stem == TRUE:
            raise ValueError("These are the weights from before the game, where strength is 0; leave strength out.")
        if other is None:
            raise ValueError(
                f"{self.name or 'The model'} keeps no weights {TRUE!r} from before the game, so strength means nothing "
                "to it; leave it out."
            )
        made = self.variant({GENERATOR: deepcopy(self.networks[GENERATOR])})
        ours, theirs = (pipeline.networks[GENERATOR].state_dict() for pipeline in (self, other))
        mixed = {name: strength * ours[name] + (1 - strength) * theirs[name].to(ours[name]) for name in ours}
        made.networks[GENERATOR].load_state_dict(mixed)
        return made

    def variant(self, networks: Mapping[str, nn.Module], config: Section | None = None) -> Self:
        """Give the model with some of its networks, or its config, exchanged."""
        made = type(self)(config or self.config, {**self.networks, **networks}, self.name)
        made.file, made.familiarity = self.file, self.familiarity
        return made

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained network."""
        assert isinstance(config, Settings)
        return cls(config, cls.build_networks(config))

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network, and a `picture` (1, c, h, w) as it learned from."""
        settings: Any = self.config
        return self.networks[GENERATOR], {"picture": torch.zeros(1, *settings.description.shape)}


def check_strength(strength: float) -> None:
    """Raise ValueError where a strength is out of its range."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength:g}; it goes from 0 (true to pixels) to 1 (sharp).")
