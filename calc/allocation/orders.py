"""In which order money settles what is owed: the fixed orders, the grid, and a column of them by loan."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Self

import numpy as np
import numpy.typing as npt

from calc.money import OWED, Component, IntColumn


class CannotOrder(Exception):
    """The cells do not make a grid; the sentence names the cell and the remedy."""


class Order(StrEnum):
    """In which order money settles what has fallen due.

    OLDEST_FIRST: by instalment, inside it charge, penal, interest, principal. BY_COMPONENT: all
    charges, then all penal interest, interest, principal, each oldest first across instalments.
    PRINCIPAL_FIRST: all principal, then interest, penal interest, charges (for bad loans). GRID: as
    the agreement's `Grid` says. In any order a recovery of what was written off goes first of all.
    """

    OLDEST_FIRST = "oldest_first"
    BY_COMPONENT = "by_component"
    PRINCIPAL_FIRST = "principal_first"
    GRID = "grid"


class Timing(IntEnum):
    """Where a due stands on the day of the money: late date before it, on it, after it."""

    PAST_DUE = 0
    DUE = 1
    IN_ADVANCE = 2


@dataclass(frozen=True, slots=True)
class Grid:
    """Timing x component, first to last; inside a cell the oldest due first, across instalments.

    Every pair past due and due must be there, once. The four pairs in advance come together or not
    at all: with them money settles coming instalments at once, without them it waits as an advance.
    """

    cells: tuple[tuple[Timing, Component], ...]

    def __post_init__(self) -> None:
        for position, cell in enumerate(self.cells):
            if cell in self.cells[:position]:
                raise CannotOrder(f"{cell_name(cell)} is named twice; name each cell of the grid once")
        wanted = [(timing, kind) for timing in Timing for kind in OWED]
        absent = [cell for cell in wanted if cell not in self.cells]
        if absent == wanted[2 * len(OWED) :]:
            return
        if absent:
            raise CannotOrder(
                f"{', '.join(map(cell_name, absent))} left out; name every past_due and due cell, "
                "and of in_advance all four cells or none"
            )

    @classmethod
    def parse(cls, names: Sequence[str]) -> Self:
        """A grid from names such as "past_due.penal", first to last; raises CannotOrder."""
        known = {cell_name((timing, kind)): (timing, kind) for timing in Timing for kind in OWED}
        cells = []
        for name in names:
            if name not in known:
                raise CannotOrder(
                    f"{name!r} is no cell of the grid; write past_due, due or in_advance, a full stop, and "
                    "charge, penal, interest or principal"
                )
            cells.append(known[name])
        return cls(tuple(cells))

    @property
    def names(self) -> tuple[str, ...]:
        """The cells by name, as `parse` reads them."""
        return tuple(cell_name(cell) for cell in self.cells)

    @property
    def settles_in_advance(self) -> bool:
        """Whether money meets instalments that have not fallen due yet."""
        return any(timing is Timing.IN_ADVANCE for timing, _ in self.cells)


def cell_name(cell: tuple[Timing, Component]) -> str:
    """A cell as it is written: past_due.interest."""
    timing, kind = cell
    return f"{timing.name.lower()}.{kind.name.lower()}"


@dataclass(frozen=True)
class Orders:
    """Which order each loan follows: loan int64 ascending, rule int64 (position in `rules`).

    A loan that is not named follows `otherwise`; -1 there is the oldest first.
    """

    rules: tuple[Order | Grid, ...]
    loan: IntColumn
    rule: IntColumn
    otherwise: int = -1

    @classmethod
    def everywhere(cls, rule: Order | Grid) -> Self:
        """One order for every loan."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls((rule,), nothing, nothing, otherwise=0)

    def of(self, loans: IntColumn) -> IntColumn:
        """The rule of each loan, as a position in `rules`; -1: the oldest first."""
        if not self.loan.size:
            return np.full(loans.size, self.otherwise, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.loan, loans), self.loan.size - 1)
        return np.where(self.loan[place] == loans, self.rule[place], self.otherwise)


NEVER = np.iinfo(np.int64).max
"""Rank of what money does not settle."""


def rank_table(rules: Sequence[Order | Grid]) -> npt.NDArray[np.int64]:
    """Rank by rule, by what pays (0 a receipt, 1 an advance), timing and component; NEVER: not at all.

    Lower goes first; among equals the older late date, then the instalment, then the component. A
    recovery is met first of all; a refund by advances only, before anything else, for it is paid out.
    """
    table = np.full((len(rules), 2, len(Timing), Component.RECOVERY + 1), NEVER, dtype=np.int64)
    for number, rule in enumerate(rules):
        for (timing, kind), rank in _ranks(rule).items():
            table[number, :, timing, kind] = rank
    table[:, :, : Timing.IN_ADVANCE, Component.RECOVERY] = 0
    table[:, 1, : Timing.IN_ADVANCE, Component.REFUND] = -1
    return table


def _ranks(rule: Order | Grid) -> dict[tuple[Timing, Component], int]:
    if isinstance(rule, Grid):
        return {cell: position for position, cell in enumerate(rule.cells, start=1)}
    ranks = {
        Order.OLDEST_FIRST: dict.fromkeys(OWED, 1),
        Order.BY_COMPONENT: {kind: int(kind) for kind in OWED},
        Order.PRINCIPAL_FIRST: {kind: 1 + Component.PRINCIPAL - kind for kind in OWED},
    }
    if rule not in ranks:
        raise CannotOrder("the order 'grid' needs the cells of its grid; pass a Grid")
    return {
        (timing, kind): rank for timing in (Timing.PAST_DUE, Timing.DUE) for kind, rank in ranks[rule].items()
    }
