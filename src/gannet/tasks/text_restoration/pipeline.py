"""The pipeline of a trained restorer of texts: a text with gaps becomes one without, and says how sure it is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from gannet.media import record, text
from gannet.media.medium import Medium
from gannet.media.text import heading, parted
from gannet.pipelines.hub import CORPORA
from gannet.pipelines.pipeline import ConverterPipeline, Input, Pipeline
from gannet.pipelines.samples import Details, Made
from gannet.pipelines.settings import SettingsOf
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE
from gannet.schema import Section, nearest
from gannet.tasks._text.alternatives import Alternative, scaled
from gannet.tasks._text.gaps import Damaged, Known, check_fillable, read_gaps
from gannet.tasks._text.parallels import Parallel
from gannet.tasks._text.spelling import spelling_of
from gannet.tasks.text_restoration.alphabet import FIRST, GAP, HIDDEN, Alphabet, padded
from gannet.tasks.text_restoration.config import Settings, choose_network
from gannet.tasks.text_restoration.corpora import NAMELESS, Corpora, lines_of
from gannet.tasks.text_restoration.evidence import Evidence
from gannet.tasks.text_restoration.filling import Filler, shown_gaps
from gannet.tasks.text_restoration.options import RestorationOptions
from gannet.tasks.text_restoration.proposals import Proposals
from gannet.tasks.text_restoration.restoration import (
    Filled,
    Left,
    Outcome,
    Restoration,
    footnotes,
    in_words,
    left_as_they_are,
    places_of,
)
from gannet.tasks.text_restoration.scripts import script_around, used_scripts
from gannet.tasks.text_restoration.windows import Place

if TYPE_CHECKING:
    from gannet.data.records import Source

GENERATOR, TEXT, RECORD, BEFORE = "generator", "text", "record", "likelihood"
"""The network; the outputs; and the weights from before the game."""
LONGEST = 40
"""Characters of the longest gap of known length."""
LONG = 200
"""Restored characters above which a text says in its heading that it was restored."""
EVERY = 7
"""Every so-manieth sign is hidden to find out the language."""
BLOCK = 512
"""Characters of a text in which passages of one script are taken to be of one language."""
LISTED = 10
"""Gaps that are told in words."""
DIGITS = 16
"""Letters that tell parts of long work apart."""


@dataclass(frozen=True)
class NetworkRestorer:
    """A trained model as one of those that fill gaps; see `tasks._text.alternatives.Restorer`.

    Attributes:
        pipeline: the model.
    """

    pipeline: "TextRestorationPipeline"

    def restore(self, text: str, language: str) -> str:
        """Replace every lost character of a normalized text, in the model's own order; all else stays."""
        model = self.pipeline
        signs = model.alphabet.signs(text)
        places = [place for place in shown_gaps(signs, model.longest) if place.known]
        found = model.filler(model.known(language)).restore(signs, places)
        left = list(text)
        for place, ways in zip(places, found, strict=True):
            left[place.start : place.stop] = ways[0].text
        assert len(left) == len(text), "as many characters as before"
        return "".join(left)

    def fill(self, left: str, length: int | None, right: str, count: int, language: str) -> list[Alternative]:
        """Fill a gap, the likeliest alternative first."""
        return self.pipeline.alternatives_between(left, length, right, count, language)


