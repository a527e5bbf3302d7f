"""The command line: words become calls of the API; nothing else happens here."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="gannet",
    help="Train, judge and apply adversarial models (GANs) on your own data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key; repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
STOPPED, GOES_ON = 130, "Stopped; the same command goes on where it stood."


@app.callback(invoke_without_command=True)
def main_options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Train, judge and apply adversarial models (GANs) on your own data."""
    if version:
        from gannet import __version__

        typer.echo(f"gannet {__version__}")
        raise typer.Exit()


@app.command()
def train(
    target: Annotated[str, typer.Argument(help="A recipe's name (see `gannet recipes`) or a YAML file.")] = "",
    data: Annotated[str, typer.Argument(help="What to learn from; left out, the recipe's own data.")] = "",
    out: Annotated[str, typer.Option(help="The run's folder; it must not exist yet.")] = "",
    changes: Set = None,
    start_from: Annotated[str, typer.Option("--from", metavar="MODEL", help="Start from this model's weights.")] = "",
    resume: Annotated[str, typer.Option(metavar="RUN", help="Continue this run instead.")] = "",
    stop_on: Annotated[str, typer.Option(help="`rule`: stop once the convergence rule is met.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved recipe and its cost, and stop.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a recipe: two networks play against each other until they are done."""
    overrides = _changes(changes, stop_on)
    if bool(target) == bool(resume):
        raise ValueError("`gannet train` takes either a recipe or --resume RUN; `gannet recipes` lists the recipes.")
    if resume and (dry_run or out or start_from):
        raise ValueError("--resume continues a run as it is; leave out --dry-run, --out and --from.")
    if dry_run:
        _show_plan(target, data, overrides, start_from, as_json)
        return
    from gannet.api import train as run_training
    from gannet.runtime.devices import is_first
    from gannet.training.progress import Terminal

    # Under torchrun the first process speaks for all.
    first = is_first()
    with Terminal() if first and not as_json else nullcontext() as shown:
        run = run_training(target, data, out, overrides, start_from, resume, on_progress=shown)
    if first:
        _report(run, as_json)
    if run.ending == "interrupted":
        raise typer.Exit(STOPPED)


def _changes(changes: list[str] | None, stop_on: str) -> dict[str, Any]:
    from gannet.recipe import parse_change

    overrides = dict(parse_change(change) for change in changes or [])
    return overrides | ({"referee.stop_on": stop_on} if stop_on else {})


def _show_plan(target: str, data: str, overrides: dict[str, Any], start_from: str, as_json: bool) -> None:
    from gannet.commands.plan import plan
    from gannet.commands.train import configure, prepare

    found = plan(prepare(configure(target, data, overrides, start_from)))
    _print("train", found.to_json(), found.lines(), as_json)


def _report(run: Any, as_json: bool) -> None:
    from gannet.task import find_task
    from gannet.training.progress import duration

    verdict = run.verdict
    result = {"run": str(run.folder), "ending": run.ending, "verdict": verdict}
    unfinished = run.unfinished
    result |= {"unfinished": list(unfinished)} if unfinished else {}
    said = [verdict["rule"], verdict["diagnosis"], *verdict.get("also", [])] if verdict else []
    lines = [found["words"] for found in said] + ([verdict["advice"]] if verdict else [])
    if run.ending == "interrupted":
        lines = [f"Stopped and saved; continue with: gannet train --resume {run.folder}"]
    else:
        line = list(run.log())[-1]
        seen, seconds = line["images"], line["clock"]["seconds"]
        more = f"--resume {run.folder} --set images={run.planned.images if unfinished else 'N'}"
        lines.append(f"{seen:,} images in {duration(seconds)} of training; more: {more}.")
        if unfinished:
            lines.append(f"Stages of the plan that are not over: {', '.join(unfinished)}.")
        lines.append(f"The run is in {run.folder}, its report in {run.folder / 'report.html'}.")
        if verdict and find_task(run.recipe.task.name).pipeline_class.draws:
            lines.append(f"Use it with: gannet apply {run.folder} --num 64 --out samples.png")
    _print("train", result, lines, as_json)


@app.command()
def apply(
    model: Annotated[str, typer.Argument(help="A run, a model's folder, a shipped model's name, or hf:owner/name.")],
    inputs: Annotated[
        list[str] | None, typer.Argument(help="Photographs to make better: files, folders, patterns.")
    ] = None,
    num: Annotated[int, typer.Option(help="How many samples.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same samples.")] = 0,
    label: Annotated[str, typer.Option("--class", help="Only this class, by name or number.")] = "",
    frames: Annotated[int, typer.Option(help="Pictures from one sample to the next: a walk, an animation.")] = 1,
    weights: Annotated[str, typer.Option(help="model (the last), best, or a stage's name.")] = "model",
    out: Annotated[str, typer.Option(help="A picture (one sheet); a folder, .zip or .parquet (single ones).")] = "",
    engine: Annotated[
        str, typer.Option(help="torch or onnx (single precision), bf16; auto: the fastest of them.")
    ] = "auto",
    strength: Annotated[
        float | None, typer.Option(help="Photographs: 0 is true to pixels, 1 sharp; left out, as the model is.")
    ] = None,
    compare: Annotated[str, typer.Option(help="Photographs: a picture of some before and after.")] = "",
    mask: Annotated[str, typer.Option(help="Photographs: light where something is lost; a file, or a folder.")] = "",
    as_json: Json = False,
) -> None:
    """Use a trained model: draw samples, or make photographs better."""
    from gannet.api import Photographs, Request
    from gannet.api import apply as apply_model
    from gannet.runtime.devices import is_first

    if inputs:
        drawing = {"--num": num != 1, "--seed": seed, "--class": label, "--frames": frames != 1}
        _refuse({**drawing, "--engine": engine != "auto"}, "beside photographs")
        asked = Photographs(tuple(inputs), strength, compare, mask, lambda words: typer.echo(words, err=True))
        try:
            told = apply_model(model, out, asked, weights)
        except KeyboardInterrupt:
            typer.echo(GOES_ON, err=True)
            raise typer.Exit(STOPPED) from None
        lost = [f"Left out: {words}" for words in told["left_out"]]
        _print("apply", told, [f"Saved {told['out']}.", *lost], as_json)
        return
    _refuse({"--strength": strength is not None, "--compare": compare, "--mask": mask}, "without photographs")
    path = Path(out or ("samples.gif" if frames > 1 else "samples.png"))
    facts = apply_model(model, path, Request(num, seed, label or None, frames, engine), weights)
    if is_first():
        _print("apply", {"out": str(path), **facts}, [f"Saved {path}."], as_json)


def _refuse(given: dict[str, Any], where: str) -> None:
    for name in (name for name, there in given.items() if there):
        raise ValueError(f"{name} means nothing {where}; leave it out.")


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="A run, a model's folder, a shipped model's name, or hf:owner/name.")],
    to: Annotated[str, typer.Option(help="The format: onnx.")] = "onnx",
    out: Annotated[str, typer.Option(help="The file; left out, model.onnx.")] = "",
    weights: Annotated[str, typer.Option(help="model (the last), best, or a stage's name.")] = "model",
    as_json: Json = False,
) -> None:
    """Write a model as a file that other programs run, and compare its answers with PyTorch's."""
    from gannet.api import export as export_model

    if to != "onnx":
        raise ValueError(f"There is no format {to!r} to export to; give --to onnx.")
    found = export_model(model, out or "model.onnx", weights)
    inputs = ", ".join(f"{name} {('b', *shape[1:])}".replace("'", "") for name, shape in found.inputs.items())
    result = {"out": str(found.path), "difference": found.difference, "inputs": found.inputs, "count": found.count}
    lines = [
        f"Saved {found.path}; it takes {inputs}.",
        f"ONNX Runtime and PyTorch differ by {found.difference:.2g} at most over {found.count} inputs.",
    ]
    _print("export", result, lines, as_json)


