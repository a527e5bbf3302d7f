"""Benchmarks of scans: what planted copiers do, what arms learn from, and what is said of wrong input."""

import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from benchmark import benchmark
from torch import Tensor


@pytest.fixture(scope="module")
def scans() -> ModuleType:
    """The benchmark."""
    return benchmark("scans")


@pytest.fixture(scope="module")
def scan_data() -> ModuleType:
    """What it reads, and the copiers."""
    return benchmark("scan_data")


@pytest.fixture(scope="module")
def learners() -> ModuleType:
    """What learns from scans."""
    return benchmark("scan_learners")


def boxes(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Volumes with a bright box that is labelled 1 and a dark one that is labelled 2."""
    random, volumes = np.random.default_rng(seed), torch.zeros(count, 1, 16, 16, 16)
    labels = torch.zeros(count, 16, 16, 16, dtype=torch.long)
    for volume, label in zip(volumes, labels, strict=True):
        for number, value in ((1, 0.8), (2, -0.8)):
            x, y, z = random.integers(1, 10, 3)
            label[x : x + 5, y : y + 5, z : z + 5] = number
            volume[0, x : x + 5, y : y + 5, z : z + 5] = value
    return volumes + 0.1 * torch.from_numpy(random.standard_normal(volumes.shape)).float(), labels


def test_copiers_keep_their_range_and_shift_and_rescale_what_they_copy(scan_data: ModuleType) -> None:
    scan = boxes(1, 0)[0].clamp(-1, 1)
    for name, copier in scan_data.COPIERS.items():
        made = copier(scan)
        assert made.shape == scan.shape and made.abs().max() <= 1 + 1e-5, name
        assert torch.equal(made, scan) == (name == "exact")
    by_two = scan_data.moved(scan, 1, 2 * 2 / 16)
    torch.testing.assert_close(by_two[..., :-2, :-2, :-2], scan[..., 2:, 2:, 2:])
    assert (by_two[..., -1] == -1).all(), "outside a scan there is nothing"


def test_a_segmenter_learns_boxes_and_more_than_the_atlas_knows(learners: ModuleType, scan_data: ModuleType) -> None:
    known, test = scan_data.Labelled(*boxes(12, 0)), scan_data.Labelled(*boxes(6, 1))
    learned = learners.segment([known], test, 3, learners.as_it_is, (40, 0))
    atlas = learners.atlas_overlaps(known, test, 3)
    assert learned.shape == atlas.shape == (6,) and learned.mean() > 0.6 > atlas.mean()
    again = learners.segment([known], test, 3, learners.as_it_is, (40, 0))
    np.testing.assert_array_equal(learned, again)


def test_regions_that_are_neither_there_nor_told_do_not_count(learners: ModuleType) -> None:
    true, told = np.zeros((4, 2, 2, 2), int), np.zeros((4, 2, 2, 2), int)
    true[0, 0], told[0, 0] = 1, 1  # All of region 1, and no region 2 anywhere.
    true[1, 0], told[1, 0, 0] = 1, 1  # Half of it.
    told[2, 0, 0, 0] = 2  # A region where there is none.
    np.testing.assert_allclose(learners.overlaps(told, true, 3), [1, 2 / 3, 0, 1])


def test_batches_hold_as_much_of_each_part_and_labels_move_with_their_scans(
    learners: ModuleType, scan_data: ModuleType
) -> None:
    class Watching(torch.nn.Linear):
        seen: list[float] = []  # noqa: RUF012

        def forward(self, scans: Tensor) -> Tensor:
            self.seen.append(float(scans.mean()))
            return super().forward(scans)

    parts = [scan_data.Labelled(torch.full((n, 1), value), torch.zeros(n)) for n, value in ((3, 0.0), (50, 1.0))]
    network = Watching(1, 1)
    lesson = learners.Lesson(5, 8, 1e-3, lambda out, labels: (out[:, 0] - labels).square().mean())
    learners.learn(network, parts, learners.as_it_is, lesson, 0)
    assert network.seen == [0.5] * 5
    volumes, labels = boxes(3, 0)
    clean = scan_data.Labelled((labels == 1).float()[:, None] * 2 - 1, labels)
    moved = learners.jittered(clean, torch.Generator().manual_seed(0))
    assert not torch.equal(moved.labels, labels)
    assert ((moved.scans[:, 0] > 0) == (moved.labels == 1)).all() and volumes.shape == moved.scans.shape


def test_ids_of_regions_become_their_numbers(scans: ModuleType, scan_data: ModuleType) -> None:
    part = scan_data.Labelled(torch.zeros(1, 1, 2, 2, 1), torch.tensor([[[[0], [4]], [[9], [4]]]]))
    assert scans.numbered(part, torch.tensor([0, 4, 9])).labels.flatten().tolist() == [0, 1, 2, 1]


def test_arms_learn_from_what_they_are_named_after(
    scans: ModuleType, scan_data: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A learner whose Dice is the mean of the scans that it is given: 0.5 of reals, 0.4 of generated ones."""
    volumes, labels = boxes(4, 0)
    known, made = (scan_data.Labelled(torch.full_like(volumes, value), labels) for value in (0.5, 0.4))

    def learn(parts: list, test: object, classes: int, change: object, settings: object) -> np.ndarray:
        return np.full(4, np.mean([float(part.scans.mean()) for part in parts]))

    monkeypatch.setattr(scans, "volume_arm", lambda asked, seed: scans.Arm(known, made, known, 3))  # noqa: ARG005
    monkeypatch.setattr(scans, "segment", learn)
    scans.print_utility(Namespace(utility="volumes", steps=3, seeds=2, seed=0))
    said = capsys.readouterr().out
    assert "Learned from generated: worse than from real (-0.100, -0.100 to -0.100)" in said
    assert "Learned from real + generated: worse than from real (-0.050, -0.050 to -0.050)" in said
    assert "Dice, generated over real: 0.800 (0.800 to 0.800)" in said
    assert "Dice, generated over atlas: not to be told" in said, "of even scans it tells background everywhere"


def test_a_classifier_learns_the_classes_that_it_is_told(
    learners: ModuleType, scan_data: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bright and dark slices, which are told rightly, or never where the classes were swapped."""
    monkeypatch.setattr(learners, "SIDE", 16)
    label = torch.arange(16) % 2
    noise = torch.randn(16, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    known = scan_data.Labelled(label[:, None, None, None] - 0.5 + 0.1 * noise, label)
    wrong = scan_data.Labelled(known.scans, 1 - label)
    for learned, right in ((known, 1), (wrong, 0)):
        told = learners.classify([learned], known, 2, learners.varied, (40, 0))
        np.testing.assert_array_equal(told, right)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "give --planted, --slices RUN, --volumes RUN or --utility"),
        (["--planted", "--share", "2"], "--share is above 0 and at most 1"),
        (["--utility", "clips"], "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    scans: ModuleType,
    given: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["scans.py", *given])
    with pytest.raises(SystemExit):
        scans.parsed()
    assert said in capsys.readouterr().err


def test_missing_data_are_told(scan_data: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANNET_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="set GANNET_DATA to a folder that holds brain-mri"):
        scan_data.slice_files("train")
    monkeypatch.delenv("GANNET_DATA")
    with pytest.raises(SystemExit, match="set GANNET_DATA to the folder"):
        scan_data.volume_files()
