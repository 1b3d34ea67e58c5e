"""What each loan of a scope owes, how late it is, its class and provision: the one path to these figures.

The close of day, the loan page and the as-of report all come here. Facts are read as of a date and
as known by a booking, calc measures them side by side, one row a loan comes out. A loan whose facts
contradict each other is flagged FAILED and carries the figures of its latest snapshot before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from calc.arrears import Arrears, Fault, measure
from calc.calendar import NO_DATE, months_between
from calc.classification import (
    Chosen,
    Classes,
    InstitutionKind,
    LoanClass,
    Provisions,
    Tier,
    Traits,
    choose_policies,
    classify,
    explain,
    provision,
)
from calc.money import sum_by
from daybook.columns import read_columns
from repayments.frames import (
    CODED_TIER,
    PACKED_CURRENCY,
    Scope,
    Table,
    in_force,
    read_dues,
    read_loans,
    read_profiles,
    read_settled,
    read_versions,
)
from repayments.selectors.judging import (
    Freeze,
    Reported,
    Secured,
    floors,
    freezes_on,
    reported,
    secured,
)
from repayments.selectors.policies import PolicySet, policies_on

COMPUTED, FAILED = 1, 2
STATE_NAMES = {COMPUTED: "computed", FAILED: "failed"}

IDENTITY = [
    ("loan_id", "i8"),
    ("institution_id", "i8"),
    ("agreement_id", "i8"),
    ("programme_id", "i8"),
    ("cluster_id", "i8"),
    ("tier", "i2"),
    ("currency", "i4"),
]
FIGURES = [
    ("state", "i2"),
    ("disbursed_minor", "i8"),
    ("outstanding_minor", "i8"),
    ("interest_due_minor", "i8"),
    ("charge_due_minor", "i8"),
    ("penal_due_minor", "i8"),
    ("overdue_charge_minor", "i8"),
    ("overdue_penal_minor", "i8"),
    ("overdue_interest_minor", "i8"),
    ("overdue_principal_minor", "i8"),
    ("advance_minor", "i8"),
    ("overdue_since", "M8[D]"),
    ("days_past_due", "i4"),
    ("months_overdue", "i4"),
    ("bucket", "i2"),
    ("loan_class", "i2"),
    ("classification_policy_id", "i8"),
    ("provision_policy_id", "i8"),
    ("suspense_minor", "i8"),
    ("security_minor", "i8"),
    ("base_minor", "i8"),
    ("provision_minor", "i8"),
    ("written_off_minor", "i8"),
    ("rescheduled_count", "i2"),
    ("reported_class", "i2"),
    ("class_basis", "i2"),
]
STANDING = np.dtype(IDENTITY + FIGURES)
"""One loan's standing; the columns of ``ArrearsSnapshot`` with tier, currency and state as numbers."""

_FIGURE_NAMES = [name for name, _ in FIGURES]
_LONG_AGO = date(1, 1, 1)
_SNAPSHOTS = "(TABLE repayments_arrearssnapshot UNION ALL TABLE repayments_monthendsnapshot)"


@dataclass(frozen=True)
class Frozen:
    """Freezes in force beside the loans: the class each holds (UNCLASSIFIED: none) and which freeze it is."""

    grade: npt.NDArray[np.int8]
    number: npt.NDArray[np.int64]
    freezes: tuple[Freeze, ...]


@dataclass(frozen=True)
class Measured:
    """Standings (``STANDING``) by loan id, and what they were reckoned from, row for row."""

    as_of: date
    last_booking_id: int
    rows: Table
    profiles: Table
    arrears: Arrears
    classes: Classes
    chosen: Chosen
    policies: PolicySet
    frozen: Frozen
    reported: Reported
    provisions: Provisions

    def why(self, position: int) -> str:
        """Why the loan at a position is in its class, in words."""
        return explain(position, self.arrears, self.classes, self.policies.classification, self.chosen)


def measure_loans(
    scope: Scope,
    *,
    as_of: date,
    last_booking_id: int,
    policies: PolicySet | None = None,
    drafting: bool = False,
) -> Measured:
    """Measure every loan of a scope disbursed by ``as_of`` and known by ``last_booking_id``.

    ``policies`` saves reading them again for each slice of a close, or asks what another set would give.
    ``drafting`` measures for a return: its own classes drive interest suspense, not an earlier return's.
    """
    rules = policies or policies_on(as_of, last_booking_id=last_booking_id)
    loans = read_loans(scope, as_of=as_of, last_booking_id=last_booking_id)
    ids = np.ascontiguousarray(loans["loan_id"])
    profiles = _aligned(ids, read_profiles(scope, as_of=as_of, last_booking_id=last_booking_id))
    versions = read_versions(scope, as_of=as_of, last_booking_id=last_booking_id)
    schedules = _aligned(ids, in_force(versions))
    arrears = measure(
        read_dues(scope, as_of=as_of, last_booking_id=last_booking_id),
        read_settled(scope, as_of=as_of, last_booking_id=last_booking_id),
        as_of,
        loans=ids,
        windows=rules.classification.windows,
    )
    traits = _traits(loans, profiles, schedules, as_of, last_booking_id)
    chosen = choose_policies(rules.classification.scopes, traits, as_of)
    known: dict[str, Any] = {"as_of": as_of, "last_booking_id": last_booking_id}
    frozen = _frozen(scope, loans, profiles, traits.institution_kind, **known)
    held = floors(scope, ids, **known)
    classes = classify(arrears, rules.classification, chosen, frozen=frozen.grade, judged=held)
    rows = _standings(loans, profiles, arrears)
    _count_versions(rows, versions)
    told = reported(scope, loans, **known)
    drives = classes.loan_class if drafting else np.where(told.has_return, told.grade, classes.loan_class)
    made = _provide(
        rows,
        arrears,
        classes,
        drives,
        secured(scope, ids, **known),
        rules,
        choose_policies(rules.provision.scopes, traits, as_of),
    )
    rows["reported_class"] = told.grade
    _carry_failed(rows, arrears, as_of)
    return Measured(
        as_of, last_booking_id, rows, profiles, arrears, classes, chosen, rules, frozen, told, made
    )


