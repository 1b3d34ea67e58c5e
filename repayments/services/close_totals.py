"""The end of a close: do the books add up, where does every institution stand, is the day closed?

The control totals come from the facts by one query over what was booked, or came into its date,
since the close before, found by index; the closing figures come from the snapshots. So two
independent routes must meet: opening + disbursed + raised + capitalised − settled − reduced −
written off = closing, per tier, institution, currency and component.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from calc.allocation import Source
from calc.money import Component
from repayments.models import ControlTotal, DayRun
from repayments.selectors.fingerprints import combined
from repayments.services.standings import whole_sets, write_standings_of_close

FLOWS = ("disbursed", "raised", "capitalised", "settled", "reduced", "written_off", "earlier_periods")


def finish_run(run: DayRun) -> None:
    """Check the control totals of a run whose slices are all written, write the standings, close the run.

    The caller holds the run's row lock. Totals that do not balance make the run FAILED, with the
    differences in ``error``; nothing is hidden by rounding or carried over.
    """
    carried, without_policy = run.carried_count, run.without_policy_count
    totals = control_totals(run)
    wrong = [total for total in totals if _difference(total)]
    missing = run.loan_count - run.computed_count - carried
    if wrong or missing:
        run.state = DayRun.State.FAILED
        run.error = "\n".join(
            [f"{missing} loans are neither computed nor carried."] * bool(missing)
            + [_sentence(t) for t in wrong]
        )
    else:
        ControlTotal.objects.bulk_create(totals)
        run.checksum = combined(
            (bytes(part) for part in run.slices.values_list("checksum", flat=True)), loans=run.loan_count
        )
        write_standings_of_close(run)
        has_exceptions = bool(carried or without_policy)
        run.state = DayRun.State.EXCEPTIONS if has_exceptions else DayRun.State.CLOSED
    DayRun.objects.filter(pk=run.pk).update(
        state=run.state, error=run.error, checksum=run.checksum, finished_at=Now()
    )
    run.refresh_from_db()


def control_totals(run: DayRun) -> list[ControlTotal]:
    """The control totals of a run, not saved: opening from the close before, flows from facts, closing
    from the snapshots."""
    before = (
        DayRun.objects.filter(
            state__in=[DayRun.State.CLOSED, DayRun.State.EXCEPTIONS], business_date__lt=run.business_date
        )
        .order_by("-business_date")
        .first()
    )
    params: dict[str, Any] = {
        "run": run.pk,
        "day": run.business_date,
        "known": run.last_booking_id,
        "before": before.pk if before else 0,
        "day_before": before.business_date if before else date.min,
        "known_before": before.last_booking_id if before else 0,
    }
    with connection.cursor() as cursor, whole_sets(cursor):
        cursor.execute(_TOTALS, params)
        return [_total(run, row) for row in cursor.fetchall()]


def _total(run: DayRun, row: Sequence[Any]) -> ControlTotal:
    tier, institution_id, currency, component, opening, closing, *flows = row
    return ControlTotal(
        run=run,
        tier=tier,
        institution_id=institution_id,
        currency=currency,
        component=component,
        opening_minor=opening,
        closing_minor=closing,
        **{f"{name}_minor": int(amount) for name, amount in zip(FLOWS, flows, strict=True)},
    )


def _difference(total: ControlTotal) -> int:
    """What the flows leave unexplained, in minor units."""
    grown = total.opening_minor + total.disbursed_minor + total.raised_minor + total.capitalised_minor
    return grown - total.settled_minor - total.reduced_minor - total.written_off_minor - total.closing_minor


def _sentence(total: ControlTotal) -> str:
    component = Component(total.component).name.lower()
    return (
        f"{total.get_tier_display()}, institution {total.institution_id}, {total.currency}, {component}: "
        f"opening and flows differ from closing by {_difference(total)} minor units."
    )


# When a due begins to count in the totals; the words of index lending_due_counts_on.
_COUNTS_ON = f"""CASE WHEN component = {Component.PRINCIPAL:d} THEN effective_date
                      ELSE greatest(effective_date, late_date) END"""

# Facts counted at this close and not at the one before. The two sets are nested, so a fact is new when it
# was booked since, or was known and came into its date since: two ranges of an index each, never a scan.
# A loan that the close before could not compute (FAILED) counts from its own last computed close; one that
# this close could not compute has no flows, its figures being those of the close before.
# Overdue parts moved into a new plan change their name, not the claim: the TRANSFER rows that settle them
# and the principal the new version opens them as meet in "capitalised", which sums to zero over components.
# A refund no advance covers is owed like a charge. What was written off (RECOVERY) is a memo and not counted.
_TOTALS = f"""
WITH carried AS MATERIALIZED (
    SELECT loan_id FROM repayments_arrearssnapshot WHERE business_date = %(day)s AND state = 'failed'
), looked_back (id, day_before, known_before) AS MATERIALIZED (   -- whose older facts may be new now
    SELECT f.loan_id, coalesce(r.business_date, '-infinity'::date), coalesce(r.last_booking_id, 0)
      FROM repayments_arrearssnapshot f
      LEFT JOIN LATERAL (
          SELECT s.run_id FROM repayments_arrearssnapshot s
           WHERE s.loan_id = f.loan_id AND s.business_date < f.business_date AND s.state = 'computed'
           ORDER BY s.business_date DESC LIMIT 1) last ON true
      LEFT JOIN repayments_dayrun r ON r.id = last.run_id
     WHERE f.business_date = %(day_before)s AND f.state = 'failed'
    UNION ALL
    SELECT l.id, %(day_before)s, %(known_before)s FROM lending_loan l
     WHERE l.booking_id <= %(known_before)s AND l.disbursed_date > %(day_before)s
       AND l.disbursed_date <= %(day)s
       AND NOT EXISTS (SELECT FROM repayments_arrearssnapshot f
                        WHERE f.loan_id = l.id AND f.business_date = %(day_before)s AND f.state = 'failed')
), loans AS NOT MATERIALIZED (
    SELECT l.id, l.tier, l.institution_id, l.currency, l.principal_minor, l.disbursed_date, l.booking_id,
           coalesce(b.day_before, %(day_before)s) AS day_before,
           coalesce(b.known_before, %(known_before)s) AS known_before
      FROM lending_loan l LEFT JOIN looked_back b ON b.id = l.id LEFT JOIN carried c ON c.loan_id = l.id
     WHERE l.booking_id <= %(known)s AND l.disbursed_date <= %(day)s AND c.loan_id IS NULL
), dues AS (
    SELECT loan_id, component, amount_minor, booking_id, {_COUNTS_ON} AS counts_on FROM lending_due
     WHERE booking_id > %(known_before)s AND booking_id <= %(known)s AND {_COUNTS_ON} <= %(day)s
    UNION ALL
    SELECT loan_id, component, amount_minor, booking_id, {_COUNTS_ON} FROM lending_due
     WHERE booking_id <= %(known_before)s AND {_COUNTS_ON} > %(day_before)s AND {_COUNTS_ON} <= %(day)s
    UNION ALL
    SELECT loan_id, component, amount_minor, booking_id, {_COUNTS_ON}
      FROM lending_due JOIN looked_back b ON b.id = loan_id
     WHERE booking_id <= %(known_before)s AND {_COUNTS_ON} <= %(day_before)s
), settlements AS (
    SELECT loan_id, component, source, amount_minor, booking_id, value_date FROM repayments_allocation
     WHERE booking_id > %(known_before)s AND booking_id <= %(known)s AND value_date <= %(day)s
    UNION ALL
    SELECT loan_id, component, source, amount_minor, booking_id, value_date FROM repayments_allocation
     WHERE booking_id <= %(known_before)s AND value_date > %(day_before)s AND value_date <= %(day)s
    UNION ALL
    SELECT loan_id, component, source, amount_minor, booking_id, value_date
      FROM repayments_allocation JOIN looked_back b ON b.id = loan_id
     WHERE booking_id <= %(known_before)s AND value_date <= %(day_before)s
), flows (tier, institution_id, currency, day_before, known_before, counts_on, booking_id, component,
          disbursed, raised, capitalised, settled, reduced, written_off) AS (
    SELECT l.tier, l.institution_id, l.currency, l.day_before, l.known_before,
           l.disbursed_date, l.booking_id, {Component.PRINCIPAL:d},
           l.principal_minor, -l.principal_minor, 0, 0, 0, 0
      FROM loans l
     WHERE l.booking_id > l.known_before OR l.disbursed_date > l.day_before
    UNION ALL
    SELECT l.tier, l.institution_id, l.currency, l.day_before, l.known_before,
           s.effective_date, s.booking_id, {Component.PRINCIPAL:d},
           s.added_minor, -s.added_minor - s.capitalised_minor - s.transferred_minor,
           s.capitalised_minor + s.transferred_minor, 0, 0, 0
      FROM lending_schedule s JOIN loans l ON l.id = s.loan_id
     WHERE (s.capitalised_minor <> 0 OR s.added_minor <> 0 OR s.transferred_minor <> 0)
       AND s.booking_id <= %(known)s AND s.effective_date <= %(day)s
       AND (s.booking_id > l.known_before OR greatest(s.effective_date, l.disbursed_date) > l.day_before)
    UNION ALL
    SELECT l.tier, l.institution_id, l.currency, l.day_before, l.known_before, d.counts_on, d.booking_id,
           CASE d.component WHEN {Component.REFUND:d} THEN {Component.CHARGE:d} ELSE d.component END,
           0, greatest(d.amount_minor, 0), 0, 0, -least(d.amount_minor, 0), 0
      FROM dues d JOIN loans l ON l.id = d.loan_id
     WHERE d.component <> {Component.RECOVERY:d}
       AND (d.booking_id > l.known_before OR greatest(d.counts_on, l.disbursed_date) > l.day_before)
    UNION ALL
    SELECT l.tier, l.institution_id, l.currency, l.day_before, l.known_before, a.value_date, a.booking_id,
           CASE a.component WHEN {Component.REFUND:d} THEN {Component.CHARGE:d} ELSE a.component END,
           0,
           CASE WHEN is_advance AND a.source = {Source.RECEIPT:d} THEN a.amount_minor ELSE 0 END,
           CASE WHEN NOT is_advance AND a.source = {Source.TRANSFER:d} THEN -a.amount_minor ELSE 0 END,
           CASE WHEN is_advance AND a.source <> {Source.RECEIPT:d} THEN -a.amount_minor
                WHEN is_advance OR a.source NOT IN ({Source.RECEIPT:d}, {Source.ADVANCE:d}) THEN 0
                ELSE a.amount_minor END,
           CASE WHEN NOT is_advance AND a.source = {Source.WAIVER:d} THEN a.amount_minor ELSE 0 END,
           CASE WHEN NOT is_advance AND a.source = {Source.WRITE_OFF:d} THEN a.amount_minor ELSE 0 END
      FROM (SELECT *, component = {Component.ADVANCE:d} AS is_advance FROM settlements) a
      JOIN loans l ON l.id = a.loan_id
     WHERE a.component NOT IN ({Component.RECOVERY:d}, {Component.SUSPENSE:d})
       AND (a.booking_id > l.known_before OR greatest(a.value_date, l.disbursed_date) > l.day_before)
), flow_totals AS (
    SELECT tier, institution_id, currency, component, sum(disbursed) AS disbursed, sum(raised) AS raised,
           sum(capitalised) AS capitalised, sum(settled) AS settled, sum(reduced) AS reduced,
           sum(written_off) AS written_off,
           coalesce(sum(disbursed + raised + capitalised - settled - reduced - written_off)
               FILTER (WHERE counts_on <= day_before AND booking_id > known_before), 0) AS earlier
      FROM flows GROUP BY tier, institution_id, currency, component
), snapshots AS (
    SELECT tier, institution_id, currency, sum(outstanding_minor) AS principal,
           sum(interest_due_minor) AS interest, sum(penal_due_minor) AS penal,
           sum(charge_due_minor) AS charge, sum(advance_minor) AS advance
      FROM repayments_arrearssnapshot WHERE business_date = %(day)s AND run_id = %(run)s
     GROUP BY tier, institution_id, currency
), closing_totals AS (
    SELECT s.tier, s.institution_id, s.currency, c.component, c.closing
      FROM snapshots s
     CROSS JOIN LATERAL (VALUES ({Component.PRINCIPAL:d}, s.principal), ({Component.INTEREST:d}, s.interest),
         ({Component.PENAL:d}, s.penal), ({Component.CHARGE:d}, s.charge),
         ({Component.ADVANCE:d}, s.advance)) c (component, closing)
), opening_totals AS (
    SELECT tier, institution_id, currency, component, closing_minor
      FROM repayments_controltotal WHERE run_id = %(before)s
)
SELECT tier, institution_id, currency, component,
       coalesce(o.closing_minor, 0), coalesce(c.closing, 0)::bigint,
       coalesce(f.disbursed, 0), coalesce(f.raised, 0), coalesce(f.capitalised, 0), coalesce(f.settled, 0),
       coalesce(f.reduced, 0), coalesce(f.written_off, 0), coalesce(f.earlier, 0)
  FROM closing_totals c
  FULL JOIN flow_totals f USING (tier, institution_id, currency, component)
  FULL JOIN opening_totals o USING (tier, institution_id, currency, component)
 ORDER BY tier, institution_id, currency, component
"""
