"""What the processor multiplies fast, as oneDNN will use it: its hardware, or less where the environment says so."""

import os

import torch
from torch import Tensor, nn

LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""Variables by which users hold oneDNN to an older instruction set."""
WITH_BF16 = ("AMX", "BF16", "FP16", "AVX10")
"""What the names of instruction sets have in them that multiply matrices in bfloat16."""


def has_tiles() -> bool:
    """Tell whether matrices are multiplied in bfloat16 tiles (AMX)."""
    return _capable("amx_bf16") and _allowed("AMX")


def multiplies_bf16() -> bool:
    """Tell whether matrices are multiplied in bfloat16 at all, which halves what is moved and more."""
    return any(map(_capable, ("amx_bf16", "avx512_bf16"))) and any(map(_allowed, WITH_BF16))


def put_channels_last(network: nn.Module) -> None:
    """Let the channels of kernels lie side by side, where a processor or a CUDA device computes and the modules ask for
    it by an attribute `channels_last`; what follows them keeps that order.

    The numbers are the same up to rounding, and come a little faster in single precision (docs/speed.md). Other
    modules stay as they are: what is written for rows, as by `view`, would break.
    """
    for module in network.modules():
        weight = getattr(module, "weight", None)
        if getattr(module, "channels_last", False) and isinstance(weight, Tensor) and likes_channels_last(weight):
            order = torch.channels_last if weight.ndim == 4 else torch.channels_last_3d
            weight.data = weight.data.contiguous(memory_format=order)


def likes_channels_last(tensor: Tensor) -> bool:
    """Tell whether a tensor is where convolutions are faster with the channels of a pixel side by side."""
    return tensor.device.type in {"cpu", "cuda"}


def _capable(feature: str) -> bool:
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get(feature))


def _allowed(word: str) -> bool:
    limit = next(filter(None, (os.environ.get(name, "").upper() for name in LIMITS)), "ALL")
    return limit in {"ALL", "DEFAULT"} or word in limit
