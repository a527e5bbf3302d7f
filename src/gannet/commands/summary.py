"""What is said of a run that training left."""

from collections.abc import Mapping
from typing import Any

from gannet.pipelines.hub import goes_on, has_learned
from gannet.runs.folder import Run
from gannet.runs.standing import standing
from gannet.runtime.wording import duration
from gannet.task import find_task


def summarize(run: Run) -> tuple[dict[str, Any], list[str]]:
    """Say how a run ended, as plain data and in words: verdict, advice, length, and what to do next."""
    verdict, unfinished = run.verdict, run.unfinished
    result = {"run": str(run.folder), "ending": run.ending, "verdict": verdict}
    result |= {"unfinished": list(unfinished)} if unfinished else {}
    near = standing(run.folder)
    result["nearness"] = {"state": near.state, "words": near.words}
    if run.ending == "interrupted":
        if not has_learned(run.folder):
            return result, [
                f"Stopped before the first round was over, so it has not learned yet; {goes_on(run.folder)}"
            ]
        return result, [near.words, f"Stopped and saved; continue with: gannet train --resume {run.folder}"]
    if run.over:  # Whoever watched was told so; how it ended was said when it did.
        return result, []
    lines = [near.words, *_of_the_game(verdict)]
    line = list(run.log())[-1]
    seen, seconds = line["images"], line["clock"]["seconds"]
    more = f"--resume {run.folder} --set images={run.planned.images if unfinished else 'N'}"
    plural = next(iter(find_task(run.recipe.task.name).media(run.recipe).values())).plural
    lines.append(f"{seen:,} {plural} in {duration(seconds)} of training; more: {more}.")
    if unfinished:
        lines.append(f"Stages of the plan that are not over: {', '.join(unfinished)}.")
    lines.append(f"The run is in {run.folder}, its report in {run.folder / 'report.html'}.")
    if verdict and not find_task(run.recipe.task.name).pipeline_class.inputs:
        lines.append(f"Use it with: gannet apply {run.folder} --num 64 --out samples.png")
    return result, lines


def _of_the_game(verdict: Mapping[str, Any]) -> list[str]:
    """The diagnosis with its advice; the rule, which says nothing of the samples, comes last."""
    if not verdict:
        return []
    game = f"Of the game: {verdict['diagnosis']['words']} {verdict['advice']}"
    others = [f"Besides: {found['words']}" for found in verdict.get("also", [])]
    return [game, *others, f"The convergence rule: {verdict['rule']['words']}"]
