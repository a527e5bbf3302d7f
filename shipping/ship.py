"""Make a shipped model of a run: half precision, with its card.

    python shipping/ship.py RUN --name judge-v1

The card is `shipping/NAME.md`, with what the run knows of itself filled in; a model that draws is judged for it, one
that makes photographs better by the data that are named. `--keep pixel` ships the weights of that stage as well;
`--strength 0.7` ships, as the model, what that has of the game and the rest of those before it; `--weights likelihood`
ships that stage's, judged by the data that are named.
`--research` puts it beside the package, into `models-research/`: models of data that are not free for all.
"""

import argparse
import datetime
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import gannet
from gannet.pipelines.hub import RESEARCH, SHIPPED
from gannet.runs.folder import Run
from gannet.runtime.files import write_text


def facts(run: Run, judged: Path, judged_by: Sequence[Path]) -> dict[str, str]:
    """What the card's placeholders stand for, by a run and by the model that is judged."""
    line = list(run.log())[-1]
    known = {
        "images": f"{line['images']:,}",
        "minutes": f"{line['clock']['seconds'] / 60:.0f}",
        "machine": f"{os.cpu_count()} cores ({platform.machine()}), torch {torch.__version__}",
        "date": str(datetime.date.today()),
    }
    if run.recipe.task.name in ("recognition", "clip-recognition"):
        return {**known, "error": f"{line['held_out']['error']:.1%}"}
    told = [(data, judged_by_data(judged, data)) for data in judged_by or [""]]
    words = "\n\n".join(
        "\n".join(([f"`{data.name}`:\n"] if data else []) + [f"- {line}" for line in lines]) for data, lines in told
    )
    return {**known, "scores": words}


def judged_by_data(judged: Path, data: Path | str) -> list[str]:
    """What the judge says of a model; or why there is too little to judge it by."""
    try:
        return gannet.judge(judged, data).lines()
    except ValueError as error:
        return [f"none: {error}"]


def halve(pipeline: Any, name: str) -> Any:
    """The model itself, its weights brought to half precision."""
    pipeline.name = name
    for network in pipeline.networks.values():
        network.half()
    return pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--judged-by", nargs="+", type=Path, default=[])
    parser.add_argument("--keep", nargs="+", default=[])
    parser.add_argument("--weights", default="model", help="those that become the model, such as a stage's")
    parser.add_argument("--strength", type=float, default=1.0, help="0 to 1")
    parser.add_argument("--research", action="store_true")
    options = parser.parse_args()
    folder = (RESEARCH if options.research else SHIPPED) / options.name
    if not 0 <= options.strength <= 1:
        parser.error(f"--strength is {options.strength:g}; give one from 0 to 1")
    if options.strength != 1 and not (options.judged_by and "pixel" in options.keep):
        parser.error("--strength is for models with --keep pixel, and those are judged by data: give --judged-by")
    if folder.exists():
        parser.error(f"{folder} exists, and shipped models are never changed: take the next version")
    model: Any = gannet.load(options.run, options.weights)
    chosen = {"model": model if options.strength == 1 else model.blended(options.strength)}
    chosen |= {weights: gannet.load(options.run, weights) for weights in options.keep}
    card = Path(__file__).with_name(f"{options.name}.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / options.name
        made.mkdir()
        for weights, pipeline in chosen.items():
            halve(pipeline, options.name).save_pretrained(made, weights)
        judged = options.run if options.strength == 1 and options.weights == "model" else made
        write_text(made / "README.md", card.format(**facts(Run(options.run), judged, options.judged_by)))
        shutil.copytree(made, folder)
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    print(f"{folder}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
