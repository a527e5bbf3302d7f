"""Contenders for the fastest training, each in a process of its own, which does what each line that it reads says.

    python benchmarks/contenders.py gannet|plain|torchgan [--side 32] [--batch 64] [--pictures FILE] [--recipe NAME]
    python benchmarks/contenders.py gannet-unet|plain-unet|gannet-residual|plain-residual

A line `train SECONDS` trains so long and prints images a second, `sample SECONDS` draws so long; `draw COUNT FILE`
saves so many pictures. `plain` is the loop that PyTorch's tutorials teach (in single precision, without a running
average) on Gannet's DCGAN architecture; `torchgan` trains its own DCGAN of the same widths by its own trainer. They
learn from noise that is held in memory, or from the pictures of a file; with `--recipe` Gannet plays that recipe on the
recipe's own data.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

LATENT, WIDTH, PICTURES, SAMPLED = 128, 64, 4_096, 1_000


@dataclass(frozen=True)
class Contender:
    """Plays a round of `batch` pictures, and draws pictures (n, c, h, w) in [-1, 1].

    Attributes:
        sample: draws as fast as it can, when rounding does not matter.
    """

    play: Callable[[], None]
    draw: Callable[[int], torch.Tensor]
    sample: Callable[[int], torch.Tensor]
    batch: int


def noise(side: int) -> torch.Tensor:
    """Pictures that mean nothing."""
    return torch.rand(PICTURES, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def read(path: str) -> torch.Tensor:
    """The pictures of a file, (n, c, h, w) of bytes, with a frame that makes their side a power of two."""
    pictures = torch.from_numpy(np.load(path)["pictures"]).float() / 127.5 - 1
    frame = ((1 << (pictures.shape[2] - 1).bit_length()) - pictures.shape[2]) // 2
    return nn.functional.pad(pictures, (frame,) * 4, value=-1.0)


def plain(asked: argparse.Namespace) -> Contender:
    """Two steps a round, discriminator then generator."""
    pictures, batch = learned(asked), asked.batch
    levels = (pictures.shape[2] - 1).bit_length() - 2
    widths = [asked.width * min(2**level, 8) for level in range(levels)]
    channels = pictures.shape[1]
    generator, discriminator = plain_generator(widths, channels), plain_discriminator(widths, channels)
    device = torch.device(asked.device)
    generator, discriminator = generator.to(device), discriminator.to(device)
    of_generator = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    batches = endless(pictures, batch)
    real_label, fake_label = torch.ones(batch, device=device), torch.zeros(batch, device=device)

    def play() -> None:
        real = next(batches).to(device)
        fake = generator(torch.randn(batch, LATENT, 1, 1, device=device))
        of_discriminator.zero_grad()
        binary_cross_entropy_with_logits(discriminator(real).flatten(), real_label).backward()
        binary_cross_entropy_with_logits(discriminator(fake.detach()).flatten(), fake_label).backward()
        of_discriminator.step()
        of_generator.zero_grad()
        binary_cross_entropy_with_logits(discriminator(fake).flatten(), real_label).backward()
        of_generator.step()

    draw = partial(drawn, generator, latent=(LATENT, 1, 1))
    return Contender(play, draw, draw, batch)


@torch.no_grad()
def drawn(generator: nn.Module, count: int, *, latent: tuple[int, ...]) -> torch.Tensor:
    """Pictures by a generator as it stands; its normalization goes by what it has seen while training."""
    generator.eval()
    random, device = torch.Generator().manual_seed(1), next(generator.parameters()).device
    noises = (torch.randn(100, *latent, generator=random).to(device) for _ in range(0, count, 100))
    pictures = torch.cat([generator(latents) for latents in noises])
    generator.train()
    return pictures[:count].cpu()


def plain_generator(widths: list[int], channels: int) -> nn.Module:
    """Transposed convolutions, from one place to the whole picture."""
    down = widths[::-1]
    layers: list[nn.Module] = [nn.ConvTranspose2d(LATENT, down[0], 4, 1, 0, bias=False)]
    for before, after in zip(down, [*down[1:], channels], strict=True):
        last = after == channels
        layers += [nn.BatchNorm2d(before), nn.ReLU(True), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=last)]
    return nn.Sequential(*layers, nn.Tanh())


def plain_discriminator(widths: list[int], channels: int) -> nn.Module:
    """Convolutions of stride two, as Gannet's without normalization."""
    layers: list[nn.Module] = []
    for before, after in zip([channels, *widths], widths, strict=False):
        layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 0))


