"""Lost words: how well damaged Persian, English and Latin are restored, for any restorer, beside a character n-gram.

    python benchmarks/lost_words.py --split split.json [--run RUN] [--weights likelihood] [--language persian]...
        [--gaps 30] [--passages 100] [--only gaps]... [--missing 0.15] [--tune] [--calibrate]
    python benchmarks/lost_words.py --split split.json --learned FOLDER

Reads `text/` of $GANNET_DATA. The split is made and written where the file is not there: one poet whole and the last
tenth of all other files are held out, without verses that are repeated; it holds numbers of lines and no text. RUN is
a run or model of text restoration; `--learned` writes the texts to train it on, its last twentieth as what a run is
watched by: `gannet train text-restoration FOLDER`. `--tune` judges settings of the n-gram by the last twentieth of what
is learned, and `--calibrate` fits to it what the confidences of RUN are scaled by.
"""

import argparse
import datetime
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
from sklearn.linear_model import LogisticRegression

import gannet
from gannet.tasks._text.alternatives import Alternative, Restorer, logits
from gannet.tasks._text.damage import KINDS, LONGEST, SHARES, Passage, hide_gaps, hide_share, passages, supplements
from gannet.tasks._text.gaps import LOST
from gannet.tasks._text.held_out import (
    FILES,
    Library,
    Part,
    Split,
    learned_texts,
    make_split,
    read_split,
    write_split,
)
from gannet.tasks._text.ngram import CHOSEN, Ngram, Settings, ranked
from gannet.tasks._text.parallels import Corpus
from gannet.tasks._text.protocol import (
    RANKED,
    Figure,
    Restored,
    calibration_of,
    character_accuracy,
    confidences_of,
    gap_figures,
    parallels_found,
    restore_gaps,
    restore_passage,
    seconds_a_page,
)
from gannet.tasks._text.telling_apart import told_apart
from gannet.tasks.text_restoration.pipeline import BLOCK, NetworkRestorer

ANCHORS = """\
Published, with their own language and protocol: Aeneas (Latin inscriptions, gaps to 10): error rate 23.1 %; an
8-billion-parameter model tuned on papyri (Greek): 14.9 %; a small bidirectional network (Coptic): 72 % of single
characters, 37 % over gaps."""
TUNED: tuple[Mapping[str, Any], ...] = (
    {},
    {"discounting": "absolute"},
    {"order": 7},
    {"order": 6},
    {"order": 6, "discounting": "absolute"},
    {"order": 5},
    {"beam": 32, "scored": 128},
)
SHARPNESS = ((0.4, 0.0), (0.8, 0.25), (0.8, 0.5), (0.8, 0.75), (0.8, 1.0), (1.0, 1.0))
"""And its fading."""
PAGES = 100
"""Whose language is asked for."""
ALL = 100_000
"""More alternatives than a search finds."""
SEED = 0
TABLES = ("gaps", "calibration", "missing", "apart", "supplements", "page", "parallels", "languages")
APART, FEWEST_LINES = 0.3, 20
"""The share of words that is restored in lines that are told from true ones, and how many of those it takes."""


class Ngrams:
    """An n-gram of each language as a restorer."""

    def __init__(self, models: Mapping[str, Ngram]) -> None:
        self.models = models

    def fill(self, left: str, length: int | None, right: str, count: int, language: str) -> list[Alternative]:
        """Fill a gap; see `Restorer.fill`."""
        return self.models[language].fill(left, length, right, count)


