"""One number for a whole close: every figure of every loan, however the book was cut into slices.

Each loan's figures are mixed into two 64-bit numbers, and those are added up over the loans. Addition
does not care for order, so slices sum in parallel and any other cut of the book gives the same. It
tells any change of any figure; it is no seal against a forger, which the audit trail's chain is.

The columns are named here and not taken from the snapshot: a column added next year must not change
what was said of a day closed before it. A new list gets a new version, and a run keeps its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from repayments.frames import Table

VERSION = 1
COLUMNS = (
    "loan_id",
    "institution_id",
    "agreement_id",
    "programme_id",
    "cluster_id",
    "tier",
    "currency",
    "state",
    "disbursed_minor",
    "outstanding_minor",
    "interest_due_minor",
    "charge_due_minor",
    "penal_due_minor",
    "overdue_charge_minor",
    "overdue_penal_minor",
    "overdue_interest_minor",
    "overdue_principal_minor",
    "advance_minor",
    "overdue_since",
    "days_past_due",
    "months_overdue",
    "bucket",
    "loan_class",
    "classification_policy_id",
    "provision_policy_id",
    "suspense_minor",
    "security_minor",
    "base_minor",
    "provision_minor",
    "written_off_minor",
    "rescheduled_count",
    "reported_class",
    "class_basis",
)
_LANES = (
    (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(0xD1B54A32D192ED03), np.uint64(0x94D049BB133111EB)),
)
_HALF, _THIRD = np.uint64(32), np.uint64(29)


def fingerprint(rows: Table) -> bytes:
    """The sum of the loans' numbers: 16 bytes that add up over slices (``combined``)."""
    values = [_whole(rows[name]) for name in COLUMNS]
    return b"".join(
        int(_mixed(values, seed, factor, len(rows)).sum(dtype=np.uint64)).to_bytes(8, "big")
        for seed, factor in _LANES
    )


def combined(parts: Iterable[bytes], *, loans: int) -> str:
    """The checksum of a run from the fingerprints of its slices, in any order; ``version:hex``."""
    sums = [0] * len(_LANES)
    for part in parts:
        for lane in range(len(_LANES)):
            sums[lane] += int.from_bytes(part[8 * lane : 8 * lane + 8], "big")
    body = b"".join((total % 2**64).to_bytes(8, "big") for total in sums)
    return f"{VERSION}:{hashlib.sha256(loans.to_bytes(8, 'big') + body).hexdigest()}"


def _whole(column: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """Whole numbers as they are, dates as days; not-a-date is a number of its own."""
    days = column.view(np.int64) if column.dtype.kind == "M" and column.flags.c_contiguous else column
    return days.astype(np.int64).view(np.uint64)


def _mixed(
    values: list[npt.NDArray[np.uint64]], seed: np.uint64, factor: np.uint64, count: int
) -> npt.NDArray[np.uint64]:
    mixed = np.full(count, seed, dtype=np.uint64)
    for value in values:
        mixed ^= value
        mixed *= factor
        mixed ^= mixed >> _HALF
    mixed *= seed
    mixed ^= mixed >> _THIRD
    return mixed
