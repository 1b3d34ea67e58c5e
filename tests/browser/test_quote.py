"""The page of quotes in a real browser: typed, refused, mended, explained, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_as_officer
from tests.conftest import ClonedDatabase

pytestmark = pytest.mark.browser


@pytest.fixture
def form(cloned_database: ClonedDatabase, site: str, page: Page) -> Page:
    """The empty form, opened by an officer."""
    address = f"{site}/lending/quote/"
    return open_as_officer(cloned_database, page, address, heading="What a loan would look like")


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(value)


def test_a_plan_with_its_price_and_the_working_of_an_instalment(form: Page, tmp_path: Path) -> None:
    fill(form, principal="10,00,000", annual_rate="6", disbursed_on="15/01/2026", instalments="6")
    form.get_by_role("button", name="Show the plan").press("Enter")
    tiles = form.locator("#quote")
    expect(tiles).to_contain_text("1,69,595.46")
    expect(tiles).to_contain_text("17,572.73")
    expect(tiles).to_contain_text("6.22 %")
    rows = form.locator(".quote-table tbody tr")
    expect(rows).to_have_count(6)
    rows.first.get_by_text("working").click()
    expect(rows.first).to_contain_text("10,00,000.00 × 6.00 % × 1/12")
    assert "principal=" in form.url, "the address carries the terms"
    with form.expect_download() as waiting:
        form.get_by_role("link", name="CSV").click()
    assert "169595.46" in waiting.value.path().read_text(encoding="utf-8-sig")


def test_terms_that_contradict_are_refused_with_the_term_and_the_reason(form: Page) -> None:
    fill(form, principal="1,00,000", annual_rate="9", disbursed_on="15/01/2026", instalments="12")
    fill(form, first_due_on="01/01/2026")
    form.get_by_role("button", name="Show the plan").click()
    wrong = form.locator(".form-row", has=form.locator("[name=first_due_on]"))
    expect(wrong).to_contain_text("after the disbursement")
    expect(form.locator("#quote")).to_have_count(0)
    expect(form.locator("[name=principal]")).to_have_value("1,00,000")
    fill(form, first_due_on="")
    form.get_by_text("Grace", exact=True).click()
    fill(form, grace_periods="3")
    form.locator("[name=grace_kind]").select_option("interest_paid")
    form.get_by_role("button", name="Show the plan").click()
    expect(form.locator(".quote-table tbody tr")).to_have_count(15)


def test_a_murabaha_quote_speaks_of_profit(form: Page) -> None:
    fill(form, principal="1,00,000", annual_rate="9", disbursed_on="15/01/2026", instalments="4")
    form.get_by_label("Contract", exact=True).select_option("murabaha")
    form.get_by_role("button", name="Show the plan").click()
    for part in ("#quote", ".quote-table"):
        expect(form.locator(part)).to_contain_text("Profit")
        expect(form.locator(part)).not_to_contain_text("Interest")
    expect(form.locator("[name=grace_kind]")).to_contain_text("Profit is paid during grace")


def test_in_bangla_on_a_phone(form: Page, site: str) -> None:
    form.set_viewport_size({"width": 390, "height": 800})
    form.context.add_cookies([{"name": "django_language", "value": "bn", "url": site}])
    form.reload()
    fill(form, principal="১০,০০,০০০", annual_rate="৬", disbursed_on="১৫/০১/২০২৬", instalments="৬")
    form.get_by_role("button", name="সূচি দেখুন").click()
    expect(form.locator("#quote")).to_contain_text("১,৬৯,৫৯৫.৪৬")
    expect(form.locator(".quote-table")).to_contain_text("১৫ ফেব্রুয়ারী ২০২৬")
    assert form.evaluate("document.documentElement.scrollWidth") == 390, "nothing is wider than the phone"
