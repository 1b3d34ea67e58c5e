"""The site's own settings, in a process that says it is a test (config/environment.py)."""

import os

os.environ["PAIKAR_PROCESS"] = "test"

from config.settings import *  # noqa: F403
