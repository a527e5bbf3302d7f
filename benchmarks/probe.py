"""Whether a discriminator of clips has learned what recognition needs: a linear probe, on people held out.

    GANNET_DATA=... python benchmarks/probe.py RUN [RUN...] [--held-out PERSON...]

RUN is a run of video generation or prediction; several are taken in turn, one a seed. A logistic regression on the
standardized features of its discriminator of clips learns to name four actions, from all people but one, and names
those of that one; or from one person alone, and names those of all others (few labels are where learning without them
should help: Vondrick et al., 2016, figure 5). Each person is taken in turn. Beside it stand the same network as it was
before it learned anything, the network that judges clips, and the pixels of a window's first frame, which tell what can
be told without any motion. A seed draws the random weights, and the windows of each film that all look at; the windows'
answers are added. With --held-out a probe learns from all other people and names the films of those alone; a run that
learned from such films must not have been given theirs. Intervals are Student's t over the people whose films are
named, each of whom counts once.
"""

import argparse
import datetime
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from figures import interval
from sklearn.decomposition import KernelPCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from video import PART, PEOPLE, data, films, in_tensor

import gannet
from gannet.commands.judge import JUDGE_OF_CLIPS, judge_features
from gannet.media import clip
from gannet.media.clip import ClipField
from gannet.media.medium import Pixels
from gannet.runs.folder import read_recipe
from gannet.task import find_task
from gannet.tasks._video.game import CLIP
from gannet.training.checkpoint import CheckpointFolder

SEEDS, WINDOWS, STRENGTH = 5, 4, 0.01
"""Seeds, windows of each film, and scikit-learn's C, the inverse of how strongly weights are held small."""
TASKS = ("video-generation", "video-prediction")
LEARNED, RANDOM, STILL = "learned", "random", "pixels of a frame"
Features = Callable[[Tensor], Tensor]
Numbers = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


class Actions(NamedTuple):
    """Films of people who do something.

    Attributes:
        films: uint8 (t, h, w, c) each.
        told: what is done in each.
        people: who does it.
    """

    films: Sequence[Pixels]
    told: Numbers
    people: Numbers


