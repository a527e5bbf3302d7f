"""One clip or several of the same length, which are played side by side."""

from typing import ClassVar

import numpy as np
from PIL import Image
from torch import Tensor

from gannet.media.clip import ClipMedium, Given
from gannet.media.film_encoding import encode_gif, encode_mp4
from gannet.media.grids import draw_grid
from gannet.provenance.metadata import Facts, encode_picture


class SeveralClipsMedium(ClipMedium):
    """Clips as networks give them, (n, c, t, h, w); as a file of pictures they are a sheet, a row a clip."""

    name: ClassVar[str] = "several-clips"
    in_data: ClassVar[bool] = False
    played: ClassVar[tuple[str, ...]] = ClipMedium.saved
    saved: ClassVar[tuple[str, ...]] = (*ClipMedium.saved, ".png")

    def describe(self, value: Given | Tensor) -> tuple[str, str]:
        """Name the size, and how many there are."""
        if not isinstance(value, Tensor):
            return super().describe(value)
        count, _, length, height, width = value.shape
        return f"{width}x{height}", f"{length} frames{f', {count} futures' if count > 1 else ''}"

    def picture(self, value: Given | Tensor) -> Image.Image:
        """Show them as a sheet of frames."""
        return self.preview(value) if isinstance(value, Tensor) else super().picture(value)

    def encode(self, value: Given | Tensor, ending: str, facts: Facts) -> bytes:
        """Write them as one film, or as a sheet; ValueError names the endings that there are."""
        if not isinstance(value, Tensor):
            return super().encode(value, ending, facts)
        if ending.lower() not in self.saved:
            raise ValueError(f"Futures are saved as {', '.join(self.saved)}, not {ending or 'without an ending'}.")
        if ending.lower() not in self.played:
            return encode_picture(self.preview(value), facts)
        if len(value) == 1:
            return super().encode(value[0], ending, facts)
        frames = [draw_grid(value[:, :, at].float()).convert("RGB") for at in range(value.shape[2])]
        if ending.lower() == ".gif":
            return encode_gif(frames, self.rate, facts)
        return encode_mp4(np.stack([np.asarray(one) for one in frames]), self.rate, facts)


medium = SeveralClipsMedium()
