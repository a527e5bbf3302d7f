"""Engines: how a generator is computed. All give the same samples up to rounding, which in bf16 shows in numbers.

In single precision engines agree within one of 255 levels; in bf16 a pixel may be some 20 levels off, 0.2 in
the mean (docs/speed.md).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gannet.pipelines.onnx import run_onnx, to_onnx
from gannet.pipelines.pipeline import Pipeline
from gannet.pipelines.samples import Engine
from gannet.runtime.devices import choose_precision
from gannet.runtime.process import deterministic
from gannet.schema import nearest

ENGINES = ("auto", "torch", "bf16", "onnx")


def choose_engine(name: str, device: str, shape: tuple[int, ...]) -> str:
    """Choose the engine of that name; `auto`: bf16 where the hardware multiplies in it, else single precision.

    Rounding is little beside what pictures vary by, and much in the coordinates of points: `auto` spares them.

    Raises:
        ValueError: there is no such engine.
    """
    if name not in ENGINES:
        raise ValueError(f"There is no engine {name!r}; {nearest(name, ENGINES)}")
    if name != "auto":
        return name
    return "bf16" if len(shape) == 3 and choose_precision("auto", device) == "bf16" else "torch"


def make_engine(chosen: str, pipeline: Pipeline) -> Engine:
    """Make the engine that was chosen for a pipeline's generator; it computes wherever that is moved later on, ONNX
    Runtime on the processor.
    """
    if chosen == "onnx":
        return Engine(chosen, run_onnx(to_onnx(pipeline)))
    network = pipeline.traced()[0]
    return Engine(chosen, _repeatable(_reduced(network) if chosen == "bf16" else network))


def _repeatable(network: Callable[[Tensor, Tensor | None], Tensor]) -> Callable[[Tensor, Tensor | None], Tensor]:
    """Compute the same sums in the same order, so that a seed means the same samples on a GPU too."""

    def compute(latent: Tensor, label: Tensor | None) -> Tensor:
        with deterministic():
            return network(latent, label)

    return compute


def _reduced(network: nn.Module) -> Callable[[Tensor, Tensor | None], Tensor]:
    def compute(latent: Tensor, label: Tensor | None) -> Tensor:
        with torch.autocast(latent.device.type, torch.bfloat16):
            result: Tensor = network(latent, label)
        return result

    return compute
