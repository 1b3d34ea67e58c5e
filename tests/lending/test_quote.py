"""A quote: the plan of any terms, its working and its price, on the page, in files and in a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from lxml import html

from calc.calendar import BusinessCalendar
from lending.forms.quote import QuoteForm
from tests.conftest import ActingClient
from tests.lending.world import World

Enter = Callable[..., ActingClient]
URL = "/lending/quote/"
TERMS = {"principal": "10,00,000", "annual_rate": "6", "disbursed_on": "2026-01-15", "instalments": "42"}


def asked(**more: str) -> QuoteForm:
    """The form of these terms, holidays aside."""
    form = QuoteForm(TERMS | more, calendar=BusinessCalendar())
    form.is_valid()
    return form


def faults(**more: str) -> dict[str, str]:
    """What is refused, by field."""
    return {name: " ".join(map(str, found)) for name, found in asked(**more).errors.items()}


def test_the_published_instalment_its_last_and_its_interest() -> None:
    """Domain.md 5.3: 10 lakh at 6 % over 42 months is 26,456.22, the last 26,456.04, interest 1,11,161.06."""
    quote = asked().quote
    assert quote is not None
    assert (quote.instalment_minor, quote.last_minor, quote.interest_minor) == (2645622, 2645604, 11116106)
    assert quote.are_level
    assert quote.paid_minor == 1_000_000_00 + 11116106


def test_every_working_comes_to_the_interest_it_explains() -> None:
    for terms in (
        {"day_count": "ACT/365F", "roll": "following", "interest_to": "adjusted"},
        {"grace_periods": "6", "grace_kind": "interest_deferred", "day_count": "ACT/360"},
        {"grace_periods": "6", "grace_kind": "interest_capitalised"},
        {"method": "step_up", "step_percent": "5", "step_every": "12"},
        {"method": "equal_principal", "frequency": "quarterly", "day_count": "ACT/ACT"},
    ):
        quote = asked(**terms).quote
        assert quote is not None, terms
        for row in quote.rows:
            if row.working is not None:
                other = row.working.other_minor
                assert row.working.rounded_minor + other == (
                    row.period.interest_minor or row.period.capitalised_minor
                )
                if row.working.joins_principal:
                    assert abs(other) <= 1
                else:
                    assert not other or (terms.get("grace_kind") == "interest_deferred" and other > 0)


def test_the_price_counts_what_is_kept_back_and_what_each_instalment_is_charged() -> None:
    plain, priced = asked().quote, asked(fee="10,000", charge="50").quote
    assert plain is not None
    assert priced is not None
    # 6 % paid monthly is 6.1678 % a year; due dates that holidays move shift it a little.
    assert abs(plain.apr - Decimal("6.1678")) < Decimal("0.001")
    assert priced.apr > plain.apr + Decimal("0.7")
    assert (priced.received_minor, priced.charges_minor) == (990_000_00, 10_000_00 + 42 * 50_00)


def test_an_agreed_instalment_finds_the_number_of_them() -> None:
    quote = asked(
        principal="5000", annual_rate="12", instalments="", agreed_instalment="862", disbursed_on="2026-01-01"
    ).quote
    assert quote is not None
    assert len(quote.plan.instalments) == 7


@pytest.mark.parametrize(
    ("terms", "field", "reason"),
    [
        ({"grace_periods": "3"}, "grace_kind", "say whether interest is paid"),
        ({"instalments": ""}, "instalments", "agreed instalment"),
        ({"method": "irregular", "amounts": "100000\n200000"}, "amounts", "2 amounts do not make 42"),
        ({"method": "irregular", "amounts": "1,00,000; x"}, "amounts", "amount in taka"),
        ({"frequency": "every_n_days", "day_count": "ACT/360"}, "every_days", "every how many days"),
        ({"frequency": "weekly"}, "day_count", "periods counted in months"),
        ({"first_due_on": "15/01/2026"}, "first_due_on", "after the disbursement"),
        ({"agreed_instalment": "100"}, "agreed_instalment", "would not cover the interest"),
        ({"fee": "10,00,000"}, "fee", "leave something to lend"),
        ({"principal": "0"}, "principal", "positive principal"),
        (
            {"contract": "murabaha", "grace_periods": "3", "grace_kind": "interest_capitalised"},
            "grace_kind",
            "nothing unpaid joins",
        ),
    ],
)
def test_terms_that_contradict_are_refused_at_their_field(
    terms: dict[str, str], field: str, reason: str
) -> None:
    found = faults(**terms)
    assert list(found) == [field]
    assert reason.lower() in found[field].lower()


@pytest.mark.django_db
def test_foundation_and_partner_people_see_the_plan_and_its_address_says_it_again(
    world: World, as_foundation: Enter, as_partner: Enter
) -> None:
    for client in (as_foundation("officer"), as_partner(world.bank, "viewer")):
        empty = client.get(URL)
        assert "26,456.22" not in empty.content.decode()
        page = client.get(URL, TERMS)
        text = page.content.decode()
        assert "26,456.22" in text
        shown: Any = html.fromstring(text)
        links = shown.xpath("//a[contains(@href, 'export=csv')]/@href")
        again = {name: values[0] for name, values in parse_qs(urlsplit(links[0]).query).items()}
        assert again.pop("export") == "csv"
        assert again == TERMS
        assert "26,456.22" in client.get(URL, again).content.decode()


@pytest.mark.django_db
def test_the_page_says_profit_where_the_contract_bears_no_interest(
    world: World, as_foundation: Enter
) -> None:
    page: Any = html.fromstring(
        as_foundation("officer").get(URL, TERMS | {"contract": "murabaha"}).content.decode()
    )
    told = " ".join(page.xpath("//section[contains(@class, 'quote-table')]//text()"))
    assert "Profit" in told
    assert "nterest" not in told
    asked = page.xpath("//form[contains(@class, 'card-body')]//*[self::label or self::option]/text()")
    said = [words for words in asked if "nterest" in words]
    assert said == ["Interest"], "the name of the other contract, among the choices, and nothing else"


@pytest.mark.django_db
def test_files_hold_every_period_with_its_working(world: World, as_foundation: Enter) -> None:
    client: ActingClient = as_foundation("auditor")
    text = client.get(URL, TERMS | {"export": "csv"}).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    first = next(row for row in rows if row and row[0] == "1")
    assert first[4:6] == ["21456.22", "5000.00"]
    assert "10,00,000.00 × 6.00\u00a0%" in first[-1]
    book = openpyxl.load_workbook(io.BytesIO(client.get(URL, TERMS | {"export": "xlsx"}).content))
    assert book["List"].max_row == 1 + 42 + 1


@pytest.mark.django_db
def test_the_command_prints_writes_and_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--principal=1000000", "--annual-rate=6", "--disbursed-on=2026-01-15", "--instalments=42")
    call_command("quote", *options, "--working")
    said = capsys.readouterr().out
    assert "26,456.22" in said
    assert "10,00,000.00 × 6.00\u00a0% × 1/12 = 5,000.000000 → 5,000.00" in said
    assert "APR (effective, days over 365): 6.1" in said
    for name in ("plan.csv", "plan.xlsx"):
        call_command("quote", *options, "--output", str(tmp_path / name))
        first = (tmp_path / name).read_bytes()
        call_command("quote", *options, "--output", str(tmp_path / name))
        assert (tmp_path / name).read_bytes() == first
    with pytest.raises(CommandError, match=r"--grace-kind: Say whether interest"):
        call_command("quote", *options, "--grace-periods=3")
    with pytest.raises(CommandError, match=r"plan\.pdf is neither"):
        call_command("quote", *options, "--output", str(tmp_path / "plan.pdf"))
