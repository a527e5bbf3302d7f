"""Writing clips as files that are played: GIF, and MP4 with H.264; both say where they came from."""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gannet.media.films import require
from gannet.media.medium import Pixels
from gannet.provenance.boxes import with_packet
from gannet.provenance.formats import FILMS
from gannet.provenance.metadata import Facts, comment, metadata

COLOURS, LOOKED_AT = 256, 64
"""Colours of a GIF, and pixels a side of each frame by which they are chosen."""
ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("libx264", {"crf": "14", "preset": "medium", "mbtree": "0"}),
    ("h264", {}),
    ("mpeg4", {"qmin": "2", "qmax": "4"}),
)
"""What writes an MP4 and its settings, the best first; PyAV is built with more of them or fewer. With x264's macroblock
trees the same frames became one of several files."""

MP4 = ".mp4"
ANIMATIONS = (*FILMS, MP4)
"""The endings of pictures that move."""


def check_animation(path: Path) -> None:
    """Raise ValueError where pictures that move cannot be saved under that name, or not without another package."""
    if path.suffix.lower() not in ANIMATIONS:
        raise ValueError(
            f"{path.name}: animations are saved as {', '.join(ANIMATIONS)}; "
            "name the file so (a folder's name has no such ending)."
        )
    if path.suffix.lower() == MP4:
        require()


def encode_gif(frames: Sequence[Image.Image], rate: float, facts: Facts) -> bytes:
    """Write frames as a GIF that repeats, in colours that all of them share, so that nothing flickers."""
    pictures = [frame.convert("RGB") for frame in frames]
    looked = [np.asarray(one.resize((LOOKED_AT, LOOKED_AT), Image.Resampling.NEAREST)) for one in pictures]
    palette = Image.fromarray(np.concatenate(looked)).quantize(COLOURS)
    first, *others = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures]
    content = io.BytesIO()
    moves: dict[str, Any] = {"save_all": True, "append_images": others, "duration": round(1000 / rate), "loop": 0}
    first.save(content, "GIF", **moves, **metadata(".gif", facts))
    return content.getvalue()


def encode_mp4(frames: Pixels, rate: float, facts: Facts) -> bytes:
    """Write frames (t, h, w, 3) as an MP4 that is played anywhere.

    Odd sides get one more row or column, like their last: what is played anywhere has even ones.
    """
    av, content = require(), io.BytesIO()
    height, width = frames.shape[1:3]
    even = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    name, options = next(one for one in ENCODERS if one[0] in av.codecs_available)
    with av.open(content, "w", format="mp4") as container:
        if facts:
            container.metadata["comment"] = comment(facts)
        stream = container.add_stream(name, rate=Fraction(rate).limit_denominator(1001), options=options)
        stream.width, stream.height, stream.pix_fmt = even.shape[2], even.shape[1], "yuv420p"
        for pixels in even:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return with_packet(content.getvalue(), facts)
