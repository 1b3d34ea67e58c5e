#!/usr/bin/env python
"""Django's command line. Chooses the database login by what the command is for (docs/decisions/0001)."""

import os
import sys

# Commands that change tables connect as their owner; those that stand in for the web as the web; all else
# (the demonstration, imports, closes) works for everybody, like a Celery worker.
OWNER_COMMANDS = {
    "migrate",
    "sqlmigrate",
    "showmigrations",
    "makemigrations",
    "flush",
    "dbshell",
    "createcachetable",
}
WEB_COMMANDS = {"runserver", "check", "collectstatic", "testserver"}


def process_of(command: str) -> str:
    """Name the kind of process a manage.py command is."""
    if command in OWNER_COMMANDS:
        return "owner"
    return "web" if command in WEB_COMMANDS else "worker"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("PAIKAR_PROCESS", process_of(sys.argv[1] if len(sys.argv) > 1 else ""))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
