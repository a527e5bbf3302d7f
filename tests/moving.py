"""Clips for tests, drawn in no time: squares that move over still grounds."""

import numpy as np
import torch
from torch import Tensor

LENGTH, SIDE, SQUARE = 16, 24, 6


def squares(count: int, seed: int, falling: bool = False) -> Tensor:
    """Light squares (n, 1, 16, 24, 24): gliding evenly down and up, or falling and springing back lower each time."""
    random, room = np.random.default_rng(seed), SIDE - SQUARE
    clips = torch.empty(count, 1, LENGTH, SIDE, SIDE)
    for clip in clips:
        clip[:] = torch.from_numpy(random.uniform(-0.9, -0.5, (SIDE, SIDE)))
        top, left, speed = 0.0, random.uniform(0, 14), 0.0 if falling else random.uniform(0.7, 1.5)
        top = 0.0 if falling else random.uniform(0, room)
        for frame in clip[0]:
            frame[round(top) : round(top) + SQUARE, round(left) : round(left) + SQUARE] = 0.8
            speed += random.uniform(0.25, 0.35) if falling else 0
            top += speed
            if not 0 <= top <= room:
                top, speed = min(max(top, 0.0), room), -speed * (0.6 if falling else 1.0)
    return clips
