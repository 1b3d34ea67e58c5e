"""``manage.py demo``: the whole life of a credit-wholesaling programme, played on real parts."""

from __future__ import annotations

import fcntl
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from daybook.selectors import open_business_date
from reports.demonstration.book import draw_book
from reports.demonstration.cast import FULL_CAST, Cast, small_cast
from reports.management.demonstration.opening import FINISH, is_marked, mark, set_stage
from reports.management.demonstration.outcome import compare
from reports.management.demonstration.play import Play
from reports.management.demonstration.stage import CannotPlay, Stage
from reports.management.demonstration.telling import (
    CannotAgree,
    headline,
    tell_comparison,
    tell_counts,
    tell_logins,
    tell_times,
)

SMALL = small_cast(players=("BRAC", "SONALI"), last_month_end=date(2024, 10, 31), days=2)


class Command(BaseCommand):
    """Plays the demonstration through the services and the workers that `manage.py serve` keeps running.

    A second run finds it done and only tells about it; an interrupted one goes on where it stopped.
    """

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--small", action="store_true", help="two institutions, eight months, few borrowers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _interrupt)
        cast, name = (SMALL, "small") if options["small"] else (FULL_CAST, "full")
        folder = Path(settings.VAR_DIR) / "demonstration"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with _alone(folder / "lock"):
                self._run(cast, name, folder)
        except (CannotPlay, CannotAgree) as refusal:
            raise CommandError(str(refusal)) from refusal
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. Nothing is lost: run it again and it goes on from here."
            ) from None

    def _run(self, cast: Cast, name: str, folder: Path) -> None:
        started = time.monotonic()
        book = draw_book(cast)
        stage = set_stage(book_=book, cast_name=name, folder=folder, say=self._say)
        stage.spent["drawing the book and opening the books"] = time.monotonic() - started
        play = Play(stage)
        if is_marked(FINISH, name):
            self._say("The demonstration has been played; this is what it did.")
            tell_counts(stage)
        else:
            self._say(
                f"Playing {len(book.loans):,} sub-loans in {len(book.files)} files"
                f" of {len(cast.players)} institutions."
            )
            play.run()
            tell_counts(stage)
            self._compare(stage, play)
            mark(FINISH, name)
        tell_times(stage, time.monotonic() - started)
        tell_logins(stage)
        self._say("")
        self._say(headline(open_business_date()))

    @staticmethod
    def _compare(stage: Stage, play: Play) -> None:
        """Found against planted; the loaders never saw the answer key."""
        with stage.timed("found against planted"):
            found = compare(stage, play.post_room, waiting=play.homework())
        tell_comparison(stage, found)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One demonstration at a time; the lock goes with the process. Raises ``CannotPlay``."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotPlay("A demonstration is running already.") from None
        yield


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
