"""Make a restoration model of a detector and of inpainting's model, which fills what that finds.

    python shipping/restoration.py DETECTOR inpainting --data photographs/train --out FOLDER

DETECTOR is the `model/` folder of a run of `restoration-v5.yaml`. It is made as sensitive as it may be without taking
more of the undamaged photographs that its run held out for damage than is allowed (`--mean`, `--worst`; shares).
With `--keep pixel` the network that fills has its weights from before the game beside it (`--strength`). The card is
`restoration-v5.md`; what it says of scores (a file with what `benchmarks/damage_found.py` printed), of the training and
of what the model cannot do is given.
"""

import argparse
from pathlib import Path
from typing import Any

import gannet
from gannet.commands.train import prepare, split_of
from gannet.media.photograph import Photograph
from gannet.media.tiling import as_values
from gannet.pipelines.hub import load
from gannet.recipe import load_recipe
from gannet.runtime.files import write_text
from gannet.tasks.restoration.evaluation import Mistakes, calibrated, share_taken

RECIPE = Path(__file__).with_name("restoration-v5.yaml")


def held_out(data: str) -> list[Photograph]:
    """The photographs that the run did not learn from, as it would have seen them."""
    held: Any = split_of(prepare(load_recipe(str(RECIPE), {"data.source": str(Path(data).resolve())}))).held_out
    return [Photograph(as_values(one[None], "uint8")) for one in held.spread(len(held))["real"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("detector")
    parser.add_argument("inpainting")
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="restoration-v5")
    parser.add_argument("--mean", type=float, default=0.002)
    parser.add_argument("--worst", type=float, default=0.015)
    parser.add_argument("--keep", nargs="+", default=[])
    parser.add_argument("--scores", type=Path, default=None)
    parser.add_argument("--trained", default="")
    parser.add_argument("--cannot", default="")
    asked = parser.parse_args()
    undamaged = held_out(asked.data)
    model: Any = calibrated(gannet.load(asked.detector), undamaged, Mistakes(asked.mean, asked.worst))
    shares = [share_taken(model, one) for one in undamaged]
    mean, worst = sum(shares) / len(shares), max(shares)
    mistaken = f"of {len(shares)} undamaged photographs it takes {mean:.3%} for damage, of the worst {worst:.2%}"
    print(f"sensitivity {model.sensitivity:.4f}: {mistaken}")
    told = {"filling": asked.inpainting, "trained": asked.trained, "cannot": asked.cannot, "mistaken": mistaken}
    scores = asked.scores.read_text(encoding="utf-8") if asked.scores else ""
    asked.out.mkdir(parents=True)
    card = RECIPE.with_suffix(".md").read_text(encoding="utf-8")
    write_text(asked.out / "README.md", card.format(**told, scores=scores, sensitivity=f"{model.sensitivity:.3g}"))
    for weights in ("model", *asked.keep):
        made = model.filled_by(load(asked.inpainting, weights))
        made.name = asked.name
        for network in made.networks.values():
            network.half()
        made.save_pretrained(asked.out, weights)
    size = sum(file.stat().st_size for file in asked.out.glob("*.safetensors"))
    print(f"{asked.out}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
