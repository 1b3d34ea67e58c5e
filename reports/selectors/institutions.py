"""What institutions drew, lent on, hold and owe; their limits, agreements, files and next dues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from lending.models import Agreement, Loan, Tier
from partners.models import ExposureLimit, InstitutionStatus
from repayments.models import Upload
from reports.selectors.facts import read_frame
from reports.selectors.frames import Frame


def wholesale_loan_ids(institution_id: int, currency: str) -> list[int]:
    """The wholesale loans of an institution in a currency, whenever disbursed."""
    return list(
        Loan.objects.filter(institution_id=institution_id, tier=Tier.WHOLESALE, currency=currency)
        .order_by("id")
        .values_list("id", flat=True)
    )


def money_flows(
    *, as_of: date, last_booking_id: int, currency: str, institution_id: int | None = None
) -> Frame:
    """Per institution, up to a date: drawn, principal repaid, on-lent and collected from funded sub-loans.

    Collected counts each sub-loan's principal in the share in which tranches funded it, rounded down to the
    minor unit per loan. Live rows only. Columns: institution_id, drawn_minor, repaid_minor, on_lent_minor,
    collected_minor.
    """
    return read_frame(
        """
        WITH live AS (
            SELECT a.loan_id, sum(a.amount_minor) AS settled
              FROM repayments_allocation a
             WHERE a.component = 4 AND a.source IN (1, 2)
               AND a.value_date <= %(as_of)s AND a.booking_id <= %(last)s
             GROUP BY a.loan_id
        ), funded AS (
            SELECT f.loan_id, sum(f.amount_minor) AS funded
              FROM lending_funding f
             WHERE f.tranche_id IS NOT NULL AND f.value_date <= %(as_of)s AND f.booking_id <= %(last)s
             GROUP BY f.loan_id
        )
        SELECT l.institution_id,
               coalesce(sum(l.principal_minor) FILTER (WHERE l.tier = 'wholesale'), 0)::bigint AS drawn_minor,
               coalesce(sum(live.settled) FILTER (WHERE l.tier = 'wholesale'), 0)::bigint AS repaid_minor,
               coalesce(sum(funded.funded) FILTER (WHERE l.tier = 'subloan'), 0)::bigint AS on_lent_minor,
               coalesce(sum(div(live.settled * least(funded.funded, l.principal_minor), l.principal_minor))
                        FILTER (WHERE l.tier = 'subloan'), 0)::bigint AS collected_minor
          FROM lending_loan l
          LEFT JOIN live ON live.loan_id = l.id
          LEFT JOIN funded ON funded.loan_id = l.id
         WHERE l.disbursed_date <= %(as_of)s AND l.booking_id <= %(last)s AND l.currency = %(currency)s
           AND (%(institution)s::bigint IS NULL OR l.institution_id = %(institution)s)
         GROUP BY l.institution_id
         ORDER BY l.institution_id
        """,
        {"as_of": as_of, "last": last_booking_id, "currency": currency, "institution": institution_id},
    )


def next_dues(*, institution_id: int, currency: str, as_of: date, until: date, last_booking_id: int) -> Frame:
    """What falls due on the institution's wholesale loans after a date up to another, by date and component.

    Columns: late_date, component, amount_minor, loans. Advances already held are not taken off.
    """
    return read_frame(
        """
        SELECT d.late_date, d.component, sum(d.amount_minor)::bigint AS amount_minor,
               count(DISTINCT d.loan_id) AS loans
          FROM lending_due d JOIN lending_loan l ON l.id = d.loan_id
         WHERE l.institution_id = %(institution)s AND l.tier = 'wholesale' AND l.currency = %(currency)s
           AND d.late_date > %(as_of)s AND d.late_date <= %(until)s
           AND d.effective_date <= %(as_of)s AND d.booking_id <= %(last)s
         GROUP BY d.late_date, d.component
        HAVING sum(d.amount_minor) <> 0
         ORDER BY d.late_date, d.component
        """,
        {
            "institution": institution_id,
            "currency": currency,
            "as_of": as_of,
            "until": until,
            "last": last_booking_id,
        },
    )


def agreements_of(
    institution_id: int, *, as_of: date, last_booking_id: int, currency: str
) -> list[Mapping[str, Any]]:
    """Agreements in force or past, with what was drawn and is outstanding under each."""
    flows = read_frame(
        """
        SELECT l.agreement_id, sum(l.principal_minor)::bigint AS drawn_minor,
               coalesce(sum(s.settled), 0)::bigint AS repaid_minor
          FROM lending_loan l
          LEFT JOIN (SELECT loan_id, sum(amount_minor) AS settled FROM repayments_allocation
                      WHERE component = 4 AND source IN (1, 2)
                        AND value_date <= %(as_of)s AND booking_id <= %(last)s
                      GROUP BY loan_id) s ON s.loan_id = l.id
         WHERE l.institution_id = %(institution)s AND l.tier = 'wholesale' AND l.currency = %(currency)s
           AND l.disbursed_date <= %(as_of)s AND l.booking_id <= %(last)s
         GROUP BY l.agreement_id
        """,
        {"as_of": as_of, "last": last_booking_id, "institution": institution_id, "currency": currency},
    )
    by_agreement = {int(row["agreement_id"]): row for row in flows.to_dict("records")}
    rows = Agreement.objects.filter(
        institution_id=institution_id, limit_currency=currency, signed_date__lte=as_of
    )
    return [
        {
            "agreement": agreement,
            "drawn_minor": int(by_agreement.get(agreement.pk, {}).get("drawn_minor", 0)),
            "repaid_minor": int(by_agreement.get(agreement.pk, {}).get("repaid_minor", 0)),
            "use_percent": Decimal(int(by_agreement.get(agreement.pk, {}).get("drawn_minor", 0)))
            / agreement.limit.amount,
        }
        for agreement in rows.select_related("programme").order_by("-from_date", "number")
    ]


def exposure_limit(
    institution_id: int, *, as_of: date, last_booking_id: int, currency: str
) -> ExposureLimit | None:
    """What may be outstanding with the institution on a date, as then known."""
    return (
        ExposureLimit.objects.filter(
            institution_id=institution_id,
            effective_date__lte=as_of,
            booking_id__lte=last_booking_id,
            amount_currency=currency,
        )
        .order_by("-effective_date", "-booking_id")
        .first()
    )


def status_of(institution_id: int, *, as_of: date, last_booking_id: int) -> InstitutionStatus | None:
    """Kind, ownership and status on a date, as then known."""
    return (
        InstitutionStatus.objects.filter(
            institution_id=institution_id, effective_date__lte=as_of, booking_id__lte=last_booking_id
        )
        .order_by("-effective_date", "-booking_id")
        .first()
    )


def recent_receipts(
    institution_id: int, *, tier: str, as_of: date, last_booking_id: int, limit: int
) -> Frame:
    """The latest receipts of one tier by value date, mirrors included."""
    return read_frame(
        """
        SELECT r.id, r.value_date, r.amount_minor, r.external_reference, l.id AS loan_id, l.number,
               coalesce(b.number, 0) AS booking_number
          FROM repayments_receipt r JOIN lending_loan l ON l.id = r.loan_id
          JOIN daybook_booking b ON b.id = r.booking_id
         WHERE r.institution_id = %(institution)s AND r.tier = %(tier)s
           AND r.value_date <= %(as_of)s AND r.booking_id <= %(last)s
         ORDER BY r.value_date DESC, r.id DESC LIMIT %(limit)s
        """,
        {
            "institution": institution_id,
            "tier": tier,
            "as_of": as_of,
            "last": last_booking_id,
            "limit": limit,
        },
    )


def recent_uploads(institution_id: int, *, limit: int) -> QuerySet[Upload]:
    """The latest files, whatever became of them."""
    return Upload.objects.filter(institution_id=institution_id).defer("content").order_by("-id")[:limit]
