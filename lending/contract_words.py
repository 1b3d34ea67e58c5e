"""What a loan's return is called under its contract: interest, profit, rent, provisional profit.

On the pages and papers of a contract without interest the word does not appear, in either language.
A label with a name of its own stands in ``ContractWords``; any other phrase goes through ``tell``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise, lazystr
from django.utils.translation import gettext_lazy as _

from lending.models import Agreement

Text = Promise | str
Mode = Agreement.ContractMode

_ENGLISH = re.compile(r"\b(an? )?(penal )?(interest)\b", re.IGNORECASE)
_BANGLA = re.compile(r"(দণ্ড ?)?সুদ(ের|ে|কে)?(?![\u0980-\u09ff])")
_NOUNS = {
    Mode.MURABAHA: ("profit", "মুনাফা"),
    Mode.IJARA: ("rent", "ভাড়া"),
    Mode.MUDARABA: ("provisional profit", "সাময়িক মুনাফা"),
    Mode.MUSHARAKA: ("provisional profit", "সাময়িক মুনাফা"),
}
_LATE = ("late-payment charity", "বিলম্ব দান")
_ENDINGS = {None: "", "ের": "র", "ে": "য়", "কে": "কে"}
"""Nouns that end in a vowel take other endings than সুদ does."""


@dataclass(frozen=True, slots=True)
class ContractWords:
    """The words of one contract mode, in the reader's language when they are read."""

    mode: str
    contract: Text
    interest: Text
    penal: Text
    rate: Text
    penal_rate: Text
    accrued: Text
    suspense: Text
    note: Text
    """A sentence for papers: what a reader must know of this contract; empty for interest."""

    @property
    def bears_interest(self) -> bool:
        """Whether the word interest may be said."""
        return self.mode == Mode.INTEREST

    def tell(self, text: object) -> str:
        """A phrase of ours, English or Bangla, with this contract's word in place of interest.

        “Interest paid” becomes “Rent paid”, “সুদের হার” becomes “ভাড়ার হার”.
        """
        said = str(text)
        if self.bears_interest:
            return said
        english, bangla = _NOUNS[Mode(self.mode)]
        said = _ENGLISH.sub(lambda found: _in_english(found, english), said)
        return _BANGLA.sub(
            lambda found: (_LATE[1] if found[1] else bangla) + _ending(found[2], late=bool(found[1])), said
        )


def _in_english(found: re.Match[str], noun: str) -> str:
    word = _LATE[0] if found[2] else noun
    start = (found[2] or found[3])[0]
    said = word[0].upper() + word[1:] if start.isupper() else word
    return f"{'A' if (found[1] or '').startswith('A') else 'a'} {said}" if found[1] else said


def _ending(ending: str | None, *, late: bool) -> str:
    """দান ends in a consonant as সুদ does."""
    return (ending or "") if late else _ENDINGS[ending]


_WORDS: dict[str, ContractWords] = {
    words.mode: words
    for words in (
        ContractWords(
            mode=Mode.INTEREST,
            contract=_("Interest"),
            interest=_("Interest"),
            penal=_("Penal interest"),
            rate=_("Interest rate"),
            penal_rate=_("Penal rate"),
            accrued=_("Accrued interest"),
            suspense=_("Interest suspense"),
            note="",
        ),
        ContractWords(
            mode=Mode.MURABAHA,
            contract=_("Murabaha (bai-muajjal)"),
            interest=_("Profit"),
            penal=_("Late-payment charity"),
            rate=_("Profit rate"),
            penal_rate=_("Late-payment charity, rate"),
            accrued=_("Accrued profit"),
            suspense=_("Profit suspense"),
            note=_(
                "The sale price is fixed: principal and profit together. It never grows; a rebate for early "
                "payment is a waiver, and what is charged for lateness goes to charity."
            ),
        ),
        ContractWords(
            mode=Mode.IJARA,
            contract=_("Ijara (HPSM)"),
            interest=_("Rent"),
            penal=_("Late-payment charity"),
            rate=_("Rent rate"),
            penal_rate=_("Late-payment charity, rate"),
            accrued=_("Accrued rent"),
            suspense=_("Rent suspense"),
            note=_("What is charged for lateness goes to charity."),
        ),
        *(
            ContractWords(
                mode=mode,
                contract=contract,
                interest=_("Provisional profit"),
                penal=_("Late-payment charity"),
                rate=_("Provisional profit rate"),
                penal_rate=_("Late-payment charity, rate"),
                accrued=_("Accrued provisional profit"),
                suspense=_("Provisional profit suspense"),
                note=_(
                    "Profit is provisional: it is settled when the accounts of the venture are closed. "
                    "What is charged for lateness goes to charity."
                ),
            )
            for mode, contract in ((Mode.MUDARABA, _("Mudaraba")), (Mode.MUSHARAKA, _("Musharaka")))
        ),
    )
}


def contract_words(mode: str) -> ContractWords:
    """The words of a contract mode; the one place they come from on pages, papers and exports."""
    return _WORDS[mode]


def common_words(modes: Iterable[str]) -> ContractWords:
    """The words for figures of several contracts: profit where none of them bears interest.

    A list that holds a contract with interest says interest: its reader has one.
    """
    found = set(modes)
    if len(found) == 1:
        return _WORDS[found.pop()]
    return _WORDS[Mode.INTEREST if not found or Mode.INTEREST in found else Mode.MURABAHA]


def told(mode: str, text: object) -> Text:
    """``tell``, put off until it is read."""
    return lazystr(_Told(mode, text))


@dataclass(frozen=True, slots=True)
class _Told:
    mode: str
    text: object

    def __str__(self) -> str:
        return contract_words(self.mode).tell(self.text)
