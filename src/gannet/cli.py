"""The command line: words become calls of the API; nothing else happens here."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from gannet import api
from gannet.runtime.process import let_go_of_output, own_process
from gannet.runtime.signals import Left, exit_code, leaving
from gannet.runtime.wording import plain, sentence

app = typer.Typer(
    name="gannet",
    help="Train, judge and apply adversarial models (GANs) on your own data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key; repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
INCOMPLETE = 3
"""The exit code where some of what was given was left out."""
RUNS = {"onnx": (".onnx", "ONNX Runtime"), "spandrel": (".safetensors", "spandrel")}
"""The ending of what is exported to a format, and what runs it."""
GOES_ON = "Stopped; the same command goes on where it stood."


@app.callback(invoke_without_command=True)
def main_options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Train, judge and apply adversarial models (GANs) on your own data."""
    if version:
        from gannet import __version__

        typer.echo(f"gannet {__version__}")
        raise typer.Exit()


@app.command(cls=api.schema_command(lambda: api.TrainOptions.model_json_schema()))
def train(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="A recipe's name (see `gannet recipes`) or a YAML file.")] = "",
    data: Annotated[str, typer.Argument(help="What to learn from; left out, the recipe's own data.")] = "",
    out: Annotated[str, typer.Option(help="The run's folder; it must not exist yet.")] = "",
    changes: Set = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved recipe and its cost, and stop.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a recipe: two networks play against each other until they are done.

    While it trains, a line says how far it is, how near the samples are to the data, and the fool rate: the share of
    fakes that the discriminator takes for real.
    """
    asked = api.TrainOptions(**context.obj)
    overrides = _changes(changes) | ({"referee.stop_on": asked.stop_on} if asked.stop_on else {})
    if bool(target) == bool(asked.resume):
        raise ValueError("`gannet train` takes either a recipe or --resume RUN; `gannet recipes` lists the recipes.")
    if asked.resume and (dry_run or out or asked.start_from):
        raise ValueError("--resume continues a run as it is; leave out --dry-run, --out and --from.")
    if dry_run:
        found = api.plan(target, data, overrides, asked.start_from)
        _print("train", found.to_json(), found.lines(), as_json)
        return
    with _shown("Training", as_json) as shown:
        run = api.train(target, data, out, overrides, asked.start_from, asked.resume, on_progress=shown)
    # Under torchrun the first process speaks for all. The run is saved, whether or not its end can be told.
    with suppress(OSError):
        if api.is_first():
            _print("train", *api.summarize(run), as_json)
    if run.ending == "interrupted":
        raise typer.Exit(exit_code(run.signal or signal.SIGINT))


def _changes(changes: list[str] | None) -> dict[str, object]:
    return dict(api.parse_change(change) for change in changes or [])


def _shown(title: str, as_json: bool) -> Any:
    """A progress line, where somebody reads: not beside JSON, and of several processes the first one's."""
    return api.Terminal(title) if api.is_first() and not as_json else nullcontext()


