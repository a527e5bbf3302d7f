"""Write the statistics of varied photographs, beside which models tell how far a photograph is from what they learned.

python shipping/familiarity.py photographs/train
"""

import argparse
from pathlib import Path

from gannet.data.sources import open_source
from gannet.media import image
from gannet.runtime.files import write_json
from gannet.tasks._image_restoration.familiarity import VARIED, Normal, statistics_of

MOST_VARIED = 2_000
"""Varied photographs that are looked at, at most."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    asked = parser.parse_args()
    source = open_source(str(asked.photographs), {"real": image.medium}, image.Options())
    write_json(VARIED, Normal.of(statistics_of(source, MOST_VARIED)).model_dump(mode="json"))


if __name__ == "__main__":
    main()
