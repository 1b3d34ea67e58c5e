"""Faults in the reader's own language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext, override

from lending.fault_words import say as say_of_lending
from repayments.faults import CannotReadFile, fill, words_of
from repayments.models import Upload

_TRANSLATED = frozenset(["found", "field", "state"])
"""Parameters that are words of ours, not of the file."""

_OF_LENDING = frozenset(["subloan.refused", "subloan.warning"])
"""Codes whose parameters are whole sentences of lending's checks."""


def say(fault: Mapping[str, Any], tell: Callable[[str], str] = str) -> tuple[str, str]:
    """Reason and remedy of a stored fault, translated; ``tell`` puts them into the words of a contract."""
    reason, remedy = _said(fault)
    return tell(reason), tell(remedy)


def _said(fault: Mapping[str, Any]) -> tuple[str, str]:
    code, params = str(fault["code"]), fault.get("params", {})
    if code in _OF_LENDING:
        return say_of_lending(str(params.get("text", ""))), say_of_lending(str(params.get("limit", "")))
    words = words_of(code)
    filled = {
        name: gettext(str(value)) if name in _TRANSLATED and value else value
        for name, value in params.items()
    }
    return fill(gettext(words.reason), filled), fill(gettext(words.remedy), filled) if words.remedy else ""


def refusal(error: CannotReadFile) -> str:
    """A refused file in one or two sentences."""
    return " ".join(part for part in say(error.message) if part)


def state_in_english(upload: Upload) -> str:
    """The state as a stored fault keeps it: English, so that ``say`` can give it in any reader's language."""
    with override("en"):
        return str(upload.get_state_display())