def learned(asked: argparse.Namespace) -> torch.Tensor:
    """What a contender learns from."""
    return read(asked.pictures) if asked.pictures else noise(asked.side)


def endless(pictures: torch.Tensor, batch: int) -> Iterator[torch.Tensor]:
    """Batches of shuffled pictures, for ever."""
    while True:
        order = torch.randperm(len(pictures))
        for start in range(0, len(pictures) - batch + 1, batch):
            yield pictures[order[start : start + batch]]


def gannet(asked: argparse.Namespace) -> Contender:
    """A round of Gannet's trainer, with running average and referee; log and checkpoints come between rounds."""
    from gannet.commands.train import build_game, build_trainer, configure, prepare, split_of
    from gannet.data.columns import Column
    from gannet.data.loader import Loader, Sides
    from gannet.media import image
    from gannet.recipe import parse_change
    from gannet.runtime.devices import launch
    from gannet.runtime.progress import Watch

    same = {"data.size": asked.side, "data.channels": 3, "network.width": WIDTH, "network.latent": LATENT}
    changes = {**same, "batch": asked.batch, "loss.r1": None, "device": asked.device}
    changes = ({"device": asked.device} if asked.recipe else changes) | dict(map(parse_change, asked.set))
    prepared = prepare(configure(asked.recipe or "images", "" if asked.recipe else "digits", changes, ""))
    fabric = launch(prepared.recipe.device, prepared.recipe.precision)
    if asked.recipe:
        split = split_of(prepared)
        loaders: Sides = split.training, split.held_out
    else:
        pictures = ((noise(asked.side) + 1) * 127.5).byte().numpy()
        column = Column(pictures, convert=image.medium.to_array)
        loaders = (Loader({"real": column}, np.arange(PICTURES), seed=0),) * 2
    folder = Path(tempfile.mkdtemp())
    trainer = build_trainer(prepared, build_game(prepared, fabric), fabric, folder, loaders, Watch())
    pipeline = prepared.task.pipeline(prepared.recipe, prepared.description, trainer.setup.average.networks)
    quick = pipeline.engine("auto")

    def sample(count: int) -> torch.Tensor:
        return torch.cat(list(pipeline.stream(count, seed=1, engine=quick)))

    return Contender(
        trainer.round, lambda count: pipeline(num=count, seed=1, engine="torch").values, sample, prepared.recipe.batch
    )


def noise_trainer(recipe: str, changes: dict[str, Any], asked: argparse.Namespace) -> Any:
    """Gannet's trainer of a recipe, on noise."""
    from gannet.commands.bench import prepare_for
    from gannet.commands.plan import noise_of
    from gannet.commands.train import build_game, build_trainer
    from gannet.recipe import parse_change
    from gannet.runtime.devices import launch
    from gannet.runtime.progress import Watch

    prepared = prepare_for(recipe, "", {**changes, "device": asked.device, **dict(map(parse_change, asked.set))})
    fabric, pictures = launch(asked.device, prepared.recipe.precision), noise_of(prepared)
    game = build_game(prepared, fabric)
    return build_trainer(prepared, game, fabric, Path(tempfile.mkdtemp()), (pictures, pictures), Watch())


def unet_trainer(asked: argparse.Namespace) -> Any:
    """The game of colorization: a U-Net, a discriminator of patches and a perceptual loss."""
    return noise_trainer("colorization", {"stages": [{"name": "game", "images": 1_000_000}], "loss.r1": None}, asked)


def residual_trainer(asked: argparse.Namespace) -> Any:
    """The R3GAN-like pair: a relativistic loss, and both penalties in every round."""
    return noise_trainer("residual", {"data.size": asked.side, "augment.name": "none", "batch": asked.batch}, asked)