@app.command(cls=api.ModelCommand, epilog="`gannet apply MODEL --help` lists the options of that model as well.")
def apply(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(help="A run, a model's folder, a shipped model's name, hf:owner/name, or a network's file.")
    ],
    inputs: Annotated[
        list[str] | None, typer.Argument(help="What to use it on: files, folders, patterns; nothing for a generator.")
    ] = None,
    out: Annotated[
        str, typer.Option(help="A file; or a folder, .zip or .parquet of several; left out, a name is chosen.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Use a trained model: make samples from nothing, or something of given files."""
    with _going_on(), _shown("Applying", as_json) as shown:
        applied = api.apply(model, *inputs or (), out=out, on_progress=shown, **context.obj)
    if api.is_first():
        _print("apply", applied.to_json(), applied.lines(), as_json)
    if applied.left_out:
        raise typer.Exit(INCOMPLETE)


@app.command(cls=api.schema_command(lambda: api.ExploreOptions.model_json_schema()))
def explore(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A run, a model's folder, a shipped model's name, or hf:owner/name.")],
    out: Annotated[
        str, typer.Option(help=".gif, .webp or .mp4 move, .png is a sheet; or a folder; left out, a name is chosen.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Look around in what a generator of pictures can draw: between seeds, along directions, nearest to a picture."""
    options = api.ExploreOptions(**context.obj)
    with _shown("Exploring", as_json) as shown:
        found = api.explore(model, out, options, on_progress=shown)
    _print("explore", found.to_json(), found.lines(), as_json)


@app.command(cls=api.schema_command(lambda: api.ExportOptions.model_json_schema()))
def export(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A run, a model's folder, a shipped model's name, or hf:owner/name.")],
    out: Annotated[str, typer.Option(help="The file; left out, model.onnx or model.safetensors.")] = "",
    as_json: Json = False,
) -> None:
    """Write a model as a file that other programs run, and compare its answers with PyTorch's."""
    to = context.obj.get("to", "onnx")
    if to not in RUNS:
        raise ValueError(f"There is no format {to!r} to export to; give --to {' or --to '.join(RUNS)}.")
    ending, program = RUNS[to]
    with _shown("Exporting", as_json) as shown:
        found = api.export(model, out or f"model{ending}", options=api.ExportOptions(**context.obj), on_progress=shown)
    inputs = ", ".join(f"{name} {('b', *shape[1:])}".replace("'", "") for name, shape in found.inputs.items())
    result = {"out": str(found.path), "difference": found.difference, "inputs": found.inputs, "count": found.count}
    lines = [
        f"Saved {found.path}; it takes {inputs}.",
        f"{program} and PyTorch differ by {found.difference:.2g} at most over {found.count} inputs.",
    ]
    _print("export", result, lines, as_json)


@app.command(cls=api.schema_command(lambda: api.AverageOptions.model_json_schema()))
def average(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="A run that was trained with average.widths.")],
    as_json: Json = False,
) -> None:
    """Average a run's weights as widely as is asked, or as the judge likes best, and save them beside the run's own."""
    options = api.AverageOptions(**context.obj)
    with _shown("Averaging", as_json) as shown:
        made = api.average(run, options, on_progress=shown)
    _print("average", made.to_json(), made.lines(), as_json)


@app.command(cls=api.schema_command(lambda: api.JudgeOptions.model_json_schema()))
def judge(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A run, a model's folder, a shipped model's name, or hf:owner/name.")],
    data: Annotated[str, typer.Argument(help="The reals; left out, what the run held out.")] = "",
    weights: Annotated[str, typer.Option(help="model (the last), best, a stage, average-WIDTH.")] = "model",
    as_json: Json = False,
) -> None:
    """Judge a model by real samples that it did not learn from."""
    query = api.JudgeOptions(**context.obj)
    with _shown("Judging", as_json) as shown:
        judgement = api.judge(model, data, query, weights, on_progress=shown)
    if api.is_first():
        _print("judge", judgement.to_json(), judgement.printed(), as_json)


@app.command(cls=api.schema_command(lambda: api.DoctorOptions.model_json_schema()))
def doctor(
    context: typer.Context,
    data: Annotated[str, typer.Argument(help="A folder, a zip, .npz, .npy, .parquet, idx files, or hf:owner/name.")],
    as_json: Json = False,
) -> None:
    """Examine a data set: sizes, classes, unreadable files, duplicates; and recommend a recipe."""
    with _shown("Examining", as_json) as shown:
        report = api.doctor(data, api.DoctorOptions(**context.obj), on_progress=shown)
    _print("doctor", report.to_json(), report.lines(), as_json)


@app.command(cls=api.schema_command(lambda: api.AugmentOptions.model_json_schema()))
def augment(
    context: typer.Context,
    data: Annotated[
        str, typer.Argument(help="A folder, a zip, .npz, .npy, .parquet, idx files, hf:owner/name, or texts.")
    ],
    out: Annotated[str, typer.Option(help="The new data set, which must not exist: a folder, a .zip, or a table.")],
    as_json: Json = False,
) -> None:
    """Make a data set larger by changed copies of its samples: pictures, or texts (.txt, .csv, .tsv)."""
    wish = api.AugmentOptions(**context.obj)
    with _going_on(), _shown("Augmenting", as_json) as shown:
        made = api.augment(data, out, wish, on_progress=shown)
    _print("augment", made.to_json(), made.lines(), as_json)
    if made.left_out:
        raise typer.Exit(INCOMPLETE)


@app.command(cls=api.schema_command(lambda: api.BenchOptions.model_json_schema()))
def bench(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="A recipe's name or a YAML file.")] = "images",
    data: Annotated[str, typer.Argument(help="Size and classes count; left out, the recipe's or 32x32.")] = "",
    changes: Annotated[list[str] | None, typer.Option("--set", help="key=value, as --set batch=32.")] = None,
    as_json: Json = False,
) -> None:
    """Measure how fast this machine trains and samples a recipe, and how far that is from its limit."""
    with _shown("Measuring", as_json) as shown:
        found = api.bench(target, data, _changes(changes), api.BenchOptions(**context.obj), on_progress=shown)
    _print("bench", found.to_json(), found.lines(), as_json)


@app.command("help")
def show_help(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="[VERB]", help="A verb, and a model of apply's.")] = None,
) -> None:
    """Show what there is, or the help of a verb."""
    app([*(words or ()), "--help"], prog_name=context.find_root().info_name, standalone_mode=False)


