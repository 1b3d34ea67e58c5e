"""``manage.py bench``: time the close of day on generated books, each in a database of its own.

    bench                          10,000, 100,000 and 1,000,000 loans; two worker processes, then one
    bench --loans 1000 --workers 2 another size, other numbers of workers; give several for several
    bench --schedules 100000       building so many schedules against writing them, and nothing else
    bench --keep                   leave the databases, paikar_bench_N; a later bench goes on with them
    bench --make --keep            make the books, or bring kept ones up to date, and measure nothing

A bench that was stopped leaves its database too, and the next one goes on where it was: the book is made
and closed in steps that each commit. Every measurement closes one more day of the book. The books are made
by the database (config/bench/books.py); nothing of the real ones is read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from psycopg2 import sql

from config import roles
from config.bench.books import generate
from config.bench.schedules import measure_schedules
from config.bench.timing import measure, prepare
from config.bench.worker import serve
from config.environment import Process, database_url

SIZES = [10_000, 100_000, 1_000_000]
WORKERS = [2, 1]
MIB = 1024 * 1024


class Command(BaseCommand):
    help = "Time the close of day against its floor on generated books."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loans", type=int, nargs="+", default=SIZES)
        parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
        parser.add_argument("--keep", action="store_true", help="leave the generated databases")
        parser.add_argument("--make", action="store_true", help="make or renew the books, measure nothing")
        parser.add_argument("--inside", action="store_true", help="measure the database this process names")
        parser.add_argument("--schedules", type=int, help="time building so many schedules, and no close")
        parser.add_argument("--worker", action="store_true", help="be a worker of a measurement")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["worker"]:
            serve(sys.stdin, sys.stdout)
        elif options["schedules"] and options["inside"]:
            measure_schedules(loans=options["schedules"], say=self.stdout.write)
        elif count := options["schedules"]:
            schedules = ("bench", "--inside", "--schedules", str(count))
            self.stdout.write(_manage(dict(os.environ), "owner", *schedules))
        elif options["inside"]:
            self._inside([] if options["make"] else options["workers"])
        else:
            rows: list[dict[str, Any]] = []
            for loans in options["loans"]:
                rows += self._book(loans, options)
            if rows:
                self.stdout.write(_table(rows))

    def _book(self, loans: int, options: dict[str, Any]) -> list[dict[str, Any]]:
        """Make, or go on with, a book of so many loans in a database of its own and measure it there."""
        name = f"paikar_bench_{loans}"
        environment = os.environ | {
            "DATABASE_URL": _url("web", name),
            "DATABASE_WORKER_URL": _url("worker", name),
            "DATABASE_OWNER_URL": _url("owner", name),
            "DATABASE_ADMIN_URL": _url("admin", name),
        }
        with _connected(database_url("admin"), "postgres") as admin:
            roles.create_database(admin, name)
            _manage(environment, "owner", "migrate", "-v", "0")
            _manage(environment, "owner", "database", "grants")
            self.stderr.write(f"A book of {loans:,} loans")
            with _connected(_url("admin", name), name) as inside:
                generate(inside, loans=loans, say=self.stderr.write)
            numbers = [str(number) for number in options["workers"]]
            make = ["--make"] if options["make"] else []
            said = _manage(environment, "worker", "bench", "--inside", *make, "--workers", *numbers)
            if not options["keep"]:
                with admin.cursor() as cursor:
                    cursor.execute(
                        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                    )
        self.stdout.write(said)
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def _inside(self, workers: list[int]) -> None:
        with _connected(os.environ["DATABASE_ADMIN_URL"], "") as admin:
            prepare(workers=max(workers, default=os.cpu_count() or 1), say=self.stderr.write)
            for number in workers:
                self.stdout.write(_line(measure(workers=number, admin=admin, say=self.stderr.write)))


def _line(row: dict[str, Any]) -> str:
    memory = " and ".join(f"{size / MIB:,.0f}" for size in row["memory"])
    return (
        f"{row['loans']:,} loans, {row['dues']:,} dues, {row['allocations']:,} settlements, "
        f"{row['workers']} worker(s): close {row['close']:.1f} s "
        f"({row['loans'] / row['close']:,.0f} a second, {1e6 * row['close'] / row['loans']:.0f} µs a loan;"
        f" rolling and cutting {row['start']:.1f} s), "
        f"floor {row['floor']:.1f} s (read {row['floor_read']:.1f}, write {row['floor_write']:.1f}), "
        f"ratio {row['ratio']:.2f}; as of a year back {row['as_of_year']:.1f} s "
        f"({row['as_of_year'] / row['floor']:.2f} of the floor), a month back {row['as_of_month']:.1f} s "
        f"({row['as_of_month'] / row['floor']:.2f}); memory {memory} MiB; the workers' own processor time"
        f" {row['processor']:.1f} s; load before {row['load']:.1f}\n{json.dumps(row)}"
    )


def _table(rows: list[dict[str, Any]]) -> str:
    """All that was measured, as docs/benchmarks.md shows it."""
    headings = (
        "loans", "dues", "settlements", "workers", "close", "loans a second", "floor (read + write)", "ratio",
        "as of a year back", "as of a month back", "most memory of a worker", "load before",
    )  # fmt: skip
    lines = [f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
    lines += [
        f"| {row['loans']:,} | {row['dues']:,} | {row['allocations']:,} | {row['workers']}"
        f" | {row['close']:.1f} s | {row['loans'] / row['close']:,.0f}"
        f" | {row['floor']:.1f} s ({row['floor_read']:.1f} + {row['floor_write']:.1f}) | {row['ratio']:.2f}"
        f" | {row['as_of_year']:.1f} s, {row['as_of_year'] / row['floor']:.1f} × floor"
        f" | {row['as_of_month']:.1f} s, {row['as_of_month'] / row['floor']:.1f} × floor"
        f" | {max(row['memory']) / MIB:,.0f} MiB | {row['load']:.1f} |"
        for row in rows
    ]
    return "\n".join(lines)


def _url(kind: Process, name: str) -> str:
    """The address of a database beside the books, for a kind of process."""
    base, _mark, query = database_url(kind).partition("?")
    return base.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")


@contextmanager
def _connected(url: str, database: str) -> Iterator[Any]:
    opened = roles.connect(url, database=database)
    try:
        yield opened
    finally:
        opened.close()


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
