"""Augmentation of clips: the same for all frames, and the same as for a picture."""

import pytest
import torch

from gannet.adversarial.discriminator_augment import ADA
from gannet.augmentation.clips import augment_clips
from gannet.augmentation.draws import Drawn
from gannet.augmentation.kinds import augment, choose_kinds


def draws(count: int = 4) -> Drawn:
    return Drawn(count, torch.Generator().manual_seed(1))


def test_every_frame_is_changed_as_a_picture_would_be() -> None:
    clips, chosen = torch.rand(4, 3, 5, 12, 10) * 2 - 1, choose_kinds(ADA)
    changed = augment_clips(clips, chosen, 0.7, draws())
    assert not torch.equal(changed, clips)
    for at in range(clips.shape[2]):
        torch.testing.assert_close(changed[:, :, at], augment(clips[:, :, at], chosen, 0.7, draws()))


def test_grey_clips_too_and_nothing_where_nothing_is_asked() -> None:
    clips, chosen = torch.rand(4, 1, 3, 8, 8), choose_kinds(["shift", "contrast"], 1)
    changed = augment_clips(clips, chosen, 1.0, draws())
    torch.testing.assert_close(changed[:, :, 2], augment(clips[:, :, 2], chosen, 1.0, draws()))
    assert augment_clips(clips, chosen, 0.0, draws()) is clips and augment_clips(clips, (), 1.0, draws()) is clips


def test_what_would_differ_from_frame_to_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="noise is not done to clips"):
        augment_clips(torch.rand(4, 3, 2, 8, 8), choose_kinds(["shift", "noise"]), 1.0, draws())
