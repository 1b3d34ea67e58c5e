"""The form of an agreement in a real browser: the plan its terms mean stands beside it and follows them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.conftest import PASSWORD, ClonedDatabase

pytestmark = pytest.mark.browser

WORLD = f"""
from tests.lending.world import make_world
officer = make_world(contract_mode="murabaha").people["officer"]
officer.set_password({PASSWORD!r})
officer.save()
"""


@pytest.fixture
def form(cloned_database: ClonedDatabase, site: str, page: Page) -> Page:
    """The empty form, opened by an officer."""
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", WORLD],
        cwd=settings.BASE_DIR,
        env=os.environ | cloned_database.environment(),
        check=True,
    )
    page.goto(f"{site}/lending/agreements/new/")
    page.get_by_label("Username").fill("officer-f")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="New agreement")).to_be_visible()
    return page


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
