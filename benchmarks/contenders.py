"""Contenders for the fastest training, each in a process of its own: prints images a second of every block it trains.

    python benchmarks/contenders.py gannet|plain|torchgan --side 32 --batch 64 --seconds 5

`plain` is the loop that PyTorch's tutorials teach (in single precision, without a running average) on Gannet's DCGAN
architecture; `torchgan` trains its own DCGAN of the same widths by its own trainer. Each trains on the same noise, held
in memory, and reads a line before every block, so that contenders can take turns.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

LATENT, WIDTH, PICTURES = 128, 64, 4_096
Round = Callable[[], None]


def noise(side: int) -> torch.Tensor:
    """Pictures that mean nothing."""
    return torch.rand(PICTURES, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def plain(side: int, batch: int) -> Round:
    """Two steps a round, discriminator then generator."""
    levels = (side - 1).bit_length() - 2
    widths = [WIDTH * min(2**level, 8) for level in range(levels)]
    generator, discriminator = plain_generator(widths), plain_discriminator(widths)
    forger = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    police = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    batches = endless(side, batch)
    real_label, fake_label = torch.ones(batch), torch.zeros(batch)

    def play() -> None:
        real = next(batches)
        fake = generator(torch.randn(batch, LATENT, 1, 1))
        police.zero_grad()
        binary_cross_entropy_with_logits(discriminator(real).flatten(), real_label).backward()
        binary_cross_entropy_with_logits(discriminator(fake.detach()).flatten(), fake_label).backward()
        police.step()
        forger.zero_grad()
        binary_cross_entropy_with_logits(discriminator(fake).flatten(), real_label).backward()
        forger.step()

    return play


def plain_generator(widths: list[int]) -> nn.Module:
    """Transposed convolutions, from one place to the whole picture."""
    down = widths[::-1]
    layers: list[nn.Module] = [nn.ConvTranspose2d(LATENT, down[0], 4, 1, 0, bias=False)]
    for before, after in zip(down, [*down[1:], 3], strict=True):
        layers += [nn.BatchNorm2d(before), nn.ReLU(True), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=after == 3)]
    return nn.Sequential(*layers, nn.Tanh())


def plain_discriminator(widths: list[int]) -> nn.Module:
    """Convolutions of stride two, as Gannet's without normalization."""
    layers: list[nn.Module] = []
    for before, after in zip([3, *widths], widths, strict=False):
        layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 0))


def endless(side: int, batch: int) -> Iterator[torch.Tensor]:
    """Batches of shuffled noise, for ever."""
    pictures = noise(side)
    while True:
        order = torch.randperm(len(pictures))
        for start in range(0, len(pictures), batch):
            yield pictures[order[start : start + batch]]


def gannet(side: int, batch: int) -> Round:
    """A round of Gannet's trainer, as its recipes play it: running average, referee and all."""
    from gannet.api import build_game, build_trainer, configure, prepare
    from gannet.data.loader import Loader
    from gannet.launch import launch
    from gannet.training.progress import Silence

    changes = {
        "data.size": side,
        "data.channels": 3,
        "network.width": WIDTH,
        "network.latent": LATENT,
        "batch": batch,
        "loss.r1": None,
        "device": "cpu",
    }
    prepared = prepare(configure("images", "digits", changes, ""))
    fabric = launch(prepared.recipe)
    loader = Loader({"real": ((noise(side) + 1) * 127.5).byte().numpy()}, torch.arange(PICTURES).numpy(), seed=0)
    folder = Path(tempfile.mkdtemp())
    trainer = build_trainer(prepared, build_game(prepared, fabric), fabric, folder, (loader, loader), Silence())
    return trainer.round


def torchgan(side: int, batch: int) -> Round:
    """A step of torchgan's trainer with its usual losses; one loss each, its own loop."""
    import torchvision

    make_grid = torchvision.utils.make_grid
    # The name of this argument was changed in torchvision 0.13.
    torchvision.utils.make_grid = lambda *given, range=None, **named: make_grid(*given, value_range=range, **named)  # noqa: A006
    from torchgan.losses import MinimaxDiscriminatorLoss, MinimaxGeneratorLoss
    from torchgan.models import DCGANDiscriminator, DCGANGenerator
    from torchgan.trainer import Trainer

    adam = {"name": torch.optim.Adam, "args": {"lr": 2e-4, "betas": (0.5, 0.999)}}
    models = {
        "generator": {
            "name": DCGANGenerator,
            "args": {"encoding_dims": LATENT, "out_size": side, "out_channels": 3, "step_channels": WIDTH},
            "optimizer": adam,
        },
        "discriminator": {
            "name": DCGANDiscriminator,
            "args": {"in_size": side, "in_channels": 3, "step_channels": WIDTH},
            "optimizer": adam,
        },
    }
    folder = tempfile.mkdtemp()
    losses = [MinimaxGeneratorLoss(), MinimaxDiscriminatorLoss()]
    trainer = Trainer(models, losses, device="cpu", sample_size=batch, epochs=1, checkpoints=f"{folder}/", recon=folder)
    batches = endless(side, batch)

    def play() -> None:
        trainer.real_inputs = next(batches)
        trainer.batch_size = batch
        trainer.train_iter()

    return play


CONTENDERS = {"gannet": gannet, "plain": plain, "torchgan": torchgan}


def main() -> None:
    """Train a block for each line that is read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    asked = parser.parse_args()
    torch.manual_seed(0)
    play = CONTENDERS[asked.contender](asked.side, asked.batch)
    for _ in range(3):
        play()
    print("ready", flush=True)
    for _ in sys.stdin:
        start, rounds = time.perf_counter(), 0
        while time.perf_counter() - start < asked.seconds:
            play()
            rounds += 1
        print(rounds * asked.batch / (time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    main()
