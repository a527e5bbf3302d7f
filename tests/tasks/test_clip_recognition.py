"""Recognition of clips: from an .npz or films, by how they move, and the answer for a film of any length."""

from pathlib import Path

import numpy as np
import pytest
import torch

import gannet
from gannet.data.sources import open_source
from gannet.data.sources.clips_npz import NpzClips
from gannet.media import clip
from gannet.pipelines.pipeline import Pipeline
from gannet.recipe import Recipe
from gannet.schema import Choice
from gannet.tasks import clip_recognition
from gannet.tasks.clip_recognition import ClipRecognitionPipeline, Settings
from gannet.tasks.video_generation import Description


def bars(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Clips uint8 (n, 6, 16, 16, 1) of a bar that moves to the right or to the left, and which."""
    labels = np.array(["left", "right"])[np.arange(count) % 2]
    clips = np.zeros((count, 6, 16, 16, 1), np.uint8)
    for number, one in enumerate(clips):
        for frame in range(6):
            place = number + 2 * frame * (1 if labels[number] == "right" else -1)
            one[frame, :, place % 16] = 255
    return clips, labels


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    clips, labels = bars(128)
    np.savez(tmp_path / "bars.npz", images=clips, labels=labels)
    return tmp_path / "bars.npz"


def test_clips_of_an_npz_are_read_with_their_labels(arrays: Path) -> None:
    source = open_source(str(arrays), {"real": clip.medium})
    assert isinstance(source, NpzClips) and source.classes == ("left", "right")
    clips, labels = bars(128)
    chunks = list(source.arrays())
    assert np.array_equal(np.concatenate([chunk.values for chunk in chunks]), clips)
    told = np.concatenate([chunk.labels for chunk in chunks])
    assert [source.classes[number] for number in told] == labels.tolist()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((4, 6, 16, 16, 3), np.float32), "float32 with shape"),
        (np.zeros((4, 6, 3, 16, 16), np.uint8), "clips are uint8 of shape"),
        (np.zeros((4, 16, 16), np.uint8), "clips are uint8 of shape"),
        (np.zeros((4, 0, 16, 16, 3), np.uint8), "clips are uint8 of shape"),
    ],
)
def test_arrays_that_are_no_clips_are_refused_in_a_sentence(values: np.ndarray, words: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "wrong.npz", images=values)
    with pytest.raises(ValueError, match=words):
        open_source(str(tmp_path / "wrong.npz"), {"real": clip.medium})


def test_left_is_told_from_right_which_no_single_frame_tells(arrays: Path, tmp_path: Path) -> None:
    example = clip_recognition.example().model_dump()
    keys = {"images": 4_096, "batch": 32, "data": {"source": str(arrays), "size": 16, "channels": 1, "length": 6}}
    network = {"name": "clip-recognizer", "width": 8, "depth": 3}
    optimizer = {"recognizer": {"learning_rate": 3e-3}}
    average = {"half_life": 200}
    recipe = Recipe(**{**example, **keys, "network": network, "optimizer": optimizer, "average": average})
    (tmp_path / "bars.yaml").write_text(recipe.model_dump_json())
    run = gannet.train(str(tmp_path / "bars.yaml"), out=tmp_path / "run")
    (accuracy,) = gannet.judge(run.folder).measures
    assert accuracy.name == "accuracy" and accuracy.value > 0.9


def test_a_film_is_named_by_windows_that_show_all_of_it() -> None:
    torch.manual_seed(0)
    description = Description(name="bars", shape=(1, 4, 16, 16), rate=25, classes=("a", "b"))
    settings = Settings(description=description, network=Choice(name="clip-recognizer", width=4, depth=2))
    model: Pipeline = ClipRecognitionPipeline.build(settings)
    frames = np.random.default_rng(0).integers(0, 255, (10, 16, 16, 1), dtype=np.uint8)
    scores = model(frames).value  # type: ignore[union-attr]
    windows = torch.stack([torch.from_numpy(frames[start : start + 4]).float() for start in (0, 3, 6)])
    expected = model.probabilities((windows / 127.5 - 1).permute(0, 4, 1, 2, 3)).mean(0)  # type: ignore[attr-defined]
    assert list(scores) == ["a", "b"]
    assert list(scores.values()) == pytest.approx(expected.tolist(), abs=1e-5)
    with pytest.raises(ValueError, match="clips \\(b, 1, t, h, w\\)"):
        model.probabilities(torch.zeros(1, 3, 4, 16, 16))  # type: ignore[attr-defined]
