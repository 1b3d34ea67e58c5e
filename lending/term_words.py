"""Why terms contradict each other, in the reader's own language.

``calc`` and ``lending.services.terms`` refuse with a sentence and what fills its gaps; rows of an uploaded
list keep the filled sentence. Both are known here by the sentence's fixed words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache

from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_noop as _

from calc.schedule import CannotSchedule
from daybook.formats import day, digits, taka_minor
from lending.contract_words import Text, contract_words

SENTENCES = (
    _("at least one instalment must repay the loan"),
    _("a plan has at most {most} periods"),
    _("grace cannot be negative"),
    _("say whether interest is paid, added, capitalised, deferred or waived during the grace periods"),
    _("a kind of grace needs at least one grace period"),
    _("a grace on interest needs a kind other than interest paid"),
    _("a grace on interest cannot be longer than the grace on principal unless the interest is waived"),
    _("a grace on interest must end before the last instalment"),
    _("say every how many days an instalment falls due"),
    _("a number of days belongs to the frequency 'every n days' only"),
    _("a due day lies between 1 and 31"),
    _("a fixed due day needs periods counted in months"),
    _("monthly/12 needs periods counted in months"),
    _("monthly/12 does not count the days by which a holiday moves a due date"),
    _("say after how many instalments the instalment steps up"),
    _("a step lies above -100 % and up to 1000 %"),
    _("a step belongs to the method 'step up' only"),
    _("the residue of stepped instalments goes to the last"),
    _("{given} amounts do not make {wanted} instalments"),
    _("an amount is negative"),
    _("amounts belong to the method 'irregular' only"),
    _("only level instalments are worked out from nominal periods"),
    _("a loan cannot be amortised over fewer periods than it has instalments"),
    _("a longer amortisation needs equal instalments worked out from nominal periods"),
    _("the balloon of a longer amortisation is the last instalment"),
    _("an amortisation has at most {most} periods"),
    _("a loan needs a positive principal"),
    _("the principal is beyond what the books can hold"),
    _("a rate cannot be negative"),
    _("a rate above 1000 % a year is a slip"),
    _("a rate of {rate} % is finer than a millionth of a percent"),
    _("the date of disbursement is missing"),
    _("an agreed instalment cannot be negative"),
    _("an agreed instalment needs equal instalments"),
    _("the first due date must lie after the disbursement"),
    _("the first due date {date} does not fall on the fixed due day {day}"),
    _("the first period would end on or before the disbursement; move the first due date"),
    _("instalments of {minor} minor units never repay the loan"),
    _("an instalment would not cover the interest of its period"),
    _("with these instalments the loan would be repaid before its last one"),
    _("at this rate the amounts grow beyond what the books can hold"),
    _("amounts of {given_minor} minor units in all do not repay the balance at the end of grace"),
    _("instalments are not numbered 1, 2, 3 and on"),
    _("a due date is missing"),
    _("the first due date is not after disbursement"),
    _("due dates are out of order"),
    _("an instalment is of nothing"),
    _("the plan has no instalments"),
    _("principal of {given_minor} does not repay the loan of {wanted_minor} minor units"),
    _("a grace of {grace} months is not shorter than the tenor of {tenor} months"),
    _("a grace counted in months needs instalments counted in months"),
    _("a grace of {grace} months is not a whole number of periods of {step} months"),
    _("a grace on interest of {interest_grace} months is not a whole number of periods"),
    _("say how many instalments there are"),
    _("a tenor of {tenor} months with {grace} of grace is not made of periods of {step} months"),
    _("{count} instalments and {grace} months of grace do not make a tenor of {tenor} months"),
    _("flat interest is fixed at the start and not raised on what is outstanding each day"),
    _("interest raised on what is outstanding each day is paid in grace, not added or put off"),
    _("under this contract nothing unpaid joins what bears profit or rent"),
    _("the price of a murabaha is fixed at the sale and not reckoned anew from day to day"),
    _("a murabaha paid early bears no fee; a rebate may be waived"),
    _("“{text}” is not known here"),
    _("the term is missing"),
    _("the term cannot be read: {value}"),
    _("the term cannot be read: {value}; choose one of {choices}"),
    _("there is no term of this name; the terms are {names}"),
    _("it is in force before it was signed"),
    _("it ends before it begins"),
    _("collected money cannot be lent again before there is any"),
    _("the limit must be above nothing"),
    _("a rate of {rate} % exceeds the cap of {cap} % under the programme"),
    _("the grace leaves no instalment to repay the loan"),
    _("a down payment of {paid_minor} leaves nothing of {left_minor} minor units to reschedule"),
    _("a loan repaid at once has no term to shorten: lower its interest"),
    _("a plan without a level instalment cannot be lengthened: raise it"),
    _("a prepayment needs a positive amount"),
    _("a tranche needs a positive amount"),
    _("amounts agreed one by one cannot be made larger: shift the dates"),
    _("amounts agreed one by one do not repay interest that is added: reschedule the loan"),
    _("every instalment left falls into the moratorium: shift the dates"),
    _("flat interest bears no interest: add it, or let it wait"),
    _("flat instalments are not covered in advance: shorten or lower them"),
    _("nothing falls due after {date}"),
    _("nothing falls due from {date} to {until}: nothing would change"),
    _("nothing falls due on {date} or after"),
    _("there are {left_minor} minor units of principal not yet due; to pay them all, settle the loan"),
    _("the bank gave this plan: ask it for the new one"),
    _("interest is planned where no principal is left: ask the bank for its plan"),
    _("{moved_minor} of interest moves in, the plan holds {given_minor} minor units of it"),
    _("the interest of the grace still running goes another way; choose the same"),
    _("the moratorium ends before it begins"),
    _("the plan in force runs from {date}; an event before it would change what it changed"),
    _("the rate is {percent} % already"),
    _("there is no principal for a new plan"),
)
"""All that terms are refused with; tests/lending/test_term_words.py holds calc to it."""

TERMS: dict[str, Text] = {
    "method": gettext_lazy("Repayment"),
    "frequency": gettext_lazy("Instalments fall due"),
    "every_days": gettext_lazy("Every so many days"),
    "instalments": gettext_lazy("Instalments"),
    "instalment_count": gettext_lazy("Instalments"),
    "instalment": gettext_lazy("Instalments"),
    "tenor_months": gettext_lazy("Tenor"),
    "grace_periods": gettext_lazy("Grace"),
    "grace_months": gettext_lazy("Grace"),
    "grace_kind": gettext_lazy("During grace"),
    "interest_grace": gettext_lazy("Grace on interest"),
    "interest_grace_months": gettext_lazy("Grace on interest"),
    "day_count": gettext_lazy("Days are counted"),
    "due_day": gettext_lazy("Fixed day of the month"),
    "roll_rule": gettext_lazy("A due date on a holiday"),
    "interest_to": gettext_lazy("Interest runs to"),
    "instalment_rounding": gettext_lazy("Rounding of instalments"),
    "interest_rounding": gettext_lazy("Rounding of interest"),
    "residue": gettext_lazy("What rounding leaves"),
    "step_percent": gettext_lazy("Step, %"),
    "step_every": gettext_lazy("Steps after"),
    "amounts": gettext_lazy("Amounts of the instalments"),
    "principal": gettext_lazy("Amount"),
    "annual_rate": gettext_lazy("Rate"),
    "disbursed_on": gettext_lazy("Disbursement date"),
    "first_due_on": gettext_lazy("First due date"),
    "due_on": gettext_lazy("Due dates"),
    "agreed_instalment": gettext_lazy("Agreed instalment"),
    "interest_basis": gettext_lazy("Interest basis"),
    "early_fee_percent": gettext_lazy("Early-settlement fee"),
    "limit": gettext_lazy("Limit"),
    "from_date": gettext_lazy("In force from"),
    "to_date": gettext_lazy("May draw until"),
    "relend_until": gettext_lazy("Lent again until"),
    "amount": gettext_lazy("Amount"),
    "effect": gettext_lazy("What changes"),
    "effective_on": gettext_lazy("Counts from"),
    "kind": gettext_lazy("During the moratorium"),
    "dates": gettext_lazy("Later due dates"),
    "until": gettext_lazy("Last day"),
    "plan": gettext_lazy("Plan"),
    "rows": gettext_lazy("New plan"),
    "down_payment": gettext_lazy("Down payment"),
}
"""What a page calls the term that a refusal names."""

GAP = re.compile(r"\\\{(\w+)\\\}")


def reason_of(refusal: CannotSchedule, mode: str = "interest") -> str:
    """Why, in the reader's language and the words of the contract."""
    filled = {name: _shown(name, value) for name, value in refusal.parameters.items()}
    # The catalogue keeps the gaps of a sentence; one that it lacks stays English.
    return contract_words(mode).tell(_in_taka(gettext(refusal.sentence)).format_map(filled))


