"""Pipelines: trained networks with their pre- and post-processing, saved to and loaded from a folder or a hub.

A saved model is `config.json` and `model.safetensors`; both carry a digest, neither can run code.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gannet.media.medium import Medium
from gannet.pipelines.hub import CONFIG, FORMAT, fetch, read_config, seal
from gannet.pipelines.samples import Batches, Details, Made, Samples
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE, Facts, joined
from gannet.runtime.files import load_tensors, save_tensors, write_json, write_text
from gannet.runtime.plain_data import Json
from gannet.runtime.processor import put_channels_last
from gannet.runtime.steps import Steps
from gannet.schema import Section, check, nearest
from gannet.task import find_task

if TYPE_CHECKING:
    from gannet.data.records import Source


@dataclass(frozen=True)
class Input:
    """Something that a pipeline is given.

    Attributes:
        medium: what it is, whatever a file's ending says.
        about: a few words of help.
        required: whether the pipeline can do without.
        many: whether several are given for one result.
    """

    medium: Medium
    about: str = ""
    required: bool = True
    many: bool = False


class Pipeline(ABC):
    """A trained network ready for use; `__call__` is the only way in.

    There are two kinds: `GeneratorPipeline` makes samples from nothing, `ConverterPipeline` something of inputs.

    Attributes:
        task: the task that made it; its module rebuilds it from `config`.
        inputs: what it is given, by name; the first goes by position. Empty: it makes samples from nothing.
        Options: what else is asked of it.
        config: everything but the weights, as plain data.
        networks: by name, in evaluation mode.
        name: what to call the model in metadata.
        file: of its weights; None for a model that was not loaded.
    """

    file: Path | None = None
    task: ClassVar[str]
    inputs: ClassVar[Mapping[str, Input]] = {}
    Options: ClassVar[type[Section]] = Section
    Config: ClassVar[type[Section]]

    def __init__(self, config: Section, networks: dict[str, nn.Module], name: str = "") -> None:
        self.config, self.networks, self.name = config, networks, name
        for network in networks.values():
            network.eval().requires_grad_(False)

    @property
    @abstractmethod
    def outputs(self) -> Mapping[str, Medium]:
        """What it makes, by name; the first is what it is for, others are given to those who ask."""

    @abstractmethod
    def __call__(self, *values: object, **given: object) -> "Samples | Made":
        """Use the model; see the two kinds of pipelines.

        Raises:
            ValueError: an input that is missing or cannot be read, an option that there is not; one sentence.
        """

    def __repr__(self) -> str:
        """Say on a line what it is, of what it makes what, and where it lies."""
        of = ", ".join(f"{name}" if one.required else f"[{name}]" for name, one in self.inputs.items()) or "noise"
        return f"{self.name or self.task} ({self.task}): makes {', '.join(self.outputs)} from {of} on {self.device}"

    def learn_from(self, source: "Source", name: str) -> None:  # noqa: B027
        """Take note of the data, as they lie, that its networks learn from, and of what they are called."""

    @property
    def always(self) -> tuple[str, ...]:
        """The further outputs that are written beside every first one, asked for or not."""
        return ()

    def options(self, given: Mapping[str, object]) -> Section:
        """Check options; ValueError names the nearest where there is none of a name."""
        fields = self.Options.model_fields
        known = {*fields, *(field.alias for field in fields.values() if field.alias)}
        given = {_without_underscore(name): value for name, value in given.items()}
        for name in given:
            if name not in known:
                hint = nearest(name, {*known, *self.inputs})
                raise ValueError(f"A model for {self.task} has no {name}: leave the {name} out; {hint}")
        return check(self.Options, given, what="The options")

    def facts(self, options: Section) -> dict[str, object]:
        """Say what the metadata of results tell: the model, its weights, the seed, and the options that were set."""
        set_ones: dict[str, object] = options.model_dump(exclude_defaults=True, by_alias=True)
        seed = {"seed": options.seed} if hasattr(options, "seed") else {}
        return {"model": self.name, **({"weights": self.file.stem} if self.file else {}), **seed, **set_ones}

    def to(self, device: str | torch.device) -> Self:
        """Move the networks to a device."""
        for network in self.networks.values():
            network.to(device)
        return self

    @property
    def device(self) -> torch.device:
        """Where the networks lie."""
        return next(iter(self.tensors().values())).device

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network that does the work, and an example of what it is given, by name."""
        raise ValueError(f"A model for {self.task} cannot be exported.")

    @classmethod
    @abstractmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with untrained networks from its config."""

    def interface(self) -> Json:
        """Describe inputs, outputs and options as plain data, for those who have `config.json` only."""
        inputs = {
            name: {
                "medium": one.medium.name,
                "what": one.medium.noun,
                "about": one.about,
                "required": one.required,
                "many": one.many,
                "endings": sorted(one.medium.endings),
            }
            for name, one in self.inputs.items()
        }
        outputs = {name: medium.name for name, medium in self.outputs.items()}
        options = self.Options.model_json_schema()
        for name, words in self.choices().items():
            options["properties"][name]["examples"] = list(words)
        return {"inputs": inputs, "outputs": outputs, "always": self.always, "options": options}

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Name what options may be, by option, where this model knows: its classes, for one."""
        return {}

    def save_pretrained(self, folder: str | Path, weights: str = "model") -> Path:
        """Write `config.json`, `<weights>.safetensors` and a card to `folder`, each atomically; returns the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_tensors(folder / f"{weights}.safetensors", self.tensors(), {"format": FORMAT})
        write_json(folder / CONFIG, self.sealed())
        if not (folder / "README.md").exists():
            write_text(folder / "README.md", self.card())
        return folder

    def sealed(self) -> dict[str, object]:
        """Give what `config.json` holds."""
        return seal(
            {
                "gannet": FORMAT,
                "task": self.task,
                "name": self.name,
                "config": self.config.model_dump(mode="json"),
                "interface": self.interface(),
            }
        )

    @classmethod
    def from_pretrained(cls, source: str | Path, weights: str = "model") -> "Pipeline":
        """Load a folder written by `save_pretrained`, or `hf:owner/name[@revision]` from a hub.

        Raises:
            ValueError: nothing is there, the files are damaged or of another kind; nothing of them is run.
        """
        folder = fetch(str(source)) if str(source).startswith("hf:") else Path(source)
        pipeline = cls.untrained(folder)
        if not re.fullmatch(r"[\w-]+(\.\d+)?", weights):
            raise ValueError(f"Weights are named by a plain word such as model or best, not {weights!r}.")
        if not (folder / f"{weights}.safetensors").is_file():
            there = ", ".join(sorted(path.stem for path in folder.glob("*.safetensors")))
            raise ValueError(f"{folder} has no weights {weights!r}; it has: {there or 'none'}.")
        pipeline.file = folder / f"{weights}.safetensors"
        pipeline.load_tensors(pipeline.file)
        return pipeline

    @classmethod
    def untrained(cls, folder: Path) -> "Pipeline":
        """Build what a folder's `config.json` describes; nothing is allocated, as the weights are not there yet."""
        config = read_config(folder)
        pipeline_class = find_task(config["task"]).pipeline_class
        if not issubclass(pipeline_class, cls):
            raise ValueError(f"{folder} holds a model for {config['task']}; load it with gannet.load.")
        settings = check(pipeline_class.Config, config["config"], f"{folder / CONFIG}: config")
        # On the meta device nothing is allocated before the file's shapes have been found to fit.
        with torch.device("meta"), _Undrawn():
            pipeline: Pipeline = pipeline_class.build(settings)
        pipeline.name = config["name"]
        return pipeline

    def load_tensors(self, path: Path) -> None:
        """Fill the networks with the tensors of a file; ValueError when they do not fit."""
        tensors, _ = load_tensors(path)
        expected = self.tensors()
        for name in expected.keys() | tensors.keys():
            if name not in tensors or name not in expected or tensors[name].shape != expected[name].shape:
                raise ValueError(f"{path} does not fit its {CONFIG}: {name!r} is missing or of another shape.")
        self.fill(tensors)

    def fill(self, tensors: Mapping[str, Tensor]) -> None:
        """Take tensors by name, which fit, for the networks' own; they need none before."""
        for name, network in self.networks.items():
            own = {key: tensors[f"{name}.{key}"].to(value.dtype) for key, value in network.state_dict().items()}
            network.load_state_dict(own, assign=True)
            put_channels_last(network)

    def push_to_hub(self, repository: str, private: bool = True) -> str:
        """Upload the model to `owner/name` on a hub; returns the address of the commit. Needs a token there."""
        from tempfile import TemporaryDirectory

        from huggingface_hub import HfApi

        api = HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        with TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return str(api.upload_folder(repo_id=repository, folder_path=folder))

    def card(self) -> str:
        """Write a short model card in Markdown."""
        parameters = sum(tensor.numel() for tensor in self.tensors().values())
        return (
            f"---\nlibrary_name: gannet\ntags: [gan, {self.task}]\n---\n"
            f"# {self.name or self.task}\n\nA model for {self.task}, trained with Gannet; {parameters:,} numbers.\n\n"
            'Use it: `gannet.load("this folder")`. Its pictures are synthetic and say so in their metadata.\n\n'
            "State here what it was trained on and under which licence before you share it.\n"
        )

    def tensors(self) -> dict[str, Tensor]:
        """All weights by name, `<network>.<weight>`."""
        return {
            f"{name}.{key}": tensor
            for name, network in self.networks.items()
            for key, tensor in network.state_dict().items()
        }


