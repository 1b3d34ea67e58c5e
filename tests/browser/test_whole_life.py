"""One loan from the programme's terms to the paper that says how late it is: two houses, a real worker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from config.management.commands.serve import worker_command
from tests.browser.conftest import served
from tests.browser.office import Office, card, fact, figure, step
from tests.conftest import ClonedDatabase
from tests.repayments.uploads.files import csv_file, xlsx_file

pytestmark = pytest.mark.browser

LENT = (
    "Loan account", "Borrower name", "NID", "Gender", "Enterprise", "Size", "Activity", "Cluster", "District",
    "Disbursement date", "Amount", "Rate", "Tenor months",
)  # fmt: skip
BORROWERS = ("Borrower name", "Gender", "Enterprise", "Size", "Activity", "District", "Amount")
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPEN_AGAIN = "2025-03-10"
CLOSES_WITHIN = 60.0


@dataclass(frozen=True)
class Life:
    """The office, and time that passes in it."""

    office: Office
    environment: dict[str, str]

    def at(self, person: str, address: str = "") -> Page:
        return self.office.at(person, address)

    def let_weeks_pass(self) -> None:
        """The books stand open in March."""
        _book(self.environment, "on", OPEN_AGAIN)

    def send(self, person: str, kind: str, name: str, content: bytes, address: str = "") -> Page:
        """Send a file and wait until the worker has read it."""
        page = self.at(person, address or f"/repayments/uploads/new/?kind={kind}")
        page.get_by_label("File", exact=True).set_input_files(
            FilePayload(name=name, mimeType=WORKBOOK, buffer=content)
        )
        page.get_by_role("button", name="Send and read").click()
        expect(state(page)).not_to_have_text("Being read")
        return page

    def confirm(self, person: str, upload: str) -> Page:
        """Another person confirms an upload; the worker posts it."""
        page = self.at(person, upload)
        warnings = page.get_by_label("I have read the warnings and accept them.")
        if warnings.count():
            warnings.check()
        page.get_by_role("button", name="Confirm and post").click()
        expect(state(page)).to_have_text("Posted")
        return page


@pytest.fixture
def life(
    cloned_database: ClonedDatabase, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Life]:
    """A site and a worker on a database of their own, with a letter box that no other worker empties."""
    for name in ("assets", "icons.json", "locale", "secret_key", "static"):
        (tmp_path / name).symlink_to(Path(settings.STATIC_ROOT).parent / name)
    monkeypatch.setenv("PAIKAR_VAR_DIR", str(tmp_path))
    environment = cloned_database.environment()
    _book(environment, "start")
    with (tmp_path / "worker.log").open("w") as log:
        worker = subprocess.Popen(
            worker_command(), cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=log
        )
        try:
            with served(cloned_database, tmp_path) as address:
                office = Office(address, browser)
                yield Life(office, environment)
                office.close()
        finally:
            worker.terminate()
            worker.wait(60)


def _book(environment: dict[str, str], *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.browser.life_book", *words],
        cwd=settings.BASE_DIR,
        env=os.environ | environment,
        check=True,
    )


def state(page: Page) -> Locator:
    """The state of what the page is about."""
    return page.locator(".subtitle .badge")


def decide(page: Page, what: str) -> None:
    """Say yes to what another person proposed."""
    form = page.locator("#steps section", has_text=f"Decide: {what}").last
    form.get_by_label("Approve", exact=True).check()
    form.get_by_role("button").click()
    expect(page.get_by_text("Decided.")).to_be_visible()


def test_the_whole_life_of_a_loan(life: Life) -> None:
    set_terms(life)
    agree(life)
    tranche = draw(life, apply(life))
    lend_on(life, tranche)
    life.let_weeks_pass()
    collect(life)
    close(life)
    tell(life)


def set_terms(life: Life) -> None:
    """The Board lowers what a borrower may be asked: one proposes the terms, another decides."""
    page = life.at("officer", "/lending/programmes/")
    page.get_by_role("link", name="RF-2").first.click()
    programme = page.url
    step(page, "Propose new terms", effective_date="01/01/2025", borrower_rate_cap="5.5", reason="Board 112")
    expect(page.get_by_text("Proposed: a second person decides.")).to_be_visible()
    page = life.at("approver", programme)
    decide(page, "")
    expect(page.locator("main")).to_contain_text("5.50 %")


def agree(life: Life) -> None:
    """Bank B signs for one crore; part of it is allotted."""
    page = life.at("officer", "/lending/agreements/new/")
    page.get_by_label("Institution", exact=True).select_option(label="Bank B")
    page.get_by_label("Programme", exact=True).select_option(label="RF-2 Second round")
    for label, typed in (
        ("Limit (Tk)", "1,00,00,000"),
        ("Signed on", "01/01/2025"),
        ("In force from", "01/01/2025"),
        ("May draw until", "31/12/2026"),
        ("Paying instalments", "8"),
    ):
        page.get_by_label(label).fill(typed)
    page.get_by_label("Rate, % a year").first.fill("2")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_text("Draft", exact=True).first).to_be_visible()
    agreement = page.url
    page = life.at("approver", agreement)
    step(page, "Approve the agreement")
    expect(page.get_by_text("Approved: money may now be allotted and drawn under it.")).to_be_visible()
    page = life.at("officer", agreement)
    page.locator("#step-allot summary").click()
    page.locator("#step-allot [name$=fund_source]").select_option(index=1)
    step(page, "Allot part of the limit", amount="80,00,000", from_date="01/01/2025", to_date="31/12/2025")
    expect(page.get_by_text("Proposed: a second person decides.")).to_be_visible()
    decide(life.at("approver", agreement), "")


def apply(life: Life) -> str:
    """The maker drafts and loads a list with a fault, mends it; the checker sends it; two decide."""
    page = life.at("other_maker", "/lending/applications/new/")
    page.get_by_label("Allotment").select_option(index=1)
    page.get_by_label("Cluster").select_option(label="Shoe")
    page.get_by_label("Amount").fill("20,00,00")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_label("Amount")).to_have_value("20,00,00")  # what was typed outlives the error
    page.get_by_label("Amount").fill("20,00,000")
    page.get_by_label("Purpose").fill("Working capital of shoe makers")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("heading", name="Application APP-")).to_be_visible()
    application = page.url

    lines = [
        ("Rahima Khatun", "F", "Rahima Shoes", "Micro", "Manufacturing", "Dhaka", "৫,০০,০০০"),
        ("Salma Begum", "মহিলা", "Salma Works", "Micro", "Trading", "Dhaka", "five lakh"),
    ]
    address = page.get_by_role("link", name="Load the borrower list").get_attribute("href")
    content = xlsx_file(*lines, headings=BORROWERS, titles=("Bank B",))
    page = life.send("other_maker", "borrowers", "borrowers.xlsx", content, str(address))
    upload = page.url
    expect(page.locator(".fault-words")).to_contain_text("five lakh")
    page.get_by_role("link", name="Change", exact=True).last.click()
    page.get_by_label("Amount").fill("5,00,000")
    page.get_by_role("button", name="Save and check").click()
    expect(page.locator(".figure-tile").first).to_contain_text("2 / 2")
    life.confirm("other_checker", upload)

    step(life.at("other_checker", application), "Send to the foundation")
    expect(life.at("other_checker").get_by_text("Sent.", exact=True)).to_be_visible()
    step(life.at("officer", application), "Appraise", reason="Sound")
    page = life.at("approver", application)
    step(page, "Approve", reason="Within the plan")
    expect(page.get_by_text("Approved: the facility is open.")).to_be_visible()
    return str(fact(page, "Facility").get_by_role("link").get_attribute("href"))


def draw(life: Life, facility: str) -> str:
    """Asked for by the bank, cleared, approved and sent by three people of the foundation."""
    page = life.at("other_maker", facility)
    step(page, "Request a tranche", amount="10,00,000")
    expect(page.get_by_text("Requested: the foundation clears it next.")).to_be_visible()
    tranche = page.url
    step(life.at("officer", tranche), "Clear for approval")
    expect(fact(life.at("officer"), "State")).to_have_text("Cleared")
    step(life.at("approver", tranche), "Approve")
    expect(fact(life.at("approver"), "State")).to_have_text("Approved")
    page = life.at("finance_head", tranche)
    step(page, "Record the disbursement", bank_reference="RTGS 77")
    expect(fact(page, "State")).to_have_text("Disbursed")
    return tranche


def lend_on(life: Life, tranche: str) -> None:
    """The bank's list opens two sub-loans; a third is dearer than the new terms allow and stays out."""
    who = ("Micro", "Manufacturing", "CL1", "Dhaka", "01/01/2025")
    rows = [
        (account, name, nid, "F", f"{name} Works", *who, amount, rate, 24)
        for account, name, nid, amount, rate in (
            ("100200300", "Rahima", "5000000001", "5,00,000", "5"),
            ("100200301", "Salma", "5000000002", "৫,০০,০০০.০০", "5%"),
            ("100200302", "Dear", "5000000004", 500000, 6),
        )
    ]
    content = xlsx_file(*rows, headings=LENT, titles=("Bank B",))
    page = life.send("other_maker", "subloans", "lent.xlsx", content)
    expect(page.locator(".figure-tile").first).to_contain_text("2 / 3")
    page = life.confirm("other_checker", page.url)
    expect(page.locator(".figure-tile").nth(1)).to_contain_text("Tk 10,00,000.00")
    expect(life.at("other_maker", tranche).locator("main")).to_contain_text("Tk 10,00,000.00")


