"""What each institution sends and when, with the mistakes planted in it and what should become of every row.

The expectations are the answer key: they never enter a file, and nothing that reads files sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from random import Random
from typing import Any

import pandas as pd

from reports.demonstration.borrowers import LAKH_MINOR
from reports.demonstration.cast import WAVES, Cast, Player
from reports.demonstration.sheets import SHAPES, Formula, Shape, layout, write_sheet


class Kind(StrEnum):
    """The kinds of file, as the upload page names them."""

    REPAYMENTS = "repayments"
    SUBLOANS = "subloans"
    BORROWERS = "borrowers"


@dataclass(frozen=True, slots=True)
class Row:
    """A row to be written, and what the system should make of it: its state, and the field it should name."""

    values: Mapping[str, Any]
    state: str = "posted"
    field: str = ""
    mistake: str = ""


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file an institution sends on a business date."""

    player: Player
    kind: Kind
    on: date
    request: str
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        """A name that is unique among an institution's files."""
        about = f"-{self.request.split('-', 1)[1]}" if self.request else ""
        return (
            f"{self.player.code}-{self.kind.value}{about}-{self.on:%Y%m%d}{SHAPES[self.player.shape].suffix}"
        )

    @property
    def layout(self) -> tuple[int, dict[str, str]]:
        """Where its rows begin, and the column letter of each field."""
        return layout(SHAPES[self.player.shape], self.kind.value)

    def write(
        self, *, institution: str, tranche_numbers: Mapping[str, str], shape: Shape | None = None
    ) -> bytes:
        """The file itself; tranche numbers are the system's, by the plan's tranche keys."""
        rows = [
            {**row.values, "tranche_number": tranche_numbers.get(row.values["tranche_number"], "")}
            if self.kind is Kind.SUBLOANS
            else row.values
            for row in self.rows
        ]
        return write_sheet(
            shape or SHAPES[self.player.shape],
            self.kind.value,
            rows,
            institution=institution,
            period=self.on,
            total_minor=sum(row["amount"] for row in rows if isinstance(row["amount"], int)),
        )


MARGIN_MINOR = 500_00
"""What a borrower pays in before the loan is disbursed, where that happens."""


@dataclass
class _Desk:
    """The officer who writes one institution's files: what was sent before, what must be sent again."""

    sent: list[Row] = field(default_factory=list)
    again: list[Row] = field(default_factory=list)
    written: int = 0

    def reference(self, on: date) -> str:
        """A reference no payment of the plan has."""
        self.written += 1
        return f"X{on:%y%m%d}{self.written:04d}"


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a mistake is made: the file being written and the book around it."""

    rows: list[Row]
    desk: _Desk
    on: date
    random: Random
    disbursed: Mapping[str, date]
    strangers: Sequence[str]

    def pick(self) -> int:
        """A sound row of the file, by position."""
        return self.random.choice([place for place, row in enumerate(self.rows) if not row.mistake])

    def spoil(self, field_name: str, value: Any, mistake: str, state: str = "invalid") -> None:
        """Put a wrong value into a sound row; the bank sends the right one with its next file."""
        place = self.pick()
        self.desk.again.append(self.rows[place])
        wrong = {**self.rows[place].values, field_name: value}
        self.rows[place] = Row(wrong, state=state, field=field_name, mistake=mistake)

    def sound_amount(self) -> int:
        """The amount of some sound row, to be mistyped."""
        amount: int = self.rows[self.pick()].values["amount"]
        return amount


def _unreadable_amount(spot: _Spot) -> None:
    spot.spoil("amount", "5,25O.00", "a letter in the amount")


def _negative_amount(spot: _Spot) -> None:
    spot.spoil("amount", -spot.sound_amount(), "a negative amount")


def _no_amount(spot: _Spot) -> None:
    spot.spoil("amount", "", "no amount")


def _no_such_day(spot: _Spot) -> None:
    spot.spoil("value_date", "31/02/2026", "a day that does not exist")


def _future(spot: _Spot) -> None:
    spot.spoil("value_date", spot.on + timedelta(days=365), "a date in the future")


def _unknown_account(spot: _Spot) -> None:
    spot.spoil("account", "9999000000000", "an unknown account", state="unmatched")


def _formula(spot: _Spot) -> None:
    spot.spoil("amount", Formula("=1000+500", 1_500_00), "a formula in the amount")


def _strange_account(spot: _Spot) -> None:
    """Another institution's loan: for this one it does not exist."""
    values = {**spot.rows[spot.pick()].values, "account": spot.random.choice(spot.strangers)}
    values["reference"] = spot.desk.reference(spot.on)
    spot.rows.append(Row(values, state="unmatched", field="account", mistake="another institution's account"))