def say_refusal(refusal: CannotSchedule, mode: str = "interest") -> str:
    """“Grace: a grace of 12 months is not shorter than the tenor of 12 months.”"""
    name = contract_words(mode).tell(TERMS.get(refusal.term, refusal.term))
    return f"{name}: {reason_of(refusal, mode)}."


def say_reason(reason: str) -> str:
    """A reason that was kept as English text, in the reader's language; an unknown one as it is."""
    for pattern, sentence in _patterns():
        if found := pattern.fullmatch(reason):
            return reason_of(CannotSchedule("", sentence, **_values(found.groupdict())))
    return reason


def _values(texts: Mapping[str, str]) -> dict[str, object]:
    """Minor units as numbers again, so that they are shown as money."""
    return {name: int(text) if name.endswith("minor") else text for name, text in texts.items()}


def _shown(name: str, value: object) -> str:
    if name.endswith("minor"):
        return taka_minor(int(str(value)))
    if isinstance(value, date):
        return day(value)
    if isinstance(value, Decimal):
        value = f"{value.normalize():f}"
    return str(value) if name == "text" else digits(str(value))


def _in_taka(sentence: str) -> str:
    """calc counts minor units; people read taka."""
    return sentence.replace(" minor units", "")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Each sentence as a pattern, those without gaps first, then the longest, which says most."""
    order = sorted(SENTENCES, key=lambda sentence: ("{" in sentence, -len(sentence)))
    return tuple((re.compile(GAP.sub(r"(?P<\1>.*)", re.escape(sentence))), sentence) for sentence in order)
