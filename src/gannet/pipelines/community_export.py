"""Export as a community network: weights that spandrel knows, and with it the programs of those who enlarge by it."""

from pathlib import Path

import torch
from safetensors import torch as safetensors
from torch import Tensor

from gannet.pipelines.community_files import Descriptor, network_of
from gannet.pipelines.exported import CLOSE, STEPS, Exported, check_path
from gannet.pipelines.pipeline import Pipeline
from gannet.runtime.files import write_bytes
from gannet.runtime.progress import Progress, Watch

COMPARED = 2, 24, 16
"""How many pictures the answers are compared for, and their height and width."""


def export(pipeline: Pipeline, path: Path, watch: Watch | None = None) -> Exported:
    """Write a pipeline's network as weights that spandrel knows, after it has given the same answers from them.

    Raises:
        ValueError: the path exists or is not called .safetensors, the network is none that spandrel knows, spandrel is
            not installed, or the answers differ.
        Stopped: whoever watches wants it to stop; nothing was written.
    """
    check_path(path, ".safetensors")
    watch = watch or Watch()
    network, inputs = pipeline.traced()
    if not hasattr(network, "architecture"):
        raise ValueError(
            "The model's network is none that spandrel knows; train one with network.name=compact, or give --to onnx."
        )
    watch.step(1, STEPS, "Exporting")
    weights = {name: tensor.detach().float().cpu().contiguous() for name, tensor in network.state_dict().items()}
    # The format is what other programs look for.
    content = safetensors.save(weights, {"format": "pt"})
    watch.step(2, STEPS, "Comparing")
    channels = next(iter(inputs.values())).shape[1]
    given = torch.rand(COMPARED[0], channels, *COMPARED[1:], generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        expected = network(given.to(pipeline.device)).float().cpu().clamp(-1, 1)
    difference = float((_answers(network_of(path, safetensors.load(content)), given) - expected).abs().max())
    if not difference <= CLOSE:
        raise ValueError(f"spandrel's answers differ from PyTorch's by {difference:.3g}; nothing was written.")
    watch.step(3, STEPS, "Writing")
    write_bytes(path, content)
    watch.show(Progress(STEPS, STEPS), "Written")
    return Exported(path, difference, {name: tuple(tensor.shape) for name, tensor in inputs.items()}, len(given))


def _answers(descriptor: Descriptor, given: Tensor) -> Tensor:
    """What spandrel's network makes of pictures in [-1, 1]."""
    return torch.cat([descriptor(one[None] / 2 + 0.5) for one in given]) * 2 - 1
