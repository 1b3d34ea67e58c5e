"""Who takes part, on which dates, for which clusters: the facts the rest is drawn from.

The size is the programme's published one: about 2,800 entrepreneurs and Tk 185 crore, 30 % of it to women.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from calc.calendar import add_months
from calc.schedule import GraceKind, Method

CRORE_MINOR = 1_00_00_000 * 100
TOTAL_MINOR = 185 * CRORE_MINOR
WOMEN_PERCENT = 30

BOOKS_OPEN = date(2024, 2, 29)
LAST_MONTH_END = date(2026, 10, 31)
FIRST_DAILY_CLOSE = date(2026, 11, 8)
BUSINESS_DATE = date(2026, 11, 22)
"""The date the demonstration ends on, left open for its visitors."""


@dataclass(frozen=True, slots=True)
class ProgrammeOffer:
    """The terms of a programme as the demonstration uses them (taka; percent a year)."""

    code: str
    fund_rate: Decimal
    borrower_rate: Decimal
    min_taka: int
    max_taka: int
    max_machinery_taka: int
    tenors: tuple[tuple[int, int], ...]
    """Months in all, months of grace in them."""
    wholesale_instalments: int
    wholesale_grace_months: int


OFFERS = {
    "RF-1": ProgrammeOffer(
        code="RF-1",
        fund_rate=Decimal(0),
        borrower_rate=Decimal(4),
        min_taka=1_00_000,
        max_taka=30_00_000,
        max_machinery_taka=30_00_000,
        tenors=((36, 6), (36, 6), (36, 6), (24, 3)),
        wholesale_instalments=10,
        wholesale_grace_months=6,
    ),
    "RF-2": ProgrammeOffer(
        code="RF-2",
        fund_rate=Decimal(2),
        borrower_rate=Decimal(6),
        min_taka=1_00_000,
        max_taka=25_00_000,
        max_machinery_taka=50_00_000,
        tenors=((48, 6), (48, 6), (36, 6), (24, 3)),
        wholesale_instalments=14,
        wholesale_grace_months=6,
    ),
}


@dataclass(frozen=True, slots=True)
class Player:
    """A partner institution, how it lends and what its files look like.

    ``shape`` names a writer of ``sheets``; ``account`` is the pattern of its loan accounts.
    """

    code: str
    bank_code: str
    shape: str
    account: str
    method: Method = Method.EQUAL_INSTALMENT
    frequency: str = "monthly"
    grace_kind: GraceKind = GraceKind.INTEREST_PAID
    contract_mode: str = "interest"


PLAYERS = (
    Player("BRAC", "060", "titled_workbook", "1501{:09d}"),
    Player("CITY", "225", "unicode_text", "29{:010d}01"),
    Player("MTB", "145", "banded_workbook", "00{:02d}0310{:07d}"),
    Player("PRIME", "170", "plain_csv", "2170{:012d}"),
    Player(
        "SONALI",
        "200",
        "bangla_workbook",
        "0{:02d}633{:06d}",
        method=Method.EQUAL_PRINCIPAL,
        frequency="quarterly",
    ),
    Player("SJIBL", "190", "merged_workbook", "4019{:09d}", contract_mode="murabaha"),
    Player("IDLC", "", "semicolon_csv", "SME-{:07d}"),
    Player("LANKABANGLA", "", "bangla_csv", "0081{:08d}", grace_kind=GraceKind.INTEREST_CAPITALISED),
)


@dataclass(frozen=True, slots=True)
class Wave:
    """One round of lending by business dates: to apply, to decide, to pay, to list what was lent."""

    code: str
    programme: str
    apply_on: date
    decide_on: date
    draw_on: date
    value_date: date
    list_on: tuple[date, ...]


WAVES = {
    wave.code: wave
    for wave in (
        Wave(
            "R1",
            "RF-1",
            date(2024, 2, 29),
            date(2024, 3, 17),
            date(2024, 3, 31),
            date(2024, 3, 24),
            (date(2024, 4, 30), date(2024, 5, 31)),
        ),
        Wave(
            "A",
            "RF-2",
            date(2024, 6, 30),
            date(2024, 7, 15),
            date(2024, 7, 31),
            date(2024, 7, 22),
            (date(2024, 8, 31), date(2024, 9, 30)),
        ),
        Wave(
            "B",
            "RF-2",
            date(2024, 12, 31),
            date(2025, 1, 15),
            date(2025, 1, 31),
            date(2025, 1, 21),
            (date(2025, 2, 28), date(2025, 3, 31)),
        ),
        Wave(
            "C",
            "RF-2",
            date(2025, 8, 31),
            date(2025, 9, 15),
            date(2025, 9, 30),
            date(2025, 9, 22),
            (date(2025, 10, 31), date(2025, 11, 30)),
        ),
        Wave(
            "D",
            "RF-2",
            date(2026, 3, 31),
            date(2026, 4, 15),
            date(2026, 4, 30),
            date(2026, 4, 20),
            (date(2026, 5, 31),),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class ClusterFact:
    """A cluster as the bank's officer writes it; ``women`` is the share of women among its borrowers."""

    code: str
    sector: str
    activity: str
    district: str
    women: float = 0.22


