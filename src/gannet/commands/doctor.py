"""Examining data: what they are, what is wrong with them, and which recipe to train on them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from gannet.adversarial.discriminator_augment import AUGMENTS, told_of_moves
from gannet.augmentation.amount import FEW_PICTURES, fitting_augmentation
from gannet.commands.augment.images import FEWEST_COMPARED, symmetries
from gannet.commands.data import passed_over
from gannet.data.cache import Dataset, build_dataset
from gannet.data.decoding import Fields
from gannet.data.doctor import Advice, Report, count_classes
from gannet.data.doctor import examine as examine_dataset
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.data.sources import media_of, open_source, others_in
from gannet.data.survey import count_learned, readable, survey
from gannet.media.image import Survey, auto_size, fitting_size
from gannet.media.medium import Field, Medium
from gannet.recipe import load_recipe, preset_names
from gannet.runtime.progress import Watch
from gannet.schema import Choice, Section, check
from gannet.task import find_task, task_names

FEW_OF_CLASS = 50
"""Samples of a class, below which it is learned badly."""
MOST_ENDINGS = 6
"""Kinds of other files that are named."""
LARGEST_SIDE, SIDE_ON_CPU = 256, 64
"""Pixels a side that are recommended at most, with a GPU and without."""
_AUGMENTED = {
    "ada": "So few pictures are augmented in the game, as much as the discriminator's learning by heart calls for "
    "(augment.name=auto becomes ada).",
    "diffaugment": "So few pictures are augmented in the game, strongly and always (augment.name=auto becomes "
    "diffaugment).",
}


def examine(data: str, size: int, watch: Watch | None = None) -> Report:
    """Examine a data set of any medium; see `gannet.api.doctor`."""
    watch = watch or Watch()
    watch.step(0, 0, "Looking")
    media = media_of(data)
    source = open_source(data, media)
    plain = all(medium.name == "image" for medium in media.values())
    looked = survey(source) if plain else None
    size = size or (auto_size(looked.median_side) if looked else 0)
    fields = _fields(source, media, size)
    dataset = build_dataset(source, fields, watch=watch)
    watch.step(len(dataset), len(dataset), "Comparing")
    advice = _advise_pictures(data, source, dataset, looked) if looked else _advise(source.name, data, fields, dataset)
    report = examine_dataset(source, dataset, fields, advice)
    beside = (*passed_over(data), *_ignored_of(source, report.kind), *_others_of(data, media))
    told = (line for field in fields.values() for line in field.told)
    return replace(report, findings=(*beside, *told, *report.findings))


def _ignored_of(source: Source, kind: str) -> tuple[str, ...]:
    """Tell of files of other kinds, which may be what was meant."""
    count, endings = getattr(source, "ignored", 0), getattr(source, "ignored_endings", ())
    named = ", ".join(ending or "no ending" for ending in endings[:MOST_ENDINGS])
    return (f"Files that are no {kind}, and are passed over: {count:,} ({named}).",) if named else ()


def _others_of(data: str, media: Mapping[str, Medium]) -> Iterator[str]:
    """Tell of what a task for other samples learns from in the same folder."""
    for medium, count in others_in(data, media):
        learners, _ = _learners(data, [medium.name], ())
        if learners:
            yield (
                f"There are {medium.plural} among them as well, in {count:,} files: gannet train {learners[0]} {data} "
                "learns from those."
            )


def _fields(source: Source, media: Mapping[str, Medium], size: int) -> Fields:
    """Choose what samples are brought to by looking at some of them."""
    fields: dict[str, Field] = {}
    for part, (name, medium) in enumerate(media.items()):
        sides = size or (_sides(next(iter(fields.values()))) if fields else 0)  # Parts lie over the first.
        given = {"size": sides} if sides and "size" in medium.Options.model_fields else {}
        options: Section = check(medium.Options, given, "data")
        values = readable(source, part)
        try:
            fields[name] = medium.choose(values, options)
        except StopIteration:
            raise ValueError(f"{source.name} holds no readable {medium.noun}; give at least two.") from None
    return fields


def _sides(field: Field) -> tuple[int, ...]:
    """Give the sides that all parts of a sample share."""
    return field.given[-field.medium.dimensions :]


def _learners(data: str, wanted: Sequence[str], classes: Collection[str]) -> tuple[list[str], list[str]]:
    """Name the tasks that learn from samples of such parts, and those that could if there were classes.

    What a task learns from may depend on what the data hold.
    """
    able, unable = list[str](), list[str]()
    for known in sorted(task_names()):
        task = find_task(known)
        recipe = load_recipe(known) if known in preset_names() else task.example()
        given = recipe.model_copy(update={"data": recipe.data.model_copy(update={"source": data, "sources": ()})})
        if [medium.name for medium in task.media(given).values()] != list(wanted):
            continue
        (able if classes or task.labels(recipe) is not Labels.NEEDED else unable).append(known)
    return able, unable


def _advise(name: str, data: str, fields: Fields, dataset: Dataset) -> Advice:
    """Name the recipe that is made for data of that name, else the tasks that learn from such samples."""
    wanted = [field.medium.name for field in fields.values()]
    found, unable = _learners(data, wanted, count_classes(dataset))
    kind = " with ".join(field.medium.plural for field in fields.values())
    if name in preset_names():
        return Advice(name, {}, "none.", (f"The recipe {name} is made for these {kind}.",))
    classed = (f"With classes, in sub-folders, also: {', '.join(unable)}.",) if unable else ()
    if not found:
        return Advice("none", {}, "none.", classed or (f"No task learns from {kind}.",))
    reasons = (f"Tasks that learn from {kind}: {', '.join(found)}.", *classed)
    settings: dict[str, int | str] = {
        key: f"{value:g}" for field in fields.values() for key, value in field.advised.items()
    }
    return Advice(found[0], settings, "what the task offers.", reasons)


def _advise_pictures(data: str, source: Source, dataset: Dataset, looked: Survey) -> Advice:
    """Recommend a recipe, its size and augmentation, with reasons."""
    classes = count_classes(dataset)
    recipe = _own_recipe(data) or _known_recipe(looked, dataset)
    settings: dict[str, int | str] = {}
    reasons = []
    if recipe:
        reasons.append(f"These pictures have the size, colours and classes that the recipe {recipe} is made for.")
    else:
        recipe = "images"
        settings["data.size"], reason = _choose_size(looked.median_side)
        reasons.append(reason)
        if classes:
            settings["task.conditional"] = "true"
            reasons.append(f"With {len(classes):,} classes it can learn to draw the one that is asked for.")
        if few := _AUGMENTED.get(fitting_augmentation(count_learned(source, FEW_PICTURES))):
            reasons += [few, told_of_moves(_augment(recipe, looked.channels, source))]
    small = [name for name, count in classes.items() if count < FEW_OF_CLASS]
    if small:
        more = f" and {len(small) - 5} more" if len(small) > 5 else ""
        reasons.append(f"Fewer than {FEW_OF_CLASS} pictures: {', '.join(small[:5])}{more}; they will be learned badly.")
    return Advice(recipe, settings, _advise_augmentation(source, dataset, looked), tuple(reasons))


def _augment(recipe: str, channels: int, source: Source) -> Choice:
    """What a recipe's `augment` becomes for these pictures, as training resolves it."""
    asked = load_recipe(recipe)
    kind = check(AUGMENTS[asked.augment.name], asked.augment.options, "augment")
    resolved = kind.resolve(channels, asked.images, count_learned(source, FEW_PICTURES))
    return Choice(name=resolved.name, **asdict(resolved))


