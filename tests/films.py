"""Films for tests: written by PyAV, as cameras and other programs write them."""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from gannet.media.medium import Pixels

CODECS = {"mp4": "libx264", "mov": "libx264", "matroska": "libx264", "webm": "libvpx-vp9", "avi": "mpeg4"}
QUICK = {
    "libx264": {"preset": "ultrafast", "crf": "10"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "mpeg4": {"qmax": "2"},
}
FORMS = {"mkv": "matroska", "m4v": "mp4"}


def levels(*greys: int, size: tuple[int, int] = (48, 32)) -> Pixels:
    """Flat frames (t, h, w, 3) of these greys."""
    return np.stack([np.full((size[1], size[0], 3), grey, np.uint8) for grey in greys])


def ramp(count: int, size: tuple[int, int] = (48, 32)) -> Pixels:
    """Flat frames that grow lighter, from black to white."""
    return levels(*np.linspace(0, 255, count).round().astype(int).tolist(), size=size)


def film(
    frames: Pixels,
    ending: str = "mp4",
    rate: int = 25,
    times: Sequence[int] = (),
    rotation: int = 0,
    sound: bool = False,
) -> bytes:
    """Write frames (t, h, w, 3).

    Args:
        times: when each frame is shown, in thousandths of a second; empty: evenly.
        rotation: how the camera was held, in degrees against the clock.
    """
    content, form = io.BytesIO(), FORMS.get(ending, ending)
    with av.open(content, "w", format=form) as container:
        stream = container.add_stream(CODECS[form], rate=rate, options=QUICK[CODECS[form]])
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        tone = container.add_stream("aac", rate=8000) if sound else None
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            if times:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if tone:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            silence.sample_rate = 8000
            container.mux([*tone.encode(silence), *tone.encode()])
    return content.getvalue()


def write(path: Path, content: bytes) -> Path:
    """Write a file, in folders that are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def means(frames: Sequence[Pixels]) -> list[int]:
    """The mean level of each frame."""
    return [round(float(frame.mean())) for frame in frames]
