"""Start, stop and prepare the database. Rules live in config/cluster.py, roles.py and grants.py."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from config import cluster, grants, roles
from config.environment import LOGIN_OF, database_url, uses_own_cluster


class Command(BaseCommand):
    """``manage.py database ACTION``: see the help of each action."""

    help = "Start, stop and prepare the database (its own cluster under var/ unless DATABASE_URL is set)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("start", help="start the cluster under var/ and leave it running")
        actions.add_parser("stop", help="stop the cluster under var/")
        actions.add_parser("prepare", help="create roles and database where missing")
        actions.add_parser("grants", help="set every role's rights (after migrate)")
        actions.add_parser("setup", help="start, prepare, migrate, grants: everything, safe to repeat")
        url = actions.add_parser("url", help="print the address for a kind of process")
        url.add_argument("kind", nargs="?", default="web", choices=sorted(LOGIN_OF))
        run = actions.add_parser(
            "run", help="run a command with the cluster up; stop it after, if we started it"
        )
        run.add_argument("command", nargs=argparse.REMAINDER)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except (cluster.CannotStartDatabase, roles.CannotPrepareDatabase) as error:
            raise CommandError(str(error)) from error

    def _start(self, options: dict[str, Any]) -> None:
        if not uses_own_cluster():
            self.stdout.write("DATABASE_URL is set; its server is not ours to start.")
            return
        started = cluster.start()
        cluster.keep_running()
        self.stdout.write("PostgreSQL started." if started else "PostgreSQL is already running.")

    def _stop(self, options: dict[str, Any]) -> None:
        if not uses_own_cluster():
            self.stdout.write("DATABASE_URL is set; its server is not ours to stop.")
            return
        self.stdout.write("PostgreSQL stopped." if cluster.stop() else "PostgreSQL was not running.")

    def _prepare(self, options: dict[str, Any]) -> None:
        for line in roles.prepare() or ["roles and database are there"]:
            self.stdout.write(line)

    def _grants(self, options: dict[str, Any]) -> None:
        if os.environ.get("PAIKAR_PROCESS") != "owner":
            self._as_owner("database", "grants")
            return
        with transaction.atomic():
            count = grants.apply()
        self.stdout.write(f"rights set on {count} tables")
        for name in grants.unguarded():
            self.stderr.write(
                f"warning: {name} has institution_id but no row-level security; partners get no right"
            )

    def _setup(self, options: dict[str, Any]) -> None:
        if uses_own_cluster():
            cluster.start()
        for line in roles.prepare():
            self.stdout.write(line)
        self._as_owner("migrate", "--no-input", "-v", str(options["verbosity"]))
        self._as_owner("database", "grants")

    def _url(self, options: dict[str, Any]) -> None:
        self.stdout.write(database_url(options["kind"]))

    def _run(self, options: dict[str, Any]) -> None:
        command = [word for word in options["command"] if word != "--"]
        if not command:
            raise CommandError("database run needs a command, as in: database run pytest")
        if not uses_own_cluster():
            sys.exit(_call(command))
        with cluster.in_use():
            status = _call(command)
        sys.exit(status)

    def _as_owner(self, *arguments: str) -> None:
        """Run a manage.py command as the owner of the tables, which this process is not."""
        done = subprocess.run(
            [sys.executable, sys.argv[0], *arguments],
            env=os.environ | {"PAIKAR_PROCESS": "owner"},
            check=False,
        )
        if done.returncode:
            raise CommandError(f"`manage.py {' '.join(arguments)}` failed", returncode=done.returncode)


def _call(command: list[str]) -> int:
    """Run a command to its end. Ctrl-C reaches it from the terminal; we wait for it, then clean up."""
    ours = {"PAIKAR_PROCESS", "DJANGO_SETTINGS_MODULE"}  # set by manage.py for itself
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    with subprocess.Popen(command, env=environment) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue
