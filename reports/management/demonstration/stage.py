"""What every act of the demonstration needs: the book to be played, the people, and a voice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from partners.models import Institution
from reports.demonstration.book import Book
from reports.management.demonstration.people import People

POLL_SECONDS = 0.08
STALLED_AFTER = 180.0
"""Seconds without any progress of the workers after which the demonstration gives up and says so."""


class CannotPlay(Exception):
    """The demonstration cannot begin or go on; the sentence says why and what to do."""


@dataclass
class Stage:
    """The running demonstration. ``spent`` adds up seconds by what they were spent on."""

    book: Book
    people: People
    institutions: dict[str, Institution]
    say: Callable[[str], None]
    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Add the time the block takes to its account."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.spent[what] = self.spent.get(what, 0.0) + time.monotonic() - started


class Patience:
    """Wait for workers by asking again and again; give up when nothing has changed for a long time."""

    def __init__(self) -> None:
        self._seen: object = None
        self._since = time.monotonic()

    def wait(self, state: object) -> None:
        """Pause before asking again; ``state`` is anything that changes while workers work."""
        now = time.monotonic()
        if state != self._seen:
            self._seen, self._since = state, now
        elif now - self._since > STALLED_AFTER:
            raise CannotPlay(
                f"The workers have done nothing for {STALLED_AFTER:.0f} seconds. Is one running? "
                "`make demo` starts one; run it again and the demonstration goes on from here."
            )
        time.sleep(POLL_SECONDS)
