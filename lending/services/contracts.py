"""What a contract without interest forbids, of terms and of events alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from lending.models import Agreement

Mode = Agreement.ContractMode
_REPRICING = frozenset({"rate_change"})
_GROWING = ("capitalises", "capitalise", "capitalised_minor", "capitalise_interest")
_NEW_RATE = ("annual_rate", "new_rate", "rate")
_COMPOUNDING = frozenset({"interest_added", "interest_capitalised"})


def mode_refusal(contract_mode: str, event_kind: str, parameters: Mapping[str, Any]) -> str | None:
    """Why an event may not happen under a contract, in the reader's language; None where it may.

    ``event_kind`` is a value of ``LoanEvent.Kind`` or ``Schedule.Cause``. Of ``parameters`` these count:
    capitalises (or capitalised_minor): what is unpaid would join the principal; annual_rate: another rate
    than before; fee_minor or fee_percent: a fee for paying early; grace_kind: as in ``calc.schedule``.
    The rules are those of fiqh as the issue states them: a price fixed at the sale never grows.
    """
    sentence = _why_not(contract_mode, event_kind, parameters)
    return gettext(sentence) if sentence else None


def _why_not(mode: str, kind: str, parameters: Mapping[str, Any]) -> str | None:
    if mode == Mode.INTEREST:
        return None
    if any(parameters.get(name) for name in _GROWING) or parameters.get("grace_kind") in _COMPOUNDING:
        return _("Under this contract nothing unpaid joins what bears profit or rent.")
    if mode != Mode.MURABAHA:
        return None
    if kind in _REPRICING or any(parameters.get(name) not in (None, "") for name in _NEW_RATE):
        return _("The price of a murabaha was fixed at the sale: its profit is not reckoned at another rate.")
    if kind == "tranche":
        return _("Further money is a further sale: it opens a contract of its own.")
    if any(parameters.get(name) for name in ("fee_minor", "fee_percent")):
        return _("A murabaha paid early bears no fee; a rebate may be waived.")
    return None