def _frozen(
    scope: Scope,
    loans: Table,
    profiles: Table,
    kinds: npt.NDArray[np.int8],
    *,
    as_of: date,
    last_booking_id: int,
) -> Frozen:
    """The class beyond which freezes let each loan not worsen: its class on the evening before each began.

    A loan lent since begins Standard; one without a class then is not held. Of several the best counts.
    Measuring that evening asks for the freezes in force then, so consecutive freezes hand the class on.
    """
    grade = np.full(len(loans), LoanClass.UNCLASSIFIED, dtype=np.int8)
    number = np.zeros(len(loans), dtype=np.int64)
    freezes = freezes_on(as_of, last_booking_id=last_booking_id)
    for freeze in freezes:
        inside = freeze.covers(loans, profiles, kinds)
        if not inside.any():
            continue
        evening = measure_loans(scope, as_of=freeze.evening_before, last_booking_id=last_booking_id).rows
        then = np.full(len(loans), LoanClass.STANDARD, dtype=np.int8)
        then[np.searchsorted(loans["loan_id"], evening["loan_id"])] = evening["loan_class"]
        held = inside & (then >= LoanClass.STANDARD) & ((grade < 0) | (then < grade))
        grade[held], number[held] = then[held], freeze.id
    return Frozen(grade, number, tuple(freezes))


def _traits(loans: Table, profiles: Table, schedules: Table, as_of: date, last_booking_id: int) -> Traits:
    """Tier, kind of institution, size of enterprise and term: what decides which policy governs a loan."""
    kinds = institution_kinds(as_of, last_booking_id)
    names = np.array(sorted(kinds), dtype=np.int64)
    values = np.array([kinds[name] for name in sorted(kinds)], dtype=np.int8)
    kind = np.full(len(loans), InstitutionKind.ANY, dtype=np.int8)
    if names.size:
        place = np.minimum(np.searchsorted(names, loans["institution_id"]), names.size - 1)
        found = names[place] == loans["institution_id"]
        kind[found] = values[place[found]]
    maturity = np.where(schedules["version"] > 0, schedules["maturity_date"], NO_DATE)
    return Traits(
        tier=loans["tier"].astype(np.int8),
        institution_kind=kind,
        size=profiles["size_tier"].astype(np.int8),
        term_months=months_between(loans["disbursed_date"], maturity),
    )


def institution_kinds(as_of: date, last_booking_id: int) -> dict[int, int]:
    """Kind (calc's number) of each institution then: the latest effective date, then the latest booking."""
    rows = read_columns(
        """
        SELECT DISTINCT ON (institution_id) institution_id, CASE kind WHEN 'bank' THEN 1 ELSE 2 END
          FROM partners_institutionstatus WHERE effective_date <= %s AND booking_id <= %s
         ORDER BY institution_id, effective_date DESC, booking_id DESC, id DESC
        """,
        [as_of, last_booking_id],
        np.dtype([("institution_id", "i8"), ("kind", "i2")]),
    )
    return dict(zip(rows["institution_id"].tolist(), rows["kind"].tolist(), strict=True))


def _standings(loans: Table, profiles: Table, arrears: Arrears) -> Table:
    rows = np.zeros(len(loans), dtype=STANDING)
    for name in ("loan_id", "institution_id", "agreement_id", "programme_id", "tier", "currency"):
        rows[name] = loans[name]
    rows["cluster_id"] = np.where(profiles["cluster_id"] > 0, profiles["cluster_id"], loans["cluster_id"])
    rows["state"] = COMPUTED
    rows["disbursed_minor"] = loans["principal_minor"]
    rows["outstanding_minor"] = arrears.outstanding_principal
    rows["interest_due_minor"] = arrears.fallen_interest
    rows["charge_due_minor"] = arrears.fallen_charge
    rows["penal_due_minor"] = arrears.fallen_penal
    rows["overdue_charge_minor"] = arrears.overdue_charge
    rows["overdue_penal_minor"] = arrears.overdue_penal
    rows["overdue_interest_minor"] = arrears.overdue_interest
    rows["overdue_principal_minor"] = arrears.overdue_principal
    rows["advance_minor"] = arrears.advance
    rows["overdue_since"] = arrears.overdue_since
    rows["days_past_due"] = arrears.days_past_due
    rows["months_overdue"] = arrears.months_overdue
    rows["bucket"] = arrears.bucket
    rows["written_off_minor"] = arrears.written_off
    return rows


