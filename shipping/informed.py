"""Make a model for colorization that has learned nothing but what EfficientNet-lite0 knows, to start from.

    python shipping/informed.py --out FOLDER
    gannet train shipping/colorization-v3.yaml --from FOLDER

The weights come from the packages of `gannet[imagenet]` (Apache-2.0).
"""

import argparse
from pathlib import Path
from typing import Any

from gannet.adversarial.two_player import GENERATOR
from gannet.data.image_dataset import Description
from gannet.metrics.backbones import efficientnet
from gannet.recipe import load_recipe
from gannet.tasks import colorization

RECIPE = Path(__file__).with_name("colorization-v3.yaml")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    recipe = load_recipe(str(RECIPE), {})
    settings = colorization.task.settings(recipe, Description(name="start", shape=(3, 256, 256)))
    model: Any = colorization.ColorizationPipeline.build(settings)
    known: Any = efficientnet()
    model.networks[GENERATOR].encoder.take(known.network.network)
    model.save_pretrained(asked.out)


if __name__ == "__main__":
    main()
