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

from calc.allocation import Source
from calc.classification import Tier
from calc.money import Component
from daybook.columns import insert_columns
from daybook.selectors import open_business_date
from lending.models import Tier as LoanTier
from lending.services.standing import FIGURES, SCOPE, write_standings
from repayments.frames import Scope, Table
from repayments.models import DayRun, StandingBase
from repayments.selectors.measuring import measure_loans

LOANS_AT_ONCE = 20_000
EVERYTHING_BOOKED = 2**63 - 1
SUBLOAN_FIGURES = tuple(name for name in FIGURES if name.startswith(("on_lent", "subloan")))
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


def write_standings_of_close(run: DayRun) -> None:
    """Write the standings of every institution in a run's snapshots, and keep what its sub-loans come to.

    Institutions with a posting on the new business date know more than the run; theirs are reckoned
    from the run and what was touched since instead, as of that date.
    """
    with connection.cursor() as cursor, whole_sets(cursor):
        rows = _reckoned(cursor, _FROM_SNAPSHOTS, [run.business_date], run.business_date, run.last_booking_id)
    ids = sorted({int(institution_id) for institution_id in rows["institution_id"]})
    newer = {institution_id for institution_id, as_of in _lock(ids) if as_of > run.business_date}
    _keep_base(run, rows)
    write_standings(rows=rows[~rows["institution_id"].isin(newer)], as_of=run.business_date)
    if newer:
        _rewrite(sorted(newer), open_business_date(), run)


@contextmanager
def whole_sets(cursor: Any) -> Iterator[None]:
    """For queries over all of a book: the planner knows nothing yet of a day just written, takes it for
    a handful of rows, and must not join a million of them one by one."""
    cursor.execute("SET LOCAL enable_nestloop = off")
    yield
    cursor.execute("SET LOCAL enable_nestloop = on")


def _lock(institution_ids: list[int]) -> list[tuple[int, date]]:
    """Hold the standings of institutions, in order; institution and date of each row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT institution_id, as_of FROM lending_standing WHERE institution_id = ANY (%s::bigint[])"
            " ORDER BY institution_id, id FOR NO KEY UPDATE",
            [institution_ids],
        )
        return [(int(institution_id), as_of) for institution_id, as_of in cursor.fetchall()]


def _keep_base(run: DayRun, rows: pd.DataFrame) -> None:
    """Keep what the sub-loans of each scope come to at this close, in place of the close before."""
    StandingBase.objects.exclude(run=run).delete()
    kept = rows[(rows[list(SUBLOAN_FIGURES)] != 0).any(axis=1)]
    if len(kept):
        columns: dict[str, Any] = {name: kept[name].astype("int64").to_numpy() for name in SUBLOAN_FIGURES}
        for name in SCOPE:
            column = kept[name].astype(object)
            columns[name] = column.where(column.notna(), None).tolist()
        insert_columns(StandingBase._meta.db_table, columns | {"run_id": [run.pk] * len(kept)})


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
        whole = pd.concat([part for part in parts if len(part)] or parts)
        named = whole.reindex(columns=[*SCOPE, *FIGURES]).fillna(dict.fromkeys(FIGURES, 0))
        frames.append(
            named.groupby(list(SCOPE), dropna=False, as_index=False).agg(
                {name: "max" if name == "days_past_due" else "sum" for name in FIGURES}
            )
        )
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
    overdue = sum(measured[f"overdue_{name}_minor"] for name in ("charge", "penal", "interest", "principal"))
    columns = [_as_list(measured, name) for name in ("loan_id", "institution_id", "agreement_id", "currency")]
    columns += [
        (measured["tier"] == Tier.WHOLESALE).tolist(),
        _as_list(measured, "outstanding_minor"),
        np.asarray(overdue).tolist(),
        _as_list(measured, "days_past_due"),
        _as_list(measured, "disbursed_minor"),
    ]
    with connection.cursor() as cursor:
        return _reckoned(cursor, _FROM_COLUMNS, columns, as_of, EVERYTHING_BOOKED)


def _as_at_close(institution_id: int, loan_ids: npt.NDArray[np.int64], run: DayRun) -> pd.DataFrame:
    """What sub-loans came to in the base of a close."""
    with connection.cursor() as cursor:
        return _reckoned(
            cursor,
            f"{_FROM_SNAPSHOTS} AND institution_id = %s AND loan_id = ANY (%s::bigint[]) AND tier = %s",
            [run.business_date, institution_id, loan_ids.tolist(), LoanTier.SUBLOAN.value],
            run.business_date,
            run.last_booking_id,
        )[[*SCOPE, *SUBLOAN_FIGURES]]


def _negated(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{name: -rows[name] for name in SUBLOAN_FIGURES})


def _as_list(rows: Table, name: str) -> list[Any]:
    return rows[name].tolist()


def _reckoned(cursor: Any, loans: str, params: list[Any], as_of: date, last_booking_id: int) -> pd.DataFrame:
    limits: list[Any] = [as_of, last_booking_id]
    cursor.execute(_STANDINGS.format(loans=loans), [*params, *limits * 3])
    return pd.DataFrame(cursor.fetchall(), columns=[*SCOPE, *FIGURES])


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

_CURRENCY = "chr(c >> 16) || chr((c >> 8) & 255) || chr(c & 255)"
_FROM_COLUMNS = f"""
SELECT loan_id, institution_id, agreement_id, {_CURRENCY}, is_ours, outstanding, overdue, days, disbursed
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::integer[], %s::boolean[], %s::bigint[],
      %s::bigint[], %s::integer[], %s::bigint[])
      AS u (loan_id, institution_id, agreement_id, c, is_ours, outstanding, overdue, days, disbursed)
