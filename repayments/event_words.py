"""What is said of loan events, in the reader's language and in the words of the loan's contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from daybook import formats
from lending.contract_words import ContractWords
from repayments.models import LoanEvent

Kind = LoanEvent.Kind
Text = Promise | str
KINDS: dict[str, Text] = {
    Kind.PREPAYMENT.value: _("Part-prepayment"),
    Kind.SETTLEMENT.value: _("Full settlement"),
    Kind.RESCHEDULE.value: _("Rescheduling"),
    Kind.RESTRUCTURE.value: _("Restructuring"),
    Kind.MORATORIUM.value: _("Moratorium"),
    Kind.RATE_CHANGE.value: _("Change of rate"),
    Kind.WRITE_OFF.value: _("Write-off"),
    Kind.WAIVER.value: _("Waiver"),
    Kind.REFUND.value: _("Refund of an advance"),
}
INTRODUCTIONS: dict[str, Text] = {
    Kind.PREPAYMENT.value: _("Principal paid before it falls due. The rest is planned anew."),
    Kind.SETTLEMENT.value: _(
        "Everything falls due on one day. A quotation says what, for every day it holds."
    ),
    Kind.RESCHEDULE.value: _("New terms for a classified loan. The class is held, the count is kept."),
    Kind.RESTRUCTURE.value: _("New terms for an unclassified loan. The class is held, the count is kept."),
    Kind.MORATORIUM.value: _("For a while no principal falls due on the loans of a scope."),
    Kind.RATE_CHANGE.value: _("Another rate from a date, on this loan or on all of its agreement."),
    Kind.WRITE_OFF.value: _(
        "Off the books after notice and full provision; what is owed stays as a memo balance."
    ),
    Kind.WAIVER.value: _("Forgive penal interest, interest or a charge that has fallen due."),
    Kind.REFUND.value: _("Give back money that is held as an advance."),
}
ICONS = {
    Kind.PREPAYMENT.value: "player-track-next",
    Kind.SETTLEMENT.value: "circle-check",
    Kind.RESCHEDULE.value: "calendar-repeat",
    Kind.RESTRUCTURE.value: "adjustments",
    Kind.MORATORIUM.value: "player-pause",
    Kind.RATE_CHANGE.value: "percentage",
    Kind.WRITE_OFF.value: "eraser",
    Kind.WAIVER.value: "gift",
    Kind.REFUND.value: "arrow-back-up",
}
STATES: dict[str, Text] = {
    "proposed": _("Waiting"),
    "approved": _("Booked"),
    "rejected": _("Rejected"),
    "withdrawn": _("Withdrawn"),
}
SENTENCES: dict[str, Text] = {
    "tranche": _("%(amount)s more is lent from %(on)s; interest accrued to that day stays owed."),
    "tranche.instalment": _("The instalment rises and the term stays."),
    "tranche.term": _("The instalment stays and the term lengthens."),
    "prepayment.term": _(
        "%(amount)s of principal falls due on %(on)s; the instalment stays and the term "
        "shortens."
    ),
    "prepayment.instalment": _(
        "%(amount)s of principal falls due on %(on)s; the term stays and the instalment falls."
    ),
    "prepayment.interest_carried": _("Interest accrued up to %(on)s is carried into the next instalment."),
    "prepayment.interest_due": _("Interest accrued up to %(on)s is paid with it."),
    "money.advance": _("No new money is needed: what is held as an advance covers it."),
    "money.receipt": _("A receipt of %(amount)s with the reference %(reference)s is posted with it."),
    "money.over": _("%(amount)s more than needed is held as an advance."),
    "settlement": _(
        "All that is owed falls due on %(on)s: %(amount)s. Interest after that day is no longer "
        "owed."
    ),
    "settlement.rebate": _("The profit not earned yet, %(amount)s, is waived as a rebate."),
    "fee.within": _("%(rate)s of the principal paid early is the fee, within %(policy)s."),
    "fee.none": _("No fee is taken for paying early: %(policy)s allows none here."),
    "bank_fee.upto": _(
        "For paying early the bank may take at most %(rate)s of the principal not due yet, %(amount)s: "
        "%(policy)s, by size of enterprise. Only what it reports is booked."
    ),
    "bank_fee.none": _("For paying early the bank may take no fee here: %(policy)s, by size of enterprise."),
    "bank_fee.over": _(
        "Charges and money beyond what is owed come to %(charged)s from %(on)s on; the fee for paying "
        "early may be %(amount)s at most. Ask the bank what the rest is."
    ),
    "bank_fee.unknown": _("The books hold no limit of the fee for paying early on %(on)s; none was checked."),
    "prepayment.bank_plan": _(
        "%(amount)s is paid early on %(on)s; what is left falls due by the institution's own new plan."
    ),
    "prepayment.supplied": _(
        "The institution supplied the plan: each later instalment bears interest on its new balance "
        "as it did on the old one."
    ),
    "raised.interest": _("Interest counted day by day up to %(on)s falls due with it: %(amount)s."),
    "raised.penal": _("Penal interest is counted up to %(on)s: %(amount)s more than is raised so far."),
    "reschedule": _("%(owed)s is owed on a new plan from %(on)s; time %(times)s that the terms are changed."),
    "restructure": _(
        "%(owed)s is owed on a new plan from %(on)s; time %(times)s that the terms are changed."
    ),
    "moved": _(
        "Unpaid dues of before move into the new plan: %(principal)s of principal, %(rest)s of "
        "interest and charges."
    ),
    "within_policy": _("Within %(policy)s: time %(times)s of at most %(most)s."),
    "policy_met": _("%(policy)s is met."),
    "no_policy": _("The books hold no limit for this on %(on)s; the second person decides without one."),
    "special_case": _("Time %(times)s is allowed as a special case only."),
    "moratorium": _("From %(on)s to %(until)s no principal falls due on %(loans)s loans."),
    "moratorium.interest_paid": _("Interest goes on falling due."),
    "moratorium.interest_deferred": _(
        "Interest waits, bearing nothing, and falls due with the first one after it."
    ),
    "moratorium.interest_added": _("Interest is added to the principal once, at the end."),
    "moratorium.interest_capitalised": _(
        "Interest is added to the principal each period and bears interest."
    ),
    "moratorium.interest_waived": _("No interest is charged."),
    "moratorium.shifted": _("The dates after it move by as much; the plan ends later."),
    "moratorium.kept": _("The last date stays; what remains is spread over fewer instalments."),
    "rate_change": _(
        "%(rate)s a year from %(on)s on %(loans)s loans; interest accrued to that day keeps the "
        "old rate."
    ),
    "rate_change.instalment": _("The term stays and the instalment changes."),
    "rate_change.term": _("The instalment stays and the term changes."),
    "write_off.whole": _(
        "All that is owed on %(on)s, %(amount)s, goes off the books. No interest runs after that "
        "day."
    ),
    "write_off.part": _("%(amount)s goes off the books on %(on)s: accrued interest first, then principal."),
    "write_off.memo": _(
        "%(amount)s stays as a memo balance. Later receipts are recoveries and go there first."
    ),
    "write_off.provision": _("%(held)s is held in provision and suspense against %(amount)s."),
    "waiver.penal": _("%(amount)s of the open penal interest of %(open)s is forgiven, the oldest first."),
    "waiver.interest": _("%(amount)s of the open interest of %(open)s is forgiven, the oldest first."),
    "waiver.charge": _("%(amount)s of the open charges of %(open)s is forgiven, the oldest first."),
    "refund": _("%(amount)s held as an advance is given back on %(on)s, reference %(reference)s."),
}  # fmt: skip
FIGURES: dict[str, Text] = {
    "prepaid": _("Principal paid early"),
    "fee": _("Early settlement fee"),
    "other": _("Interest and what is due besides"),
    "advance_used": _("Held as an advance already"),
    "needed": _("To come in"),
    "moved_principal": _("Overdue principal moved"),
    "moved_rest": _("Overdue interest and charges moved"),
    "down_payment": _("Down payment"),
    "loans": _("Loans"),
    "left_out": _("Loans left out"),
    "principal": _("Principal"),
    "interest": _("Interest"),
    "penal": _("Penal interest"),
    "charge": _("Charges"),
    "memo": _("Memo balance"),
    "open": _("Open"),
    "waived": _("Forgiven"),
    "left": _("Left"),
    "advance": _("Held as an advance"),
    "refunded": _("Given back"),
}
CHANGES: dict[str, Text] = {
    "principal": _("Principal still to come"),
    "interest": _("Interest still to come"),
    "instalment": _("Usual instalment"),
    "instalments": _("Instalments still to come"),
    "first_due": _("Next due date"),
    "maturity": _("Last due date"),
    "rate": _("Rate a year"),
    "waived": _("Open of instalment %(instalment)s"),
}
_MONEY = frozenset({"amount", "charged", "owed", "principal", "rest", "held", "open"})
_DAYS = frozenset({"on", "until"})
_NUMBERS = frozenset({"times", "most", "loans"})
_COUNTED = frozenset({"instalments"})


def say(kept: Mapping[str, Any], words: ContractWords) -> str:
    """A sentence kept with an event."""
    gaps = {name: _shown(name, value) for name, value in kept.items() if name != "say"}
    return words.tell(str(SENTENCES[kept["say"]]) % gaps)


def _shown(name: str, value: Any) -> str:
    if name in _MONEY:
        return formats.tk(formats.from_minor(int(value)))
    if name in _DAYS:
        return formats.day(date.fromisoformat(value))
    if name in _NUMBERS:
        return formats.number(int(value))
    if name == "rate":
        return formats.percent(Decimal(value), places=2)
    return str(value)


def changes(kept: list[dict[str, Any]], words: ContractWords) -> list[tuple[str, str, str]]:
    """What changes: label, as it was, as it will be."""
    found = []
    for row in kept:
        label = str(CHANGES[row["what"]]) % {"instalment": formats.number(row.get("instalment", 0))}
        sides = [_side(row["what"], row[side]) for side in ("old", "new")]
        found.append((words.tell(label), *sides))
    return [(label, old, new) for label, old, new in found]


def _side(what: str, value: Mapping[str, Any] | None) -> str:
    if value is None:
        return "–"
    if "day" in value:
        return formats.day(date.fromisoformat(value["day"]))
    if "percent" in value:
        return formats.percent(Decimal(value["percent"]), places=2)
    show: Callable[[int], str] = formats.number if what in _COUNTED else formats.taka_minor
    return show(int(value["number"]))


def figures(kept: list[dict[str, Any]], words: ContractWords) -> list[tuple[str, str]]:
    """Key figures of an event: label and amount or count."""
    return [
        (
            words.tell(FIGURES[row["name"]]),
            formats.number(row["count"]) if "count" in row else formats.taka_minor(int(row["amount"])),
        )
        for row in kept
        if "name" in row
    ]
