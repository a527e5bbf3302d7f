"""On which photographs does a model do best, on which worst? A sheet: what is given, what it makes, what is true.

    python benchmarks/best_and_worst.py super-resolution PHOTOS --out sheet.jpg [--most 200] [--rows 2]

Photographs are spoilt as `gannet judge` spoils them. They are ranked by the perceptual distance over judge-v1 of what
the model makes, as a share of the first baseline's (bicubic, the mean colour, untouched, grey).
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from PIL import Image

import gannet
from gannet.adversarial.similarity import perceptual_distance
from gannet.commands.judge import judge_features
from gannet.data.loader import Samples
from gannet.data.sources import open_source
from gannet.media.photograph import Photograph
from gannet.media.tiling import as_tensor
from gannet.metrics.options import JudgeOptions
from gannet.schema import check
from gannet.task import Exam, find_task
from gannet.tasks._image_restoration.evaluation import perceptual_features, photographs


def shown(given: Photograph, made: Photograph, real: Photograph) -> Image.Image:
    """The three side by side, the given one as large as the others."""
    pictures = [one.picture().convert("RGB") for one in (given, made, real)]
    width, height = pictures[2].size
    row = Image.new("RGB", (3 * width + 16, height), "white")
    for place, picture in enumerate(pictures):
        row.paste(picture.resize((width, height), Image.Resampling.NEAREST), (place * (width + 8), 0))
    return row


def stacked(rows: list[Image.Image]) -> Image.Image:
    """Rows one below the other."""
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height + 8 for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height + 8
    return sheet


def _nothing() -> Samples:
    """Photographs are judged as they lie: none is brought to a size."""
    raise AssertionError


@torch.inference_mode()
def main() -> None:
    """Rank, draw, and say the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("photographs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=200)
    parser.add_argument("--rows", type=int, default=2)
    asked = parser.parse_args()
    pipeline: Any = gannet.load(asked.model)
    task: Any = find_task(pipeline.task)
    config = check(task.Config, pipeline.config.task.options, "task")
    perceptual = perceptual_features(judge_features())
    assert perceptual is not None, "judge-v1 does not ship here"
    source, found = open_source(asked.photographs), []
    exam = Exam(JudgeOptions(num=asked.most), None, source, _nothing, None, judge_features)
    for real in photographs(exam, asked.most):
        pair = task.evaluation.pair(real, config)
        made = pipeline.improve(pair.input, pair.mask)
        apart = [
            float(perceptual_distance(as_tensor(one.values), as_tensor(pair.target.values), perceptual))
            for one in (made, next(iter(pair.baselines.values())))
        ]
        found.append((apart[0] / max(apart[1], 1e-9), (pair.input, made, pair.target)))
    found.sort(key=lambda one: one[0])
    picked = [*found[: asked.rows], *found[-asked.rows :]]
    stacked([shown(*one) for _, one in picked]).save(asked.out, quality=90)
    print(f"{asked.out}: shares of the first baseline's distance: {', '.join(f'{share:.2f}' for share, _ in picked)}")


if __name__ == "__main__":
    main()