class _Undrawn(TorchFunctionMode):
    """Draws no first weights where none are allocated: torch loads its whole compiler to draw nothing."""

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if function in (Tensor.normal_, nn.init.normal_):
            return args[0] if args else given["tensor"]
        return function(*args, **given)


class GeneratorPipeline(Pipeline):
    """Makes samples from nothing: `pipeline(num=64, seed=0).save("samples.png")`."""

    def __call__(self, *values: object, **given: object) -> Samples:
        """Draw samples; options go by name, or in their order."""
        names = list(self.Options.model_fields)
        if len(values) > len(names):
            raise ValueError(f"A model for {self.task} has {len(names)} options ({', '.join(names)}), no more.")
        return self.draw(self.options({**dict(zip(names, values, strict=False)), **given}))

    @abstractmethod
    def draw(self, options: Section) -> Samples:
        """Draw samples as the options ask."""

    def draw_together(self, wanted: Sequence[Section]) -> list[Samples]:
        """Draw what each of several options asks for; where it can, in batches that they share."""
        return [self.draw(options) for options in wanted]

    def batches(self, options: Section) -> Batches:
        """Give the same samples batch by batch, so that any number of them fits into memory."""
        return self.draw(options).batches()

    def animated(self, options: Section) -> bool:  # noqa: ARG002
        """Tell whether samples are the frames of one film."""
        return False


