"""How many photographs a model says are far from what it learned from, folder by folder.

    python benchmarks/familiarity.py colorization clothing/validation photographs/test old-photographs

The first folder holds photographs of its own kind that it did not learn from: what it says of those are false alarms.
Of the others the area under the ROC curve against the first is told as well, by the distance and by the ratio that the
warning goes by.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

import gannet
from gannet.media.photograph import read_photograph
from gannet.media.pyramid import hidden
from gannet.tasks._image_restoration.familiarity import Normal, ratios
from gannet.tasks._image_restoration.statistics import statistics


def taken(folder: Path, count: int) -> Iterator[Any]:
    """The statistics of the photographs in a folder."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        photograph = read_photograph(file)
        found = statistics(photograph, hidden(photograph))
        if found is not None:
            yield found[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folders", type=Path, nargs="+")
    asked = parser.parse_args()
    model: Any = gannet.load(asked.model)
    known = model.familiarity
    if known is None:
        parser.error(f"{asked.model} does not know what it learned from")
    own: list[Any] = []
    print(
        f"{model.name}, which learned from {known.data}\n\n| photographs | count | far | distance | ratio |\n"
        + "|---" * 5
        + "|"
    )
    for folder in asked.folders:
        found = np.array(list(taken(folder, known.count)))
        kinds = [kind.distribution for kind in known.kinds]
        scores = [np.min([take(kind, found) for kind in kinds], 0) for take in (Normal.distances, ratios)]
        own = own or scores
        curves = (
            roc_auc_score(np.r_[np.zeros(len(first)), np.ones(len(one))], np.r_[first, one])
            for first, one in zip(own, scores, strict=True)
        )
        far = np.mean([known.is_far(one) for one in found])
        print(
            f"| {folder.name} | {len(found):,} | {far:.1%} | {' | '.join(f'{one:.2f}' for one in curves)} |", flush=True
        )


if __name__ == "__main__":
    main()
