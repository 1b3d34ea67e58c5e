"""What a loan would look like: its plan, its working and its price, without a loan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from calc.calendar import BusinessCalendar
from calc.interest import effective_apr
from calc.money import from_minor
from calc.schedule import Period, Schedule, Terms, build_schedule, instalments_needed
from daybook.exports import Sheet
from daybook.formats import percent, taka_minor
from lending.builders.workings import Working, working_of
from lending.contract_words import contract_words
from lending.models import Agreement


class CannotQuote(Exception):
    """The terms make a plan, but the charges do not go with it. `term` names the one to change."""

    def __init__(self, term: str, reason: str) -> None:
        super().__init__(reason)
        self.term = term
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One period of the plan, with its working. Minor units."""

    period: Period
    charge_minor: int
    working: Working | None

    @property
    def total_minor(self) -> int:
        """Principal, interest and charge falling due."""
        return self.period.total_minor + self.charge_minor


@dataclass(frozen=True, slots=True)
class Quote:
    """A plan without a loan. `fee_minor` is kept back at disbursement, `charge_minor` paid with each
    instalment; `apr` is the effective percent a year of all that is paid for what is received."""

    terms: Terms
    plan: Schedule
    mode: str
    fee_minor: int
    charge_minor: int
    apr: Decimal
    rows: Sequence[Row]

    @property
    def received_minor(self) -> int:
        """What the borrower has in hand."""
        return self.terms.principal_minor - self.fee_minor

    @property
    def interest_minor(self) -> int:
        """All that falls due beyond what was lent: interest, and what joined the principal."""
        return self.plan.interest_minor + self.plan.capitalised_minor

    @property
    def charges_minor(self) -> int:
        """The fee and all charges."""
        return self.fee_minor + self.charges_in_plan_minor

    @property
    def paid_minor(self) -> int:
        """All instalments with their charges."""
        return sum(row.total_minor for row in self.rows)

    @property
    def instalment_minor(self) -> int:
        """The most common instalment, charges aside."""
        amounts = [period.total_minor for period in self.plan.instalments]
        return max(amounts, key=lambda amount: (amounts.count(amount), amount))

    @property
    def largest_minor(self) -> int:
        """The largest instalment, charges aside."""
        return max(period.total_minor for period in self.plan.instalments)

    @property
    def last_minor(self) -> int:
        """The last instalment, charges aside."""
        return self.plan.instalments[-1].total_minor

    @property
    def charges_in_plan_minor(self) -> int:
        """The charges that come with instalments."""
        return sum(row.charge_minor for row in self.rows)

    @property
    def are_level(self) -> bool:
        """Whether most instalments are of one amount."""
        amounts = [period.total_minor for period in self.plan.instalments]
        return 2 * amounts.count(self.instalment_minor) > len(amounts)

    @property
    def matures_on(self) -> date:
        """When the last instalment falls due."""
        return self.plan.instalments[-1].due_on


def make_quote(
    terms: Terms,
    *,
    calendar: BusinessCalendar,
    mode: str = Agreement.ContractMode.INTEREST,
    fee_minor: int = 0,
    charge_minor: int = 0,
) -> Quote:
    """Plan the loan and reckon its price. An agreed instalment without a number of them finds the number.

    Raises ``CannotSchedule`` or ``CannotQuote``, naming the term and the reason.
    """
    if not terms.instalments and terms.agreed_instalment_minor:
        terms = counted(terms, calendar)
    plan = build_schedule(terms, calendar)
    if fee_minor >= terms.principal_minor:
        raise CannotQuote("fee", _("what is kept back at disbursement must leave something to lend"))
    rows = [
        Row(period, charge_minor if period.instalment else 0, working_of(period, terms))
        for period in plan.periods
    ]
    try:
        apr = effective_apr(
            [(terms.disbursed_on, terms.principal_minor - fee_minor)],
            [(row.period.due_on, row.total_minor) for row in rows if row.period.instalment],
        )
    except ValueError as error:
        raise CannotQuote("charge", _("the charges make a rate that no one could mean")) from error
    return Quote(terms, plan, mode, fee_minor, charge_minor, apr, rows)


def counted(terms: Terms, calendar: BusinessCalendar) -> Terms:
    """Terms with as many instalments as the agreed amount needs; raises ``CannotSchedule``."""
    one = replace(terms, instalments=1)
    return replace(terms, instalments=instalments_needed(one, calendar))


def quote_sheet(quote: Quote, parameters: Sequence[tuple[str, str]]) -> Sheet:
    """The quote as a list for a file: one row a period, its arithmetic in words beside it."""
    words = contract_words(quote.mode)
    heads = [
        _("No."),
        _("Due on"),
        _("Nominal date"),
        _("Principal before"),
        _("Principal"),
        str(words.interest),
        _("Added to principal"),
        _("Charges"),
        _("Total"),
        _("Principal after"),
        _("Working"),
    ]
    rows = [
        [
            row.period.instalment or None,
            row.period.due_on,
            row.period.nominal_on,
            from_minor(row.period.opening_minor),
            from_minor(row.period.principal_minor),
            from_minor(row.period.interest_minor),
            from_minor(row.period.capitalised_minor),
            from_minor(row.charge_minor),
            from_minor(row.total_minor),
            from_minor(row.period.closing_minor),
            working_text(row.working),
        ]
        for row in quote.rows
    ]
    plan = quote.plan
    foot = [
        *(None, None, None, None),
        from_minor(plan.principal_minor),
        from_minor(plan.interest_minor),
        from_minor(plan.capitalised_minor),
        from_minor(quote.charges_in_plan_minor),
        from_minor(quote.paid_minor),
        *(None, None),
    ]
    return Sheet(_("What a loan would look like"), parameters, heads, rows, foot)


def working_text(working: Working | None) -> str:
    """The arithmetic of a period in one line, for a file or a terminal."""
    if working is None:
        return ""
    parts = [
        f"{taka_minor(part.balance_minor)} × {percent(part.rate_percent)} × {part.factor_text}"
        for part in working.stretches
    ]
    return f"{' + '.join(parts)} = {working.exact_taka:,f} → {taka_minor(working.interest_minor)}"
