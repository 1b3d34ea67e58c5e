"""Where institutions, agreements and tranches stand, reckoned from their loans and handed to lending.

Both a posting and a close write standings in their own transaction; decisions lock and read them
(``lending.services.standing``). A sub-loan funded by several tranches counts in each by its share of
the money, rounded down; what is left over counts only with the institution and the agreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from django.db import connection, transaction

from calc.allocation import Source
from calc.classification import Tier
from calc.money import Component
from daybook.selectors import open_business_date
from lending.services.standing import FIGURES, SCOPE, write_standings
from repayments.frames import Scope, Table
from repayments.models import DayRun
from repayments.selectors.measuring import measure_loans

LOANS_AT_ONCE = 20_000
EVERYTHING_BOOKED = 2**63 - 1


@transaction.atomic
def rewrite_standings(*, institution_ids: Sequence[int], as_of: date) -> int:
    """Reckon the standings of institutions afresh from all that is booked; return how many rows.

    Called by a posting at its end, with the open business date. Holds the institutions' standings,
    so that two postings do not overwrite each other with what each of them alone knew.
    """
    ids = sorted(set(institution_ids))
    _lock(ids)
    return _rewrite(ids, as_of)


def write_standings_of_close(run: DayRun) -> None:
    """Write the standings of every institution in a run's snapshots.

    Institutions with a posting on the new business date know more than the run; theirs are reckoned
    afresh instead, as of that date.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT institution_id FROM repayments_arrearssnapshot WHERE business_date = %s",
            [run.business_date],
        )
        ids = sorted(int(institution_id) for (institution_id,) in cursor.fetchall())
    newer = {institution_id for institution_id, as_of in _lock(ids) if as_of > run.business_date}
    settled = [institution_id for institution_id in ids if institution_id not in newer]
    rows = _reckoned(
        _FROM_SNAPSHOTS,
        [run.business_date, settled],
        institution_ids=settled,
        as_of=run.business_date,
        last_booking_id=run.last_booking_id,
    )
    write_standings(rows=rows, as_of=run.business_date)
    if newer:
        _rewrite(sorted(newer), open_business_date())


def _lock(institution_ids: list[int]) -> list[tuple[int, date]]:
    """Hold the standings of institutions, in order; institution and date of each row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT institution_id, as_of FROM lending_standing WHERE institution_id = ANY (%s::bigint[])"
            " ORDER BY institution_id, id FOR NO KEY UPDATE",
            [institution_ids],
        )
        return [(int(institution_id), as_of) for institution_id, as_of in cursor.fetchall()]


def _rewrite(institution_ids: list[int], as_of: date) -> int:
    frames = []
    for institution_id in institution_ids:
        measured = np.concatenate(_measured(institution_id, as_of))
        columns = [
            _as_list(measured, name) for name in ("loan_id", "institution_id", "agreement_id", "currency")
        ]
        overdue = sum(
            measured[f"overdue_{name}_minor"] for name in ("charge", "penal", "interest", "principal")
        )
        columns += [
            (measured["tier"] == Tier.WHOLESALE).tolist(),
            _as_list(measured, "outstanding_minor"),
            np.asarray(overdue).tolist(),
            _as_list(measured, "days_past_due"),
            _as_list(measured, "disbursed_minor"),
        ]
        frames.append(
            _reckoned(
                _FROM_COLUMNS,
                columns,
                institution_ids=[institution_id],
                as_of=as_of,
                last_booking_id=EVERYTHING_BOOKED,
            )
        )
    return write_standings(rows=pd.concat(frames), as_of=as_of) if frames else 0


def _measured(institution_id: int, as_of: date) -> list[Table]:
    """Standings of an institution's loans, measured a good handful at a time to spare memory."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(id), max(id) FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS part"
            "  FROM lending_loan WHERE institution_id = %s) AS numbered GROUP BY part ORDER BY part",
            [LOANS_AT_ONCE, institution_id],
        )
        ranges = cursor.fetchall() or [(0, 0)]
    return [
        measure_loans(
            Scope(first_id=first, last_id=last, institution_id=institution_id),
            as_of=as_of,
            last_booking_id=EVERYTHING_BOOKED,
        ).rows
        for first, last in ranges
    ]


def _as_list(rows: Table, name: str) -> list[Any]:
    return rows[name].tolist()


def _reckoned(
    loans: str, params: list[Any], *, institution_ids: list[int], as_of: date, last_booking_id: int
) -> pd.DataFrame:
    with connection.cursor() as cursor:
        limits: list[Any] = [institution_ids, as_of, last_booking_id]
        cursor.execute(_STANDINGS.format(loans=loans), [*params, *limits, *limits])
        return pd.DataFrame(cursor.fetchall(), columns=[*SCOPE, *FIGURES])


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
  FROM repayments_arrearssnapshot WHERE business_date = %s AND institution_id = ANY (%s::bigint[])
"""
_STANDINGS = f"""
WITH loans (loan_id, institution_id, agreement_id, currency, is_ours, outstanding, overdue, days, disbursed)
    AS MATERIALIZED ({{loans}}),
collected AS MATERIALIZED (
    SELECT loan_id, sum(amount_minor)::bigint AS amount FROM repayments_allocation
     WHERE institution_id = ANY (%s::bigint[]) AND value_date <= %s AND booking_id <= %s
       AND component = {Component.PRINCIPAL:d} AND source IN ({Source.RECEIPT:d}, {Source.ADVANCE:d})
     GROUP BY loan_id
), funded AS MATERIALIZED (
    SELECT loan_id, tranche_id, sum(amount_minor)::bigint AS amount FROM lending_funding
     WHERE institution_id = ANY (%s::bigint[]) AND value_date <= %s AND booking_id <= %s
       AND tranche_id IS NOT NULL
     GROUP BY loan_id, tranche_id HAVING sum(amount_minor) > 0
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
