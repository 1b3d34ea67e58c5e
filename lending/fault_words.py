"""Faults of uploaded lists in the reader's own language.

The checks gather their faults as English sentences, and rows keep them so: whoever opens the list later reads
it in their own language. A sentence is recognised by its fixed words; what stands in its gaps stays as it is.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from lending.term_words import say_reason

SENTENCES = (
    _("{noun} is missing."),
    _("Fill in {noun}."),
    _("Neither a tenor nor a number of instalments is given."),
    _("Give one."),
    _("The name is missing."),
    _("Fill it in."),
    _("“{text}” is not known here."),
    _("Write one of: {choices}."),
    _("The amount is not above nothing."),
    _("There is no amount above nothing."),
    _("Write the amount disbursed."),
    _("Write the amount the borrower asks for."),
    _("The disbursement lies after the books' open day, {day}."),
    _("Correct the date, or send the row once it has happened."),
    _("A sub-loan with account {account} is in the books already."),
    _("Leave the row out; each loan is reported once."),
    _("Account {account} stands in this list twice."),
    _("Keep one of the rows."),
    _("The national identity number has {count} characters."),
    _("Write its 10, 13 or 17 digits."),
    _("The NID has not 10, 13 or 17 digits; the row is taken without it."),
    _("Correct it."),
    _("No national identity number is given."),
    _("Add it when it is known."),
    _("The same person stands in this list more than once."),
    _("Check that these are different loans."),
    _("This person has a sub-loan here already."),
    _("Check that this is another loan."),
    _("Match elsewhere: another institution reports this person too."),
    _("Ask the borrower about other loans under the programme."),
    _("Check it with the borrower."),
    _("“{text}” is no mobile number."),
    _("Write 01 and nine more digits; the row is taken without it."),
    _("There is no cluster {code}."),
    _("Use a code from the list of clusters."),
    _("The district “{text}” is not known."),
    _("Write one of the 64 districts."),
    _("The check digit of routing number {number} does not fit."),
    _("Compare it with the cheque book."),
    _("No branch of yours with routing number {number} is known."),
    _("Ask the foundation to add the branch."),
    _("“{text}” is no disbursed tranche of yours."),
    _("Write the number of a disbursed tranche, or leave the cell empty."),
    _("The tranche's facility is for another cluster than {code}."),
    _("Correct the cluster or the tranche."),
    _("No disbursed tranche for cluster {code} has room left."),
    _("Draw a tranche for this cluster first, or name the tranche."),
    _("The tranche lacks {amount} for this sub-loan."),
    _("Name another tranche, or correct the amount."),
    _("The sub-loan was disbursed before its tranche was sent."),
    _("Check the date."),
    _("The programme had no terms on that day yet."),
    _("Check the date, or the tranche named."),
    _("The rate of {rate} % exceeds the cap of {cap} %."),
    _("Charge at most the cap."),
    _("The amount is below the programme's smallest, {amount}."),
    _("Fund it from elsewhere."),
    _("The amount is above the programme's largest, {amount}."),
    _("Fund the rest from elsewhere and report the programme's part."),
    _("Up to {amount} no collateral may be taken."),
    _("Release the collateral."),
    _("The tenor exceeds {months} months."),
    _("The grace exceeds {months} months."),
    _("Shorten it."),
    _("The sector “{text}” is excluded from the programme."),
    _("The programme had ended by then."),
    _("The repayment plan does not work: {reason}."),
    _("Correct the terms."),
    _("The programme lends from {least} to {most}."),
    _("Correct the amount."),
    _("Leave the borrower out."),
)
"""What the checks of sub-loan lists and of intended borrowers say; tests/lending/test_fault_words.py holds
them to it."""

NOUNS = frozenset(
    [
        _("the loan account number"),
        _("the borrower's name"),
        _("the enterprise's name"),
        _("the disbursement date"),
        _("the amount"),
        _("the rate"),
        _("the cluster's code"),
    ]
)
"""What a row must have, as the checks name it."""

GAP = re.compile(r"\\\{(\w+)\\\}")


def say(sentence: str) -> str:
    """The sentence in the reader's language; one that no check of ours says comes back as it is."""
    for pattern, template in _patterns():
        if found := pattern.fullmatch(sentence):
            text = gettext(template)
            for name, value in found.groupdict().items():
                text = text.replace("{" + name + "}", _in_words(name, value))
            return text
    return sentence


def _in_words(gap: str, value: str) -> str:
    """What stands in a gap: our nouns, choices and reasons in the reader's language, all else as it is."""
    if gap == "reason":
        return say_reason(value)
    if gap == "noun" and (noun := value[:1].lower() + value[1:]) in NOUNS:
        word = gettext(noun)
        return word[:1].upper() + word[1:] if value[:1].isupper() else word
    return ", ".join(gettext(choice) for choice in value.split(", ")) if gap == "choices" else value


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Each sentence as a pattern; those without gaps first, then the longest, which says most."""
    order = sorted(SENTENCES, key=lambda sentence: ("{" in sentence, -len(sentence)))
    return tuple((re.compile(GAP.sub(r"(?P<\1>.*)", re.escape(sentence))), sentence) for sentence in order)
