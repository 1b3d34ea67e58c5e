"""``manage.py bench``: time the close of day on generated books, each in a database of its own.

    bench                          10,000 and 100,000 loans
    bench --loans 1000             another size; give several for several books
    bench --keep                   leave the databases, paikar_bench_N, for a look

The books are made by the database (config/bench/books.py); nothing of the real ones is read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import psycopg2
from django.core.management.base import BaseCommand, CommandError, CommandParser
from psycopg2 import sql

from config import roles
from config.bench.books import generate, generate_second_day
from config.bench.timing import measure
from config.environment import Process, database_url

SIZES = [10_000, 100_000]
MIB = 1024 * 1024


class Command(BaseCommand):
    help = "Time the close of day against its floor on generated books."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loans", type=int, nargs="+", default=SIZES)
        parser.add_argument("--keep", action="store_true", help="leave the generated databases")
        parser.add_argument("--inside", action="store_true", help="measure the database this process names")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["inside"]:
            self._inside(options["loans"][0])
            return
        figures = [self._book(loans, keep=options["keep"]) for loans in options["loans"]]
        self._print(figures)

    def _book(self, loans: int, *, keep: bool) -> dict[str, Any]:
        """Make a book of so many loans in a database of its own and measure it there."""
        name = f"paikar_bench_{loans}"
        environment = os.environ | {
            "DATABASE_URL": _url("web", name),
            "DATABASE_WORKER_URL": _url("worker", name),
            "DATABASE_OWNER_URL": _url("owner", name),
            "DATABASE_ADMIN_URL": _url("admin", name),
        }
        admin = roles.connect(database_url("admin"), database="postgres")
        try:
            _drop(admin, name)
            roles.create_database(admin, name)
            _manage(environment, "owner", "migrate", "-v", "0")
            _manage(environment, "owner", "database", "grants")
            self.stderr.write(f"Making a book of {loans:,} loans…")
            with_admin = roles.connect(_url("admin", name), database=name)
            generate(with_admin, loans=loans)
            with_admin.close()
            return json.loads(_manage(environment, "worker", "bench", "--inside", "--loans", str(loans)))
        finally:
            if not keep:
                _drop(admin, name)
            admin.close()

    def _inside(self, loans: int) -> None:
        def second_day() -> None:
            admin = psycopg2.connect(os.environ["DATABASE_ADMIN_URL"])
            generate_second_day(admin)
            admin.commit()
            admin.close()

        self.stdout.write(json.dumps(measure(loans=loans, second_day=second_day, say=self.stderr.write)))

    def _print(self, figures: list[dict[str, Any]]) -> None:
        for row in figures:
            self.stdout.write(
                f"{row['loans']:>10,} loans, {row['dues']:,} dues, {row['allocations']:,} allocations: "
                f"close {row['close']:.2f} s ({row['loans'] / row['close']:,.0f} loans a second), "
                f"floor {row['floor']:.2f} s (read {row['floor_read']:.2f}, write {row['floor_write']:.2f}), "
                f"ratio {row['ratio']:.2f}; the first close of the book {row['first_close']:.2f} s; "
                f"peak memory {row['peak_memory'] / MIB:,.0f} MiB"
            )


def _url(kind: Process, name: str) -> str:
    """The address of a database beside the books, for a kind of process."""
    base, _mark, query = database_url(kind).partition("?")
    return base.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")


def _drop(admin: Any, name: str) -> None:
    with admin.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _manage(environment: dict[str, str], process: Process, *arguments: str) -> str:
    """Run a manage.py command on the generated database; what it prints, or ``CommandError``."""
    done = subprocess.run(
        [sys.executable, sys.argv[0], *arguments],
        env=environment | {"PAIKAR_PROCESS": process},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"`manage.py {' '.join(arguments)}` failed.")
    return done.stdout
