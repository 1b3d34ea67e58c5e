"""Where institutions, agreements and tranches stand, reckoned from their loans and handed to lending.

Both a posting and a close write standings in their own transaction; decisions lock and read them
(``lending.services.standing``). A sub-loan funded by several tranches counts in each by its share of
the money, rounded down; what is left over counts only with the institution and the agreement.

A close reckons every loan from its snapshots and keeps what the sub-loans come to (``StandingBase``).
A posting does not reckon an institution's whole book again: it takes that base, less the snapshots of
the sub-loans touched since, plus those sub-loans as they now are. Nothing is added to what an earlier
posting wrote, so nothing can drift; the next close reckons all of it anew. Wholesale loans are few and
are always measured afresh. docs/decisions/0020 says what this leaves until the night.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection, transaction

from calc.classification import Tier
from daybook.selectors import open_business_date
from lending.models import Loan
from lending.models import Tier as LoanTier
from lending.services.standing import FIGURES, SCOPE, write_standings
from repayments.frames import Scope, Table
from repayments.models import DayRun, StandingBase
from repayments.selectors.measuring import measure_loans
from repayments.selectors.shares import SUBLOAN_FIGURES, come_to
from repayments.selectors.standings import read_snapshot

LOANS_AT_ONCE = 20_000
EVERYTHING_BOOKED = 2**63 - 1
_FINISHED = (DayRun.State.CLOSED, DayRun.State.EXCEPTIONS)


@transaction.atomic
def rewrite_standings(*, institution_ids: Sequence[int], as_of: date) -> int:
    """Reckon the standings of institutions from all that is booked; return how many rows.

    Called by a posting at its end, with the open business date. Holds the institutions' standings,
    so that two postings do not overwrite each other with what each of them alone knew.
    """
    ids = sorted(set(institution_ids))
    _lock(ids)
    run = DayRun.objects.filter(state__in=_FINISHED).order_by("-business_date").first()
    has_snapshots = run is not None and run.kept == DayRun.Kept.DAILY
    return _rewrite(ids, as_of, run if has_snapshots else None)


def subloans_of_slice(run: DayRun, rows: Table, scope: Scope) -> pd.DataFrame:
    """What the sub-loans among a slice's standings come to, for ``add_to_base``."""
    theirs = rows[rows["tier"] == Tier.SUBLOAN]
    return come_to(theirs, scope, as_of=run.business_date, last_booking_id=run.last_booking_id)


def add_to_base(run: DayRun, found: pd.DataFrame) -> None:
    """Add what a slice's sub-loans come to to the base of its run.

    The caller holds the run's row lock: slices meet on the rows of their institutions.
    """
    scopes = [
        [None if pd.isna(key) else key for key in found[name].astype(object).tolist()] for name in SCOPE
    ]
    figures = [found[name].tolist() for name in SUBLOAN_FIGURES]
    with connection.cursor() as cursor:
        cursor.execute(_ADD_TO_BASE, [run.pk, *scopes, *figures])


def write_standings_of_close(run: DayRun) -> None:
    """Write the standings of every institution in a run's snapshots: its base and its wholesale loans.

    Institutions with a posting on the new business date know more than the run; theirs are reckoned
    from the run and what was touched since instead, as of that date.
    """
    base = pd.DataFrame(StandingBase.objects.filter(run=run).values(*SCOPE, *SUBLOAN_FIGURES))
    rows = _added_up([base, _wholesale_at_close(run)])
    ids = sorted({int(institution_id) for institution_id in rows["institution_id"]})
    newer = {institution_id for institution_id, as_of in _lock(ids) if as_of > run.business_date}
    StandingBase.objects.exclude(run=run).delete()
    write_standings(rows=rows[~rows["institution_id"].isin(newer)], as_of=run.business_date)
    if newer:
        _rewrite(sorted(newer), open_business_date(), run)


def _wholesale_at_close(run: DayRun) -> pd.DataFrame:
    """What the wholesale loans came to in the snapshots of a close; they are few."""
    ids = Loan.objects.filter(tier=LoanTier.WHOLESALE).order_by("pk").values_list("pk", flat=True)
    scope = Scope.of_loans(list(ids))
    rows = read_snapshot(run.business_date, scope)
    return come_to(rows, scope, as_of=run.business_date, last_booking_id=run.last_booking_id)


