"""The whole demonstration as one object: drawn once, from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pandas as pd

from reports.demonstration.borrowers import Drawing, draw_borrowers, draw_tranches
from reports.demonstration.cast import Cast
from reports.demonstration.files import BankFile, list_files, repayment_files
from reports.demonstration.repaying import draw_receipts

SEED = 20_240_611
"""The day the second round of the revolving fund was signed."""


@dataclass(frozen=True)
class Book:
    """Sub-loans, tranches, payments and files of one demonstration."""

    cast: Cast
    seed: int
    loans: pd.DataFrame
    drawings: tuple[Drawing, ...]
    receipts: pd.DataFrame

    @cached_property
    def files(self) -> tuple[BankFile, ...]:
        """Every file, in the order in which it is sent."""
        lists = list_files(self.loans, self.cast)
        repayments = repayment_files(self.loans, self.receipts, self.cast, seed=self.seed)
        return tuple(sorted([*lists, *repayments], key=lambda file: (file.on, file.kind, file.player.code)))

    def files_on(self, day: date) -> tuple[BankFile, ...]:
        """The files sent on a business date."""
        return tuple(file for file in self.files if file.on == day)


def draw_book(cast: Cast, *, seed: int = SEED) -> Book:
    """Draw the demonstration that belongs to a seed."""
    loans = draw_borrowers(cast, seed=seed)
    return Book(
        cast=cast,
        seed=seed,
        loans=loans,
        drawings=tuple(draw_tranches(loans, cast)),
        receipts=draw_receipts(loans, cast, seed=seed),
    )
