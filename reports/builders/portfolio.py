"""The portfolio as of a date, known by a date: the two tiers side by side, never added.

PAR is whole balances (design.md section 3, domain.md section 7.3). All sums are of minor units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext_lazy as _

from calc.portfolio import PAR_DAYS, everything, group_by, portfolio_at_risk, totals
from lending.models import Tier
from reports.builders.objects import Asked, Cell, Column, Kind, Report, Row, Share, Table, Words
from reports.builders.wording import DIMENSION_LABELS, TIER_LABELS, Dimension
from reports.selectors.frames import Frame

TIERS = (str(Tier.WHOLESALE), str(Tier.SUBLOAN))
SHOWN_PAR = (30, 60, 90)
PLUS_R = " +\u00a0R"  # the two stay on one line
OVERDUE = (
    "overdue_charge_minor",
    "overdue_penal_minor",
    "overdue_interest_minor",
    "overdue_principal_minor",
)
PROFILE_DIMENSIONS = (Dimension.GENDER, Dimension.SIZE, Dimension.DISTRICT)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is said of a group of loans of one tier in one currency; minor units."""

    loans: int
    outstanding_minor: int
    overdue_minor: int
    at_risk_minor: Mapping[int, int]
    with_rescheduled_minor: Mapping[int, int]
    provision_minor: int
    without_provision: int
    rescheduled: int

    def par(self, days: int, *, plus_r: bool = False) -> Share:
        """Portfolio at risk with its numerator and denominator; ``plus_r`` adds rescheduled loans."""
        at_risk = self.with_rescheduled_minor if plus_r else self.at_risk_minor
        return Share(at_risk[days], self.outstanding_minor)

    def cells(self, *, plus_r: bool = False) -> tuple[Cell, ...]:
        """In the order of `figure_columns`."""
        return (
            self.loans,
            self.outstanding_minor,
            self.overdue_minor,
            *(self.par(days, plus_r=plus_r) for days in SHOWN_PAR),
            self.provision_minor,
        )


NOTHING = Figures(0, 0, 0, dict.fromkeys(PAR_DAYS, 0), dict.fromkeys(PAR_DAYS, 0), 0, 0, 0)


def figure_columns(tier: str, *, grouped: bool = True, plus_r: bool = False) -> tuple[Column, ...]:
    """The columns of one tier, with the definitions that are printed."""
    group: Words = TIER_LABELS[tier] if grouped else ""
    return (
        Column(
            f"{tier}_loans",
            _("Loans"),
            Kind.COUNT,
            _("Loans with principal outstanding or anything overdue on the date."),
            group,
        ),
        Column(
            f"{tier}_outstanding",
            _("Outstanding"),
            Kind.MONEY,
            _("Principal of the plan not yet settled, whether fallen due or not."),
            group,
        ),
        Column(
            f"{tier}_overdue",
            _("Overdue"),
            Kind.MONEY,
            _("All that is due, principal and the rest, whose late date lies before the date, not settled."),
            group,
        ),
        *(
            Column(
                f"{tier}_par{days}{'_r' if plus_r else ''}",
                f"PAR{days}{PLUS_R if plus_r else ''}",
                Kind.SHARE,
                PAR_PLUS_R_MEANS if plus_r else PAR_MEANS,
                group,
            )
            for days in SHOWN_PAR
        ),
        Column(
            f"{tier}_provision",
            _("Provision"),
            Kind.MONEY,
            _(
                "By indicative class and the provision policy in force on the date. "
                "A loan without a policy has none."
            ),
            group,
        ),
    )


PAR_MEANS = _(
    "PARn: outstanding principal of loans more than n days past due ÷ outstanding principal "
    "of all loans. The whole balance counts, not only what is overdue."
)
PAR_PLUS_R_MEANS = _(
    "PARn + R: outstanding principal of loans more than n days past due, and of all rescheduled loans "
    "late or not, ÷ outstanding principal of all loans."
)


