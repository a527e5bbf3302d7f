"""Moving MNIST: how digits move, what is written to learn from, and what is measured."""

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from benchmark import benchmark

from gannet.data.sources import open_source
from gannet.media import clip
from gannet.media.medium import Pixels

HALF_TURN = np.pi


@pytest.fixture(scope="module")
def moving() -> ModuleType:
    """The benchmark."""
    return benchmark("moving_mnist")


def squares(*levels: int) -> Pixels:
    """Flat digits of these levels."""
    return np.stack([np.full((28, 28), level, np.uint8) for level in levels])


def test_a_digit_moves_a_tenth_of_its_room_a_frame_and_turns_at_the_edge(moving: ModuleType) -> None:
    across = moving.path_of(np.array([0.5, 0.45]), 0.0)
    wanted = [0.55, 0.65, 0.75, 0.85, 0.95, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    np.testing.assert_allclose(across[:14, 1], wanted, atol=1e-9)
    np.testing.assert_allclose(across[:, 0], 0.5)
    back = moving.path_of(np.array([0.5, 0.45]), HALF_TURN)
    np.testing.assert_allclose(back[:6, 1], [0.35, 0.25, 0.15, 0.05, 0.0, 0.1], atol=1e-9)


def test_two_whole_digits_are_in_every_frame_and_the_lighter_is_seen_where_they_meet(moving: ModuleType) -> None:
    for number in range(20):
        frames = moving.draw_clip(squares(200, 90), number)
        area = (frames > 0).sum((1, 2))
        light, dark = (frames == 200).sum((1, 2)), (frames == 90).sum((1, 2))
        assert frames.shape == (20, 64, 64) and set(np.unique(frames)) <= {0, 90, 200}
        assert (area >= 28 * 28).all() and (area <= 2 * 28 * 28).all()
        if light.any() and dark.any():
            assert (light == 28 * 28).all(), "nothing lies before the lighter one"


def test_a_clip_is_known_by_its_number(moving: ModuleType) -> None:
    shapes = squares(50, 100, 150, 200)
    first, again, other = (moving.draw_clip(shapes, number) for number in (3, 3, 4))
    assert (first == again).all() and (first != other).any()


def test_what_is_written_to_learn_from_is_what_was_drawn(moving: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "clips.npz"
    moving.write_clips(path, squares(120, 250), 7)
    read = [np.asarray(record.read()) for record in open_source(str(path), {"real": clip.medium}).records()]
    assert len(read) == 7
    for number, one in enumerate(read):
        assert (one.reshape(20, 64, 64) == moving.draw_clip(squares(120, 250), number)).all()
    with pytest.raises(FileExistsError):
        moving.write_clips(path, squares(1), 2)


def test_clips_are_the_same_however_many_are_written_together(
    moving: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving.write_clips(tmp_path / "one.npz", squares(120, 250), 5)
    monkeypatch.setattr(moving, "WRITTEN_TOGETHER", 2)
    moving.write_clips(tmp_path / "other.npz", squares(120, 250), 5)
    one, other = (np.load(tmp_path / name)["images"] for name in ("one.npz", "other.npz"))
    assert one.shape == (5, 20, 64, 64) and (one == other).all()


def test_the_error_of_a_frame_is_the_sum_over_its_pixels_from_0_to_1(moving: ModuleType) -> None:
    true = torch.zeros(1, 1, 3, 64, 64)
    made = true + torch.tensor([0.0, 0.5, 1.0])[:, None, None]
    np.testing.assert_allclose(moving.scores(made, true).error, [0, 4096 * 0.25**2, 4096 * 0.5**2])


def test_similarity_of_flat_frames_is_the_formula_with_values_two_apart(moving: ModuleType) -> None:
    dark, light = torch.full((1, 1, 1, 64, 64), -0.6), torch.full((1, 1, 1, 64, 64), 0.2)
    steady = (0.01 * 2) ** 2
    wanted = (2 * 0.2 * 0.6 + steady) / (0.2**2 + 0.6**2 + steady)
    assert moving.scores(dark, light).similarity[0] == pytest.approx(wanted)
    assert moving.scores(light, light).similarity[0] == pytest.approx(1.0)


@pytest.mark.parametrize("last", [3, 10])
def test_futures_and_floors_are_held_against_the_frames_that_came(moving: ModuleType, last: int) -> None:
    level = np.linspace(0, 255, 20).round().astype(np.uint8)[:, None, None]
    still, lighter = np.full((20, 64, 64), 77, np.uint8), np.broadcast_to(level, (20, 64, 64))

    def knows(given: torch.Tensor, seed: int, number: int, length: int) -> Any:
        assert given.shape == (1, 1, last, 64, 64)
        assert length == last + 10
        return SimpleNamespace(clip=lambda: torch.full((1, 1, 10, 64, 64), 77 / 127.5 - 1))

    knowing = SimpleNamespace(future=knows, settings=SimpleNamespace(given=last))
    found = moving.measured(knowing, iter([still, lighter]))
    np.testing.assert_allclose(found["last given frame"].error[0], 0, atol=1e-6)
    np.testing.assert_allclose(found["model"].error[0], 0, atol=1e-6)
    ten = level[:, 0, 0].astype(float) / 255
    np.testing.assert_allclose(found["last given frame"].error[1], 4096 * (ten[10:] - ten[9]) ** 2, rtol=1e-4)
    np.testing.assert_allclose(found["black frames"].error, 4096 * np.array([[0.302] * 10, ten[10:]]) ** 2, rtol=1e-3)
    np.testing.assert_allclose(found["model"].error[1], 4096 * (ten[10:] - 77 / 255) ** 2, rtol=1e-4)


@pytest.mark.parametrize(
    ("task", "given", "shape", "sentence"),
    [
        ("video-generation", 10, (1, 20, 64, 64), "is a model of video-generation; give one of video-prediction"),
        ("video-prediction", 11, (1, 20, 64, 64), "goes on from 11 frames of 64x64 in 1 channels"),
        ("video-prediction", 10, (3, 20, 64, 64), "in 3 channels"),
        ("video-prediction", 10, (1, 20, 32, 48), "of 48x32"),
    ],
)
def test_models_of_another_kind_are_refused(
    moving: ModuleType, monkeypatch: pytest.MonkeyPatch, task: str, given: int, shape: tuple[int, ...], sentence: str
) -> None:
    settings = SimpleNamespace(given=given, description=SimpleNamespace(shape=shape))
    monkeypatch.setattr(moving.gannet, "load", lambda _: SimpleNamespace(task=task, settings=settings))
    with pytest.raises(ValueError, match=sentence):
        moving.opened("other")
