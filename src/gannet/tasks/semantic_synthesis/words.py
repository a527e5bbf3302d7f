"""Words about a picture, in English and Persian, become tags of styles: "a bright sky over dark water".

A tag is the most or the least of a property of a label's mean colour; of all the styles that were seen, those with
most of it are the tag's. What words mean is told by `words.yaml`; labels may have tags of their own besides (`tags`).
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeAlias

import torch
import yaml
from torch import Tensor

from gannet.schema import nearest

PROPERTIES = {
    "bright": (0.299, 0.587, 0.114),
    "warm": (0.5, 0.0, -0.5),
    "green": (-0.25, 0.5, -0.25),
}
"""What of a mean colour in [-1, 1] (red, green, blue) each property is; `colourful` is how far the three are apart."""
SHARE = 0.1
"""The part of the styles that were seen that a tag asks for."""
LONGEST = 1_000
"""Characters of a sentence: a page of words is none that says how one picture is to look."""
EVERYTHING = ""
"""The label of a tag that was said of the whole picture."""
JOINER, ARABIC = "\u200c", str.maketrans("يكىة", "یکیه")
"""Joins parts of a Persian word without a space; letters that Arabic keyboards write for Persian ones."""
TAGGED = re.compile(r"\s*([^:,;]+?)\s*:\s*([^:,;]+?)\s*")
PART = re.compile(r"[,;.!?\n،؛؟]+")
OwnTags: TypeAlias = Mapping[str, Collection[str]]
"""The names of the tags that labels have of their own, by label."""
NONE: OwnTags = MappingProxyType({})


@dataclass(frozen=True)
class Tag:
    """What is asked of a label's style.

    Attributes:
        label: its name; empty: every label.
        name: the tag's.
    """

    label: str
    name: str

    def __str__(self) -> str:
        return f"{self.label}: {self.name}" if self.label else self.name


@dataclass(frozen=True)
class Understood:
    """What of a sentence was understood.

    Attributes:
        tags: what it asks for.
        unknown: the words that mean nothing to the model.
        unused: tags of labels that the map does not show.
    """

    tags: tuple[Tag, ...]
    unknown: tuple[str, ...]
    unused: tuple[Tag, ...] = ()

    def told(self) -> str:
        """Say it in a few words."""
        known = ", ".join(map(str, self.tags))
        left = f"; not understood: {', '.join(self.unknown)}" if self.unknown else ""
        unused = f"; not used, as the map does not show it: {', '.join(map(str, self.unused))}" if self.unused else ""
        return f"of the words was understood: {known or 'nothing'}{left}{unused}"

    def narrowed(self, seen: Mapping[Tag, Collection[str]], shown: Collection[str]) -> "Understood":
        """Take for unknown the tags of which no label was `seen`, and for unused those of labels that are not shown."""
        strange = tuple(str(tag) for tag in self.tags if not seen[tag])
        unused = tuple(tag for tag in self.tags if seen[tag] and not set(seen[tag]) & set(shown))
        tags = tuple(tag for tag in self.tags if seen[tag] and tag not in unused)
        return Understood(tags, tuple(dict.fromkeys((*self.unknown, *strange))), unused)


def understand(sentence: str, classes: Sequence[str], own: OwnTags = NONE) -> Understood:
    """Read a sentence, or tags such as `sky: bright, autumn`, for what it asks of labels of a model.

    Args:
        classes: the names of its labels.
        own: tags that some of them have besides those of the dictionary.

    Raises:
        ValueError: `label: tag` names no label or no tag, or it is too long; one sentence.
    """
    if len(sentence) > LONGEST:
        raise ValueError(
            f"The words are {len(sentence):,} characters, and at most {LONGEST:,} are read; say it shorter."
        )
    found, unknown = list[Tag](), list[str]()
    waiting, named = list[str](), list[str]()
    for part in _parts(sentence):
        if tagged := TAGGED.fullmatch(part):
            found.append(_tagged(tagged[1], tagged[2], classes, own))
            continue
        labels, tags, moods, strange = _sorted(part.split(), classes, own)
        unknown += strange
        found += moods
        # What is said before anything is named belongs to what is named next, and later to what was named last.
        named = labels or named
        waiting += tags
        if named:
            found += [Tag(label, tag) for tag in waiting for label in named]
            waiting = []
    found += [Tag(EVERYTHING, tag) for tag in waiting]
    unknown += [tag.name for tag in found if not concerned(tag, classes, own)]
    known = [tag for tag in found if concerned(tag, classes, own)]
    return Understood(tuple(dict.fromkeys(known)), tuple(dict.fromkeys(unknown)))


def by_label(labels: Mapping[Tag, Iterable[str]]) -> dict[str, list[str]]:
    """Give the names of the tags of each label, from the labels of each tag."""
    found = dict[str, list[str]]()
    for tag, concerned_by in labels.items():
        for label in concerned_by:
            found.setdefault(label, []).append(tag.name)
    return found


def is_word(word: str, classes: Sequence[str]) -> bool:
    """Tell whether a word has a meaning already: in the dictionary, or as a label of a model."""
    return plain(word) in _meanings(tuple(classes), ()) or plain(word) in map(plain, _catalogue()["between"])


def concerned(tag: Tag, classes: Sequence[str], own: OwnTags) -> list[str]:
    """Give the labels that a tag speaks of and that can have it."""
    spoken_of = [label for label in classes if tag.label in (label, EVERYTHING)]
    return [label for label in spoken_of if tag.name in _catalogue()["tags"] or tag.name in own.get(label, ())]


def amounts(colours: Tensor, tag: str) -> Tensor:
    """Tell how much mean colours (k, 3) in [-1, 1] have of what a tag asks for, (k,)."""
    asked = _catalogue()["tags"][tag]
    name = asked.get("most") or asked["least"]
    spread = colours.amax(1) - colours.amin(1)
    amount = spread if name == "colourful" else colours @ torch.tensor(PROPERTIES[name])
    return amount if "most" in asked else -amount


def most_of(colours: Tensor, tags: Sequence[str]) -> Tensor:
    """Give the numbers of the mean colours (k, 3) that have most of what some tags ask for together, the most first."""
    ranks = sum(amounts(colours, tag).argsort().argsort() for tag in tags)
    assert isinstance(ranks, Tensor)
    return ranks.argsort(descending=True)[: max(1, round(SHARE * len(colours)))]


def _parts(sentence: str) -> Iterable[str]:
    """Give the parts of a sentence that each speak of one thing."""
    between = "|".join(map(re.escape, _catalogue()["between"]))
    for clause in PART.split(plain(sentence)):
        parts = [clause] if ":" in clause else re.split(rf"(?:^|(?<=\s))(?:{between})(?=\s|$)", clause)
        yield from (part.strip() for part in parts if part.strip())


def _sorted(
    words: Sequence[str], classes: Sequence[str], own: OwnTags
) -> tuple[list[str], list[str], list[Tag], list[str]]:
    """Sort words: labels of the model, tags, what is said of the whole picture, and those that mean nothing."""
    labels, tags, moods, strange = list[str](), list[str](), list[Tag](), list[str]()
    meanings = _meanings(tuple(classes), _names(own))
    for word in words:
        kind, name = meanings.get(word, ("", ""))
        if kind == "labels":
            labels.append(name)
        elif kind == "tags":
            tags.append(name)
        elif kind == "moods":
            moods += _mood(name, classes)
        elif kind != "nothing":
            strange.append(word)
    return labels, tags, moods, strange


def _mood(name: str, classes: Sequence[str]) -> list[Tag]:
    asked = _catalogue()["moods"][name]["labels"]
    return [Tag(label, tag) for label, tag in asked.items() if label in classes]


def _tagged(label: str, tag: str, classes: Sequence[str], own: OwnTags) -> Tag:
    """Read `label: tag`, in which nothing may be misunderstood."""
    meanings = _meanings(tuple(classes), _names(own))
    kind, name = meanings.get(label, ("", ""))
    if kind != "labels":
        raise ValueError(f"The model has no label {label!r} to be {tag}; {nearest(label, classes)}")
    known, wanted = meanings.get(tag, ("", ""))
    found = Tag(name, wanted)
    if known != "tags" or not concerned(found, classes, own):
        allowed = [*own.get(name, ()), *_catalogue()["tags"]]
        raise ValueError(f"{tag!r} is no tag that {name} can have; {nearest(tag, allowed)}")
    return found


def _names(own: OwnTags) -> tuple[str, ...]:
    return tuple(sorted({name for names in own.values() for name in names}))


@cache
def _meanings(classes: tuple[str, ...], own: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Give the kind and the name of what each word means, of the dictionary and of tags that labels have besides."""
    catalogue = _catalogue()
    found = dict.fromkeys(catalogue["nothing"], ("nothing", ""))
    for kind in ("tags", "moods"):
        for name, meant in catalogue[kind].items():
            found |= {plain(word): (kind, name) for word in meant["words"]}
    for name, words in catalogue["labels"].items():
        found |= {plain(word): ("labels", name) for word in words if name in classes}
    found |= {plain(name): ("tags", name) for name in own}
    return found | {plain(name): ("labels", name) for name in classes}


@cache
def _catalogue() -> Mapping[str, Any]:
    """Read what words mean."""
    text = (resources.files(__package__) / "words.yaml").read_text(encoding="utf-8")
    words: Mapping[str, Any] = yaml.safe_load(text)
    return words


def plain(words: str) -> str:
    """Give words in small letters, Persian ones as Persian keyboards write them and without joiners."""
    return words.lower().translate(ARABIC).replace(JOINER, "")
