"""Pipelines: trained networks with their pre- and post-processing, saved to and loaded from a folder or a hub.

A saved model is `config.json` and `model.safetensors`; both carry a digest, neither can run code.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from gannet.runtime.files import load_tensors, save_tensors, write_json, write_text
from gannet.schema import Section, check
from gannet.task import find_task

CONFIG, FORMAT = "config.json", 1


class Saved(Section):
    """What `config.json` holds: the format, what rebuilds the pipeline, and a digest of it all."""

    gannet: int
    task: str
    name: str
    config: dict[str, Any]
    digest: str


class Pipeline(ABC):
    """A trained network ready for use; `__call__` is the only way in.

    Attributes:
        task: the task that made it; its module rebuilds it from `config`.
        draws: whether it makes samples of its own, without input.
        config: everything but the weights, as plain data.
        networks: by name, in evaluation mode.
        name: what to call the model in metadata.
        file: of its weights; None for a model that was not loaded.
    """

    file: Path | None = None
    task: ClassVar[str]
    draws: ClassVar[bool] = False
    Config: ClassVar[type[Section]]

    def __init__(self, config: Section, networks: dict[str, nn.Module], name: str = "") -> None:
        self.config, self.networks, self.name = config, networks, name
        for network in networks.values():
            network.eval().requires_grad_(False)

    @abstractmethod
    def __call__(self, *args: Any, **options: Any) -> Any:
        """Use the model."""

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """The network that does the work, and an example of what it is given, by name."""
        raise ValueError(f"A model for {self.task} cannot be exported.")

    @classmethod
    @abstractmethod
    def build(cls, config: Any) -> Self:
        """Build the pipeline with untrained networks from its config."""

    def save_pretrained(self, folder: str | Path, weights: str = "model") -> Path:
        """Write `config.json`, `<weights>.safetensors` and a card to `folder`, each atomically; returns the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_tensors(folder / f"{weights}.safetensors", self.tensors(), {"format": FORMAT})
        config = {
            "gannet": FORMAT,
            "task": self.task,
            "name": self.name,
            "config": self.config.model_dump(mode="json"),
        }
        write_json(folder / CONFIG, {**config, "digest": _digest(config)})
        if not (folder / "README.md").exists():
            write_text(folder / "README.md", self.card())
        return folder

    @classmethod
    def from_pretrained(cls, source: str | Path, weights: str = "model") -> "Pipeline":
        """Load a folder written by `save_pretrained`, or `hf:owner/name[@revision]` from a hub.

        Raises:
            ValueError: nothing is there, the files are damaged or of another kind; nothing of them is run.
        """
        folder = fetch(str(source)) if str(source).startswith("hf:") else Path(source)
        config = read_config(folder)
        pipeline_class = find_task(config["task"]).pipeline_class
        if not issubclass(pipeline_class, cls):
            raise ValueError(f"{folder} holds a model for {config['task']}; load it with gannet.load.")
        settings = check(pipeline_class.Config, config["config"], f"{folder / CONFIG}: config")
        # On the meta device nothing is allocated before the file's shapes have been found to fit.
        with torch.device("meta"):
            pipeline: Pipeline = pipeline_class.build(settings)
        pipeline.name = config["name"]
        if not weights.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"Weights are named by a plain word such as model or best, not {weights!r}.")
        if not (folder / f"{weights}.safetensors").is_file():
            there = ", ".join(sorted(path.stem for path in folder.glob("*.safetensors")))
            raise ValueError(f"{folder} has no weights {weights!r}; it has: {there or 'none'}.")
        pipeline.file = folder / f"{weights}.safetensors"
        pipeline.load_tensors(pipeline.file)
        return pipeline

    def load_tensors(self, path: Path) -> None:
        """Fill the networks with the tensors of a file; ValueError when they do not fit."""
        tensors, _ = load_tensors(path)
        expected = self.tensors()
        for name in expected.keys() | tensors.keys():
            if name not in tensors or name not in expected or tensors[name].shape != expected[name].shape:
                raise ValueError(f"{path} does not fit its {CONFIG}: {name!r} is missing or of another shape.")
        for name, network in self.networks.items():
            own = {key: tensors[f"{name}.{key}"].to(value.dtype) for key, value in network.state_dict().items()}
            network.load_state_dict(own, assign=True)

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
        """A short model card in Markdown."""
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


def read_config(folder: Path) -> dict[str, Any]:
    """Read and verify `config.json`; ValueError when it is missing, damaged or of a newer format."""
    path = folder / CONFIG
    if not path.is_file():
        raise ValueError(f"There is no model in {folder}: it has no {CONFIG}.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        whole = _digest({key: value for key, value in config.items() if key != "digest"}) == config["digest"]
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise ValueError(f"{path} is damaged or was not written by Gannet; nothing was loaded.")
    if config.get("gannet") != FORMAT:
        raise ValueError(f"{path} is of format {config.get('gannet')}, this Gannet reads {FORMAT}; update Gannet.")
    return check(Saved, config, str(path)).model_dump()


def fetch(address: str) -> Path:
    """Download `hf:owner/name[@revision]` from a hub: plain files only; returns the folder, which its commit names."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    name, _, revision = address.removeprefix("hf:").partition("@")
    wanted = [CONFIG, "*.safetensors", "README.md"]
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=wanted))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ValueError(f"{address} could not be fetched: {reason}") from None


def _digest(config: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
