"""Tell shipped models for photographs what they learned from, so that they warn of photographs that are far from it.

    python shipping/familiarity.py --varied photographs/train
    python shipping/familiarity.py --model colorization-v1 --data clothing

The first writes the statistics of varied photographs, which ship with the code; the second a file beside a model that
was made before models kept any: its weights, its config and its card stay what they are.
"""

import argparse
from pathlib import Path
from typing import Any

from gannet.data.sources import open_source
from gannet.data.sources.several import Several
from gannet.media import image
from gannet.pipelines.hub import LEARNED_FROM, SHIPPED, load
from gannet.runtime.files import write_json
from gannet.tasks._image_restoration.familiarity import VARIED, Normal, statistics_of

MOST_VARIED = 2_000
"""Varied photographs that are looked at, at most."""


def opened(folders: list[Path]) -> Any:
    """The photographs that lie in folders."""
    parts = tuple(open_source(str(folder), {"real": image.medium}, image.Options()) for folder in folders)
    return parts[0] if len(parts) == 1 else Several(parts, (1.0,) * len(parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--varied", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--data", type=Path, nargs="+", default=[])
    asked = parser.parse_args()
    if asked.varied:
        write_json(VARIED, Normal.of(statistics_of(opened([asked.varied]), MOST_VARIED)).model_dump(mode="json"))
        return
    folder, model = SHIPPED / asked.model, load(asked.model)
    if (folder / LEARNED_FROM).exists():
        parser.error(f"{folder} has its {LEARNED_FROM}, and shipped models are never changed: take the next version")
    model.learn_from(opened(asked.data), model.config.description.name)
    model.familiarity.write(folder)


if __name__ == "__main__":
    main()
