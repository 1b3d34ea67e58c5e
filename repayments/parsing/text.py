"""Letters and digits of Bangla and English brought to one form, a column at a time."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import numpy.typing as npt
import pandas as pd

BANGLA_DIGITS = "০১২৩৪৫৬৭৮৯"
_TO_ASCII = str.maketrans(
    BANGLA_DIGITS + "٠١٢٣٤٥٦٧٨٩०१२३४५६७८९",
    "0123456789" * 3,
    "\u200b\u200c\u200d\u200e\u200f\ufeff\u2060\u00ad",
)
_SPACES = re.compile(r"[\s\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_BIJOY_LETTERS = "[†‡‰ŠŒ•˜™š›œž\u00a1-\u00ac\u00ae-\u00ff]"
_BIJOY_LEAST = 2
"""Latin letters outside English that make a text Bijoy; one alone may be a name such as José."""


def plain(column: pd.Series) -> pd.Series:
    """ASCII digits, single spaces, no invisible marks; Unicode in composed form."""
    normal = column.str.normalize("NFKC").str.translate(_TO_ASCII)
    return normal.str.replace(_SPACES, " ", regex=True).str.strip()


def plain_text(text: str) -> str:
    """``plain`` for one text."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text).translate(_TO_ASCII)).strip()


def looks_bijoy(column: pd.Series) -> npt.NDArray[np.bool_]:
    """Texts whose letters only make sense in a Bijoy (SutonnyMJ) font, e.g. ``†gvnv¤§` Avjx``."""
    return (column.str.count(_BIJOY_LETTERS) >= _BIJOY_LEAST).to_numpy(dtype=bool)


def heading_key(text: str) -> str:
    """A heading without case, spaces, punctuation and brackets: ``Loan A/C No. (13 digits)`` → loanacno."""
    kept = re.sub(r"[(\[（].*?[)\]）]", " ", plain_text(text)).casefold()
    return re.sub(r"[^0-9a-z\u0980-\u09ff]", "", kept)


def account_key(column: pd.Series) -> pd.Series:
    """An account number without spaces, dashes, case and leading zeros, to compare by."""
    return plain(column).str.upper().str.replace(r"[^0-9A-Z]", "", regex=True).str.lstrip("0")


def reference_key(column: pd.Series) -> pd.Series:
    """A reference as it is kept and compared: outer spaces gone, inner ones single, Latin digits."""
    return plain(column)