@app.command()
def recipes(
    name: Annotated[str, typer.Argument(help="Tell the keys of this one: type, range, meaning, default.")] = "",
    as_json: Json = False,
) -> None:
    """List the recipes that ship with Gannet and with installed packages, or the keys of one."""
    if name:
        keys = api.keys(name)
        _print("recipes", [key.to_json() for key in keys], [line for key in keys for line in key.lines()], as_json)
        return
    found = api.recipes()
    width = max(map(len, found))
    _print("recipes", found, [f"{name:{width}}  {about}" for name, about in found.items()], as_json)


@app.command()
def models(
    name: Annotated[str, typer.Argument(help="A model, whose card is printed.")] = "", as_json: Json = False
) -> None:
    """List the models at hand: shipped ones, those in $GANNET_MODELS, and those of runs/ here; or print one's card."""
    if name:
        card = api.card(name)
        _print("models", card, [card], as_json)
        return
    found = api.models()
    _print("models", [model.to_json() for model in found], [line for model in found for line in model.lines()], as_json)


@app.command()
def studio(
    port: Annotated[int, typer.Option(help="Where to listen; 0: a free port.")] = 7860,
    runs: Annotated[str, typer.Option(help="The folder of runs, which the page may show and add to.")] = "runs",
    data: Annotated[str, typer.Option(help="The folder below which the page may name data.")] = ".",
    share_on_network: Annotated[
        bool, typer.Option("--share-on-network", help="Let other machines in, with --password.")
    ] = False,
    password: Annotated[str, typer.Option(help="What whoever comes over the network must know.")] = "",
) -> None:
    """Open a page on this machine to use, train and judge models by looking."""
    from gannet.studio.server import serve

    serve(runs, data, port, share_on_network, password, lambda words: _print("studio", None, [words], False))


@contextmanager
def _going_on() -> Iterator[None]:
    """Say of a verb that is stopped that the same command goes on with it."""
    try:
        yield
    except Left as left:
        left.words = GOES_ON
        raise


def _print(verb: str, result: Any, lines: list[str], as_json: bool) -> None:
    if as_json:
        from gannet import __version__

        lines = [json.dumps({"gannet": __version__, "verb": verb, "result": result}, ensure_ascii=False)]
    with suppress(BrokenPipeError):  # Whoever read has read enough.
        if lines:
            typer.echo(plain("\n".join(lines)))


def main() -> None:
    """Run the command line; the user's mistakes end in one short sentence and exit code 2."""
    own_process()
    try:
        with leaving():
            code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except Left as left:
        _complain(left.words)
        sys.exit(exit_code(left.number))
    except Exception as error:
        if not (words := _mistake(error)):
            raise
        _complain(f"gannet: {words}")
        sys.exit(2)
    finally:
        let_go_of_output()


TOO_MUCH = {
    RecursionError: "is nested too deeply to be worked on",
    OverflowError: "holds a number that is too large to be worked on",
    MemoryError: "needs more memory than there is: lower batch or sizes, or give less at once",
}
"""What is wrong with what was given, where nobody below says it better."""


def _mistake(error: Exception) -> str:
    """Say what the user did wrong, in a sentence; nothing where it is a defect of ours."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The standard output'} cannot be used ({error.strerror})."
    if isinstance(error, ValueError | OSError):
        return str(error)
    if hasattr(error, "format_message"):  # Words that are no command, of which the parser tells.
        verb = getattr(getattr(error, "ctx", None), "command_path", "gannet")
        words = error.format_message() or "Say what to do"
        return f"{words if words.endswith('?') else words.rstrip('.') + ';'} `{verb} --help` lists what there is."
    out_of_memory = isinstance(error, RuntimeError) and "allocate memory" in str(error)  # PyTorch's has no type.
    kind = MemoryError if out_of_memory else type(error)
    wrong = next((words for one, words in TOO_MUCH.items() if issubclass(kind, one)), "")
    return f"{_given()} {wrong}." if wrong else ""


def _given() -> str:
    """Name the files among the words of the command line."""
    files = []
    for word in sys.argv[1:]:
        with suppress(OSError, ValueError):
            files += [word] if Path(word).exists() else []
    return " or ".join(files) or "What was given"


def _complain(words: str) -> None:
    with suppress(OSError):
        typer.echo(sentence(words), err=True)
