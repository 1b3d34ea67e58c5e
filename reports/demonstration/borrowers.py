"""Who borrows: synthetic entrepreneurs, each with one sub-loan, and how the money is spread over them.

Names, identity numbers and accounts are made up and look it: an identity number of district 99 cannot be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any

import bdbanks
import numpy as np
import numpy.typing as npt
import pandas as pd

from calc.money import IntColumn
from reports.demonstration.cast import (
    CLUSTERS,
    OFFERS,
    WAVES,
    Cast,
    Player,
    ProgrammeOffer,
    Request,
    Wave,
    off_weekend,
)
from reports.demonstration.numerals import bangla

STEP_MINOR = 5_000 * 100
"""Loans are sanctioned in steps of Tk 5,000."""
LAKH_MINOR = 1_00_000 * 100
TWO_TRANCHES_FROM = 100
"""Requests for this many borrowers or more are drawn in two tranches."""

_TIERS = ((3 * LAKH_MINOR, "cottage"), (10 * LAKH_MINOR, "micro"), (25 * LAKH_MINOR, "small"))


@dataclass(frozen=True, slots=True)
class Drawing:
    """A tranche: when it is asked for, when it is paid, when the money counts, and how much."""

    key: str
    request: Request
    ask_on: date
    draw_on: date
    value_date: date
    amount_minor: int


def draw_borrowers(cast: Cast, *, seed: int) -> pd.DataFrame:
    """One row a sub-loan, in the order of requests and lists: who, where, how much, on which terms.

    The amounts add up to the cast's total and the share of women to the poisha.
    """
    random = Random(seed)  # noqa: S311  # a made-up book wants repeatable numbers, not secret ones
    rows = [
        row for request in cast.requests for row in _rows_of(request, cast.player(request.player), random)
    ]
    loans = pd.DataFrame(rows)
    loans["amount_minor"], loans["gender"] = _money(loans, cast, random)
    loans["size_tier"] = [
        next((tier for limit, tier in _TIERS if amount <= limit), "medium")
        for amount in loans["amount_minor"]
    ]
    loans.insert(0, "key", np.arange(1, len(loans) + 1))
    return _named(loans, cast)


def draw_tranches(loans: pd.DataFrame, cast: Cast) -> list[Drawing]:
    """The tranches behind the sub-loans: each covers its own, rounded up to the next lakh."""
    drawings = []
    for request in cast.requests:
        wave = WAVES[request.wave]
        mine = loans[loans["request"] == request.key]
        for number in sorted(set(mine["tranche"].tolist())):
            needed = int(mine.loc[mine["tranche"] == number, "amount_minor"].sum())
            first = number == 0
            drawings.append(
                Drawing(
                    key=f"{request.key}-{number + 1}",
                    request=request,
                    ask_on=wave.decide_on if first else wave.draw_on,
                    draw_on=wave.draw_on if first else wave.list_on[0],
                    value_date=off_weekend(wave.value_date if first else wave.list_on[0].replace(day=20)),
                    amount_minor=-(-needed // LAKH_MINOR) * LAKH_MINOR,
                )
            )
    return drawings


def _rows_of(request: Request, player: Player, random: Random) -> list[dict[str, object]]:
    wave, cluster = WAVES[request.wave], CLUSTERS[request.cluster]
    offer = OFFERS[wave.programme]
    in_two = request.loans >= TWO_TRANCHES_FROM and len(wave.list_on) > 1
    rows: list[dict[str, object]] = []
    for position in range(request.loans):
        part = position * len(wave.list_on) // request.loans
        tenor, grace = random.choice(offer.tenors)
        months = 3 if player.frequency == "quarterly" else 1
        branch, routing = random.choice(_branches(player.bank_code, cluster.district))
        size = request.average_lakh * LAKH_MINOR * random.lognormvariate(-0.14, 0.55)
        rows.append(
            {
                "player": player.code,
                "request": request.key,
                "programme": offer.code,
                "tranche": part if in_two else 0,
                "list_on": wave.list_on[part],
                "disbursed_date": _working_day(wave, part, random),
                "drawn_minor": size,
                "cluster_code": cluster.code,
                "sector": cluster.sector,
                "activity": cluster.activity,
                "district": cluster.district,
                "women_score": random.random() / max(cluster.women, 0.01),
                "branch": branch,
                "routing_number": routing,
                "annual_rate": offer.borrower_rate,
                "tenor_months": tenor,
                "grace_months": grace,
                "grace_kind": player.grace_kind.value,
                "method": player.method.value,
                "frequency": player.frequency,
                "instalment_count": (tenor - grace) // months,
                "is_machinery": random.random() < 0.04,
            }
        )
    return rows


def _working_day(wave: Wave, part: int, random: Random) -> date:
    """A Sunday to Thursday of the month that the list covers; its tranche was drawn the month before."""
    last = wave.list_on[part]
    first = last.replace(day=1)
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    return random.choice([day for day in days if off_weekend(day) == day])


def _money(loans: pd.DataFrame, cast: Cast, random: Random) -> tuple[IntColumn, list[str]]:
    """Amounts and genders such that both totals are exact: women are chosen until their share is met."""
    low = np.array([OFFERS[code].min_taka * 100 for code in loans["programme"]], dtype=np.int64)
    high = np.array(
        [
            _ceiling(OFFERS[code], machinery)
            for code, machinery in zip(loans["programme"], loans["is_machinery"], strict=True)
        ],
        dtype=np.int64,
    )
    drawn = loans["drawn_minor"].to_numpy()
    drawn = np.where(loans["is_machinery"], drawn * 2.5, drawn)
    amounts = fit_to_total(drawn, cast.total_minor, low, high, random)
    women_total = cast.total_minor * cast.women_percent // 100 // STEP_MINOR * STEP_MINOR
    order = np.argsort(loans["women_score"].to_numpy(), kind="stable")
    women = np.zeros(len(loans), dtype=bool)
    women[order[np.cumsum(amounts[order]) <= women_total]] = True
    amounts[women] = fit_to_total(amounts[women], women_total, low[women], high[women], random)
    men_total = cast.total_minor - women_total
    amounts[~women] = fit_to_total(amounts[~women], men_total, low[~women], high[~women], random)
    return amounts, ["female" if woman else "male" for woman in women]


def _ceiling(offer: ProgrammeOffer, is_machinery: bool) -> int:
    return 100 * (offer.max_machinery_taka if is_machinery else offer.max_taka)


def fit_to_total(
    drawn: npt.NDArray[Any], total: int, low: IntColumn, high: IntColumn, random: Random
) -> IntColumn:
    """Scale drawn sizes to whole steps between low and high that add up to the total (minor units).

    Raises ValueError when the limits leave no room for the total, or it is no whole number of steps.
    """
    if total % STEP_MINOR or not int(low.sum()) <= total <= int(high.sum()):
        raise ValueError(f"{len(drawn)} loans cannot come to {total}")
    shares = drawn * (total / drawn.sum())
    amounts = np.clip((shares // STEP_MINOR).astype(np.int64) * STEP_MINOR, low, high)
    while (rest := total - int(amounts.sum())) != 0:
        step = STEP_MINOR if rest > 0 else -STEP_MINOR
        room = np.flatnonzero(amounts < high if rest > 0 else amounts > low).tolist()
        chosen = random.sample(room, min(len(room), abs(rest) // STEP_MINOR))
        amounts[chosen] += step
    return amounts


@cache
def _branches(bank_code: str, district: str) -> tuple[tuple[str, str], ...]:
    """Real branches of a bank in a district, else in Dhaka; a finance company files none."""
    if not bank_code:
        return ((f"{district} office", ""),)
    wanted = district.replace("'", "").replace(" ", "_").upper()
    payable = [
        branch
        for branch in bdbanks.branches(bank_code)
        if branch.payable and not bdbanks.is_settlement_endpoint(branch.name)
    ]
    nearby = [branch for branch in payable if branch.district == wanted]
    found = nearby or [branch for branch in payable if branch.district == "DHAKA"]
    return tuple(sorted((branch.name.title(), branch.routing) for branch in found)[:12])


def _named(loans: pd.DataFrame, cast: Cast) -> pd.DataFrame:
    """Give every borrower a name that says it is made up, an identity number and an account."""
    keys = loans["key"].tolist()
    loans["person_name"] = [f"Synthetic Borrower {key:04d}" for key in keys]
    loans["person_name_bn"] = [f"কৃত্রিম ঋণগ্রহীতা {bangla(f'{key:04d}')}" for key in keys]
    loans["enterprise_name"] = [f"Synthetic Enterprise {key:04d}" for key in keys]
    loans["enterprise_name_bn"] = [f"কৃত্রিম উদ্যোগ {bangla(f'{key:04d}')}" for key in keys]
    loans["nid"] = [f"99000{key:08d}" for key in keys]
    loans["trade_licence"] = [f"SYN/{key:05d}/2024" for key in keys]
    loans["account"] = [
        _account(cast.player(code), key) for code, key in zip(loans["player"], keys, strict=True)
    ]
    return loans.drop(columns=["drawn_minor", "women_score"])


def _account(player: Player, key: int) -> str:
    """The bank's own account number; two blanks in the pattern are the branch and the running number."""
    blanks = player.account.count("{")
    return player.account.format(key) if blanks == 1 else player.account.format(key % 37 + 1, key)
