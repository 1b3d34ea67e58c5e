"""At the end: what was done, counted in the books; found against planted; who may sign in."""

from __future__ import annotations

from datetime import date

from django.db import connection

from calc.money import from_minor
from daybook.formats import crore, number
from repayments.models import DayRun
from reports.management.demonstration.opening import SIGN_IN_AT
from reports.management.demonstration.outcome import Comparison
from reports.management.demonstration.people import FOUNDATION, INSTITUTION
from reports.management.demonstration.post_room import rows_by_state
from reports.management.demonstration.press import Press
from reports.management.demonstration.stage import Stage

SHOWN = 20


class CannotAgree(Exception):
    """What was found in the files is not what was planted; the sentences name the rows."""


def tell_counts(stage: Stage) -> None:
    """What stands in the books, tier by tier."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM lending_agreement), (SELECT count(*) FROM lending_application),
                   (SELECT count(*) FROM lending_facility),
                   (SELECT count(*) FROM lending_tranche WHERE state = 'disbursed'),
                   (SELECT coalesce(sum(principal_minor), 0) FROM lending_loan WHERE tier = 'wholesale'),
                   (SELECT count(*) FROM lending_loan WHERE tier = 'subloan'),
                   (SELECT coalesce(sum(principal_minor), 0) FROM lending_loan WHERE tier = 'subloan'),
                   (SELECT count(*) FROM repayments_receipt WHERE tier = 'subloan'),
                   (SELECT count(*) FROM repayments_receipt WHERE tier = 'wholesale'),
                   (SELECT count(*) FROM repayments_upload)
            """
        )
        row = [int(value) for value in cursor.fetchone()]
    agreements, applications, facilities, tranches, drawn, loans, lent, paid, repaid, uploads = row
    states = ", ".join(f"{number(count)} {state}" for state, count in sorted(rows_by_state().items()))
    closes = DayRun.objects.filter(state__in=[DayRun.State.CLOSED, DayRun.State.EXCEPTIONS]).count()
    run = Press(stage).run()
    stage.say("")
    stage.say("What was done")
    for what, figure in (
        ("agreements", f"{agreements}, each drafted and approved by two people"),
        ("applications", f"{applications}, of which {facilities} sanctioned"),
        ("tranches disbursed", f"{tranches}, Tk {crore(from_minor(drawn))}"),
        ("sub-loans", f"{number(loans)}, Tk {crore(from_minor(lent))}"),
        ("receipts", f"{number(paid)} on sub-loans, {number(repaid)} on tranches"),
        ("files uploaded", f"{number(uploads)}; rows: {states}"),
        ("closes of day", str(closes)),
        ("statements", f"{run.done_count} PDFs in one file" if run else "none"),
    ):
        stage.say(f"  {what:20} {figure}")


def tell_comparison(stage: Stage, found: Comparison) -> None:
    """Found against planted, row by row and file by file. Raises ``CannotAgree``."""
    stage.say(
        f"  {'mistakes':20} {found.found} found of {found.planted} planted in {number(found.rows)} rows"
        f" of {found.files} files; {found.bad_found} of {found.bad_files} bad files turned away"
    )
    if found.differences:
        shown = "\n  ".join(str(difference) for difference in found.differences[:SHOWN])
        raise CannotAgree(f"{len(found.differences)} differences from the answer key:\n  {shown}")


def tell_logins(stage: Stage) -> None:
    """One login for each role, and a second institution's, to see that neither sees the other's books."""
    codes = [player.code.lower() for player in stage.book.cast.players[:SIGN_IN_AT]]
    shown = [username for username, *_ in FOUNDATION]
    shown += [f"{code}.{title}" for code in codes for title, *_ in INSTITUTION]
    stage.say("")
    stage.say("Sign in as")
    for username in shown:
        user = stage.people[username]
        roles = ", ".join(str(membership.get_role_display()) for membership in user.memberships.all())
        stage.say(f"  {username:16} {stage.people.passwords[username]:16} {roles}")
    stage.say("  These stand in var/demonstration/logins.json, too.")


def tell_times(stage: Stage, seconds: float) -> None:
    """Where the time went."""
    stage.say("")
    stage.say("Time")
    for what, spent in stage.spent.items():
        stage.say(f"  {spent:6.1f} s  {what}")
    stage.say(f"  {seconds:6.1f} s  in all")


def headline(reached: date) -> str:
    """One line that says the demonstration is over."""
    return f"The books stand at {reached:%d %B %Y}, a working day left open for you."