def _twice(spot: _Spot) -> None:
    copied = spot.rows[spot.pick()].values
    spot.rows.append(Row(copied, state="duplicate", field="reference", mistake="the same row twice"))


def _sent_before(spot: _Spot) -> None:
    copied = spot.random.choice(spot.desk.sent).values
    spot.rows.append(Row(copied, state="duplicate", field="reference", mistake="a payment sent before"))


def _before_disbursement(spot: _Spot) -> None:
    """Believable (a margin paid in advance), so it is a warning that the checker may accept."""
    place = spot.pick()
    values = dict(spot.rows[place].values)
    values["value_date"] = spot.disbursed[values["account"]] - timedelta(days=4)
    values |= {
        "amount": MARGIN_MINOR,
        "principal": MARGIN_MINOR,
        "interest": 0,
        "reference": spot.desk.reference(spot.on),
    }
    spot.rows.append(Row(values, state="posted", field="value_date", mistake="a payment before disbursement"))


MISTAKES: tuple[Callable[[_Spot], None], ...] = (
    _unreadable_amount,
    _twice,
    _future,
    _strange_account,
    _negative_amount,
    _sent_before,
    _unknown_account,
    _before_disbursement,
    _formula,
    _no_such_day,
    _no_amount,
)
SPOILED_EVERY = 3
"""Every third repayment file has two mistakes in it."""


def repayment_files(loans: pd.DataFrame, receipts: pd.DataFrame, cast: Cast, *, seed: int) -> list[BankFile]:
    """The files of repayments in order of date and institution."""
    random = Random(f"{seed}/files")  # noqa: S311  # repeatable on purpose
    by_key: dict[Any, Any] = {loan.key: loan for loan in loans.itertuples()}
    disbursed = {loan.account: loan.disbursed_date for loan in by_key.values()}
    desks = {player.code: _Desk() for player in cast.players}
    turn = 0
    files = []
    for number, ((on, code), part) in enumerate(receipts.groupby(["file_on", "player"], sort=True)):
        player, desk = cast.player(str(code)), desks[str(code)]
        in_bangla = SHAPES[player.shape].in_bangla
        rows = [_repayment(payment, by_key[payment.loan], in_bangla) for payment in part.itertuples()]
        rows.sort(key=lambda row: (row.values["branch"], row.values["value_date"]))
        rows += desk.again
        desk.again = []
        if number % SPOILED_EVERY == 0 and len(rows) > 3:
            strangers = [loan.account for loan in by_key.values() if loan.player != code]
            spot = _Spot(rows, desk, on, random, disbursed, strangers)  # type: ignore[arg-type]
            for _ in range(2):
                turn = _make_mistake(spot, turn, SHAPES[player.shape].suffix)
        desk.sent += [row for row in rows if row.state == "posted"][:40]
        files.append(BankFile(player, Kind.REPAYMENTS, on, "", tuple(rows)))  # type: ignore[arg-type]
    return files


def _repayment(payment: Any, loan: Any, in_bangla: bool) -> Row:
    return Row(
        {
            "branch": loan.branch,
            "account": loan.account,
            "person_name": loan.person_name_bn if in_bangla else loan.person_name,
            "value_date": payment.value_date,
            "amount": payment.amount_minor,
            "principal": payment.principal_minor,
            "interest": payment.interest_minor,
            "reference": payment.reference,
        }
    )


