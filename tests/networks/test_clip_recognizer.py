"""The recognizer of clips: any length, features on the way, and that it sees the order of frames."""

import torch
from torch import Generator

from gannet.networks.clip_recognizer import ClipRecognizerChoice


def test_features_are_the_means_of_all_blocks_but_the_last_for_clips_of_any_length() -> None:
    torch.manual_seed(0)
    network = ClipRecognizerChoice(width=4, depth=3).build((3, 8, 32, 32), 5).eval()
    for length, side in ((8, 32), (5, 24), (20, 64)):
        clip = torch.rand(2, 3, length, side, side, generator=Generator().manual_seed(0))
        found = network.features(clip)
        assert network(clip).shape == (2, 5) and found.shape == (2, 4 + 8)
        first, second, last = network.activations(clip)
        assert first.shape[2] == length and last.shape[1] == 16
        torch.testing.assert_close(found, torch.cat([first.mean((2, 3, 4)), second.mean((2, 3, 4))], 1))


def test_the_order_of_frames_changes_the_features() -> None:
    torch.manual_seed(0)
    network = ClipRecognizerChoice(width=4, depth=3).build((3, 8, 32, 32), 5).eval()
    clip = torch.rand(1, 3, 8, 32, 32, generator=Generator().manual_seed(0))
    assert not torch.allclose(network.features(clip), network.features(clip.flip(2)), atol=1e-5)
