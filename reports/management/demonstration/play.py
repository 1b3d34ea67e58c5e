"""The demonstration from the first business date to the last, or from where it was interrupted."""

from __future__ import annotations

from datetime import date

from daybook.selectors import open_business_date
from reports.demonstration.cast import Cast
from reports.management.demonstration.closing import Closing
from reports.management.demonstration.office import Office
from reports.management.demonstration.post_room import PostRoom
from reports.management.demonstration.press import Press
from reports.management.demonstration.stage import Stage
from reports.management.demonstration.treasury import Treasury
from reports.management.demonstration.visitors import leave_work, reverse_one


class Play:
    """Runs the business dates in order; every step finds out by itself whether it is done."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.office = Office(stage)
        self.post_room = PostRoom(stage, self.office)
        self.treasury = Treasury(stage)
        self.closing = Closing(stage)
        self.press = Press(stage)

    def run(self) -> None:
        """Play every date that the books have not passed."""
        cast = self.stage.book.cast
        reached = open_business_date()
        for day in cast.business_dates:
            if day >= reached:
                self.play(day, cast)
        with self.stage.timed("closes of day"):
            self.closing.wait()
        with self.stage.timed("statements, the rest of them"):
            self.press.wait()

    def play(self, day: date, cast: Cast) -> None:
        """One business date: files and desks, receipts, then the close, unless it is the last date."""
        is_last = day == cast.business_date
        with self.stage.timed("decisions and tranches"):
            self.office.act(day)
            self._order_statements(day)
        with self.stage.timed("files: sent"):
            self.post_room.send(day, leave=self.homework() if is_last else ())
        with self.stage.timed("wholesale receipts"):
            receipts = self.treasury.post(day)
        with self.stage.timed("files: read, confirmed and posted"):
            self.post_room.see_through()
            self.post_room.send_bad(day)
        with self.stage.timed("decisions and tranches"):
            self.office.submit(day)
            reverse_one(self.stage, day)
            leave_work(self.stage, self.treasury, day)
        files = len(self.stage.book.files_on(day))
        if not is_last:
            with self.stage.timed("closes of day"):
                self.closing.close(day, opening=cast.following(day))
        self.stage.say(
            f"  {day:%d %b %Y}  {files:3} files  {receipts:3} wholesale receipts"
            + ("  open for visitors" if is_last else "  closed")
        )

    def _order_statements(self, day: date) -> None:
        """Once the close of the last month end is through, which the statements are to show."""
        if day > self.stage.book.cast.last_month_end:
            self.closing.wait()
            self.press.order(day)

    def homework(self) -> list[str]:
        """The last file of the first institution: its checker may confirm it in the browser."""
        cast = self.stage.book.cast
        return [
            file.name
            for file in self.stage.book.files_on(cast.business_date)
            if file.player == cast.players[0]
        ]