def _make_mistake(spot: _Spot, turn: int, suffix: str) -> int:
    """Make the next mistake that this file can hold; return whose turn it is then."""
    while True:
        mistake = MISTAKES[turn % len(MISTAKES)]
        turn += 1
        holds_formulas = suffix == ".xlsx"
        if (mistake is _formula and not holds_formulas) or (mistake is _sent_before and not spot.desk.sent):
            continue
        mistake(spot)
        return turn


LIST_MISTAKES: tuple[tuple[str, Any, str], ...] = (
    ("annual_rate", "14", "a rate above the programme's"),
    ("amount", "2,5O,000", "a letter in the amount"),
    ("amount", 90 * LAKH_MINOR, "an amount above the programme's"),
    ("disbursed_date", "30/02/2025", "a day that does not exist"),
    ("gender", "Company", "an unknown gender"),
    ("account", "", "no account"),
)
BORROWER_MISTAKES: tuple[tuple[str, Any, str], ...] = (
    ("amount", "3 lac", "an amount in words"),
    ("gender", "?", "an unknown gender"),
    ("person_name", "", "no name"),
)


def list_files(loans: pd.DataFrame, cast: Cast) -> list[BankFile]:
    """The lists of intended borrowers and of disbursed sub-loans, one mistaken extra row in each."""
    files = []
    for number, request in enumerate(cast.requests):
        wave, player = WAVES[request.wave], cast.player(request.player)
        mine = loans[loans["request"] == request.key]
        rows = [Row(_values(loan, player)) for loan in mine.to_dict("records")]
        extra = _extra(rows[0], BORROWER_MISTAKES[number % len(BORROWER_MISTAKES)], 9000 + number)
        files.append(
            BankFile(player, Kind.BORROWERS, wave.apply_on, request.key, (*rows[:3], extra, *rows[3:]))
        )
        for part, on in enumerate(wave.list_on):
            listed = [row for row, day in zip(rows, mine["list_on"], strict=True) if day == on]
            mistake = LIST_MISTAKES[(number + part) % len(LIST_MISTAKES)]
            extra = _extra(listed[-1], mistake, 9100 + 2 * number + part)
            files.append(BankFile(player, Kind.SUBLOANS, on, request.key, (*listed, extra)))
    return sorted(files, key=lambda file: (file.on, file.player.code, file.kind))


def _values(loan: Mapping[Any, Any], player: Player) -> dict[str, Any]:
    in_bangla = SHAPES[player.shape].in_bangla
    return {
        **loan,
        "person_name": loan["person_name_bn"] if in_bangla else loan["person_name"],
        "enterprise_name": loan["enterprise_name_bn"] if in_bangla else loan["enterprise_name"],
        "amount": int(loan["amount_minor"]),
        "is_machinery": "yes" if loan["is_machinery"] else "no",
        "purpose": "Machinery" if loan["is_machinery"] else "Working capital",
        "tranche_number": f"{loan['request']}-{loan['tranche'] + 1}",
    }


def _extra(like: Row, mistake: tuple[str, Any, str], number: int) -> Row:
    """A row for a borrower who was never lent to, with one field wrong."""
    field_name, wrong, what = mistake
    values = {
        **like.values,
        "person_name": f"Synthetic Borrower {number}",
        "enterprise_name": f"Synthetic Enterprise {number}",
        "account": f"999{number:09d}",
        "nid": f"99000{number:08d}",
        "trade_licence": f"SYN/{number:05d}/2024",
        "amount": 2 * LAKH_MINOR,
        "is_machinery": "no",
        field_name: wrong,
    }
    return Row(values, state="invalid", field=field_name, mistake=what)


def planted(files: Iterable[BankFile]) -> list[tuple[BankFile, int, Row]]:
    """Every planted row: its file, its position in the list from 0, and what is expected of it."""
    return [(file, position, row) for file in files for position, row in enumerate(file.rows) if row.mistake]
