"""What the processor multiplies fast, by its hardware and by what the environment allows."""

import pytest
import torch
from torch import nn

from gannet.networks.convolution import Convolution
from gannet.runtime.devices import choose_precision
from gannet.runtime.processor import has_tiles, put_channels_last

TILES = {"amx_bf16": True, "avx512_bf16": True}


@pytest.mark.parametrize(
    ("hardware", "limit", "tiles", "precision"),
    [
        (TILES, "", True, "bf16"),
        (TILES, "default", True, "bf16"),
        (TILES, "AVX512_CORE_AMX", True, "bf16"),
        (TILES, "avx512_core_bf16", False, "bf16"),
        (TILES, "AVX10_1_512", False, "bf16"),
        (TILES, "AVX512_CORE", False, "32"),
        (TILES, "AVX2", False, "32"),
        ({"avx512_bf16": True}, "", False, "bf16"),
        ({"avx512_bf16": True}, "AVX512_CORE_AMX", False, "bf16"),
        ({"avx2": True}, "", False, "32"),
        ({}, "", False, "32"),
    ],
)
@pytest.mark.parametrize("variable", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
def test_an_instruction_set_that_is_not_allowed_is_as_if_it_were_not_there(
    hardware: dict[str, bool], limit: str, tiles: bool, precision: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: hardware, raising=False)
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, limit)
    assert has_tiles() == tiles and choose_precision("auto", "cpu") == precision
    assert choose_precision("32", "cpu") == "32"


def test_only_the_kernels_that_ask_for_it_are_laid_out_anew_and_no_number_changes() -> None:
    network = nn.Sequential(Convolution(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Conv3d(1, 1, 3))
    before = [parameter.detach().clone() for parameter in network.parameters()]
    put_channels_last(network)
    assert network[0].weight.stride() == (27, 1, 9, 3)
    assert network[1].weight.is_contiguous() and network[2].weight.is_contiguous()
    assert all(torch.equal(*pair) for pair in zip(network.parameters(), before, strict=True))