def shown(figure: Figure) -> str:
    """A share in per cent with its interval."""
    return f"{100 * figure.value:.1f} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def print_gaps(name: str, restorer: Restorer, found: list[Passage], language: str, count: int) -> None:
    """Print the tables of gaps of 1 to 10 characters."""
    hidden = hide_gaps(found, count, SEED)
    rows = {known: restore_gaps(restorer, hidden, language, known) for known in (True, False)}
    lengths = [str(length) for length in range(1, LONGEST + 1)]
    figures = {known: gap_figures(one) for known, one in rows.items()}
    print(f"\n{language}, {name}: {len(hidden)} gaps of 1 to {LONGEST} characters, %")
    print(f"| | all | {' | '.join(lengths)} |\n|---|---|{'---|' * LONGEST}")
    for known, words in ((True, "known length"), (False, "unknown length")):
        for measure in ("error rate", "top-1", f"top-{RANKED}"):
            by_length = (f"{100 * figures[known][f'{measure}, {one}'].value:.0f}" for one in lengths)
            print(f"| {measure}, {words} | {shown(figures[known][measure])} | {' | '.join(by_length)} |")
    best = figures[True]
    print(
        f"bits a character, single ones: {best['bits a character, 1'].value:.2f}; expected calibration error: "
        f"{calibration_of(rows[True]):.3f}; diversity: {best['diversity'].value:.2f}"
    )


def print_calibration(name: str, restorer: Restorer, found: list[Passage], language: str, count: int) -> None:
    """Print how far confidences are from how often they are right, in gaps of known length."""
    hidden = hide_gaps(found, count, SEED)
    error = calibration_of(restore_gaps(restorer, hidden, language, True))
    print(f"{language}, {name}: expected calibration error {error:.3f}, {len(hidden)} gaps", flush=True)


def print_shares(name: str, restorer: Restorer, found: list[Passage], language: str, shares: Sequence[float]) -> None:
    """Print the character accuracy where so much is missing."""
    print(f"\n{language}, {name}: characters restored of {len(found)} passages, %")
    print(f"| missing | {' | '.join(f'{share:.0%}' for share in shares)} |\n|---|{'---|' * len(shares)}")
    for kind in KINDS:
        cells = [shown(character_accuracy(restorer, found, language, kind, share)) for share in shares]
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)


def print_supplements(name: str, restorer: Restorer, found: list[Passage], language: str, count: int) -> None:
    """Print how often editors supplied the same; where a language has none, nothing."""
    hidden = supplements(found, count, SEED)
    if hidden:
        figures = gap_figures(restore_gaps(restorer, hidden, language, True))
        cells = (f"{measure} {shown(figures[measure])}" for measure in ("error rate", "top-1", f"top-{RANKED}"))
        print(f"\n{language}, {name}: {len(hidden)} supplements of editors: {'; '.join(cells)}")


def print_told_apart(name: str, restorer: Restorer, found: list[Passage], language: str) -> None:
    """Print how well a classifier tells lines in which words were restored from the same lines as they were."""
    pairs: list[tuple[str, str]] = []
    for passage in found:
        damaged = hide_share(passage, "words", APART, SEED)
        restored = restore_passage(restorer, damaged, language)
        lines = (text.split("\n") for text in (passage.text, damaged, restored))
        pairs += [(true, made) for true, shown, made in zip(*lines, strict=True) if shown != true and LOST not in true]
    if len(pairs) >= FEWEST_LINES:
        true, made = map(list, zip(*pairs, strict=True))
        area = told_apart(true, made)
        interval = f"{area.low:.3f} to {area.high:.3f}"
        print(f"{language}, {name}: {len(pairs)} restored lines told from true ones: AUC {area.value:.3f} ({interval})")


def some(found: list[Passage], count: int) -> list[Passage]:
    """Passages that stand as far apart as may be."""
    return [found[at] for at in np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)]


def learned(library: Library, split: Split, language: str, settings: Settings, *parts: Part) -> Ngram:
    """An n-gram of some parts."""
    return Ngram(learned_texts(library, split, language, *parts), settings)


def tune(library: Library, split: Split, language: str, count: int) -> None:
    """Print what other settings than those of an n-gram would give, on the last part of what is learned."""
    hidden = hide_gaps(passages(library, split, language, "tuned"), count, SEED)
    counted = Ngram(learned_texts(library, split, language, "learned"))
    for change in TUNED:
        model = Ngrams({language: counted.with_settings(Settings(**change))})
        started = time.process_time()
        rows = restore_gaps(model, hidden, language, True, ALL)
        seconds = (time.process_time() - started) / len(hidden)
        print(f"{language} {change}: {told(rows)}, {seconds:.3f} s a gap", flush=True)
        for sharpness, fading in SHARPNESS if not change else ():
            changed = [sharpened(row, Settings(sharpness=sharpness, fading=fading)) for row in rows]
            print(f"{language} sharpness {sharpness}, fading {fading}: {told(changed)}", flush=True)


