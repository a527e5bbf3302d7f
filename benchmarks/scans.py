"""Figures of models of scans: how near, how anatomical, how useful, and whose scans they give away.

    GANNET_DATA=... python benchmarks/scans.py --planted
    GANNET_DATA=... python benchmarks/scans.py --slices RUN
    GANNET_DATA=... python benchmarks/scans.py --volumes RUN
    GANNET_DATA=... python benchmarks/scans.py --utility slices [--slices RUN]
    GANNET_DATA=... python benchmarks/scans.py --utility volumes [--volumes RUN]

--planted: whether copiers of real scans (exact, shifted, mirrored, rescaled in size and intensity; in all that they
make, and in a tenth of it) are caught, and ten sets of real scans that were not learned from acquitted. --slices,
--volumes: the judgement of a run, distances over what halves of reals score, copies in disguise, membership inference,
and the time of a volume.
--utility: accuracy (slices) or Dice (volumes) of what learned from real, augmented, generated, and real and generated
scans, on reals that no arm has seen. With a run its own scans are the arm's, and there is one generator; without, each
seed draws a tenth of the data and trains a generator on it (--minutes), below --out.
"""

import argparse
import datetime
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from scan_data import (
    COPIERS,
    GENERATION,
    SLICES,
    VOLUME_GENERATION,
    VOLUMES,
    Labelled,
    ScanRun,
    as_the_run_reads,
    classes_of,
    copied,
    data,
    labelled,
    read_slices,
    read_volumes,
    slice_files,
    train_on,
    volume_files,
    whole,
)
from scan_learners import as_it_is, atlas_overlaps, classify, jittered, segment, varied
from torch import Tensor

import gannet
from gannet.metrics.arms import compare_arms, ratio_of
from gannet.metrics.copies import NEARER, aligned_nearest, audit_disguised, calibrate
from gannet.metrics.features import fit_components
from gannet.metrics.measure import Measure
from gannet.metrics.membership import FEWEST, Scores, measure_membership, nearby_share, nearness
from gannet.metrics.memorization import CopyCriterion, Memorization
from gannet.metrics.options import JudgeOptions
from gannet.monitoring.data_checks import rows
from gannet.tasks.generation.evaluation import Traces, in_the_shares_of

KNOWN_SLICES, NEW_SLICES, JUDGED, COPIED_SHARE, HONEST = 1_200, 700, 300, 0.1, 10
"""Slices that copiers learn from and that nobody does, those of a set that is judged, the share of it that is copied
where not all is, and how many sets are honest."""
KNOWN_VOLUMES, COPIES = 50, 100
"""Volumes that copiers learn from, and scans that they give back where nothing else is made."""
MOST_AUDITED, MOST_DRAWN, SHOWN, TIMED = 400, 1_000, 6, 9
"""Fakes looked for among training scans, fakes an attack goes by, pairs that are shown, volumes that are timed."""
STEPS = {"slices": 800, "volumes": 250}
"""Of a classifier (batches of 32) and of a segmenter (of 4)."""
TIMES, ALONE = 8, 200
"""Generated scans for each real one in an arm, and at least."""


class Arm(NamedTuple):
    """What the arms of one seed learn from, and what all are tried on."""

    known: Labelled
    made: Labelled
    test: Labelled
    classes: int


Found = tuple[Tensor, Tensor]
"""Of scans: relative distances to the nearest training scan that they were brought to lie upon, and which it is."""