def figures_by(loans: Frame, column: str | None = None) -> dict[Any, Figures]:
    """Figures of the loans of one tier and currency by a column of whole numbers (or all, under None).

    ``loans`` has the columns of `repayments.selectors.standings`. Loans repaid in full count nowhere.
    """
    live = loans[is_live(loans)]
    groups = everything(len(live)) if column is None else group_by(live[column].to_numpy(np.int64))
    outstanding = live["outstanding_minor"].to_numpy(np.int64)
    late = live["days_past_due"].to_numpy(np.int64)
    rescheduled = live["rescheduled_count"].to_numpy(np.int64) > 0
    par = portfolio_at_risk(outstanding, late, groups)
    par_r = portfolio_at_risk(outstanding, late, groups, rescheduled=rescheduled)
    sums = totals(
        groups,
        loans=np.ones(len(live), dtype=np.int64),
        outstanding=outstanding,
        overdue=overdue_of(live),
        provision=live["provision_minor"].to_numpy(np.int64),
        unprovided=(live["provision_policy_id"].to_numpy(np.int64) <= 0).astype(np.int64),
        rescheduled=rescheduled.astype(np.int64),
    )
    keys = [None] if column is None else groups.keys[0].tolist() if len(live) else []
    return {
        key: Figures(
            loans=int(sums["loans"][at]),
            outstanding_minor=int(sums["outstanding"][at]),
            overdue_minor=int(sums["overdue"][at]),
            at_risk_minor={days: int(par.at_risk[at, number]) for number, days in enumerate(PAR_DAYS)},
            with_rescheduled_minor={
                days: int(par_r.at_risk[at, number]) for number, days in enumerate(PAR_DAYS)
            },
            provision_minor=int(sums["provision"][at]),
            without_provision=int(sums["unprovided"][at]),
            rescheduled=int(sums["rescheduled"][at]),
        )
        for at, key in enumerate(keys)
    }


def is_live(loans: Frame) -> Any:
    """Loans that owe anything: principal outstanding, or an overdue amount of any component."""
    return (loans["outstanding_minor"] > 0) | (loans[list(OVERDUE)].sum(axis=1) > 0)


def overdue_of(loans: Frame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Overdue of all components, in minor units."""
    summed: np.ndarray[Any, np.dtype[np.int64]] = loans[list(OVERDUE)].to_numpy(np.int64).sum(axis=1)
    return summed


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Totals of each tier, and the chosen breakdown."""

    report: Report
    totals: Mapping[str, Figures]
    dimension: Dimension
    groups: Sequence[tuple[str, Words, Mapping[str, Figures]]]
    carried_count: int


def build_portfolio(
    *,
    asked: Asked,
    currency: str,
    dimension: Dimension,
    standings: Frame,
    names: Mapping[int, tuple[str, Words]],
    parameters: Sequence[tuple[Words, Cell]],
    facts: Mapping[str, Any],
) -> Portfolio:
    """Sum the standings by a dimension.

    ``standings`` are of one currency and carry a column ``group`` of whole numbers; ``names`` gives
    for each of them the value that a loan list is filtered by, and what people read.
    """
    per_tier = {tier: standings[standings["tier"] == tier] for tier in TIERS}
    whole = {tier: figures_by(frame).get(None, NOTHING) for tier, frame in per_tier.items()}
    by_group = {tier: figures_by(frame, "group") for tier, frame in per_tier.items()}
    found = set().union(*by_group.values())
    ordered = [number for number in names if number in found]
    groups = [
        (
            names[number][0],
            names[number][1],
            {tier: by_group[tier].get(number, NOTHING) for tier in TIERS},
        )
        for number in ordered
    ]
    plus_r = bool(facts.get("plus_r"))
    columns = (
        Column(str(dimension), DIMENSION_LABELS[dimension]),
        *figure_columns(TIERS[0], plus_r=plus_r),
        *figure_columns(TIERS[1], plus_r=plus_r),
    )
    rows = tuple(
        Row(
            cells=(label if not isinstance(label, int) else str(label), *_side_by_side(figures, plus_r)),
            key=value,
            link={str(dimension): value},
        )
        for value, label, figures in groups
    )
    _prove(whole, groups)
    table = Table(
        key=f"by_{dimension}",
        title=DIMENSION_LABELS[dimension],
        columns=columns,
        rows=rows,
        total=Row((_("Total of each tier"), *_side_by_side(whole, plus_r))),
    )
    report = Report(
        name="portfolio",
        title=_("Portfolio"),
        asked=asked,
        currency=currency,
        parameters=tuple(parameters),
        facts=facts,
        tables=(table,),
    )
    carried = int((standings["state"] == "failed").sum()) if "state" in standings else 0
    return Portfolio(report, whole, dimension, groups, carried)


def _side_by_side(figures: Mapping[str, Figures], plus_r: bool) -> tuple[Cell, ...]:
    return tuple(cell for tier in TIERS for cell in figures[tier].cells(plus_r=plus_r))


def _prove(whole: Mapping[str, Figures], groups: Sequence[tuple[str, Words, Mapping[str, Figures]]]) -> None:
    """Raise ArithmeticError unless the groups of each tier add up to its total."""
    for tier in TIERS:
        summed = sum(figures[tier].outstanding_minor for _value, _label, figures in groups)
        counted = sum(figures[tier].loans for _value, _label, figures in groups)
        if summed != whole[tier].outstanding_minor or counted != whole[tier].loans:
            raise ArithmeticError(f"the groups of tier {tier} do not add up to its total")