def _count_versions(rows: Table, versions: Table) -> None:
    """Add to each loan what its plan versions lent on top, and count its reschedulings."""
    place = np.searchsorted(rows["loan_id"], versions["loan_id"])
    ours = place < len(rows)
    ours[ours] = rows["loan_id"][place[ours]] == versions["loan_id"][ours]
    rows["disbursed_minor"] += sum_by(place[ours], versions["added_minor"][ours], len(rows))
    rows["rescheduled_count"] = sum_by(
        place[ours], versions["is_rescheduling"][ours].astype(np.int64), len(rows)
    )


def _provide(
    rows: Table,
    arrears: Arrears,
    classes: Classes,
    drives: npt.NDArray[np.int8],
    security: Secured,
    rules: PolicySet,
    chosen: Chosen,
) -> Provisions:
    """Class, interest suspense, base and provision (docs/decisions/0010 says what stands in the base).

    ``drives`` is the class that sends interest to suspense: the reported one, where there is a return.
    """
    rows["loan_class"] = classes.loan_class
    rows["class_basis"] = classes.basis
    rows["classification_policy_id"] = classes.policy
    is_suspended = (rows["tier"] == Tier.WHOLESALE) & (drives >= LoanClass.SS)
    rows["suspense_minor"] = np.where(is_suspended, arrears.fallen_interest, 0)
    rows["security_minor"] = security.amount
    made = provision(
        rows["outstanding_minor"] + arrears.fallen_interest,
        np.ascontiguousarray(rows["suspense_minor"]),
        security.amount,
        classes.loan_class,
        rules.provision,
        chosen,
        floor_waived=security.waives_floor,
    )
    rows["provision_policy_id"] = made.policy
    rows["base_minor"] = made.base
    rows["provision_minor"] = made.amount
    return made


def _carry_failed(rows: Table, arrears: Arrears, as_of: date) -> None:
    """Give loans whose facts contradict each other the figures of their latest snapshot, and say so."""
    failed = arrears.fault != Fault.NONE
    if not failed.any():
        return
    before = _latest_snapshots(rows["loan_id"][failed], as_of)
    carried = np.zeros(int(failed.sum()), dtype=STANDING)
    carried["overdue_since"] = NO_DATE
    carried["loan_class"] = LoanClass.UNCLASSIFIED
    carried["reported_class"] = LoanClass.UNCLASSIFIED
    carried["disbursed_minor"] = rows["disbursed_minor"][failed]
    place = np.searchsorted(rows["loan_id"][failed], before["loan_id"])
    for name in _FIGURE_NAMES:
        carried[name][place] = before[name]
    carried["state"] = FAILED
    for name in _FIGURE_NAMES:
        rows[name][failed] = carried[name]


def _latest_snapshots(loan_ids: npt.NDArray[np.int64], before: date) -> Table:
    return read_snapshot_rows(
        "SELECT DISTINCT ON (s.loan_id) {columns} FROM {snapshots} s"
        " WHERE s.loan_id = ANY (%s::bigint[]) AND s.business_date < %s"
        " ORDER BY s.loan_id, s.business_date DESC",
        [loan_ids.tolist(), before],
    )


def read_snapshot_rows(query: str, params: list[Any]) -> Table:
    """Snapshots as standings (``STANDING``). ``query`` selects ``{columns}`` from ``{snapshots}`` as ``s``:
    those of the months still whole, and the month ends of those that are not (``retain_snapshots``)."""
    special = {
        "tier": CODED_TIER.format("s"),
        "currency": PACKED_CURRENCY.format("s"),
        "state": "CASE s.state WHEN 'computed' THEN 1 ELSE 2 END",
        "overdue_since": "coalesce(s.overdue_since, date '0001-01-01')",
    }
    columns = ", ".join(special.get(name, f"s.{name}") for name, _ in IDENTITY + FIGURES)
    rows = read_columns(query.format(columns=columns, snapshots=_SNAPSHOTS), params, STANDING)
    rows["overdue_since"][rows["overdue_since"] == np.datetime64(_LONG_AGO, "D")] = NO_DATE
    return rows


def _aligned(loan_ids: npt.NDArray[np.int64], rows: Table) -> Table:
    """Rows (at most one a loan, by loan) put beside the loans; zeros where a loan has none."""
    aligned = np.zeros(loan_ids.size, dtype=rows.dtype)
    place = np.searchsorted(loan_ids, rows["loan_id"])
    inside = place < loan_ids.size
    inside[inside] = loan_ids[place[inside]] == rows["loan_id"][inside]
    aligned[place[inside]] = rows[inside]
    return aligned