def _added_up(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Figures of the same scope in one row; the worst of the days past due."""
    whole = pd.concat([part for part in frames if len(part)] or list(frames))
    named = whole.reindex(columns=[*SCOPE, *FIGURES]).fillna(dict.fromkeys(FIGURES, 0))
    named = named.astype(dict.fromkeys(SCOPE[:3], "Int64") | dict.fromkeys(FIGURES, "int64"))
    how = {name: "max" if name == "days_past_due" else "sum" for name in FIGURES}
    return named.groupby(list(SCOPE), dropna=False, as_index=False).agg(how)


@contextmanager
def whole_sets(cursor: Any) -> Iterator[None]:
    """For queries over all of a book: the planner knows nothing yet of a day just written, takes it for
    a handful of rows, and must not join a million of them one by one, nor fetch them by an index's order."""
    cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_incremental_sort = off")
    yield
    cursor.execute("SET LOCAL enable_nestloop = on; SET LOCAL enable_incremental_sort = on")


def _lock(institution_ids: list[int]) -> list[tuple[int, date]]:
    """Hold the standings of institutions, in order; institution and date of each row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT institution_id, as_of FROM lending_standing WHERE institution_id = ANY (%s::bigint[])"
            " ORDER BY institution_id, id FOR NO KEY UPDATE",
            [institution_ids],
        )
        return [(int(institution_id), as_of) for institution_id, as_of in cursor.fetchall()]


def _rewrite(institution_ids: list[int], as_of: date, run: DayRun | None) -> int:
    frames = []
    for institution_id in institution_ids:
        touched = _touched(institution_id, as_of, run)
        parts = [_reckoned_afresh(touched, as_of)]
        if run is not None:
            base = StandingBase.objects.filter(run=run, institution_id=institution_id)
            parts += [
                pd.DataFrame(base.values(*SCOPE, *SUBLOAN_FIGURES)),
                _negated(_as_at_close(institution_id, touched, run)),
            ]
        frames.append(_added_up(parts))
    return write_standings(rows=pd.concat(frames), as_of=as_of) if frames else 0


def _touched(institution_id: int, as_of: date, run: DayRun | None) -> npt.NDArray[np.int64]:
    """An institution's wholesale loans, and its sub-loans with a fact booked, or lent, since a close."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TOUCHED,
            {
                "institution": institution_id,
                "as_of": as_of,
                "day": run.business_date if run else date.min,
                "known": run.last_booking_id if run else 0,
            },
        )
        return np.array([loan_id for (loan_id,) in cursor.fetchall()], dtype=np.int64)


def _reckoned_afresh(loan_ids: npt.NDArray[np.int64], as_of: date) -> pd.DataFrame:
    """What loans come to now, measured a good handful at a time to spare memory."""
    tables: list[Table] = []
    for start in range(0, max(len(loan_ids), 1), LOANS_AT_ONCE):
        part = loan_ids[start : start + LOANS_AT_ONCE]
        scope = Scope(loan_ids=part, first_id=int(part.min(initial=0)), last_id=int(part.max(initial=0)))
        tables.append(measure_loans(scope, as_of=as_of, last_booking_id=EVERYTHING_BOOKED).rows)
    measured = np.concatenate(tables)
    return come_to(measured, Scope.of_loans(loan_ids), as_of=as_of, last_booking_id=EVERYTHING_BOOKED)


def _as_at_close(institution_id: int, loan_ids: npt.NDArray[np.int64], run: DayRun) -> pd.DataFrame:
    """What sub-loans came to in the base of a close."""
    scope = Scope(loan_ids=loan_ids, institution_id=institution_id)
    return subloans_of_slice(run, read_snapshot(run.business_date, scope), scope)[[*SCOPE, *SUBLOAN_FIGURES]]


def _negated(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{name: -rows[name] for name in SUBLOAN_FIGURES})


_TOUCHED = f"""
SELECT id FROM lending_loan WHERE institution_id = %(institution)s AND tier = '{LoanTier.WHOLESALE.value}'
   AND disbursed_date <= %(as_of)s
UNION
SELECT l.id FROM lending_loan l
 WHERE l.institution_id = %(institution)s AND l.disbursed_date <= %(as_of)s
   AND (l.booking_id > %(known)s OR l.disbursed_date > %(day)s
        OR l.id IN (SELECT loan_id FROM lending_due
                     WHERE booking_id > %(known)s AND institution_id = %(institution)s
                    UNION ALL SELECT loan_id FROM lending_schedule
                     WHERE booking_id > %(known)s AND institution_id = %(institution)s
                    UNION ALL SELECT loan_id FROM lending_funding
                     WHERE booking_id > %(known)s AND institution_id = %(institution)s
                    UNION ALL SELECT loan_id FROM repayments_allocation
                     WHERE booking_id > %(known)s AND institution_id = %(institution)s))
 ORDER BY id
"""

_ADD_TO_BASE = f"""
INSERT INTO repayments_standingbase (run_id, {", ".join(SCOPE)}, {", ".join(SUBLOAN_FIGURES)})
SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::varchar[],
    {", ".join(["%s::bigint[]"] * len(SUBLOAN_FIGURES))})
ON CONFLICT ON CONSTRAINT standing_base_once DO UPDATE SET
    {", ".join(f"{name} = repayments_standingbase.{name} + excluded.{name}" for name in SUBLOAN_FIGURES)}
"""
