"""What the processor multiplies fast, by its hardware and by what the environment allows."""

import pytest
import torch

from gannet.runtime.devices import choose_precision
from gannet.runtime.processor import has_tiles

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