def rounds_of(trainer: Any) -> Contender:
    """Rounds of a trainer of Gannet's."""
    return Contender(trainer.round, undrawn, undrawn, trainer.recipe.batch)


def plain_residual(asked: argparse.Namespace) -> Contender:
    """The same networks, loss and penalties in a plain loop: single precision, two steps a round."""
    from gannet.adversarial.losses import relativistic_discriminator, relativistic_generator

    trainer = residual_trainer(asked)
    recipe, (generator, discriminator) = trainer.recipe, trainer.networks.values()
    optimizers = [torch.optim.Adam(one.parameters(), lr=2e-4, betas=(0.0, 0.99)) for one in (generator, discriminator)]
    place = count(step=recipe.batch)

    def penalized(pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pictures = pictures.detach().requires_grad_()
        scores = discriminator(pictures, None)
        (slope,) = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
        return scores, slope.square().sum((1, 2, 3)).mean()

    def play() -> None:
        real = trainer.loader.batch(next(place), recipe.batch, recipe.batch)["real"].to(asked.device)
        fake = generator(torch.randn(len(real), generator.latent, device=asked.device), None)
        (of_real, r1), (of_fake, r2) = penalized(real), penalized(fake)
        optimizers[1].zero_grad()
        penalty = recipe.loss.r1.weight * r1 + recipe.loss.r2.weight * r2
        (relativistic_discriminator(of_real, of_fake) + penalty).backward()
        optimizers[1].step()
        optimizers[0].zero_grad()
        relativistic_generator(discriminator(real, None), discriminator(fake, None)).backward()
        optimizers[0].step()

    return Contender(play, undrawn, undrawn, recipe.batch)


def plain_unet(asked: argparse.Namespace) -> Contender:
    """The same networks and losses in a plain loop: single precision, channels as they come, two steps a round."""
    from gannet.adversarial.losses import relativistic_discriminator, relativistic_generator
    from gannet.adversarial.similarity import perceptual_distance, pixel_distance
    from gannet.augmentation.lab import from_lab, to_lab
    from gannet.tasks._image_restoration.game import perceptual_network

    trainer = unet_trainer(asked)
    recipe, (generator, discriminator) = trainer.recipe, trainer.networks.values()
    options, perceptual = recipe.task.options, perceptual_network("loss-v1")
    optimizers = [torch.optim.Adam(network.parameters(), lr=1e-4) for network in (generator, discriminator)]
    place = count(step=recipe.batch)

    def play() -> None:
        whole = trainer.loader.batch(next(place), recipe.batch, recipe.batch)["real"].to(asked.device)
        patch = whole[:, :, : options["patch"], : options["patch"]]
        target = to_lab(patch)
        made = generator(target[:, :1])
        optimizers[1].zero_grad()
        relativistic_discriminator(discriminator(target), discriminator(made.detach())).backward()
        optimizers[1].step()
        optimizers[0].zero_grad()
        adversarial = relativistic_generator(discriminator(target), discriminator(made))
        seen = perceptual_distance(from_lab(made), from_lab(target), perceptual).mean()
        loss = options["pixel"] * pixel_distance(made, target) + options["perceptual"] * seen
        (loss + options["adversarial"] * adversarial).backward()
        optimizers[0].step()

    return Contender(play, undrawn, undrawn, recipe.batch)


def undrawn(count: int) -> torch.Tensor:
    """Nothing: what makes something of a picture draws none."""
    raise SystemExit(f"Only training is timed here; {count} pictures were asked for.")


def torchgan(asked: argparse.Namespace) -> Contender:
    """A step of torchgan's trainer with the losses, rectifiers and rates of its introduction; its own loop."""
    operators = torch.library.Library("torchvision", "DEF")  # A build without its operators does not import.
    operators.define("nms(Tensor boxes, Tensor scores, float threshold) -> Tensor")
    operators.define("qnms(Tensor boxes, Tensor scores, float threshold) -> Tensor")
    import torchvision

    make_grid = torchvision.utils.make_grid
    # The name of this argument was changed in torchvision 0.13.
    torchvision.utils.make_grid = lambda *given, range=None, **named: make_grid(*given, value_range=range, **named)  # noqa: A006
    from torchgan.losses import MinimaxDiscriminatorLoss, MinimaxGeneratorLoss
    from torchgan.models import DCGANDiscriminator, DCGANGenerator
    from torchgan.trainer import Trainer

    pictures, batch = learned(asked), asked.batch
    channels, side = pictures.shape[1:3]
    # Without being told, its discriminator ends in a hyperbolic tangent, behind which no logit leaves [-1, 1].
    rectifier = nn.LeakyReLU(0.2)
    wide = {"step_channels": WIDTH, "nonlinearity": rectifier}
    out = {"encoding_dims": LATENT, "out_size": side, "out_channels": channels, "last_nonlinearity": nn.Tanh()}
    into = {"in_size": side, "in_channels": channels, "last_nonlinearity": rectifier}
    models = {
        name: {
            "name": kind,
            "args": wide | own,
            "optimizer": {"name": torch.optim.Adam, "args": {"lr": rate, "betas": (0.5, 0.999)}},
        }
        for name, kind, own, rate in (
            ("generator", DCGANGenerator, out, 1e-4),
            ("discriminator", DCGANDiscriminator, into, 3e-4),
        )
    }
    folder = tempfile.mkdtemp()
    losses = [MinimaxGeneratorLoss(), MinimaxDiscriminatorLoss()]
    trainer = Trainer(models, losses, device="cpu", sample_size=batch, epochs=1, checkpoints=f"{folder}/", recon=folder)
    trainer.batch_size = batch
    batches = endless(pictures, batch)

    def play() -> None:
        trainer.real_inputs = next(batches)
        trainer.train_iter()

    draw = partial(drawn, trainer.generator, latent=(LATENT,))
    return Contender(play, draw, draw, batch)


CONTENDERS = {
    "gannet": gannet,
    "plain": plain,
    "torchgan": torchgan,
    "gannet-unet": lambda asked: rounds_of(unet_trainer(asked)),
    "plain-unet": plain_unet,
    "gannet-residual": lambda asked: rounds_of(residual_trainer(asked)),
    "plain-residual": plain_residual,
}


def wait() -> None:
    """Wait until what was asked of a GPU is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def train(contender: Contender, seconds: float) -> float:
    """Train so long; returns images a second."""
    start = time.perf_counter()
    for rounds in count(1):
        contender.play()
        wait()
        if (spent := time.perf_counter() - start) >= seconds:
            return rounds * contender.batch / spent
    raise AssertionError


def sample(contender: Contender, seconds: float) -> float:
    """Draw so long; returns images a second."""
    start = time.perf_counter()
    for times in count(1):
        contender.sample(SAMPLED)
        wait()
        if (spent := time.perf_counter() - start) >= seconds:
            return times * SAMPLED / spent
    raise AssertionError


def main() -> None:
    """Do what each line that is read says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--width", type=int, default=WIDTH, help="of the plain loop's networks")
    parser.add_argument("--pictures", default="", help="an .npz with `pictures`, (n, c, h, w) of bytes")
    parser.add_argument("--recipe", default="", help="for Gannet: a recipe and its own data instead")
    parser.add_argument("--set", action="append", default=[], help="for Gannet: key=value")
    asked = parser.parse_args()
    # Answers alone go to the standard output, not what libraries print.
    answers, sys.stdout = sys.stdout, sys.stderr
    torch.manual_seed(0)
    contender = CONTENDERS[asked.contender](asked)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        word, amount, *path = line.split(maxsplit=2)
        if word == "train":
            print(train(contender, float(amount)), file=answers, flush=True)
        elif word == "sample":
            print(sample(contender, float(amount)), file=answers, flush=True)
        else:
            np.savez(path[0].strip(), pictures=contender.draw(int(amount)).numpy())
            print("drawn", file=answers, flush=True)


if __name__ == "__main__":
    main()