"""
_FROM_SNAPSHOTS = """
SELECT loan_id, institution_id, agreement_id, currency, tier = 'wholesale', outstanding_minor,
       overdue_charge_minor + overdue_penal_minor + overdue_interest_minor + overdue_principal_minor,
       days_past_due, disbursed_minor
  FROM repayments_arrearssnapshot WHERE business_date = %s
"""
_STANDINGS = f"""
WITH loans (loan_id, institution_id, agreement_id, currency, is_ours, outstanding, overdue, days, disbursed)
    AS MATERIALIZED ({{loans}}),
funded AS MATERIALIZED (
    SELECT loan_id, f.tranche_id, sum(f.amount_minor)::bigint AS amount
      FROM lending_funding f JOIN loans USING (loan_id)
     WHERE f.value_date <= %s AND f.booking_id <= %s AND f.tranche_id IS NOT NULL
     GROUP BY loan_id, f.tranche_id HAVING sum(f.amount_minor) > 0
), otherwise AS MATERIALIZED (   -- principal that came to the plan, or went from it, without money
    SELECT loan_id, sum(amount)::bigint AS amount
      FROM (SELECT s.loan_id, s.capitalised_minor + s.transferred_minor AS amount FROM lending_schedule s
             WHERE s.effective_date <= %s AND s.booking_id <= %s
               AND (s.capitalised_minor <> 0 OR s.added_minor <> 0 OR s.transferred_minor <> 0)
            UNION ALL
            SELECT a.loan_id, -a.amount_minor FROM repayments_allocation a
             WHERE a.value_date <= %s AND a.booking_id <= %s AND a.component = {Component.PRINCIPAL:d}
               AND a.source >= {Source.WAIVER:d}) either
      JOIN loans USING (loan_id)
     GROUP BY loan_id
), collected AS MATERIALIZED (
    SELECT loan_id, l.disbursed - l.outstanding + coalesce(o.amount, 0) AS amount
      FROM loans l LEFT JOIN otherwise o USING (loan_id)
), shares AS (
    SELECT l.loan_id, l.institution_id, l.agreement_id, l.currency, f.tranche_id, l.days, f.amount AS on_lent,
           floor(coalesce(c.amount, 0)::numeric * f.amount / l.disbursed)::bigint AS collected,
           floor(l.outstanding::numeric * f.amount / l.disbursed)::bigint AS outstanding
      FROM loans l JOIN funded f USING (loan_id) LEFT JOIN collected c USING (loan_id)
     WHERE NOT l.is_ours
), parts (institution_id, agreement_id, tranche_id, currency, {", ".join(FIGURES)}) AS (
    SELECT l.institution_id, l.agreement_id, w.tranche_id, l.currency, l.disbursed, coalesce(c.amount, 0),
           l.outstanding, l.overdue, l.days, 0, 0, 0, 0
      FROM loans l JOIN lending_loan w ON w.id = l.loan_id LEFT JOIN collected c ON c.loan_id = l.loan_id
     WHERE l.is_ours
    UNION ALL
    SELECT institution_id, agreement_id, tranche_id, currency, 0, 0, 0, 0, 0, on_lent, collected, outstanding,
           CASE WHEN days > 30 THEN outstanding ELSE 0 END
      FROM shares
    UNION ALL
    SELECT l.institution_id, l.agreement_id, NULL, l.currency, 0, 0, 0, 0, 0, 0, 0,
           l.outstanding - coalesce(s.outstanding, 0),
           CASE WHEN l.days > 30 THEN l.outstanding - coalesce(s.outstanding, 0) ELSE 0 END
      FROM loans l
      LEFT JOIN (SELECT loan_id, sum(outstanding) AS outstanding FROM shares GROUP BY loan_id) s
          USING (loan_id)
     WHERE NOT l.is_ours
)
SELECT institution_id, CASE WHEN GROUPING(agreement_id) = 0 THEN agreement_id END,
       CASE WHEN GROUPING(tranche_id) = 0 THEN tranche_id END, currency,
       {", ".join(f"{'max' if name == 'days_past_due' else 'sum'}({name})::bigint" for name in FIGURES)}
  FROM parts
 GROUP BY GROUPING SETS ((institution_id, currency), (institution_id, agreement_id, currency),
                         (institution_id, agreement_id, tranche_id, currency))
HAVING GROUPING(tranche_id) = 1 OR tranche_id IS NOT NULL
"""
