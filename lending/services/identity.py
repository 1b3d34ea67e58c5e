"""National identity numbers and phones: cleaned, checked for shape, compared by digest."""

from __future__ import annotations

import hashlib

import pandas as pd

from lending.models import Person

NID_LENGTHS = (10, 13, 17)


def digits(column: pd.Series) -> pd.Series:
    """The digits of each text, spaces and dashes dropped; empty where there is none."""
    return column.fillna("").astype(str).str.replace(r"[\s\-./]", "", regex=True)


def is_nid(column: pd.Series) -> pd.Series:
    """10 digits (smart card), 13 (old) or 17 (birth year before the 13)."""
    return column.str.fullmatch(r"[0-9]{10}|[0-9]{13}|[0-9]{17}")


def phone(column: pd.Series) -> pd.Series:
    """Mobile numbers as 01XXXXXXXXX; empty where the text is none."""
    found = digits(column).str.extract(r"^(?:\+?88)?(01[3-9][0-9]{8})$", expand=False)
    return found.fillna("")


def identity_digest(nid: str) -> str:
    """SHA-256 of what stays the same however the card is written: the last 13 digits, or all 10.

    A person registered under 10 digits and under 13 is not recognised as one; no public rule joins them.
    """
    return hashlib.sha256(nid[-13:].encode()).hexdigest() if nid else ""


def digests(column: pd.Series) -> pd.Series:
    """``identity_digest`` of each text of digits; empty where it is no NID."""
    return pd.Series(
        [identity_digest(nid) if good else "" for nid, good in zip(column, is_nid(column), strict=True)],
        index=column.index,
        dtype="object",
    )


def known_elsewhere(marks: pd.Series, *, institution_id: int) -> pd.Series:
    """Which identities another institution reports as well, never whose. Blind under a partner's role."""
    wanted = [mark for mark in marks.unique() if mark]
    found = (
        Person.objects.filter(identity_digest__in=wanted)
        .exclude(institution_id=institution_id)
        .values_list("identity_digest", flat=True)
    )
    return marks.isin(set(found)) & (marks != "")


def borrows_here(marks: pd.Series, *, institution_id: int) -> pd.Series:
    """Which identities already stand behind a sub-loan of this institution."""
    wanted = [mark for mark in marks.unique() if mark]
    found = Person.objects.filter(
        institution_id=institution_id, identity_digest__in=wanted, loan_parties__isnull=False
    ).values_list("identity_digest", flat=True)
    return marks.isin(set(found)) & (marks != "")
