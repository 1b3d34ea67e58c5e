"""What is wrong with a row of a list, in the language of whoever reads it."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from django.utils import translation

from config.management.commands.assets import compile_translations
from lending.fault_words import say
from lending.services.application_lines import check_lines
from lending.services.subloan_checks import check_subloans
from tests.lending.world import TODAY, World, make_world, subloan_rows

pytestmark = pytest.mark.django_db

WRONG = (
    {"account": [""], "person_name": [""], "cluster_code": ["CL9"], "district": ["Nowhere"], "nid": ["12"]},
    {
        "gender": ["?"],
        "phone": ["12"],
        "routing_number": ["123456789"],
        "tranche_number": ["TR-0"],
        "nid": [""],
    },
    {"amount_minor": [0], "annual_rate": [90], "sector": ["Tobacco"], "size_tier": ["giant"]},
    {"disbursed_date": [date(2031, 1, 1)], "tenor_months": [0], "grace_months": [99]},
    {"amount_minor": [900_000_000], "tenor_months": [99], "sector": ["Tobacco"], "annual_rate": [9]},
    {"amount_minor": [5_000], "has_collateral": [True], "cluster_code": ["CL2"]},
)


def sentences(world: World, rows: pd.DataFrame) -> set[str]:
    """Everything the checks of both kinds of list say about these rows."""
    application = world.application()
    found = pd.concat(
        [
            check_subloans(rows=rows, institution_id=world.bank.pk, business_date=TODAY),
            check_lines(rows=rows, application=application, business_date=TODAY),
        ]
    )
    return {*found["reason"], *found["remedy"]}


def test_every_fault_is_said_in_bangla() -> None:
    compile_translations()
    world = make_world()
    world.loan()
    said = {sentence for changes in WRONG for sentence in sentences(world, subloan_rows(1, **changes))}
    twice = pd.concat([subloan_rows(1), subloan_rows(1)], ignore_index=True)
    said |= sentences(world, twice)
    assert len(said) > 40
    with translation.override("bn"):
        assert {sentence for sentence in said if say(sentence) == sentence} == set()
        assert say("Fill in the account of nobody.") == "the account of nobody লিখুন।"
        assert say("The loan account number is missing.") == "ঋণ হিসাব নম্বর নেই।"
    assert {say(sentence) for sentence in said} == said


def test_words_of_nobody_come_back_as_they_are() -> None:
    with translation.override("bn"):
        assert say("Something else {noun} entirely") == "Something else {noun} entirely"
