"""Make a shipped model of a run: half precision, with its card.

    python shipping/ship.py RUN --name judge-v1

The card is `shipping/NAME.md`, with what the run knows of itself filled in; a model that draws is judged for it.
"""

import argparse
import datetime
import os
import platform
from pathlib import Path

import torch

import gannet
from gannet.loading import SHIPPED
from gannet.running import Run
from gannet.storage import write_text


def facts(run: Run) -> dict[str, str]:
    """What the card's placeholders stand for."""
    line = list(run.log())[-1]
    known = {
        "images": f"{line['images']:,}",
        "minutes": f"{line['clock']['seconds'] / 60:.0f}",
        "machine": f"{os.cpu_count()} cores ({platform.machine()}), torch {torch.__version__}",
        "date": str(datetime.date.today()),
    }
    if "held_out" in line:
        return {**known, "error": f"{line['held_out']['error']:.1%}"}
    judged = gannet.judge(run.folder).lines()
    return {**known, "scores": "\n".join(f"- {words}" for words in judged)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", required=True)
    options = parser.parse_args()
    folder = SHIPPED / options.name
    if folder.exists():
        parser.error(f"{folder} exists, and shipped models are never changed: take the next version")
    pipeline = gannet.load(options.run)
    pipeline.name = options.name
    for network in pipeline.networks.values():
        network.half()
    card = Path(__file__).with_name(f"{options.name}.md").read_text(encoding="utf-8")
    card = card.format(**facts(Run(options.run)))
    folder.mkdir(parents=True)
    write_text(folder / "README.md", card)
    pipeline.save_pretrained(folder)
    size = (folder / "model.safetensors").stat().st_size
    print(f"{folder}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
