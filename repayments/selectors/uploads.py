"""Read uploads: what stands in each state, rows for a page, loans to choose from, what a month expects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from lending.models import Loan
from partners.models import User
from repayments.models import Upload, UploadRow


@dataclass(frozen=True, slots=True)
class StateSum:
    """How many rows stand in a state, and what their readable amounts come to (poisha)."""

    state: str
    count: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """What a sub-loan is to pay by the end of a month, in poisha; oldest account first."""

    number: str
    account: str
    borrower: str
    due_minor: int
    overdue_minor: int


def uploads() -> QuerySet[Upload]:
    """All uploads the reader may see, newest first, with names and counts, without the files themselves.

    Names come by subquery: a joined user the reader may not see would hide the upload.
    """
    rows = UploadRow.objects.filter(upload=OuterRef("pk")).order_by().values("upload")
    count = rows.annotate(n=Count("pk")).values("n")
    good = rows.filter(state__in=["ready", "posted"])
    return (
        Upload.objects.defer("content")
        .select_related("institution")
        .annotate(
            sender=_name("made_by"),
            confirmer=_name("confirmed_by"),
            row_count=Coalesce(Subquery(count, output_field=IntegerField()), 0),
            good_count=Coalesce(
                Subquery(good.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0
            ),
            good_minor=Subquery(good.annotate(s=Sum("amount_minor")).values("s")),
        )
        .order_by("-pk")
    )


def _name(field: str) -> Any:
    return Coalesce(Subquery(User.objects.filter(pk=OuterRef(field)).values("full_name")), Subquery(
        User.objects.filter(pk=OuterRef(field)).values("username")))  # fmt: skip


def sums_by_state(upload: Upload) -> list[StateSum]:
    """One entry for each state that has rows, in the order of the states' list."""
    found = {
        state: StateSum(state, count, amount or 0)
        for state, count, amount in upload.rows.order_by()
        .values_list("state")
        .annotate(Count("pk"), Sum("amount_minor"))
    }
    return [found[state] for state in UploadRow.State.values if state in found]


def loans_to_choose(*, institution_id: int, loan_ids: list[int]) -> QuerySet[Loan]:
    """Loans of one institution, for a person to pick the one a row means."""
    return (
        Loan.objects.filter(institution_id=institution_id, pk__in=loan_ids)
        .select_related("enterprise")
        .prefetch_related("parties__person", "identifiers")
        .order_by("disbursed_date", "pk")
    )


_EXPECTED = """
WITH due AS (
    SELECT d.loan_id,
           coalesce(sum(d.amount_minor) FILTER (WHERE d.late_date >= %(first)s), 0) AS this_month,
           sum(d.amount_minor) AS until_now
      FROM lending_due d JOIN lending_loan l ON l.id = d.loan_id
     WHERE l.institution_id = %(institution)s AND l.tier = 'subloan' AND d.late_date <= %(last)s
       AND d.effective_date <= %(last)s AND d.component <> 7  -- what was written off is not asked for
     GROUP BY d.loan_id
), settled AS (
    SELECT a.loan_id, sum(a.amount_minor) AS paid
      FROM repayments_allocation a JOIN lending_loan l ON l.id = a.loan_id
     WHERE l.institution_id = %(institution)s AND l.tier = 'subloan' AND a.component <> 7
     GROUP BY a.loan_id
)
SELECT l.number,
       coalesce((SELECT i.value FROM lending_loanidentifier i WHERE i.loan_id = l.id AND i.kind = 'account'
                  ORDER BY i.from_date DESC, i.id DESC LIMIT 1), ''),
       coalesce((SELECT p.name FROM lending_loanparty lp JOIN lending_person p ON p.id = lp.person_id
                  WHERE lp.loan_id = l.id AND lp.role = 'borrower' ORDER BY lp.id LIMIT 1), e.name, ''),
       least(due.this_month, due.until_now - coalesce(settled.paid, 0)),
       greatest(due.until_now - coalesce(settled.paid, 0) - due.this_month, 0)
  FROM due
  JOIN lending_loan l ON l.id = due.loan_id
  LEFT JOIN settled ON settled.loan_id = l.id
  LEFT JOIN lending_enterprise e ON e.id = l.enterprise_id
 WHERE due.until_now > coalesce(settled.paid, 0)
 ORDER BY 2, 1
"""


def expected_rows(*, institution_id: int, first: date, last: date) -> list[ExpectedRow]:
    """Every sub-loan that has something to pay by the end of a month, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPECTED, {"institution": institution_id, "first": first, "last": last})
        return [
            ExpectedRow(number, account, name, int(due), int(over))
            for number, account, name, due, over in cursor.fetchall()
        ]