CLUSTERS = {
    fact.code: fact
    for fact in (
        ClusterFact("CL003", "Light engineering", "manufacturing", "Dhaka", 0.08),
        ClusterFact("CL007", "Handicraft", "manufacturing", "Manikganj", 0.65),
        ClusterFact("CL010", "Agro-processing", "manufacturing", "Sherpur"),
        ClusterFact("CL013", "Handloom", "manufacturing", "Tangail", 0.35),
        ClusterFact("CL016", "Footwear", "manufacturing", "Kishoreganj"),
        ClusterFact("CL020", "Handicraft", "manufacturing", "Jashore", 0.80),
        ClusterFact("CL022", "Textile", "manufacturing", "Rajshahi", 0.40),
        ClusterFact("CL024", "Footwear", "manufacturing", "Rajshahi"),
        ClusterFact("CL028", "Light engineering", "manufacturing", "Jashore", 0.08),
        ClusterFact("CL031", "Aromatics", "manufacturing", "Moulvibazar"),
        ClusterFact("CL033", "Food", "manufacturing", "Khulna", 0.30),
        ClusterFact("CL034", "Food/oil", "manufacturing", "Bagerhat"),
        ClusterFact("CL035", "Wood/sports", "manufacturing", "Pirojpur"),
        ClusterFact("CL036", "Handloom", "manufacturing", "Kushtia", 0.30),
        ClusterFact("CL037", "Home textile", "manufacturing", "Rangpur", 0.50),
        ClusterFact("CL038", "Knit", "manufacturing", "Gaibandha"),
        ClusterFact("CL043", "Footwear", "manufacturing", "Chattogram"),
        ClusterFact("CL045", "Light engineering", "manufacturing", "Bogura", 0.08),
        ClusterFact("CL046", "Mixed", "service", "Dhaka", 1.0),
        ClusterFact("CL052", "Handloom", "manufacturing", "Narayanganj", 0.35),
        ClusterFact("CL053", "Fish processing", "trading", "Cox's Bazar", 0.30),
        ClusterFact("CL056", "Garments", "manufacturing", "Nilphamari", 0.35),
        ClusterFact("CL057", "Handloom", "manufacturing", "Bogura", 0.35),
    )
}


@dataclass(frozen=True, slots=True)
class Request:
    """An application for one cluster: how many borrowers, of what average size (lakh)."""

    player: str
    wave: str
    cluster: str
    loans: int
    average_lakh: float

    @property
    def key(self) -> str:
        """A name for the request, unique in the plan."""
        return f"{self.player}-{self.wave}-{self.cluster}"


