"""The studio's process: gradio behind a guard, on this machine alone unless a password is set."""

import os
import socket
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gannet import api
from gannet.studio.settings import PORT, Settings, check_sharing
from gannet.studio.sweeping import swept, workplace
from gannet.studio.words import languages

QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_TELEMETRY": "1",
    "GRADIO_MCP_SERVER": "False",
    "GRADIO_SSR_MODE": "False",
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
}
"""What keeps gradio and what it brings from telling others of us, and from a table of all calls, made anew after each,
for a page that we do not serve; set before it is imported.
"""
IDLE = 75
"""Seconds that a connection stays open between two requests: a busy client may take more than uvicorn's five."""
MODELS = 4
"""That stay loaded: someone who paints, someone who compares two, and one to spare."""
OWNER = "gannet"
"""The name to go with the password."""


def serve(
    runs: str = "runs",
    data: str = ".",
    port: int = PORT,
    share_on_network: bool = False,
    password: str = "",
    started: Callable[[str], None] = print,
) -> None:
    """Serve the page until the process is asked to leave.

    Args:
        runs: the folder of runs.
        data: the folder below which the page may name data.
        port: to listen on; 0: a free one.
        share_on_network: whether other machines may reach it, with `password`.
        started: is told the page's address.

    Raises:
        ValueError: gradio is missing, the port is taken, or there is no password to share with.
    """
    password = check_sharing(share_on_network, password)
    if not Path(data).is_dir():
        raise ValueError(f"There is no folder {data} of data; give --data a folder that is there.")
    if find_spec("gradio") is None:
        raise ValueError("`gannet studio` needs gradio; install it with: pip install 'gannet[studio]'.")
    with workplace() as work:
        (work / "files").mkdir()
        settings = Settings(Path(runs).resolve(), Path(data).resolve(), work, port, password)
        os.environ.update({**QUIET, "GRADIO_TEMP_DIR": str(work / "files")})
        listening = _listen(settings)
        api.keep_loaded(MODELS)
        with swept(settings):
            _run(application(settings), listening, settings, started)


def _listen(settings: Settings) -> socket.socket:
    """Take the port; ValueError where another program has it."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise ValueError(f"Port {settings.port} cannot be used ({error}); give another --port.") from None
    return listening


def application(settings: Settings) -> Any:
    """Build the ASGI application: the page in every language, behind the guard."""
    import gradio as gr
    from fastapi import FastAPI

    from gannet.studio import look, page
    from gannet.studio.bounds import LARGEST_UPLOAD
    from gannet.studio.front import Front, path_of
    from gannet.studio.guard import Guard
    from gannet.studio.jobs import Jobs

    app, jobs = FastAPI(openapi_url=None, docs_url=None, redoc_url=None), Jobs(settings)
    for language in reversed(languages()):  # English, at the root, answers what no other did.
        blocks = page.build(settings, jobs, language)
        gr.mount_gradio_app(
            app,
            blocks,
            path=path_of(language).rstrip("/"),
            auth=(OWNER, settings.password) if settings.password else None,
            allowed_paths=[],
            blocked_paths=[],
            show_error=True,
            max_file_size=LARGEST_UPLOAD,
            footer_links=["api", "settings"],
            run_history=False,
            enable_monitoring=False,
            pwa=False,
            ssr_mode=False,
            mcp_server=False,
            theme=look.theme(),
            css=look.style(),
        )
        blocks.has_launched = True  # Before that, gradio would take the path of any file for an uploaded one.
    return Guard(Front(app), local=not settings.password)


def _run(app: Any, listening: socket.socket, settings: Settings, started: Callable[[str], None]) -> None:
    import uvicorn

    port = listening.getsockname()[1]
    started(f"The studio is at http://{'127.0.0.1' if not settings.password else socket.gethostname()}:{port}")
    given: dict[str, Any] = {"log_level": "error", "access_log": False, "timeout_graceful_shutdown": 2}
    server = uvicorn.Server(uvicorn.Config(app, timeout_keep_alive=IDLE, **given))
    server.run(sockets=[listening])
