"""The frame in a real browser: signing in, the keyboard, a phone, Bangla."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.conftest import PASSWORD, ClonedDatabase

pytestmark = pytest.mark.browser

PEOPLE = f"""
from datetime import date
from daybook.services import open_books
from partners.models import Membership, User
user = User(username="nusrat", full_name="Nusrat Jahan")
user.set_password({PASSWORD!r})
user.save()
Membership.objects.create(user=user, role="officer", from_date=date(2020, 1, 1))
open_books(first_date=date(2025, 6, 30))
"""


@pytest.fixture
def signed_in(cloned_database: ClonedDatabase, site: str, page: Page) -> Page:
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", PEOPLE],
        cwd=settings.BASE_DIR,
        env=os.environ | cloned_database.environment(),
        check=True,
    )
    page.goto(f"{site}/daybook/holidays/")
    page.get_by_label("Username").fill("nusrat")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Holidays")).to_be_visible()
    return page


def test_signing_in_leads_to_the_page_that_was_asked_for_and_out_again(signed_in: Page) -> None:
    expect(signed_in.locator(".business-date")).to_contain_text("30 Jun 2025")
    signed_in.get_by_role("button", name="Nusrat Jahan").click()
    signed_in.get_by_role("button", name="Sign out").click()
    expect(signed_in.get_by_text("You are signed out.")).to_be_visible()


def test_the_keyboard_reaches_content_and_search(signed_in: Page) -> None:
    signed_in.keyboard.press("Tab")
    expect(signed_in.get_by_role("link", name="Skip to content")).to_be_focused()
    signed_in.keyboard.press("/")
    expect(signed_in.get_by_label("Search")).to_be_focused()


def test_the_page_turns_to_bangla_and_stays_so(signed_in: Page) -> None:
    signed_in.get_by_role("button", name="বাংলা").click()
    expect(signed_in.locator("html")).to_have_attribute("lang", "bn")
    expect(signed_in.locator(".business-date")).to_contain_text("৩০ জুন ২০২৫")
    signed_in.reload()
    expect(signed_in.locator("html")).to_have_attribute("lang", "bn")


def test_a_phone_has_no_sideways_scroll_and_opens_the_menu(signed_in: Page) -> None:
    signed_in.set_viewport_size({"width": 390, "height": 800})
    assert signed_in.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expect(signed_in.locator("#menu")).to_be_hidden()
    signed_in.get_by_role("button", name="Open the menu").click()
    expect(signed_in.locator("#menu").get_by_role("link", name="Holidays")).to_be_visible()