def calibrate(library: Library, split: Split, language: str, count: int, restorers: Mapping[str, Restorer]) -> None:
    """Print what confidences are to be scaled by, fitted to the last part of what is learned."""
    hidden = hide_gaps(passages(library, split, language, "tuned"), count, SEED)
    for name, restorer in restorers.items():
        model = cast(Any, restorer).pipeline
        model.config = model.config.model_copy(update={"confidence": {}})  # What is fitted is what it says itself.
        rows = restore_gaps(restorer, hidden, language, True)
        slope, shift = fitted_scaling(rows)
        print(f"{name}: task.confidence={{{language}: [{slope:.2f}, {shift:.2f}]}} (error {calibration_of(rows):.3f})")


def fitted_scaling(restored: Sequence[Restored]) -> tuple[float, float]:
    """Fit what confidences are scaled and shifted by to how often they are right (Platt, 1999); see `scaled`."""
    told = confidences_of(restored)
    sure, right = logits([one for one, _ in told])[:, None], [one for _, one in told]
    fitted = LogisticRegression(C=np.inf).fit(sure, right)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def sharpened(row: Restored, settings: Settings) -> Restored:
    """The same alternatives as another sharpness would rank them."""
    raised = Settings().sharpness / len(row.hidden.truth)
    found = [(one.text, float(np.log(max(one.probability, 1e-300))) / raised) for one in row.alternatives]
    return replace(row, alternatives=tuple(ranked(found, settings, RANKED)))


def told(rows: list[Restored]) -> str:
    """What settings are chosen by."""
    found = gap_figures(rows)
    return (
        f"error rate {shown(found['error rate'])}, top-1 {shown(found['top-1'])}, "
        f"top-{RANKED} {shown(found[f'top-{RANKED}'])}, bits {found['bits a character, 1'].value:.3f} (all lengths "
        f"{found['bits a character'].value:.3f}), calibration {calibration_of(rows):.3f}"
    )


def ngram_of(library: Library, split: Split, language: str) -> Restorer:
    """The n-gram of a language, as a restorer."""
    settings = CHOSEN.get(language, Settings())
    return Ngrams({language: learned(library, split, language, settings, "learned", "tuned")})


def models(run: str | None, weights: Sequence[str]) -> dict[str, Restorer]:
    """What was asked for beside the n-gram, by name."""
    found: dict[str, Restorer] = {}
    for one in weights if run is not None else ():
        pipeline: Any = gannet.load(Path(run) if Path(run).exists() else run, one)
        if not hasattr(pipeline, "restorer"):
            raise ValueError(f"{run} restores no texts; give a run or model of text restoration.")
        found[f"{run}, {one}"] = pipeline.restorer
    return found


def split_of(library: Library, path: Path) -> Split:
    """The split in a file, or a new one that is written there."""
    if path.exists():
        return read_split(path, library)
    split = make_split(library)
    write_split(path, split)
    return split


def judge(
    library: Library, split: Split, language: str, asked: argparse.Namespace, beside: Mapping[str, Restorer]
) -> None:
    """Print all tables of a language, of the n-gram and of what is asked for beside it."""
    found = passages(library, split, language, "held_out")
    for name, restorer in {"n-gram": ngram_of(library, split, language), **beside}.items():
        fewer = some(found, asked.passages)
        tables: dict[str, Callable[[], None]] = {
            "gaps": partial(print_gaps, name, restorer, found, language, asked.gaps),
            "calibration": partial(print_calibration, name, restorer, found, language, asked.gaps),
            "missing": partial(print_shares, name, restorer, fewer, language, asked.missing or SHARES),
            "apart": partial(print_told_apart, name, restorer, fewer, language),
            "supplements": partial(print_supplements, name, restorer, found, language, LONGEST * asked.gaps),
            "page": partial(print_page, name, restorer, some(found, 50), language),
            "languages": partial(print_languages, name, restorer, found, language),
        }
        for table, print_table in tables.items():
            if table in (asked.only or TABLES):
                print_table()
    if "parallels" in (asked.only or TABLES):
        print_parallels(library, split, language, LONGEST * asked.gaps)