class TextRestorationPipeline(ConverterPipeline):
    """Restores lost text: `pipeline("letter.txt", num=5).save("restored.txt")`."""

    task: ClassVar[str] = "text-restoration"
    inputs: ClassVar[Mapping[str, Input]] = {
        TEXT: Input(text.medium, "a text whose gaps are marked: [...] of unknown length, [5] or ----- of five signs")
    }
    outputs: ClassVar[Mapping[str, Medium]] = {TEXT: text.medium, RECORD: record.medium}
    always = (RECORD,)
    Options: ClassVar[type[Section]] = RestorationOptions
    Config: ClassVar[type[Section]] = Settings
    settings = SettingsOf(Settings)
    corpora = Corpora({})

    @cached_property
    def evidence(self) -> Evidence:
        """What n-grams of the lines that it learned from tell of lost signs."""
        return self.corpora.evidence(self.languages, self.alphabet)

    @property
    def scripts(self) -> Mapping[str, frozenset[str]]:
        """The scripts of each language; those of the alphabet where no lines are kept that tell of them."""
        names, known = self.languages or ("",), self.corpora.scripts
        if not known:
            return dict.fromkeys(names, used_scripts(list(self.alphabet.characters)))
        return {name: known.get(name or NAMELESS, frozenset()) for name in names}

    @torch.inference_mode()
    def told(self, shown: Tensor, languages: Tensor) -> tuple[Tensor, Tensor]:
        """Give the logits of damaged texts (b, t) and of the lengths of their gaps; see `TextRestorer`."""
        given, numbers = shown.to(self.device), languages.to(self.device)
        logits: tuple[Tensor, Tensor] = self.networks[GENERATOR](given, numbers, self.evidence.told(given, numbers))
        return logits

    def options(self, given: Mapping[str, object]) -> Section:
        """Check options; ValueError also where the model does not know the language."""
        options = super().options(given)
        assert isinstance(options, RestorationOptions)
        self.language_number(options.language)
        return options

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Name the languages."""
        return {"language": self.languages} if self.languages else {}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the model tells apart."""
        return self.settings.description.languages

    @cached_property
    def alphabet(self) -> Alphabet:
        """What it reads and writes."""
        return Alphabet(self.settings.description.characters)

    @property
    def window(self) -> int:
        """Signs that are read at a time."""
        return self.settings.description.shape[0]

    @property
    def longest(self) -> int:
        """Characters of the longest gap that is filled."""
        return min(LONGEST, self.window // 2)

    def language_number(self, name: str) -> int:
        """Give the number of a language, of an empty name that of none; ValueError where it is not known."""
        if name and name not in self.languages:
            known = nearest(name, self.languages) if self.languages else "leave the language out."
            raise ValueError(f"The model knows no language {name!r}; {known}")
        return self.languages.index(name) if name else len(self.languages)

    def facts(self, options: Section) -> dict[str, object]:
        """Say also that a text of somebody else's is part of what was made."""
        return {SOURCE_TYPE: COMPOSITE, **super().facts(options)}

    def tuned(self, options: Section) -> Self:
        """Blend the weights where a strength is asked for."""
        assert isinstance(options, RestorationOptions)
        return self if options.strength is None else self.blended(options.strength)

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:
        """Restore a text; what it says of itself in its heading is no part of it."""
        assert isinstance(options, RestorationOptions)
        _, body = parted(inputs[TEXT])
        restored = self.restored(body, options)
        said = options.heading == "always" or (options.heading == "long" and restored.count > LONG)
        first = f"{heading(self.facts(options))}\n" if said else ""
        return {TEXT: first + restored.text(options.mark), RECORD: restored.record()}

    def make(self, values: Mapping[str, object], options: Section) -> Made:
        """Restore a text, and say which of its gaps are left as they are."""
        made = super().make(values, options)
        told: Any = made[RECORD]
        return replace(made, warnings=(*made.warnings, *left_as_they_are(told.get("left", ()))))

    def details(self, made: Mapping[str, Any]) -> Details:
        """Tell the confidences, the alternatives and the parallels of every gap; in words of the first ones."""
        found: dict[str, Any] = made[RECORD]
        lines = [*footnotes(found["gaps"]), *(in_words(gap) for gap in found["gaps"][:LISTED])]
        more = len(found["gaps"]) - LISTED
        return Details(found, (*lines, *([f"... and {more:,} more gaps; --json names them all."] if more > 0 else [])))

    def restored(self, body: str, options: RestorationOptions) -> Restoration:
        """Restore a text; gaps that are too long, or of a script that the model did not learn, are left as they are.

        Raises:
            ValueError: it has no gap, nothing but gaps, or none that can be restored.
        """
        damaged = read_gaps(body)
        check_fillable(damaged)
        read, places = damaged.read, places_of(damaged)
        signs = self.alphabet.signs(read)
        chosen = self._languages(damaged, places, signs, options.language)
        language = options.language or _commonest(chosen)
        _refuse_all_left(Restoration(language, damaged, [one for one in chosen if isinstance(one, Left)]), len(chosen))
        ways = self._ways(signs, places, chosen, options.temperature)
        spelling = spelling_of(piece.written for piece in damaged.pieces if isinstance(piece, Known))
        parallels = self._parallels(read, places, chosen, options.parallels)
        outcomes: list[Outcome] = []
        for place, name, near in zip(places, chosen, parallels, strict=True):
            if isinstance(name, Left):
                outcomes.append(name)
                continue
            some = self.scaled(ways[place][: options.num], name)
            outcomes.append(Filled(name, [replace(one, text=one.text.translate(spelling)) for one in some], near))
        return Restoration(language, damaged, outcomes)

    def _languages(
        self, damaged: Damaged, places: Sequence[Place], signs: Sequence[int], asked: str
    ) -> list[str | Left]:
        """Choose the language that each gap is filled in, or say why it is left.

        Of those that use the script of the letters around a gap it is the one in which the text there is likeliest. One
        that was asked for is always taken, whatever the script.
        """
        scripts, found = self.scripts, list[str | Left]()
        nearest_of: dict[tuple[str, int], str] = {}
        for gap, place in zip(damaged.gaps, places, strict=True):
            script = script_around(damaged.read, place)
            able = [name for name, used in scripts.items() if not script or script in used]
            if (gap.length or 0) > self.longest:
                found.append(Left(f"{gap.length:,} characters are more than the {self.longest} that can be restored"))
            elif asked:
                found.append(asked)
            elif not able:
                learned = ", ".join(sorted(set().union(*scripts.values())))
                said = f"its script is {script}, of which the model learned too little (it knows {learned})"
                found.append(Left(said))
            else:
                block = script, min(place.start // BLOCK * BLOCK, max(0, len(signs) - BLOCK))
                if block not in nearest_of:
                    nearest_of[block] = self.likeliest_language(signs[block[1] : block[1] + BLOCK], able)
                found.append(nearest_of[block])
        return found

    def _ways(
        self,
        signs: Sequence[int],
        places: Sequence[Place],
        chosen: Sequence[str | Left],
        temperature: float,
    ) -> dict[Place, list[Alternative]]:
        """Fill gaps, language by language."""
        found: dict[Place, list[Alternative]] = {}
        for name in dict.fromkeys(one for one in chosen if isinstance(one, str)):
            own = [place for place, one in zip(places, chosen, strict=True) if one == name]
            part = _part(self.language_number(name), own)
            ways = replace(self.filler(name, temperature), part=part).restore(signs, own)
            found |= dict(zip(own, ways, strict=True))
        return found

    def filler(self, language: str, temperature: float = 1.0) -> Filler:
        """Give what fills gaps in a language."""
        fading = self.settings.fading.get(language, 1.0)
        proposals = Proposals(self.alphabet, self.corpora.ngram(language), fading, temperature)
        number = self.language_number(language)
        return Filler(self.networks[GENERATOR], self.evidence, proposals, self.window, number, self.steps)

    @property
    def restorer(self) -> NetworkRestorer:
        """The model as one of those that fill gaps."""
        return NetworkRestorer(self)

    def known(self, language: str) -> str:
        """Give a language that the model knows by that name; none of another."""
        return language if language in self.languages else ""

    def alternatives_between(
        self, left: str, length: int | None, right: str, count: int, language: str
    ) -> list[Alternative]:
        """Fill one gap between what is read before and behind it; see `NetworkRestorer`."""
        before, behind = (self.alphabet.signs(one) for one in (left[-self.window :], right[: self.window]))
        gap = [GAP] if length is None else [HIDDEN] * length
        signs = [*before, *gap, *behind]
        place = Place(len(before), len(before) + len(gap), length is not None)
        (found,) = self.filler(self.known(language)).restore(signs, [place])
        return self.scaled(found[:count], language)

    def scaled(self, ways: Sequence[Alternative], language: str) -> list[Alternative]:
        """Give ways to fill a gap with confidences that are as high as they are often right in a language."""
        slope, shift = self.settings.confidence.get(language, (1.0, 0.0))
        return [replace(one, confidences=scaled(one.confidences, slope, shift)) for one in ways]

    def likeliest_language(self, signs: Sequence[int], names: Sequence[str]) -> str:
        """Find the language in which a passage is likeliest as it is and in small letters, each seventh sign hidden."""
        if len(names) < 2:
            return names[0] if names else ""
        small = self.alphabet.signs(self.alphabet.text(signs).lower())  # Capitals alone are like inscriptions.
        starts = range(0, len(signs), self.window)
        rows = padded([one[at : at + self.window] for one in (signs, small) for at in starts])
        wanted = np.full_like(rows, -1)
        wanted[:, ::EVERY] = rows[:, ::EVERY]
        shown = np.where(wanted >= FIRST, HIDDEN, rows)
        told = {name: self.filler(name).likelihood(shown, wanted) for name in names}
        return max(told, key=lambda name: told[name])

    def _parallels(
        self, read: str, places: Sequence[Place], chosen: Sequence[str | Left], count: int
    ) -> list[list[Parallel]]:
        """Find the lines of what was learned from that are nearest to the line of each gap that is filled."""
        bounds = [(read.rfind("\n", 0, one.start) + 1, read.find("\n", one.stop)) for one in places]
        lines = [read[start : stop if stop >= 0 else None] for start, stop in bounds]
        asked = [
            (name, line) if isinstance(name, str) and count else None for name, line in zip(chosen, lines, strict=True)
        ]
        near = {one: self.corpora.nearest(*one, count) for one in dict.fromkeys(filter(None, asked))}
        return [near[one] if one else [] for one in asked]

    def learn_from(self, source: "Source", name: str) -> None:  # noqa: ARG002
        """Keep the lines that its networks learn from, in which parallels are looked for."""
        self.corpora = Corpora(lines_of(source, self.languages))
        self.__dict__.pop("evidence", None)

    def save_pretrained(self, folder: Any, weights: str = "model") -> Any:
        """Write also the lines that it learned from, compressed, once."""
        written = super().save_pretrained(folder, weights)
        if self.corpora.lines and not (written / CORPORA).exists():
            self.corpora.write(written / CORPORA)
        return written

    @classmethod
    def from_pretrained(cls, source: Any, weights: str = "model") -> Pipeline:
        """Load also the lines that it learned from, where they were kept."""
        pipeline = super().from_pretrained(source, weights)
        assert isinstance(pipeline, TextRestorationPipeline) and pipeline.file is not None
        file = pipeline.file.parent / CORPORA
        pipeline.corpora = Corpora.read(file) if file.is_file() else Corpora({})
        return pipeline

    def earlier(self) -> "TextRestorationPipeline | None":
        """Give the model as it was before the game, where its weights lie beside this one's."""
        if self.file is None or self.file.stem == BEFORE or not self.file.with_stem(BEFORE).is_file():
            return None
        return type(self).from_pretrained(self.file.parent, BEFORE)  # type: ignore[return-value]

    def blended(self, strength: float) -> Self:
        """Blend the weights by `strength`, those before the game by the rest, as super-resolution does."""
        other = self.earlier()
        if other is None:
            raise ValueError(
                f"{self.name or 'The model'} keeps no weights {BEFORE!r} from before the game, so strength means "
                "nothing to it; leave it out."
            )
        network = deepcopy(self.networks[GENERATOR])
        ours, theirs = network.state_dict(), other.networks[GENERATOR].state_dict()
        network.load_state_dict({key: strength * ours[key] + (1 - strength) * theirs[key] for key in ours})
        made = type(self)(self.config, {GENERATOR: network}, self.name)
        made.file, made.corpora = self.file, self.corpora
        return made

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network, `signs` (1, t), `language` (1,), and what n-grams tell: `chances` (1, t, 2, signs)."""
        signs, language = torch.full((1, self.window), HIDDEN), torch.zeros(1, dtype=torch.long)
        chances = self.evidence.told(signs, language)
        return self.networks[GENERATOR], {"signs": signs, "language": language, "chances": chances}

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained network."""
        assert isinstance(config, Settings)
        description = config.description
        signs, languages = len(Alphabet(description.characters)), len(description.languages)
        return cls(config, {GENERATOR: choose_network(config.network).generator(signs, languages, config.reach)})


def _commonest(chosen: Sequence[str | Left]) -> str:
    """Name the language that most gaps are filled in, of several the first."""
    counts = Counter(one for one in chosen if isinstance(one, str))
    return max(counts, key=counts.__getitem__, default="")


def _refuse_all_left(restoration: Restoration, count: int) -> None:
    """Raise ValueError where all of so many gaps are left as they are."""
    if len(restoration.outcomes) < count:
        return
    left: Any = restoration.record()["left"]
    raise ValueError(f"Nothing can be restored: {'; '.join(left_as_they_are(left))}.")


def _part(language: int, places: Sequence[Place]) -> str:
    """Name a part of long work by its language and its gaps, in letters, of which such names are made.

    Where another language is chosen for a gap when work goes on, what was kept is of another part.
    """
    told = sha256(repr((language, [tuple(place) for place in places])).encode()).hexdigest()
    return "".join(chr(ord("a") + int(digit, 16)) for digit in told[:DIGITS])