@app.command()
def judge(
    model: Annotated[str, typer.Argument(help="A run, a model's folder, a shipped model's name, or hf:owner/name.")],
    data: Annotated[str, typer.Argument(help="The reals; left out, what the run held out.")] = "",
    num: Annotated[int, typer.Option(help="How many fakes; 0: as many as there are reals.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 0,
    weights: Annotated[str, typer.Option(help="model (the last), best, or a stage's name.")] = "model",
    utility: Annotated[bool, typer.Option("--utility", help="Do the fakes help classifiers? Takes minutes.")] = False,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Judge other generative models beside it; flow matching takes its time.")
    ] = False,
    leaks: Annotated[str, typer.Option(help="Look for augmentations in the fakes: own (the run's), or names.")] = "",
    features: Annotated[str, typer.Option(help="inception or its file (FID), or hf:owner/name; else judge-v1.")] = "",
    as_json: Json = False,
) -> None:
    """Judge a model by real samples that it did not learn from."""
    from gannet.api import Query
    from gannet.api import judge as judge_model
    from gannet.runtime.devices import is_first

    judgement = judge_model(model, data, Query(num, seed, utility, baselines, features, leaks), weights)
    if is_first():
        _print("judge", judgement.to_json(), judgement.lines(), as_json)


@app.command()
def doctor(
    data: Annotated[str, typer.Argument(help="A folder, a zip, .npz, .parquet, idx files, or hf:owner/name.")],
    size: Annotated[int, typer.Option(help="Pixels a side to look at; 0 chooses from the data.")] = 0,
    as_json: Json = False,
) -> None:
    """Examine a data set: sizes, classes, unreadable files, duplicates; and recommend a recipe."""
    from gannet.api import examine

    report = examine(data, size)
    _print("doctor", report.to_json(), report.lines(), as_json)


@app.command()
def augment(
    data: Annotated[str, typer.Argument(help="A folder, a zip, .npz, .parquet, idx files, hf:owner/name, or texts.")],
    out: Annotated[str, typer.Option(help="The new data set, which must not exist: a folder, a .zip, or a table.")],
    times: Annotated[int, typer.Option(help="How many times as large it becomes.")] = 4,
    kinds: Annotated[str, typer.Option(help="auto, all, or names: rotation=15,blur+noise=0.1; in turn.")] = "auto",
    seed: Annotated[int, typer.Option(help="The same seed gives the same copies.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Allow a healthy share of a fifth and less.")] = False,
    text: Annotated[str, typer.Option(help="A table's column of texts.")] = "text",
    label: Annotated[str, typer.Option(help="A table's column of labels, which must be there.")] = "",
    synonyms: Annotated[str, typer.Option(help="A file with a word and its synonyms a line, by tabs.")] = "",
    model: Annotated[str, typer.Option("--with", metavar="RUN", help="Add this run's fakes instead of copies.")] = "",
    keep: Annotated[float, typer.Option(help="The share of fakes kept by the sieve.")] = 0.7,
    sieve: Annotated[str, typer.Option(help="A recognition model; left out, the run's own discriminator.")] = "",
    as_json: Json = False,
) -> None:
    """Make a data set larger by changed copies of its samples: pictures, or texts (.txt, .csv, .tsv)."""
    from gannet.api import Columns, Wish
    from gannet.api import augment as augment_data

    wish = Wish(times, kinds, seed, force, Columns(text, label, synonyms), model, keep, sieve)
    try:
        made = augment_data(data, out, wish)
    except KeyboardInterrupt:
        typer.echo(GOES_ON, err=True)
        raise typer.Exit(STOPPED) from None
    _print("augment", made.to_json(), made.lines(), as_json)


@app.command()
def bench(
    target: Annotated[str, typer.Argument(help="A recipe's name or a YAML file.")] = "images",
    data: Annotated[str, typer.Argument(help="Size and classes count; left out, the recipe's or 32x32.")] = "",
    changes: Annotated[list[str] | None, typer.Option("--set", help="key=value, as --set batch=32.")] = None,
    as_json: Json = False,
) -> None:
    """Measure how fast this machine trains and samples a recipe, and how far that is from its limit."""
    from gannet.commands.bench import bench as measure
    from gannet.commands.bench import prepare_for

    found = measure(prepare_for(target, data, _changes(changes, "")))
    _print("bench", found.to_json(), found.lines(), as_json)


@app.command()
def recipes(as_json: Json = False) -> None:
    """List the recipes that ship with Gannet."""
    from gannet.recipe import load_recipe, preset_names

    found = {name: load_recipe(name).about for name in preset_names()}
    width = max(map(len, found))
    _print("recipes", found, [f"{name:{width}}  {about}" for name, about in found.items()], as_json)


@app.command()
def models(as_json: Json = False) -> None:
    """List the models at hand: shipped ones, those in $GANNET_MODELS, and those of runs/ here."""
    from gannet.api import models as list_models

    found = list_models()
    _print("models", [model.to_json() for model in found], [line for model in found for line in model.lines()], as_json)


def _print(verb: str, result: Any, lines: list[str], as_json: bool) -> None:
    if as_json:
        from gannet import __version__

        typer.echo(json.dumps({"gannet": __version__, "verb": verb, "result": result}, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines))


def main() -> None:
    """Run the command line; the user's mistakes end in one sentence and exit code 2."""
    from gannet.runtime.process import own_process

    own_process()
    try:
        app()
    except (ValueError, OSError) as error:
        words = str(error)
        if isinstance(error, OSError) and error.filename and error.strerror:
            words = f"{error.filename} cannot be used ({error.strerror})."
        typer.echo(f"gannet: {words}", err=True)
        sys.exit(2)
