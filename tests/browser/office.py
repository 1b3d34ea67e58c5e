"""People at their desks: who is signed in, what they open, what they read. Each keeps one page."""

from __future__ import annotations

from contextlib import ExitStack

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import desk
from tests.conftest import PASSWORD


class Office:
    """A site and the people at work in it; each signs in once."""

    def __init__(self, site: str, browser: Browser) -> None:
        self.site = site
        self._browser = browser
        self._desks: dict[str, Page] = {}
        self._open = ExitStack()

    def at(self, person: str, address: str = "") -> Page:
        """A person's page, at an address of the site; without one, where it is."""
        if person not in self._desks:
            self._desks[person] = self._open.enter_context(desk(self._browser))
            self._sign_in(self._desks[person], person)
        page = self._desks[person]
        if address:
            page.goto(address if address.startswith("http") else self.site + address)
        return page

    def _sign_in(self, page: Page, person: str) -> None:
        page.goto(f"{self.site}/")
        page.get_by_label("Username").fill(person)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="What waits for you")).to_be_visible()

    def close(self) -> None:
        """Everybody goes home; a script that failed or a refusal of the security policy is told now."""
        self._open.close()


def fact(page: Page, label: str) -> Locator:
    """The value beside a label."""
    term = page.locator("dt", has_text=label)
    return page.locator(".facts > div", has=term).locator("dd").first


def figure(page: Page, label: str) -> Locator:
    """The value of a tile of key figures."""
    return page.locator(".figure-tile", has=page.locator(".label", has_text=label)).locator(".value")


def card(page: Page, heading: str) -> Locator:
    """The part of a page under a heading."""
    return page.locator("section.card", has=page.get_by_role("heading", name=heading))


def step(page: Page, label: str, **typed: str) -> None:
    """Fill in the form of a step on a page of lending, and take the step."""
    form = page.locator("#steps form", has=page.get_by_role("button", name=label, exact=True))
    folded = page.locator("#steps details:not([open]) > summary", has_text=label)
    if folded.count():
        folded.click()
    for name, text in typed.items():
        form.locator(f"[name$={name}]").fill(text)
    form.get_by_role("button", name=label, exact=True).click()