def print_page(name: str, restorer: Restorer, found: list[Passage], language: str) -> None:
    """Print how long a page takes, once a first gap is filled, for which what a language needs is counted."""
    started = time.perf_counter()
    restorer.fill(found[0].text[:20], 1, found[0].text[21:40], 1, language)
    first = time.perf_counter() - started
    page = seconds_a_page(restorer, found, language)
    print(f"{language}, {name}: a page in {page:.1f} s, after {first:.1f} s for a first gap", flush=True)


def print_languages(name: str, restorer: Restorer, found: list[Passage], language: str) -> None:
    """Print of how many pages of held-out texts a model that chooses between languages tells theirs."""
    if not isinstance(restorer, NetworkRestorer):
        return
    pipeline = restorer.pipeline
    signs = pipeline.alphabet.signs("\n".join(passage.text for passage in found))
    starts = range(0, len(signs) - BLOCK + 1, max(BLOCK, len(signs) // PAGES))
    told = [pipeline.likeliest_language(signs[start : start + BLOCK], pipeline.languages) for start in starts]
    print(f"{language}, {name}: told of {told.count(language)} of {len(told)} pages of {BLOCK} characters", flush=True)


def print_parallels(library: Library, split: Split, language: str, count: int) -> None:
    """Print how often the source of a line of which half is lost is among its parallels."""
    lines = [line for text in learned_texts(library, split, language, "learned", "tuned") for line in text.split("\n")]
    among = parallels_found(Corpus(lines), count, SEED)
    print(f"parallels of {language}: {shown(among)} among the first ten")


def write_learned(library: Library, split: Split, folder: Path) -> None:
    """Write what is learned, a folder a language: texts as they are read, an empty line between them."""
    parts: dict[str, Part] = {"train": "learned", "test": "tuned"}
    for (side, part), language in product(parts.items(), FILES):
        place = folder / side / language
        place.mkdir(parents=True)
        texts = learned_texts(library, split, language, part)
        place.joinpath(f"{language}.txt").write_text("\n\n".join(texts) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--run")
    parser.add_argument(
        "--weights", action="append", help="of the run, `model` or a stage's name; several may be named"
    )
    parser.add_argument("--learned", type=Path, help="a new folder")
    parser.add_argument("--language", action="append", choices=list(FILES))
    parser.add_argument("--gaps", type=int, default=30, help="of each length")
    parser.add_argument("--passages", type=int, default=100)
    parser.add_argument("--only", action="append", choices=TABLES, help="these tables; left out, all")
    parser.add_argument("--missing", action="append", type=float, help=f"shares that are missing; usual: {SHARES}")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--calibrate", action="store_true")
    asked = parser.parse_args()
    if any(not 0 < share <= 1 for share in asked.missing or ()):
        parser.error("--missing is a share above 0, and 1 at most")
    if "GANNET_DATA" not in os.environ:
        parser.error("GANNET_DATA is not set; set it to the folder that holds text/")
    library = Library(Path(os.environ["GANNET_DATA"]) / "text")
    try:
        split = split_of(library, asked.split)
        if asked.learned:
            write_learned(library, split, asked.learned)
            return
        beside = models(asked.run, asked.weights or ["model"])
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(f"{os.cpu_count()} cores ({platform.machine()}), numpy {np.__version__}, {datetime.date.today()}\n{ANCHORS}")
    for language in asked.language or FILES:
        if asked.tune:
            tune(library, split, language, asked.gaps)
        elif asked.calibrate:
            calibrate(library, split, language, asked.gaps, beside)
        else:
            judge(library, split, language, asked, beside)


if __name__ == "__main__":
    main()
