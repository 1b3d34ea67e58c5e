"""Read the cases of ``cases/*.txt``: a finance officer's page, line by line, into dates and poisha."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from calc.calendar import add_months

BOOKS_OPEN = date(2025, 12, 31)
CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Lent:
    """The loan: tier, kind of institution, size, day of disbursement."""

    tier: str
    kind: str
    size: str
    on: date


@dataclass(frozen=True)
class Paid:
    """Money received on a day, booked on a day; perhaps taken back on another."""

    on: date
    minor: int
    booked: date


@dataclass(frozen=True)
class Dated:
    """A floor, freeze, security, return or second policy: its words, its dates and when it was booked."""

    words: tuple[str, ...]
    from_date: date
    to_date: date | None
    booked: date
    replaces: bool = False


@dataclass(frozen=True)
class Answer:
    """What must be found on a date, as known by another (None: by now)."""

    on: date
    known: date | None
    loan_class: str
    basis: str
    days: int
    months: int
    suspense: int
    security: int
    base: int
    percent: Decimal | None
    provision: int
    policy: str
    provision_policy: str


@dataclass
class Case:
    """One case as written."""

    says: str
    loan: Lent | None = None
    dues: list[tuple[date, int, int]] = field(default_factory=list)
    received: list[Paid] = field(default_factory=list)
    reversed: list[tuple[date, date]] = field(default_factory=list)
    floors: list[Dated] = field(default_factory=list)
    released: list[Dated] = field(default_factory=list)
    freezes: list[Dated] = field(default_factory=list)
    securities: list[Dated] = field(default_factory=list)
    reported: list[Dated] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    because: str = ""


def minor(text: str) -> int:
    """Poisha of "1,20,000.00"."""
    return int(Decimal(text.replace(",", "")) * 100)


def all_cases() -> list[Case]:
    """Every case of every page, in order."""
    return [case for path in sorted(CASES.glob("*.txt")) for case in _read(path.read_text("utf-8"))]


def _read(text: str) -> list[Case]:
    found = []
    for block in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        title, *lines = block.strip().splitlines()
        case = Case(title)
        for line in lines:
            word, _, rest = line.partition(" ")
            _line(case, word, re.split(r"  +", rest.strip()))
        found.append(case)
    return found


def _line(case: Case, word: str, cells: list[str]) -> None:
    match word:
        case "loan":
            tier, kind, *size, lent = [part.strip() for part in cells[0].split(",")]
            case.loan = Lent(
                "wholesale" if tier == "claim" else "subloan",
                kind.replace(" ", "_"),
                {"unknown": ""}.get(size[0], size[0]) if size else "",
                date.fromisoformat(lent.removeprefix("lent ")),
            )
        case "due":
            amounts = [minor(cell) for cell in cells[1:]]
            case.dues += [(day, amounts[0], sum(amounts[1:])) for day in _days(cells[0])]
        case "received":
            booked = _booked(cells)
            case.received += [
                Paid(day, minor(cells[1]), booked or max(day, BOOKS_OPEN)) for day in _days(cells[0])
            ]
        case "reversed":
            case.reversed.append((date.fromisoformat(cells[0]), _booked(cells) or BOOKS_OPEN))
        case "policy":
            case.policies.append(" ".join(cells))
        case "on":
            case.answers.append(_answer(cells))
        case "because":
            case.because = " ".join(cells)
        case _:
            lists = {
                "floor": case.floors,
                "released": case.released,
                "freeze": case.freezes,
                "security": case.securities,
                "reported": case.reported,
            }
            lists[word].append(_dated(cells))


def _days(text: str) -> list[date]:
    repeated = re.fullmatch(r"every (?:(\d+) )?months? from ([\d-]+), (\d+) times", text)
    if repeated is None:
        return [date.fromisoformat(text)]
    step, first, times = int(repeated[1] or 1), date.fromisoformat(repeated[2]), int(repeated[3])
    return [add_months(first, step * n) for n in range(times)]


def _booked(cells: list[str]) -> date | None:
    return next(
        (date.fromisoformat(cell.removeprefix("booked ")) for cell in cells if cell.startswith("booked ")),
        None,
    )


def _dated(cells: list[str]) -> Dated:
    first, _, last = cells[0].partition(" to ")
    words = tuple(cell for cell in cells[1:] if not cell.startswith("booked ") and cell != "replaces")
    return Dated(
        words,
        date.fromisoformat(first),
        date.fromisoformat(last) if last else None,
        _booked(cells) or BOOKS_OPEN,
        "replaces" in cells,
    )


def _answer(cells: list[str]) -> Answer:
    on, _, known = cells[0].partition(" known ")
    amounts = [minor(cells[at]) for at in (5, 6, 7)]
    return Answer(
        date.fromisoformat(on),
        date.fromisoformat(known) if known else None,
        "UNCLASSIFIED" if cells[1] == "none" else cells[1],
        {"figures": "OBJECTIVE", "none": "OBJECTIVE", "frozen": "FROZEN", "floor": "FLOOR"}[cells[2]],
        int(cells[3]),
        int(cells[4]),
        amounts[0],
        amounts[1],
        amounts[2],
        None if cells[8] == "none" else Decimal(cells[8].removesuffix(" %")),
        minor(cells[9]),
        cells[10],
        cells[11],
    )
