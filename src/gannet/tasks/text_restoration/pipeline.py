"""The pipeline of a trained restorer of texts: a text with gaps becomes one without, and says how sure it is."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from gannet.media import record, text
from gannet.media.medium import Medium
from gannet.media.text import heading, parted, scripts
from gannet.pipelines.hub import CORPORA
from gannet.pipelines.pipeline import ConverterPipeline, Input, Pipeline
from gannet.pipelines.samples import Details
from gannet.pipelines.settings import SettingsOf
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE
from gannet.schema import Section, Share, nearest
from gannet.tasks._text.alternatives import Alternative, scaled
from gannet.tasks._text.gaps import Known, check_fillable, read_gaps
from gannet.tasks._text.parallels import Parallel
from gannet.tasks._text.spelling import spelling_of
from gannet.tasks.text_restoration.alphabet import FIRST, GAP, HIDDEN, UNKNOWN, Alphabet, padded
from gannet.tasks.text_restoration.config import Settings, choose_network
from gannet.tasks.text_restoration.corpora import Corpora, lines_of
from gannet.tasks.text_restoration.evidence import Evidence
from gannet.tasks.text_restoration.filling import Filler, shown_gaps
from gannet.tasks.text_restoration.proposals import Proposals
from gannet.tasks.text_restoration.restoration import Restoration, footnotes, in_words, places_of
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
FOREIGN = 0.5
"""The share of characters that a model does not know, from which on it is none for a text."""
LISTED = 10
"""Gaps that are told in words."""


class RestorationOptions(Section):
    """What is asked of a model that restores texts."""

    num: Annotated[int, Field(ge=1, le=50)] = 5
    """How many alternatives are given for each gap."""
    temperature: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Above 1 the model is less sure of itself, below it more."""
    language: str = ""
    """Of the text; empty: the one in which it is likeliest."""
    parallels: Annotated[int, Field(ge=0, le=20)] = 3
    """How many of the nearest lines of what was learned from are told of each gap."""
    heading: Literal["long", "always", "never"] = "long"
    """Whether the text itself says in its first line that it was restored: `long`, where over 200 characters were. What
    stands beside it (*.record.json) always does."""
    strength: Share | None = None
    """From 0, the likeliest of all (before the game), to 1; empty: as the model is."""


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
        return {TEXT: first + restored.text, RECORD: restored.record()}

    def details(self, made: Mapping[str, Any]) -> Details:
        """Tell the confidences, the alternatives and the parallels of every gap; in words of the first ones."""
        found: dict[str, Any] = made[RECORD]
        lines = [*footnotes(found["gaps"]), *(in_words(gap) for gap in found["gaps"][:LISTED])]
        more = len(found["gaps"]) - LISTED
        return Details(found, (*lines, *([f"... and {more:,} more gaps; --json names them all."] if more > 0 else [])))

    def restored(self, body: str, options: RestorationOptions) -> Restoration:
        """Restore a text.

        Raises:
            ValueError: it has no gap, nothing but gaps, one that is too long, or letters that the model does not know.
        """
        damaged = read_gaps(body)
        check_fillable(damaged, self.longest)
        read = damaged.read
        signs = self.alphabet.signs(read)
        self._check_known(read, signs)
        language = options.language or self.likeliest_language(signs)
        places = places_of(damaged)
        found = self.filler(language, options.temperature).restore(signs, places)
        gaps = [self.scaled(some[: options.num], language) for some in found]
        spelling = spelling_of(piece.written for piece in damaged.pieces if isinstance(piece, Known))
        spelled = [[replace(one, text=one.text.translate(spelling)) for one in some] for some in gaps]
        return Restoration(language, damaged, spelled, self._parallels(read, places, language, options.parallels))

    def _check_known(self, read: str, signs: Sequence[int]) -> None:
        known = [sign for sign, one in zip(signs, read, strict=True) if one.isalpha()]
        if known.count(UNKNOWN) > FOREIGN * len(known):
            raise ValueError(
                f"Most letters of the text ({scripts(read)[0]}) are none that the model learned "
                f"({', '.join(scripts(self.alphabet.characters))}); use a model of its script, or train one."
            )

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

    def likeliest_language(self, signs: Sequence[int]) -> str:
        """Find the language in which a beginning of a text is likeliest, every seventh of its signs being hidden."""
        if len(self.languages) < 2:
            return self.languages[0] if self.languages else ""
        row = padded([signs[: self.window]])
        wanted = np.full_like(row, -1)
        wanted[:, ::EVERY] = row[:, ::EVERY]
        shown = np.where(wanted >= FIRST, HIDDEN, row)
        told = {name: self.filler(name).likelihood(shown, wanted) for name in self.languages}
        return max(told, key=lambda name: told[name])

    def _parallels(self, read: str, places: Sequence[Place], language: str, count: int) -> list[list[Parallel]]:
        """Find the lines of what was learned from that are nearest to the line of each gap."""
        if not (count and self.corpora.lines):
            return [[] for _ in places]
        bounds = [(read.rfind("\n", 0, one.start) + 1, read.find("\n", one.stop)) for one in places]
        lines = [read[start : stop if stop >= 0 else None] for start, stop in bounds]
        near = {line: self.corpora.nearest(language, line, count) for line in dict.fromkeys(lines)}
        return [near[line] for line in lines]

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
