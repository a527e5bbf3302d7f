"""Make the embedded set `garments` of Fashion-MNIST: a thousand training pictures of each class, as one picture.

python shipping/garments.py FOLDER-OF-FASHION-MNIST
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import gannet.data
from gannet.data.records import VALUE
from gannet.data.sources import open_source
from gannet.data.sources.embedded import ACROSS, OF_EACH, SIDE
from gannet.data.sources.idx import IdxFolder

PLACE = Path(gannet.data.__file__).parent / "embedded" / "garments.png"


def main() -> None:
    """Write it."""
    source = open_source(sys.argv[1])
    assert isinstance(source, IdxFolder)
    chunks = [chunk for chunk in source.arrays() if chunk.split == "train"]
    pictures = np.concatenate([chunk.fields[VALUE] for chunk in chunks]).reshape(-1, SIDE, SIDE)
    labels = np.concatenate([chunk.labels for chunk in chunks])
    first = np.concatenate([np.flatnonzero(labels == label)[:OF_EACH] for label in range(len(source.classes))])
    rows = pictures[first].reshape(-1, ACROSS, SIDE, SIDE).swapaxes(1, 2)
    Image.fromarray(rows.reshape(-1, ACROSS * SIDE)).save(PLACE, optimize=True)


if __name__ == "__main__":
    main()