def collect(life: Life) -> None:
    """A file of repayments with every fault; one is mended, what is good is posted."""
    content = csv_file(
        ("100200300", "02/02/2025", "21,935.70", "R-1", "Rahima"),
        ("100200300", "10/03/2025", "৪৩,০০০", "R-2", "Rahima"),
        ("100200301", "32/02/2025", "10,000", "R-3", "Salma"),
        ("999", "02/02/2025", "100", "R-4", "Nobody"),
        ("100200301", "02/02/2025", "-100", "R-5", "Salma"),
        ("100200301", "05/12/2025", "100", "R-6", "Salma"),
        ("100200300", "02/02/2025", "21,935.70", "R-1", "Rahima"),
    )
    page = life.send("other_maker", "repayments", "february.csv", content)
    upload = page.url
    expect(page.locator(".figure-tile").first).to_contain_text("2 / 7")
    faults = page.locator(".fault-words")
    expect(faults).to_have_count(5)
    page.locator("tr", has_text="32/02/2025").get_by_role("link", name="Change", exact=True).click()
    page.get_by_label(re.compile("date", re.IGNORECASE)).fill("12/02/2025")
    page.get_by_role("button", name="Save and check").click()
    expect(page.locator(".figure-tile").first).to_contain_text("3 / 7")
    page = life.confirm("other_checker", upload)
    expect(page.locator(".figure-tile").nth(1)).to_contain_text("Tk 74,935.70")