class ConverterPipeline(Pipeline):
    """Makes something of what it is given: `pipeline("small.png").save("large.png")`.

    Attributes:
        steps: keeps the steps of long work, so that it can go on.
    """

    steps: Steps = Steps()

    def __call__(self, *values: object, **given: object) -> Made:
        """Make something of inputs, given in their order or by name, with options by name.

        An input is a file's path, its content, or what its medium holds.
        """
        names = list(self.inputs)
        if len(values) > len(names):
            raise ValueError(f"A model for {self.task} takes {len(names)} by position ({', '.join(names)}), no more.")
        given = {**dict(zip(names, values, strict=False)), **given}
        options = self.options({name: value for name, value in given.items() if name not in names})
        inputs = {name: given[name] for name in names if given.get(name) is not None}
        self.check_given(inputs)
        read = {name: self.inputs[name].medium.open(value) for name, value in inputs.items()}
        return self.tuned(options).make(read, options)

    def check_given(self, names: Container[str]) -> None:
        """Raise ValueError where an input lacks that the pipeline cannot do without."""
        for name, wanted in self.inputs.items():
            if wanted.required and name not in names:
                raise ValueError(f"A model for {self.task} needs its {name}: give a {name}, {wanted.about}.")

    def tuned(self, options: Section) -> Self:  # noqa: ARG002
        """Give the pipeline that does what is asked, made ready once for all inputs; ValueError where none can."""
        return self

    def make(self, values: Mapping[str, object], options: Section) -> Made:
        """Make something of inputs that were read, as their media hold them; what the first said of itself stays."""
        made, facts = self.run(values, options), self.facts(options)
        first, primary = next(iter(self.inputs)), next(iter(self.outputs))
        changed = any(self.inputs[name].medium is self.outputs[primary] for name in values)
        marks = self.inputs[first].medium.marks(values[first])
        told: dict[str, Facts] = {}
        for name, value in made.items():
            own = {SOURCE_TYPE: COMPOSITE, **facts} if changed and name == primary else facts
            if any(value is given for given in values.values()):
                told[name] = {}
            elif self.outputs[name].marks(value):  # It brings them itself.
                told[name] = own
            else:
                told[name] = joined(own, marks)
        return Made(made, self.outputs, told, self.shares(made), self.warnings(values), self.details(made))

    def shares(self, made: Mapping[str, object]) -> Mapping[str, float]:  # noqa: ARG002
        """Tell something of what was made, in shares of one, by name."""
        return {}

    def details(self, made: Mapping[str, object]) -> Details:  # noqa: ARG002
        """Tell of what was made what is neither in it nor in its metadata."""
        return Details()

    def warnings(self, inputs: Mapping[str, object]) -> tuple[str, ...]:  # noqa: ARG002
        """Say what of the inputs lets less be expected of what is made of them, a few words each."""
        return ()

    @abstractmethod
    def run(self, inputs: Mapping[str, object], options: Section) -> Mapping[str, object]:
        """Make the outputs of inputs, by name; an input that is given back as it is counts as untouched."""

    def ending(self, given: str) -> str:
        """Choose the ending of a result by its input's: the same where such a file can hold it."""
        saved = next(iter(self.outputs.values())).saved
        return given if given.lower() in saved else saved[0]

    def check_result(self, inputs: Mapping[str, object], ending: str) -> None:
        """Raise ValueError where a file of that ending cannot hold the result, before it is computed."""


def _without_underscore(name: str) -> str:
    """Give the name of an option as it is: a word of Python's own, `class`, is written `class_` there."""
    plain = name.removesuffix("_")
    return plain if iskeyword(plain) else name
