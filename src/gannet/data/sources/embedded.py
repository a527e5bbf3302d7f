"""Sets of pictures that come along: digits of scikit-learn, and garments."""

from collections.abc import Iterator
from importlib import resources

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from gannet.data.records import VALUE, Chunk, Record, digest, records_of

GARMENTS = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
SIDE, ACROSS, OF_EACH = 28, 100, 1000


class Digits:
    """The 1,797 grey digits of 8x8 pixels that come with scikit-learn."""

    name = "digits"
    classes = tuple(str(digit) for digit in range(10))

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return digest(["digits", "1"])

    def count(self) -> int:
        """Give the number of samples."""
        return 1797

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks."""
        from sklearn.datasets import load_digits

        bunch = load_digits()
        pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
        yield Chunk({VALUE: pixels}, bunch.target.astype(np.int64), "", 0)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return records_of(self.arrays())


class Garments:
    """10,000 garments of Fashion-MNIST (Xiao et al., 2017), grey, 28x28, a thousand of each class: one picture."""

    name = "garments"
    classes = GARMENTS

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return digest(["garments", "1"])

    def count(self) -> int:
        """Give the number of samples."""
        return OF_EACH * len(GARMENTS)

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks; they lie in the picture class by class, a hundred in a row."""
        with resources.as_file(resources.files("gannet.data") / "embedded" / "garments.png") as path:
            picture = np.asarray(PngImageFile(path))  # Ours may be as large as it is, whatever the limit.
        rows = picture.reshape(-1, SIDE, ACROSS, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
        yield Chunk({VALUE: rows}, np.repeat(np.arange(len(GARMENTS)), OF_EACH), "", 0)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return records_of(self.arrays())