REQUESTS = (
    Request("BRAC", "R1", "CL045", 150, 7.5),
    Request("BRAC", "R1", "CL003", 70, 9.0),
    Request("CITY", "R1", "CL043", 100, 7.0),
    Request("MTB", "R1", "CL036", 110, 5.5),
    Request("PRIME", "R1", "CL016", 90, 6.0),
    Request("IDLC", "R1", "CL013", 80, 6.0),
    Request("LANKABANGLA", "R1", "CL024", 60, 6.0),
    Request("BRAC", "A", "CL057", 120, 6.0),
    Request("BRAC", "A", "CL028", 100, 8.0),
    Request("CITY", "A", "CL052", 90, 6.5),
    Request("MTB", "A", "CL022", 80, 7.0),
    Request("PRIME", "A", "CL037", 80, 5.0),
    Request("SONALI", "A", "CL010", 110, 8.0),
    Request("SONALI", "A", "CL038", 90, 6.0),
    Request("SJIBL", "A", "CL031", 30, 7.5),
    Request("IDLC", "A", "CL003", 60, 9.0),
    Request("LANKABANGLA", "A", "CL016", 60, 6.0),
    Request("BRAC", "B", "CL046", 130, 5.5),
    Request("CITY", "B", "CL056", 110, 7.0),
    Request("MTB", "B", "CL013", 90, 5.5),
    Request("PRIME", "B", "CL035", 70, 5.0),
    Request("SONALI", "B", "CL034", 90, 6.0),
    Request("SJIBL", "B", "CL033", 20, 8.0),
    Request("IDLC", "B", "CL024", 60, 6.5),
    Request("LANKABANGLA", "B", "CL043", 50, 7.0),
    Request("BRAC", "C", "CL003", 110, 8.0),
    Request("CITY", "C", "CL020", 70, 4.5),
    Request("MTB", "C", "CL052", 70, 6.5),
    Request("SONALI", "C", "CL053", 80, 6.5),
    Request("PRIME", "C", "CL036", 60, 6.0),
    Request("IDLC", "C", "CL045", 50, 8.0),
    Request("BRAC", "D", "CL022", 80, 7.0),
    Request("CITY", "D", "CL016", 60, 6.5),
    Request("SONALI", "D", "CL038", 60, 6.0),
    Request("MTB", "D", "CL007", 40, 3.5),
    Request("LANKABANGLA", "D", "CL028", 20, 8.0),
)


@dataclass(frozen=True)
class Cast:
    """What one demonstration plays: institutions, requests, dates, and how much money in all."""

    players: tuple[Player, ...]
    requests: tuple[Request, ...]
    last_month_end: date
    daily_closes: tuple[date, ...]
    business_date: date
    total_minor: int
    women_percent: int = WOMEN_PERCENT

    @property
    def month_ends(self) -> tuple[date, ...]:
        """Every month end from the opening of the books."""
        return tuple(month_ends(BOOKS_OPEN, self.last_month_end))

    @property
    def business_dates(self) -> tuple[date, ...]:
        """Every date the books stand at, the last one stays open."""
        waves = {WAVES[request.wave] for request in self.requests}
        desk = {wave.decide_on for wave in waves}
        return tuple(sorted({*self.month_ends, *desk, *self.daily_closes, self.business_date}))

    def following(self, day: date) -> date:
        """The business date after one of them."""
        return next(later for later in self.business_dates if later > day)

    def player(self, code: str) -> Player:
        """The institution with that code."""
        return next(player for player in self.players if player.code == code)


def off_weekend(day: date) -> date:
    """The day itself, or the Sunday after a Friday or Saturday."""
    return day + timedelta(days={4: 2, 5: 1}.get(day.weekday(), 0))


def month_ends(first: date, last: date) -> Iterator[date]:
    """Month ends from first to last, which are month ends themselves."""
    step = 0
    while (day := add_months(first, step, seed_day=31)) <= last:
        yield day
        step += 1


FULL_CAST = Cast(
    players=PLAYERS,
    requests=REQUESTS,
    last_month_end=LAST_MONTH_END,
    daily_closes=tuple(
        FIRST_DAILY_CLOSE + timedelta(days=step) for step in range((BUSINESS_DATE - FIRST_DAILY_CLOSE).days)
    ),
    business_date=BUSINESS_DATE,
    total_minor=TOTAL_MINOR,
)


def small_cast(*, players: tuple[str, ...], last_month_end: date, days: int, loans_percent: int = 10) -> Cast:
    """A short demonstration of the same kind: some institutions, fewer months, fewer borrowers.

    The money goes down with the borrowers, so that loans keep their size.
    """
    requests = tuple(
        replace(request, loans=max(4, request.loans * loans_percent // 100))
        for request in REQUESTS
        if request.player in players and WAVES[request.wave].list_on[-1] <= last_month_end
    )
    average = sum(request.loans * request.average_lakh for request in requests)
    daily = tuple(last_month_end + timedelta(days=8 + step) for step in range(days))
    return Cast(
        players=tuple(player for player in PLAYERS if player.code in players),
        requests=requests,
        last_month_end=last_month_end,
        daily_closes=daily,
        business_date=last_month_end + timedelta(days=8 + days),
        total_minor=int(average) * 1_00_000 * 100,
    )
