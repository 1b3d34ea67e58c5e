"""The same bad terms get the same refusal from calc, an agreement, a bank's list and a quote."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import translation

from config.management.commands.assets import compile_translations
from lending.fault_words import say
from lending.services.agreements import CannotDraftAgreement, draft_agreement
from lending.services.subloan_checks import check_subloans
from lending.services.terms import StatedTerms
from lending.term_words import SENTENCES, reason_of, say_reason
from partners.models import User
from tests.conftest import ActingClient
from tests.lending.world import CRORE, TODAY, World, make_world, subloan_rows

SignIn = Callable[[User], ActingClient]
SOUND = {"method": "equal_instalment", "frequency": "monthly", "instalments": 12, "annual_rate": Decimal(2)}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"grace_months": 3}, "say whether interest is paid, added, capitalised, deferred or waived during the"),
    ({"grace_kind": "interest_paid"}, "a kind of grace needs at least one grace period"),
    (
        {"frequency": "quarterly", "instalments": 4, "grace_months": 5, "grace_kind": "interest_paid"},
        "a grace of 5 months is not a whole number of periods of 3 months",
    ),
    ({"due_day": 32}, "a due day lies between 1 and 31"),
    ({"frequency": "weekly", "due_day": 5, "day_count": "ACT/360"}, "a fixed due day needs periods"),
    ({"frequency": "weekly", "day_count": "MONTHLY/12"}, "monthly/12 needs periods counted in months"),
    (
        {"frequency": "every_n_days", "day_count": "ACT/360"},
        "say every how many days an instalment falls due",
    ),
    ({"every_days": 10}, "a number of days belongs to the frequency 'every n days' only"),
    (
        {"method": "step_up", "step_percent": Decimal(5)},
        "say after how many instalments the instalment steps",
    ),
    ({"step_percent": Decimal(5), "step_every": 3}, "a step belongs to the method 'step up' only"),
    ({"method": "balloon"}, "“balloon” is not known here"),
    ({"instalments": 1201}, "a plan has at most 1200 periods"),
]
FIELDS = {"instalments": "instalment_count"}


def drafted(world: World, **terms: Any) -> str:
    """What drafting an agreement with these terms is refused with."""
    named = {FIELDS.get(name, name): value for name, value in terms.items()}
    with pytest.raises(CannotDraftAgreement) as refusal:
        draft_agreement(
            institution=world.bank,
            programme=world.programme,
            limit=CRORE,
            signed_date=TODAY,
            from_date=TODAY,
            to_date=date(2026, 12, 31),
            **{"day_count": "MONTHLY/12", "grace_kind": "none"} | named,
            **world.act("officer"),
        )
    return str(refusal.value)


def listed(world: World, **terms: Any) -> str:
    """What the row of a list with these terms is refused with."""
    named: dict[str, Any] = {FIELDS.get(name, name): [value] for name, value in terms.items()}
    rows: Any = subloan_rows(1).drop(columns=["tenor_months", "grace_months", "grace_kind"])
    named = {"grace_months": [0], "grace_kind": ["none"]} | named
    found = check_subloans(rows=rows.assign(**named), institution_id=world.bank.pk, business_date=TODAY)
    reasons = [reason for reason in found["reason"] if reason.startswith("The repayment plan")]
    return " ".join(reasons)


def test_calc_an_agreement_a_list_and_a_quote_refuse_alike(db: None) -> None:
    world = make_world()
    world.loan()
    wrong = {}
    for changes, reason in BAD:
        terms = SOUND | changes
        said = {"agreement": drafted(world, **terms), "list": listed(world, **terms)}
        if missing := {where for where, text in said.items() if reason not in text}:
            wrong[reason] = {where: said[where] for where in missing}
    assert wrong == {}


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"grace_periods": 3}, "say whether"),
        ({"grace_kind": "interest_paid"}, "a kind of grace needs at least one grace period"),
        (
            {"frequency": "weekly", "due_day": 5, "day_count": "ACT/360"},
            "a fixed due day needs periods",
        ),
        (
            {"frequency": "every_n_days", "day_count": "ACT/360"},
            "say every how many days an instalment falls",
        ),
        ({"method": "step_up", "step_percent": 5}, "say after how many instalments the instalment"),
    ],
)
def test_a_quote_refuses_in_the_same_words(
    world: World, sign_in: SignIn, terms: dict[str, Any], reason: str
) -> None:
    asked = {"principal": "10,00,000", "annual_rate": "6", "disbursed_on": "2025-01-01", "instalments": "12"}
    page = sign_in(world.people["officer"]).get(reverse("lending:quote"), asked | terms).content.decode()
    assert reason.casefold() in page.casefold().replace("&#x27;", "'")


def test_a_rate_above_the_cap_is_refused_for_both_tiers(world: World) -> None:
    world.loan()
    assert "exceeds the cap of 6 %" in drafted(world, **SOUND | {"annual_rate": Decimal("6.5")})
    rows = subloan_rows(1, annual_rate=[Decimal("6.5")])
    found = check_subloans(rows=rows, institution_id=world.bank.pk, business_date=TODAY)
    assert "exceeds the cap of 6 %" in " ".join(found["reason"])


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"tenor_months": [12], "grace_months": [12]}, "grace_months", "not shorter than the tenor"),
        (
            {"tenor_months": [24], "grace_months": [3], "instalment_count": [24]},
            "instalment_count",
            "24 instalments and 3 months of grace do not make a tenor of 24 months",
        ),
        (
            {"tenor_months": [25], "grace_months": [3], "frequency": ["quarterly"]},
            "tenor_months",
            "is not made of periods of 3 months",
        ),
        ({"frequency": ["weekly"], "grace_months": [0]}, "instalment_count", "say how many instalments"),
        (
            {"first_due_date": [date(2025, 1, 1)], "grace_months": [0], "grace_kind": ["none"]},
            "first_due_date",
            "the first due date must lie after the disbursement",
        ),
    ],
)
def test_a_row_that_contradicts_itself_names_its_column(
    world: World, changes: dict[str, Any], field: str, reason: str
) -> None:
    world.loan()
    rows = subloan_rows(1, **{"grace_months": [3], "tenor_months": [24]} | changes)
    found = check_subloans(rows=rows, institution_id=world.bank.pk, business_date=TODAY)
    told = found[found["reason"].str.startswith("The repayment plan")]
    assert (told["field"].item(), reason in told["reason"].item()) == (field, True), found["reason"].tolist()
    compile_translations()
    with translation.override("bn"):
        assert not any("a" <= letter <= "z" for letter in say(told["reason"].item()).casefold())


@pytest.mark.parametrize("mode", ["murabaha", "ijara", "mudaraba", "musharaka"])
def test_profit_never_earns_profit(db: None, mode: str) -> None:
    world = make_world(contract_mode=mode)
    world.loan()
    compounding = {"grace_months": 6, "grace_kind": "interest_capitalised"}
    said = drafted(world, **SOUND | compounding, contract_mode=mode)
    assert "nothing unpaid joins what bears profit or rent" in said
    assert "nothing unpaid joins what bears profit or rent" in listed(world, **SOUND | compounding)


@pytest.mark.parametrize(
    "terms", [{"interest_basis": "daily_product"}, {"early_fee_percent": Decimal("0.5")}]
)
def test_the_price_of_a_murabaha_is_fixed(world: World, terms: dict[str, Any]) -> None:
    assert "murabaha" in drafted(world, **SOUND | terms, contract_mode="murabaha")


def test_every_reason_is_known_in_bangla() -> None:
    compile_translations()
    with translation.override("bn"):
        for sentence in SENTENCES:
            assert say_reason(sentence.format_map(_Any())) != sentence.format_map(_Any()), sentence


class _Any(dict[str, str]):
    """Fills any gap with a number."""

    def __missing__(self, name: str) -> str:
        return "12"


def test_a_refusal_says_amounts_as_people_write_them() -> None:
    with pytest.raises(Exception, match="instalments") as raised:
        StatedTerms(method="irregular", instalments=2, amounts=(1, 2, 3)).rules()
    assert reason_of(raised.value) == "3 amounts do not make 2 instalments"  # type: ignore[arg-type]
    text = "amounts of 1250000 minor units in all do not repay the balance at the end of grace"
    assert say_reason(text) == "amounts of 12,500.00 in all do not repay the balance at the end of grace"
