"""The form of an agreement in a real browser: the plan its terms mean stands beside it and follows them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_as_officer
from tests.conftest import ClonedDatabase

pytestmark = pytest.mark.browser


@pytest.fixture
def form(cloned_database: ClonedDatabase, site: str, page: Page) -> Page:
    """The empty form, opened by an officer."""
    address = f"{site}/lending/agreements/new/"
    world = 'contract_mode="murabaha"'
    return open_as_officer(cloned_database, page, address, heading="New agreement", world=world)


def test_the_plan_follows_what_is_typed(form: Page) -> None:
    plan = form.locator("#plan")
    expect(plan).to_contain_text("To see the plan, fill in: Limit (Tk)")
    form.get_by_label("Limit (Tk)").fill("80,00,000")
    form.get_by_label("Rate, % a year").first.fill("2")
    form.get_by_label("Paying instalments").fill("8")
    expect(plan).to_contain_text("10,00,000.00")
    expect(plan).to_contain_text("Interest")
    form.get_by_label("Contract", exact=True).select_option("murabaha")
    expect(plan).to_contain_text("Profit")
    expect(plan).not_to_contain_text("Interest")
    form.get_by_label("Grace, months").fill("5")
    expect(plan).to_contain_text("Grace: a grace of 5 months is not a whole number of periods of 3 months.")
    form.get_by_label("Grace, months").fill("6")
    form.get_by_label("During grace").select_option("interest_capitalised")
    expect(plan).to_contain_text("nothing unpaid joins what bears profit or rent")
    form.get_by_label("During grace").select_option("interest_paid")
    expect(plan).to_contain_text("10,00,000.00")
