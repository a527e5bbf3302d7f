"""Judge: a model against real samples."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from gannet import api
from gannet.studio import actions, bounds, data_fields, work
from gannet.studio.forms import Form
from gannet.studio.places import listed, progress, results_field, said_field, stop_work, told
from gannet.studio.settings import Settings
from gannet.studio.words import say


def build(settings: Settings, language: str) -> None:
    """Build the tab."""
    form = Form.of_schema(api.JudgeOptions.model_json_schema())
    model = gr.Dropdown(
        list(bounds.models_by_name(settings)), label=say(language, "judge.model"), elem_id="judge-model"
    )
    gr.Markdown(say(language, "judge.about"))
    data = data_fields.draw(settings, language, "judge")
    with gr.Accordion(say(language, "use.options"), open=False):
        asked = form.draw(language)
    with gr.Row():
        start = gr.Button(say(language, "judge.start"), variant="primary", elem_id="judge-start")
        stop = gr.Button(say(language, "stop"), variant="stop")
    status = gr.HTML(elem_id="judge-status")
    file, said = results_field(say(language, "judge.file"), "judge-file"), said_field(language)

    def judge(request: gr.Request, name: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        try:
            given = data_fields.chosen(values[: len(data)], settings)
            with actions.workplace(settings) as place:
                words, call = actions.judge(name, given, form.changed(values[len(data) :]), place, settings)
                for step in work.watch(str(request.session_hash), call):
                    if step.result is None:
                        yield progress(step, language), gr.skip(), told(words)
                    else:
                        lines, found = step.result
                        yield listed(lines, language), gr.File([str(found)], visible=True), told(words)
        except Exception as error:
            yield "", gr.skip(), gr.skip()  # It waits no more.
            raise work.mistake(error) from None

    start.click(
        judge,
        [model, *data, *asked],
        [status, file, said],
        api_visibility="private",
        concurrency_id="work",
        concurrency_limit=8,
        show_progress="hidden",
    )
    stop.click(stop_work, None, None, api_visibility="private")
