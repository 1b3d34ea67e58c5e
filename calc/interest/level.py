"""The instalment that repays a balance, level or growing in steps, exactly until its one rounding."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import numpy as np

from calc.money import IntColumn, ObjectColumn, Rounding, round_quotients

Carried = tuple[ObjectColumn, ObjectColumn]
"""Interest owed before the first period, as fractions of minor units (above, below)."""


def level_instalments(
    balance: IntColumn,
    numerators: IntColumn,
    denominators: IntColumn,
    rounding: Rounding,
    carried: Carried | None = None,
) -> IntColumn:
    """The instalment that, paid at the end of every period, brings each balance to nothing.

    With g = 1 + ratio of a period, the instalment is balance x (g1 g2 ... gn) / (g2...gn +
    g3...gn + ... + gn + 1). Where all periods are alike this is P i (1+i)^n / ((1+i)^n - 1).
    Exact until the one named rounding: 10,00,000.00 at 6 % over 42 months gives 26,456.22.
    """
    weights = [Fraction(1)] * numerators.shape[1]
    return weighted_instalments(balance, numerators, denominators, weights, rounding, carried)[:, 0]


def weighted_instalments(
    balance: IntColumn,
    numerators: IntColumn,
    denominators: IntColumn,
    weights: Sequence[Fraction],
    rounding: Rounding,
    carried: Carried | None = None,
) -> IntColumn:
    """Instalments in the proportion of the weights that bring each balance to nothing.

    One row a loan, one column a period; each amount is rounded once. Equal weights give the level
    instalment in every column. `carried` interest falls due with the first period, bearing nothing:
    it counts like so much more balance, less the growth of that period.
    """
    table = np.ascontiguousarray(np.hstack([numerators, denominators]))
    rows = table.view(np.dtype((np.void, table.dtype.itemsize * table.shape[1]))).ravel()
    _, first, group = np.unique(rows, return_index=True, return_inverse=True)
    factors = [_level_factor(numerators[row].tolist(), denominators[row].tolist(), weights) for row in first]
    owed, part = balance.astype(object), np.ones(balance.size, dtype=object)
    if carried is not None:
        grown = (numerators[:, 0] + denominators[:, 0]).astype(object)
        owed = owed * carried[1] * grown + carried[0] * denominators[:, 0].astype(object)
        part = carried[1] * grown
    instalments = np.empty(numerators.shape, dtype=np.int64)
    for weight in dict.fromkeys(weights):
        shares = [factor * weight for factor in factors]
        above = np.array([share.numerator for share in shares], dtype=object)[group]
        below = np.array([share.denominator for share in shares], dtype=object)[group]
        amount = round_quotients(owed * above, part * below * rounding.quantum_minor, rounding)
        columns = [at for at, other in enumerate(weights) if other == weight]
        instalments[:, columns] = amount[:, None]
    return instalments


def _level_factor(numerators: list[int], denominators: list[int], weights: Sequence[Fraction]) -> Fraction:
    """Instalment of weight one per unit of balance, from the ratios of the periods."""
    scale = lcm(*(weight.denominator for weight in weights))
    growth, weighted = 1, 0
    for numerator, denominator, weight in zip(
        reversed(numerators), reversed(denominators), reversed(weights), strict=True
    ):
        weighted = (weighted + growth * int(weight * scale)) * denominator
        growth *= denominator + numerator
    return Fraction(growth * scale, weighted)