class Probed:
    """A run whose discriminator of clips is looked at.

    Raises:
        ValueError: it is no run of clips, or has no checkpoint yet.
    """

    def __init__(self, run: Path) -> None:
        self.recipe = read_recipe(run)
        if self.recipe.task.name not in TASKS:
            raise ValueError(f"{run} is a run of {self.recipe.task.name}; give one of {' or '.join(TASKS)}.")
        checkpoint = CheckpointFolder(run / "state", 1).newest()
        if checkpoint is None:
            raise ValueError(f"{run} has no checkpoint yet, and so no discriminator; train it first.")
        self._weights, self._task = checkpoint["networks"][CLIP], find_task(self.recipe.task.name)
        pipeline: Any = gannet.load(run)
        self._description = pipeline.config.description

    @property
    def field(self) -> ClipField:
        """What clips are brought to for it."""
        (field,) = self._task.fields(self.recipe, self._description).values()
        assert isinstance(field, ClipField)
        return field

    def untrained(self, seed: int) -> Any:
        """Build its discriminator of clips with the weights that a seed draws."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network: Any = self._task.game(self.recipe, self._description).networks[CLIP]
        return network.eval()

    def trained(self) -> Any:
        """Build it with the weights that it learned."""
        network = self.untrained(0)
        network.load_state_dict(self._weights)
        return network


def read_actions(field: ClipField) -> Actions:
    """Read the 36 films, brought to what a run's clips are."""
    paths = films(data("video/actions"))
    read = [clip.medium.fit(clip.medium.read(path.read_bytes()), field) for path in paths]
    told = np.array([int(path.parent.name) for path in paths])
    return Actions(read, told, np.array([int(path.stem) // PEOPLE for path in paths]))


def windows_of(film: Pixels, length: int, random: np.random.Generator) -> Tensor:
    """Draw windows of so many frames out of a film (t, h, w, c): (n, c, t, h, w) in [-1, 1]."""
    starts = random.integers(0, len(film) - length + 1, WINDOWS)
    return in_tensor(np.stack([film[start : start + length] for start in starts]))


@torch.no_grad()
def features_of(network: Features, clips: Sequence[Tensor]) -> list[Values]:
    """Give the features (n, f) of the windows of each film."""
    flat = torch.cat([network(part).flatten(1) for part in torch.cat(list(clips)).split(PART)])
    return [one.double().cpu().numpy() for one in flat.split([len(windows) for windows in clips])]


def all_but_one(people: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Give the films of all people but one, and those of that one, each in turn."""
    return LeaveOneGroupOut().split(people, groups=people)  # type: ignore[no-any-return]


def one_alone(people: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Give the films of one person, and those of all others, each in turn."""
    return ((one, others) for others, one in all_but_one(people))


Protocol = Callable[[Numbers], Iterator[tuple[Numbers, Numbers]]]
PROTOCOLS: dict[str, Protocol] = {
    "learned from all people but one": all_but_one,
    "learned from one person": one_alone,
}


def without(held_out: Sequence[int]) -> dict[str, Protocol]:
    """Give protocols that name some people alone, from all others or from one of them; ValueError for a stranger."""

    def sides(people: Numbers) -> tuple[Numbers, Numbers]:
        everybody = sorted(set(people.tolist()))
        if strangers := sorted(set(held_out) - set(everybody)):
            raise ValueError(f"There is no person {strangers[0]}; --held-out takes some of {everybody}.")
        if not set(everybody) - set(held_out):
            raise ValueError("Everybody is held out, so that nobody is left to learn from; hold out fewer.")
        out = np.isin(people, held_out)
        return np.flatnonzero(~out), np.flatnonzero(out)

    def all_others(people: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        yield sides(people)

    def one_other(people: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        others, out = sides(people)
        return ((others[people[others] == one], out) for one in np.unique(people[others]))

    named = ", ".join(map(str, held_out))
    return {f"learned from all people but {named}": all_others, f"learned from one person, not {named}": one_other}


def named_rightly(seen: Sequence[Values], told: Numbers, parts: Iterator[tuple[Numbers, Numbers]]) -> Values:
    """Tell of each film which share of the probes that did not learn from it names what is done in it.

    There are far more features than windows; all that a linear probe uses of them lies in the span of those that it
    learns from, and so it is given their principal components, all of them, to the same answers in less time.

    Args:
        seen: features (n, f) of the windows of each film.
        parts: films that a probe learns from, and those that it names.
    """
    right, probes = np.zeros(len(told)), np.zeros(len(told))
    for learned, tested in parts:
        model = make_pipeline(StandardScaler(), KernelPCA(), LogisticRegression(C=STRENGTH, max_iter=1_000))
        rows = np.concatenate([seen[one] for one in learned])
        model.fit(rows, np.repeat(told[learned], [len(seen[one]) for one in learned]))
        for one in tested:
            right[one] += model.classes_[model.predict_log_proba(seen[one]).sum(0).argmax()] == told[one]
        probes[tested] += 1
    return np.divide(right, probes, out=np.full(len(told), np.nan), where=probes > 0)


def by_person(right: Values, people: Numbers) -> Values:
    """Give the share of each person's films, in percent, that were named rightly, of whom any were: (seeds, films)."""
    named = np.unique(people[~np.isnan(right).any(0)])
    return np.array([100 * right[:, people == person].mean() for person in named])


def features_by_seed(
    runs: Sequence[Probed], shown: Sequence[Pixels], judge: Features
) -> Iterator[dict[str, list[Values]]]:
    """Give, seed by seed, what each network sees in the windows of each film."""
    length = runs[0].field.window[0]
    for seed in range(SEEDS):
        random, run = np.random.default_rng(seed), runs[seed % len(runs)]
        clips = [windows_of(film, length, random) for film in shown]
        networks = {
            LEARNED: run.trained().extract,
            RANDOM: run.untrained(seed).extract,
            JUDGE_OF_CLIPS: judge,
            STILL: lambda windows: windows[:, :, 0],
        }
        yield {name: features_of(network, clips) for name, network in networks.items()}


def answers(
    seen: Mapping[str, Sequence[Values]], actions: Actions, protocols: Mapping[str, Protocol]
) -> Iterator[tuple[str, str, Values]]:
    """Name protocols and networks, and tell what of the films is named rightly."""
    for protocol, parts in protocols.items():
        for name, features in seen.items():
            yield protocol, name, named_rightly(features, actions.told, parts(actions.people))


def print_table(protocol: str, right: Mapping[str, Values], people: Numbers) -> None:
    """Print shares (seeds, films) by seed, their means with intervals, and by how much learning is better."""
    print(f"\n| {protocol} | {' | '.join(f'seed {seed}' for seed in range(SEEDS))} | mean (95 %) |")
    print(f"|---|{'---|' * (SEEDS + 1)}")
    shares = {name: by_person(rows, people) for name, rows in right.items()}
    for name, rows in right.items():
        mean, low, high = interval(shares[name])
        seeds = " | ".join(f"{100 * np.nanmean(row):.0f} %" for row in rows)
        print(f"| {name} | {seeds} | {mean:.1f} % ({max(low, 0):.1f} to {min(high, 100):.1f}) |")
    mean, low, high = interval(shares[LEARNED] - shares[RANDOM])
    print(f"\n- learned less random, of the same person: {mean:+.1f} points ({low:+.1f} to {high:+.1f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--held-out", type=int, nargs="+", default=[], metavar="PERSON")
    asked = parser.parse_args()
    protocols = without(asked.held_out) if asked.held_out else PROTOCOLS
    try:
        runs = [Probed(path) for path in asked.runs]
        if any(run.field != runs[0].field for run in runs):
            raise ValueError("The runs have clips of several sizes, rates or lengths; give those of one recipe.")
        actions = read_actions(runs[0].field)
        for parts in protocols.values():
            next(parts(actions.people))
    except ValueError as error:
        parser.error(str(error))
    judge = judge_features("", JUDGE_OF_CLIPS)
    assert judge is not None
    print(f"{os.cpu_count()} cores ({platform.machine()}), torch {torch.__version__}, {datetime.date.today()}")
    print(f"learned from {', '.join(sorted({str(run.recipe.data.source) for run in runs}))}; chance is 25 %")
    found: dict[str, dict[str, list[Values]]] = {}
    for seen in features_by_seed(runs, actions.films, judge):
        for protocol, name, right in answers(seen, actions, protocols):
            found.setdefault(protocol, {}).setdefault(name, []).append(right)
    for protocol, rows in found.items():
        print_table(protocol, {name: np.stack(some) for name, some in rows.items()}, actions.people)


if __name__ == "__main__":
    main()