def planted_slices() -> Iterator[str]:
    """Plant each copier among slices that were not learned from, and judge ten sets of those."""
    parts = [slice_files(part) for part in ("train", "test")]
    chosen = [
        paths[:: len(paths) // most][:most] for paths, most in zip(parts, (KNOWN_SLICES, NEW_SLICES), strict=True)
    ]
    known, new = (read_slices(paths, classes_of(parts[0])).scans for paths in chosen)
    ratio, partner = aligned_nearest(new, known)
    for number in range(HONEST):
        order = torch.from_numpy(np.random.default_rng(number).permutation(len(new)))
        drawn, rest = order[:JUDGED], order[JUDGED:]
        honest, criterion = (ratio[drawn], partner[drawn]), CopyCriterion(ratio[rest], len(known), NEARER)
        if number == 0:
            yield from copier_rows("slices", known, honest, criterion)
        yield honest_row("slices", number, criterion(*honest))


def planted_volumes() -> Iterator[str]:
    """Plant each copier among volumes; so few are judged by how near those that were learned from are to each other."""
    scans = read_volumes(volume_files()).scans
    for number in range(HONEST):
        order = torch.from_numpy(np.random.default_rng(number).permutation(len(scans)))
        known, new = scans[order[:KNOWN_VOLUMES]], scans[order[KNOWN_VOLUMES:]]
        honest, criterion = aligned_nearest(new, known), CopyCriterion(calibrate(known, new[:0]), len(known), NEARER)
        if number == 0:
            yield from copier_rows("volumes", known, honest, criterion)
        yield honest_row("volumes", number, criterion(*honest))


def copier_rows(name: str, known: Tensor, honest: Found, criterion: CopyCriterion) -> Iterator[str]:
    """Judge each copier twice: alone, and where all but a tenth of what is made are honest scans."""
    few = max(3, round(COPIED_SHARE * len(honest[0])))
    count = min(COPIES, len(known))
    for copier, disguise in COPIERS.items():
        found = aligned_nearest(disguise(known[:: len(known) // count][:count]), known)
        among = [torch.cat([one[:-few], other[:few]]) for one, other in zip(honest, found, strict=True)]
        for share, verdict in (("all", criterion(*found)), ("a tenth", criterion(among[0], among[1]))):
            said = "caught" if verdict.memorizes else "missed"
            yield f"| {name} | {copier}, {share} | {said} | {figures(verdict)} |"


def honest_row(name: str, number: int, verdict: Memorization) -> str:
    """Say how a set of reals was judged that were not learned from."""
    said = "accused" if verdict.memorizes else "acquitted"
    return f"| {name} | honest {number + 1} | {said} | {figures(verdict)} |"


def figures(verdict: Memorization) -> str:
    """What a verdict goes by."""
    return f"{verdict.copied:.1%} | {verdict.near_copies:.1%} | {verdict.closer:.0%}"


def print_planted() -> None:
    """The table of planted copiers and honest sets."""
    print(
        "| scans | what is made | verdict | copies | near copies | nearer than a new real |\n|---|---|---|---|---|---|"
    )
    for rows_of in (planted_slices, planted_volumes):
        for row in rows_of():
            print(row, flush=True)


def over_floor(measures: list[Measure]) -> Iterator[str]:
    """Distances over what halves of reals score."""
    for one in measures:
        if one.best == "low" and one.floor and one.floor > 0:
            times = f"{one.value / one.floor:.1f} times the split-half floor"
            yield f"- {one.name}: {times} ({one.value:.4g}, {one.floor:.4g})"


def print_slices(run: ScanRun, out: Path, seed: int) -> None:
    """The figures of a generator of slices."""
    print_judgement(run, seed)
    known, held_out = (labelled_if_known(side) for side in run.sides)
    classes = known[1] if run.pipeline.settings.conditional else None
    drawn = torch.cat(list(run.pipeline.stream(MOST_DRAWN, seed, in_the_shares_of(classes, MOST_DRAWN, seed))))
    print_copies(drawn[:MOST_AUDITED], known[0], held_out[0], out / "slices-nearest.png")
    for one in attacks(run, drawn, known, held_out, seed):
        floor = "" if one.floor is None else f"; other scans that were learned from in place of fakes: {one.floor:.3f}"
        print(f"- {one.name}: {one.value:.3f} ({one.low:.3f} to {one.high:.3f}{floor}), {one.protocol}", flush=True)


def labelled_if_known(side: object) -> tuple[Tensor, Tensor | None]:
    """The samples of a side, and their classes where they have some."""
    found = whole(side)  # type: ignore[arg-type]
    return next(iter(found.values())), found.get("label")


def attacks(
    run: ScanRun, drawn: Tensor, known: tuple[Tensor, Tensor | None], held_out: tuple[Tensor, Tensor | None], seed: int
) -> Iterator[Measure]:
    """Attack a run by what it generates, and by its discriminator."""
    if len(held_out[0]) < 2 * FEWEST:
        print(f"- membership inference: left out, it takes {2 * FEWEST} held-out scans; there are {len(held_out[0])}")
        return
    traces = Traces(fit_components(rows(known[0])))
    members, others, fakes = (traces(part) for part in (known[0], held_out[0], drawn))
    # What any knowledge of the same patients, scanners and folders tells, without a model: other scans of the members'.
    order = torch.randperm(len(members), generator=torch.Generator().manual_seed(seed))
    given, left = members[order].tensor_split([min(len(fakes), len(members) // 2)])
    for name, attack in (("nearest sample", nearness), ("samples nearby", nearby_share)):
        floor = parted(attack, left, others, given)
        floors = measure_membership(name, floor, None, traces.name, seed).value
        yield measure_membership(name, parted(attack, members, others, fakes), floors, traces.name, seed)
    scores = (run.score(*known), run.score(*held_out))
    yield measure_membership("discriminator", scores, None, "its logits", seed)


def parted(
    attack: Callable[[Tensor, Tensor], Scores], members: Tensor, others: Tensor, fakes: Tensor
) -> tuple[Scores, Scores]:
    """Score members and others together, so that both meet the same attacker."""
    found = attack(torch.cat([members, others]), fakes)
    return found[: len(members)], found[len(members) :]


def print_judgement(run: ScanRun, seed: int) -> None:
    """What `gannet judge` says, and distances over their floors."""
    found = gannet.judge(run.folder, query=JudgeOptions(seed=seed))
    for line in [*(f"- {line}" for line in found.lines()), *over_floor(found.measures)]:
        print(line, flush=True)


def print_copies(drawn: Tensor, known: Tensor, held_out: Tensor, sheet: Path) -> None:
    """The verdict on copies in disguise; the closest pairs are kept in a picture."""
    verdict = audit_disguised(drawn, known, held_out)
    if verdict is None:
        print("- copies in disguise: left out, it takes 50 reals")
        return
    sheet.parent.mkdir(parents=True, exist_ok=True)
    pairs = [(drawn[fake], known[one]) for fake, one in verdict.pairs[:SHOWN].tolist()]
    columns = [torch.cat([middle_plane(one) for one in pair]) for pair in pairs]
    Image.fromarray(((torch.cat(columns, 1).clamp(-1, 1) + 1) * 127.5).byte().numpy()).save(sheet)
    print(f"- copies in disguise: {verdict.words()}\n- closest pairs, fakes above: {sheet}", flush=True)


def middle_plane(scan: Tensor) -> Tensor:
    """A slice (1, h, w), or the middle plane of a volume (1, x, y, z), as (h, w)."""
    return scan[0] if scan.ndim == 3 else scan[0, :, :, scan.shape[3] // 2].T.flip(0)


def print_volumes(run: ScanRun, out: Path, seed: int) -> None:
    """The figures of a generator of volumes."""
    print_judgement(run, seed)
    known, held_out = (whole(side)["volume"] for side in run.sides)
    drawn = torch.cat([part() for part in run.pipeline.parts(len(known), seed)])
    print_copies(drawn, known, held_out, out / "volumes-nearest.png")
    run.pipeline(num=1)
    taken = [timed(lambda number=number: run.pipeline(num=1, seed=number)) for number in range(TIMED)]
    print(f"- one volume: {min(taken):.3f} s at best, {float(np.median(taken)):.3f} s in the middle")


def timed(act: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def slice_arm(asked: argparse.Namespace, seed: int) -> Arm:
    """What slices the arms of a seed learn from: a run's, or a tenth of each class."""
    files, tests = slice_files("train"), slice_files("test")
    run = asked.slices and ScanRun(asked.slices, GENERATION)
    if not run:
        random = np.random.default_rng(seed)
        chosen = [path for path in files if random.random() < asked.share]
        folder = copied(chosen, data(SLICES) / "train", asked.out / f"slices-{seed}" / "data")
        run = ScanRun(train_on(asked.recipe or "mri", folder, folder.parent / "run", asked.minutes, seed), GENERATION)
    classes, known = run.description.classes, [labelled(side) for side in run.sides]
    arm = known[0] if asked.slices else joined(known)
    count = max(ALONE, TIMES * len(arm.scans))
    labels = in_the_shares_of(arm.labels, count, seed)
    made = Labelled(torch.cat(list(run.pipeline.stream(count, seed, labels))), labels)
    return Arm(arm, made, read_slices(tests, classes, run.description.shape[1]), len(classes))


def volume_arm(asked: argparse.Namespace, seed: int) -> Arm:
    """What pairs the arms of a seed learn from: a run's, or a tenth of all."""
    run = asked.volumes and ScanRun(asked.volumes, VOLUME_GENERATION)
    if run:
        arm, test = (labelled(side) for side in run.sides)
    else:
        files = volume_files()
        order = np.random.default_rng(seed).permutation(len(files))
        count, folder = max(2, round(asked.share * len(files))), asked.out / f"volumes-{seed}"
        parts = [[files[number] for number in part] for part in (order[:count], order[count:])]
        ours, rest = (
            copied(part, data(VOLUMES), folder / name) for part, name in zip(parts, ("data", "rest"), strict=True)
        )
        run = ScanRun(train_on(asked.recipe or "volumes", ours, folder / "run", asked.minutes, seed), VOLUME_GENERATION)
        arm, test = joined([labelled(side) for side in run.sides]), as_the_run_reads(run, rest)
    if not run.description.regions:
        raise SystemExit(f"{run.folder} makes no labels; train it on pairs in images/ and labels/.")
    made = drawn_pairs(run, max(ALONE, TIMES * len(arm.scans)), seed)
    regions = torch.tensor(run.description.regions)
    return Arm(*(numbered(part, regions) for part in (arm, made, test)), len(regions))


def drawn_pairs(run: ScanRun, count: int, seed: int) -> Labelled:
    """Draw volumes and the labels that go with them."""
    parts = [run.pipeline.parts(count, seed, None, name) for name in ("volume", "labels")]
    return Labelled(*(torch.cat([draw() for draw in part]) for part in parts))


def numbered(part: Labelled, regions: Tensor) -> Labelled:
    """Give the ids of regions as their numbers from 0."""
    return Labelled(part.scans, torch.searchsorted(regions, part.labels.contiguous()))


def joined(parts: list[Labelled]) -> Labelled:
    """Give several parts as one."""
    return Labelled(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def print_utility(asked: argparse.Namespace) -> None:
    """Compare what learned from reals with what learned from generated scans, too."""
    volumes = asked.utility == "volumes"
    learn, change, gather = (segment, jittered, volume_arm) if volumes else (classify, varied, slice_arm)
    steps, tables = asked.steps or STEPS[asked.utility], dict[str, list[np.ndarray]]()
    for seed in range(asked.seed, asked.seed + asked.seeds):
        arm = gather(asked, seed)
        ways = {
            "real": ([arm.known], as_it_is),
            "augmented": ([arm.known], change),
            "generated": ([arm.made], as_it_is),
            "real + generated": ([arm.known, arm.made], as_it_is),
            "augmented + generated": ([arm.known, arm.made], change),
        }
        for name, (parts, how) in ways.items():
            right = learn(parts, arm.test, arm.classes, how, (steps, seed))
            tables.setdefault(name, []).append(right)
            print(f"seed {seed}, {name}: {right.mean():.3f} of {len(arm.known.scans)} reals", flush=True)
        if volumes:
            tables.setdefault("atlas", []).append(atlas_overlaps(arm.known, arm.test, arm.classes))
    print_trial({name: np.stack(found) for name, found in tables.items()}, volumes)


def print_trial(tables: dict[str, np.ndarray], volumes: bool) -> None:
    """The gains, and for volumes the ratio of what learned from generated pairs alone."""
    figure, reals = ("Dice", "volumes") if volumes else ("accuracy", "slices")
    for line in compare_arms(tables, "real", figure, reals).lines():
        print(f"- {line}")
    if volumes:
        for against in ("real", "atlas"):
            if not tables[against].any():
                print(f"- Dice, generated over {against}: not to be told, that of {against} is 0")
                continue
            found = ratio_of(tables["generated"], tables[against])
            print(f"- Dice, generated over {against}: {found.value:.3f} ({found.low:.3f} to {found.high:.3f})")


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=Path, metavar="RUN")
    parser.add_argument("--volumes", type=Path, metavar="RUN")
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--utility", choices=list(STEPS))
    parser.add_argument("--out", type=Path, default=Path("scans-out"), help="for runs and pictures")
    parser.add_argument("--share", type=float, default=0.1, help="of the data, where no run is given")
    parser.add_argument("--minutes", type=float, default=10, help="that a generator trains")
    parser.add_argument("--recipe", default="", help="of that generator; else mri or volumes")
    parser.add_argument("--steps", type=int, default=0, help="that a classifier or segmenter learns")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if not (asked.slices or asked.volumes or asked.planted or asked.utility):
        parser.error("give --planted, --slices RUN, --volumes RUN or --utility slices|volumes")
    if not 0 < asked.share <= 1 or asked.seeds < 1:
        parser.error(f"--share is above 0 and at most 1, --seeds 1 or more; given: {asked.share} and {asked.seeds}")
    return asked


def main() -> None:
    """Print what was asked for."""
    asked = parsed()
    print(f"{os.cpu_count()} cores ({platform.machine()}), torch {torch.__version__}, {datetime.date.today()}\n")
    if asked.planted:
        print_planted()
    if asked.utility:
        print_utility(asked)
        return
    if asked.slices:
        print_slices(ScanRun(asked.slices, GENERATION), asked.out, asked.seed)
    if asked.volumes:
        print_volumes(ScanRun(asked.volumes, VOLUME_GENERATION), asked.out, asked.seed)


if __name__ == "__main__":
    main()