def _own_recipe(data: str) -> str:
    """Give the recipe of the name of data that are embedded, where it learns from them."""
    return data if data in preset_names() and load_recipe(data).data.source == data else ""


def _known_recipe(looked: Survey, dataset: Dataset) -> str:
    """Give the recipe made for data of just this kind, or nothing."""
    sizes, classes = set(dataset.sizes), len(dataset.classes)
    if looked.channels == 1 and sizes == {"28x28"} and classes == 10:
        return "fashion-mnist" if "fashion" in dataset.name.lower() else "mnist"
    if looked.channels == 1 and sizes == {"8x8"} and classes == 10:
        return "digits"
    if looked.channels == 3 and sizes == {"32x32"} and classes:
        return "cifar10"
    return ""


def _choose_size(median_side: int) -> tuple[int, str]:
    full = fitting_size(median_side, LARGEST_SIDE)
    if full <= SIDE_ON_CPU:
        return (
            full,
            f"Half of the pictures have a shorter side of at least {median_side}, so data.size={full} fits.",
        )
    return SIDE_ON_CPU, (
        f"The pictures would allow data.size={full}, but time grows with the number of pixels: without a GPU "
        f"{SIDE_ON_CPU} is the most that trains in hours; with one, set data.size={full}."
    )


def _advise_augmentation(source: Source, dataset: Dataset, looked: Survey) -> str:
    """Tell how urgent it is, and whether copies are to be mirrored, by what decides it for `gannet augment`."""
    count = int((~dataset.held_out).sum())
    if count < FEW_PICTURES:
        need = f"strongly advised: {count:,} pictures to train on are few, which the discriminator learns by heart"
    else:
        need = f"not urgent with {count:,} pictures to train on"
    if min(count_classes(dataset).values(), default=count) >= FEWEST_COMPARED:
        if "flip" in symmetries(source):
            return f"{need}; mirroring is right, for the pictures look as often one way as the other."
        return f"{need}; no mirroring, for the pictures do not look as often one way as the other."
    if looked.channels == 1:
        return f"{need}; no mirroring while the pictures may be digits or text, which it would change."
    return f"{need}; mirroring is right where left and right mean the same, as in faces and scenery."
