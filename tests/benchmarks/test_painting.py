"""What a benchmark keeps between two runs of it is used again for what it was made for alone."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from benchmark import benchmark


@pytest.fixture(scope="module")
def painting() -> ModuleType:
    """The benchmark of painters."""
    return benchmark("painting")


def test_a_segmenter_is_trained_anew_for_other_data_images_and_settings(
    painting: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Path] = []

    def train(*given: Any, resume: Path | None = None) -> None:
        if resume is None:
            given[2].mkdir()
            trained.append(given[2])

    monkeypatch.setattr(painting.gannet, "train", train)
    monkeypatch.setattr(painting.gannet, "load", lambda run: run)
    asked: list[tuple[str, dict[str, Any], int]] = [
        ("landscapes", {"data.size": [64, 64]}, 800),
        ("landscapes", {"data.size": [64, 96]}, 800),
        ("landscapes", {"data.size": [64, 64]}, 400),
        ("streets", {"data.size": [64, 64]}, 800),
        ("landscapes", {"data.size": [64, 64], **painting.NEAR}, 800),
    ]
    made = [painting.segmenter(tmp_path, *one) for one in asked]
    assert made == trained and len(set(made)) == len(asked)
    assert [painting.segmenter(tmp_path, *one) for one in asked] == made and len(trained) == len(asked)
