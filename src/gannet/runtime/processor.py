"""What the processor multiplies fast, as oneDNN will use it: its hardware, or less where the environment says so."""

import os

import torch
from torch import nn

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


def lay_out(network: nn.Module) -> None:
    """Let the channels of each kernel lie side by side, where a processor computes: what follows keeps that order.

    The numbers are the same up to rounding. DCGANs learn 2 to 5 % faster so and draw 1.3 times as fast in single
    precision (docs/speed.md).
    """
    if all(parameter.device.type == "cpu" for parameter in network.parameters()):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _capable(feature: str) -> bool:
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get(feature))


def _allowed(word: str) -> bool:
    limit = next(filter(None, (os.environ.get(name, "").upper() for name in LIMITS)), "ALL")
    return limit in {"ALL", "DEFAULT"} or word in limit
