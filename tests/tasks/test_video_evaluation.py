"""How models of clips are judged: clips of reals' kind are near, frozen and shuffled ones are not, copies are found."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from moving import squares
from torch import Generator, Tensor

from gannet.augmentation.levels import to_levels
from gannet.augmentation.time_faults import FAULTS
from gannet.commands.judge import JUDGE_OF_CLIPS, judge_features
from gannet.data.columns import Column
from gannet.data.loader import Loader
from gannet.media import clip
from gannet.metrics.judgement import Judgement
from gannet.metrics.motion import DISTANCE
from gannet.metrics.options import JudgeOptions
from gannet.monitoring.nearness import tell_nearness
from gannet.task import Exam
from gannet.tasks.video_generation import evaluate


class Giver:
    """A model that gives certain clips."""

    settings = SimpleNamespace(conditional=False, description=SimpleNamespace(classes=(), shape=(1, 16, 24, 24)))

    def __init__(self, clips: Tensor) -> None:
        self.clips = clips

    def parts(self, num: int, seed: int, labels: Tensor | None = None) -> list[Callable[[], Tensor]]:  # noqa: ARG002
        return [partial(self._one, number % len(self.clips)) for number in range(num)]

    def _one(self, number: int) -> Tensor:
        return self.clips[number : number + 1]


def samples(clips: Tensor) -> Loader:
    levels = to_levels(clips).byte().permute(0, 2, 3, 4, 1).contiguous().numpy()
    return Loader({"real": Column(levels, convert=clip.medium.to_array)}, torch.arange(len(clips)).numpy(), seed=0)


TRAINING = squares(150, 7)
HELD_OUT = squares(100, 8)


def judged(clips: Tensor, training: Tensor = TRAINING, held_out: Tensor = HELD_OUT, **asked: Any) -> Judgement:
    own = samples(training), samples(held_out)
    query = JudgeOptions(**{"num": 100, **asked})
    given: Any = Giver(clips)
    return evaluate(given, Exam(query, None, None, lambda: own[1], own, partial(judge_features, "", JUDGE_OF_CLIPS)))


def values(judgement: Judgement) -> dict[str, float]:
    return {one.name: one.value for one in judgement.measures}


def test_clips_of_the_reals_own_kind_are_near_and_better_than_frozen_and_shuffled_reals() -> None:
    judgement = judged(squares(100, 9))
    found = {one.name: one for one in judgement.measures}
    assert found["frechet distance"].features == JUDGE_OF_CLIPS
    assert found["frechet distance"].value < 1.5 * found["frechet distance"].floor
    assert found[DISTANCE].value < 0.1 and found["diversity"].value == pytest.approx(1, abs=0.1)
    assert tell_nearness(judgement.to_json()).state in {"near", "nearer"}
    assert judgement.memorization is not None and judgement.memorization.extent == "none"
    own, frozen, shuffled = judgement.baselines
    assert [one.name for one in (frozen, shuffled)] == ["real clips, frozen", "real clips, shuffled in time"]
    for spoilt in (frozen, shuffled):
        for ours, theirs in zip(own.measures, spoilt.measures, strict=True):
            assert ours.name == theirs.name and ours.high < theirs.low, (spoilt.name, ours.name)
    assert own.sample_milliseconds is not None and frozen.sample_milliseconds is None


@pytest.mark.parametrize("fault", ["shuffled", "half speed, mixed"])
def test_clips_that_move_wrongly_are_far_however_good_their_frames_are(fault: str) -> None:
    judgement = judged(FAULTS[fault](squares(100, 9), 1.0, Generator().manual_seed(0)), fast=True)
    found = values(judgement)
    assert found[DISTANCE] > 0.5 and judgement.memorization is None and not judgement.baselines
    nearness = tell_nearness(judgement.to_json())
    assert nearness.state == "far" and DISTANCE in nearness.words


def test_copies_of_training_clips_are_found_under_hardly_visible_noise() -> None:
    noise = 0.02 * torch.randn(TRAINING.shape, generator=Generator().manual_seed(0))
    audit = judged((TRAINING + noise).clamp(-1, 1)[:100]).memorization
    assert audit is not None and audit.extent == "many"


def test_few_clips_or_short_ones_are_judged_by_what_they_allow() -> None:
    few = judged(squares(30, 9), num=30)
    assert not few.measures and "40 of each are needed" in few.left_out["distances"] and few.memorization
    short = judged(*(clips[:, :, :3] for clips in (squares(100, 9), TRAINING, HELD_OUT)), fast=True)
    assert DISTANCE not in values(short) and "diversity" in values(short)
    assert "it takes 4 frames" in short.left_out["motion"]


@pytest.mark.parametrize(
    ("held_out", "asked", "sentence"),
    [
        (30, {}, "real clips and .* fakes, and 40 of each are needed: judge by more data"),
        (100, {"fast": True, "num": 30}, "num is 30, of which nothing can be measured; give 40 or more"),
    ],
)
def test_clips_too_few_for_any_measure_are_refused_before_one_is_drawn(
    held_out: int, asked: dict[str, Any], sentence: str
) -> None:
    own = samples(TRAINING), samples(squares(held_out, 2))
    nobody: Any = None
    exam = Exam(JudgeOptions(**asked), None, None, lambda: own[1], own, nobody)
    with pytest.raises(ValueError, match=sentence):
        evaluate(nobody, exam)


@pytest.mark.parametrize("asked", [{"utility": True}, {"baselines": True}, {"leaks": "own"}, {"features": "inception"}])
def test_what_is_asked_of_models_of_pictures_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is for models of pictures"):
        judged(HELD_OUT, **asked)
