"""The end of a close: do the books add up, where does every institution stand, is the day closed?

The control totals come from the facts by one query over what was booked, or came into its date,
since the close before; the closing figures come from the snapshots. So two independent routes must
meet: opening + disbursed + raised + capitalised − settled − reduced − written off = closing, per
tier, institution, currency and component.
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
from repayments.services.standings import write_standings_of_close

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
        write_standings_of_close(run)
        has_exceptions = bool(carried or without_policy)
        run.state = DayRun.State.EXCEPTIONS if has_exceptions else DayRun.State.CLOSED
    DayRun.objects.filter(pk=run.pk).update(state=run.state, error=run.error, finished_at=Now())
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
    with connection.cursor() as cursor:
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


# Facts counted at this close and not at the one before. The two sets are nested, so a fact is new when it
# was booked since, or was known and came into its date since; both are ranges of an index or a scan, once.
# A loan that the close before could not compute (FAILED) counts from its own last computed close; one that
# this close could not compute has no flows, its figures being those of the close before.
_TOTALS = f"""
WITH carried AS MATERIALIZED (
    SELECT loan_id FROM repayments_arrearssnapshot WHERE business_date = %(day)s AND state = 'failed'
), lagging AS MATERIALIZED (
    SELECT f.loan_id, coalesce(r.business_date, '-infinity'::date) AS day_before,
           coalesce(r.last_booking_id, 0) AS known_before
      FROM repayments_arrearssnapshot f
      LEFT JOIN LATERAL (
          SELECT s.run_id FROM repayments_arrearssnapshot s
           WHERE s.loan_id = f.loan_id AND s.business_date < f.business_date AND s.state = 'computed'
           ORDER BY s.business_date DESC LIMIT 1) last ON true
      LEFT JOIN repayments_dayrun r ON r.id = last.run_id
     WHERE f.business_date = %(day_before)s AND f.state = 'failed'
), loans AS MATERIALIZED (
    SELECT l.id, l.tier, l.institution_id, l.currency, l.principal_minor, l.disbursed_date, l.booking_id,
           coalesce(g.day_before, %(day_before)s) AS day_before,
           coalesce(g.known_before, %(known_before)s) AS known_before
      FROM lending_loan l LEFT JOIN lagging g ON g.loan_id = l.id
     WHERE l.booking_id <= %(known)s AND l.disbursed_date <= %(day)s
       AND NOT EXISTS (SELECT FROM carried c WHERE c.loan_id = l.id)
), looked_back AS MATERIALIZED (   -- loans whose older facts may be new to this close
    SELECT l.id FROM loans l
     WHERE l.disbursed_date > %(day_before)s OR l.day_before <> %(day_before)s
        OR l.known_before <> %(known_before)s
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
           0, -s.capitalised_minor, s.capitalised_minor, 0, 0, 0
      FROM lending_schedule s JOIN loans l ON l.id = s.loan_id
     WHERE s.capitalised_minor <> 0 AND s.booking_id <= %(known)s AND s.effective_date <= %(day)s
       AND (s.booking_id > l.known_before OR greatest(s.effective_date, l.disbursed_date) > l.day_before)
    UNION ALL
    SELECT l.tier, l.institution_id, l.currency, l.day_before, l.known_before,
           d.counts_on, d.booking_id, d.component,
           0, greatest(d.amount_minor, 0), 0, 0, -least(d.amount_minor, 0), 0
      FROM (SELECT * FROM (
                SELECT loan_id, component, booking_id, amount_minor,
                       CASE component WHEN {Component.PRINCIPAL:d} THEN effective_date
                                      ELSE greatest(effective_date, late_date) END AS counts_on
                  FROM lending_due) dated
             WHERE booking_id <= %(known)s AND counts_on <= %(day)s
               AND (booking_id > %(known_before)s OR counts_on > %(day_before)s
                    OR loan_id IN (SELECT id FROM looked_back))) d
      JOIN loans l ON l.id = d.loan_id
     WHERE (d.booking_id > l.known_before OR greatest(d.counts_on, l.disbursed_date) > l.day_before)
    UNION ALL
    SELECT l.tier, l.institution_id, l.currency, l.day_before, l.known_before,
           a.value_date, a.booking_id, a.component, 0,
           CASE WHEN a.is_advance AND a.source = {Source.RECEIPT:d} THEN a.amount_minor ELSE 0 END, 0,
           CASE WHEN a.is_advance AND a.source <> {Source.RECEIPT:d} THEN -a.amount_minor
                WHEN a.is_advance OR a.source IN ({Source.WAIVER:d}, {Source.WRITE_OFF:d}) THEN 0
                ELSE a.amount_minor END,
           CASE WHEN NOT a.is_advance AND a.source = {Source.WAIVER:d} THEN a.amount_minor ELSE 0 END,
           CASE WHEN NOT a.is_advance AND a.source = {Source.WRITE_OFF:d} THEN a.amount_minor ELSE 0 END
      FROM (SELECT loan_id, component, source, booking_id, value_date, amount_minor,
                   component = {Component.ADVANCE:d} AS is_advance
              FROM repayments_allocation
             WHERE component <= {Component.ADVANCE:d} AND booking_id <= %(known)s AND value_date <= %(day)s
               AND (booking_id > %(known_before)s OR value_date > %(day_before)s
                    OR loan_id IN (SELECT id FROM looked_back))) a
      JOIN loans l ON l.id = a.loan_id
     WHERE (a.booking_id > l.known_before OR greatest(a.value_date, l.disbursed_date) > l.day_before)
), flow_totals AS (
    SELECT tier, institution_id, currency, component, sum(disbursed) AS disbursed, sum(raised) AS raised,
           sum(capitalised) AS capitalised, sum(settled) AS settled, sum(reduced) AS reduced,
           sum(written_off) AS written_off,
           coalesce(sum(disbursed + raised + capitalised - settled - reduced - written_off)
               FILTER (WHERE counts_on <= day_before AND booking_id > known_before), 0) AS earlier
      FROM flows GROUP BY tier, institution_id, currency, component
), closing_totals AS (
    SELECT s.tier, s.institution_id, s.currency, c.component, sum(c.amount) AS closing
      FROM repayments_arrearssnapshot s
     CROSS JOIN LATERAL (VALUES ({Component.PRINCIPAL:d}, s.outstanding_minor),
         ({Component.INTEREST:d}, s.interest_due_minor), ({Component.PENAL:d}, s.penal_due_minor),
         ({Component.CHARGE:d}, s.charge_due_minor),
         ({Component.ADVANCE:d}, s.advance_minor)) c (component, amount)
     WHERE s.business_date = %(day)s AND s.run_id = %(run)s
     GROUP BY s.tier, s.institution_id, s.currency, c.component
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
