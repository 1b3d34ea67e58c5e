"""How gunicorn runs the site: ``gunicorn --config python:config.gunicorn config.wsgi``.

Its processes share what they count through files, so that /metrics tells the whole site, whichever
process answers. The files of an earlier run are removed: counts begin at nought with the site.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess

from config.environment import VAR_DIR

_FOLDER = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(VAR_DIR / "metrics")))

timeout = 120
control_socket_disable = True


def on_starting(_server: Any) -> None:
    """Begin counting anew."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)


def child_exit(_server: Any, worker: Any) -> None:
    """Take a process that has ended out of what is counted of living ones."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