def close(life: Life) -> None:
    """The day is closed by the worker; its totals meet."""
    page = life.at("finance_head", "/repayments/closes/")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Close 10 Mar 2025").click()
    until = time.monotonic() + CLOSES_WITHIN
    while "11 Mar 2025" not in page.locator(".business-date").inner_text():
        assert time.monotonic() < until, "the day did not close"
        page.reload()
    page = life.at("auditor", "/repayments/closes/")
    page.get_by_role("row", name="10 Mar 2025").click()
    expect(state(page)).to_have_text("Closed")
    expect(figure(page, "Slices done")).to_have_text("1 / 1")


def tell(life: Life) -> None:
    """The arrears stand on the portfolio, lead to the loan, and the loan prints its statement."""
    page = life.at("auditor", "/reports/portfolio/")
    expect(page.locator("main")).to_contain_text("10 Mar 2025")
    page = life.at("auditor", "/reports/loans/?tier=subloan")
    page.get_by_role("row", name="Salma").get_by_role("link").first.click()
    overdue = figure(page, "Overdue")
    expect(overdue).not_to_have_text("0.00")
    days = int(figure(page, "Days past due").inner_text())
    assert 20 < days < 45
    expect(card(page, "Why")).to_contain_text("the oldest unpaid due is of")
    expect(figure(page, "Class (indicative)")).to_contain_text("Standard")
    link = page.get_by_role("link", name="Statement (English)").get_attribute("href")
    paper = page.request.get(life.office.site + str(link))
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.body().startswith(b"%PDF")
    answer = life.at("maker", "/").goto(page.url)
    assert answer is not None
    assert answer.status == 404, "another bank's loan does not exist"
