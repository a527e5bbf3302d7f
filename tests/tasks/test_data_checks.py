"""What is looked at before a run: data without labels, with few samples, in groups; and runs of older versions."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import picture_column

import gannet
from gannet.data.loader import Loader
from gannet.monitoring.diagnosis import Case, diagnose
from gannet.tasks.generation import Description
from gannet.tasks.generation.data_checks import inspect

NAMES = ("cats", "dogs", "owls")


def loaders(label: np.ndarray, held_out: np.ndarray, **more: np.ndarray) -> tuple[Loader, Loader]:
    """Pictures of classes that are easily told, split as asked."""
    random = np.random.default_rng(0)
    pictures = (80 * label.clip(0)[:, None, None, None] + random.integers(0, 60, (len(label), 1, 8, 8))).astype(
        np.uint8
    )
    label = np.where(label < 0, len(NAMES), label)
    arrays = {"real": picture_column(pictures), "label": label, **more}
    return Loader(arrays, np.flatnonzero(~held_out), 0), Loader(arrays, np.flatnonzero(held_out), 0)


def look(training: Loader, held_out: Loader, names: tuple[str, ...] = NAMES):
    return inspect((training, held_out), Description(name="zoo", shape=(1, 8, 8), classes=names))


def test_samples_without_a_label_are_passed_over() -> None:
    label = np.arange(600) % 4 - 1
    _, facts = look(*loaders(label, np.arange(600) >= 300))
    assert facts["inspected"] == 225 and facts["label_accuracy"] == 1.0 and facts["absent"] == ""


def test_a_class_that_training_lacks_is_named_unless_groups_keep_it_to_one_side() -> None:
    label = np.arange(600) % 3
    held_out = label == 2
    _, facts = look(*loaders(label, held_out))
    assert (
        facts["absent"] == "owls"
        and "modes-lost" in diagnose(Case([{"energy_distance": 0.0, "diversity": 1.0}] * 5, facts))[0]
    )
    _, facts = look(*loaders(label, held_out, group=label))
    assert "absent" not in facts


@pytest.mark.parametrize("count", [2, 4, 6, 40])
def test_a_handful_of_samples_is_enough_to_begin(count: int) -> None:
    looks, facts = look(*loaders(np.zeros(count, np.int64), np.arange(count) == 0))
    assert facts["samples"] == count - 1
    for each in looks:
        each(torch.zeros(4, 1, 8, 8))


def test_perfect_fakes_of_many_classes_have_lost_none() -> None:
    """Of fifty classes, 256 fakes have five each: chance alone leaves some out."""
    label = np.arange(2_000) % 50
    arrays = {"real": np.repeat(5 * label[:, None], 64, 1).reshape(-1, 1, 8, 8).astype(np.uint8), "label": label}
    columns = {"real": picture_column(arrays["real"]), "label": label}
    parts = [Loader(columns, rows, 0) for rows in (np.arange(1_000), np.arange(1_000, 2_000))]
    looks, _ = look(*parts, names=tuple(str(number) for number in range(50)))
    for seed in range(5):
        drawn = np.random.default_rng(seed).integers(0, 2_000, 256)
        fake = torch.from_numpy(arrays["real"][drawn]).float() / 127.5 - 1
        assert [each(fake)["lost"] for each in looks if "lost" in each(fake)] == [""]


def test_bad_input_is_said_before_the_first_round(tmp_path: Path) -> None:
    changes = {"data.limit": 60, "images": 64, "device": "cpu", "network.width": 8}
    verdict = gannet.train("digits", out=tmp_path / "run", set=changes).verdict
    assert verdict["diagnosis"]["state"] == "too-few-samples" and "60 training samples" in verdict["diagnosis"]["words"]
