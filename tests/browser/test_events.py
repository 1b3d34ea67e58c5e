"""A loan event in the browser: the preview comes into the page, a phone reads it, another person decides."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.conftest import PASSWORD, ClonedDatabase

pytestmark = pytest.mark.browser

BOOK = f"""
from tests.lending.world import make_world
from tests.repayments.events.books import go_to, pay_all_due
from datetime import date
world = make_world()
loan = world.loan()
go_to(date(2026, 2, 10))
pay_all_due(world, loan, date(2026, 2, 10))
for role in ("officer", "finance_head"):
    person = world.people[role]
    person.username = role
    person.set_password({PASSWORD!r})
    person.save()
print(loan.pk)
"""


@pytest.fixture
def loan_id(cloned_database: ClonedDatabase, site: str) -> int:
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", BOOK],
        cwd=settings.BASE_DIR,
        env=os.environ | cloned_database.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return int(made.stdout.split()[-1])


def sign_in(page: Page, site: str, who: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{site}/")
    page.get_by_label("Username").fill(who)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")


def picture(page: Page, name: str) -> None:
    """Keep what is seen, where somebody asked for it."""
    if folder := os.environ.get("PAIKAR_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_prepayment_from_the_loan_to_the_new_plan(site: str, page: Page, loan_id: int) -> None:
    sign_in(page, site, "officer")
    page.goto(f"{site}/reports/loans/{loan_id}/")
    page.get_by_role("link", name="Part-prepayment").click()
    page.get_by_label("Principal paid early").fill("20,00,000")
    page.get_by_label("Bank's reference of the payment").fill("RTGS 7")
    page.get_by_label("Why").fill("The bank pays ahead")
    page.get_by_role("button", name="Show what it does").click()
    expect(page.get_by_role("heading", name="The old plan beside the new one")).to_be_visible()
    expect(page.get_by_text("falls away").first).to_be_visible()
    picture(page, "preview-desktop-en")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "preview-phone-en")
    page.set_viewport_size({"width": 1360, "height": 850})
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("You proposed this event")).to_be_visible()
    address = page.url

    sign_in(page, site, "finance_head")
    page.goto(address)
    page.context.add_cookies([{"name": "django_language", "value": "bn", "url": site}])
    page.reload()
    picture(page, "event-desktop-bn")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "event-phone-bn")
    page.set_viewport_size({"width": 1360, "height": 850})
    page.locator("button[name=approve]").click()
    expect(page.get_by_text("RTGS 7").first).to_be_visible()
    picture(page, "approved-desktop-bn")
    page.goto(f"{site}/reports/loans/{loan_id}/")
    expect(page.locator("#loan-events")).to_be_visible()
    picture(page, "loan-desktop-bn")
    page.goto(f"{site}/repayments/events/")
    picture(page, "list-desktop-bn")
