"""Every kind of loan event as people play it: filled in, seen, proposed; decided by another; readable after.

One site and one book for the module (``event_book``): each story has a loan of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import served
from tests.browser.office import Office, card, fact, figure, step
from tests.conftest import ClonedDatabase

pytestmark = pytest.mark.browser

TODAY = "10/11/2026"
OLD_BESIDE_NEW = "The old plan beside the new one"
Book = dict[str, int]


@pytest.fixture(scope="module")
def book(module_database: ClonedDatabase) -> Book:
    """Keys of the loans, by the story they are for."""
    made = subprocess.run(
        [sys.executable, "-m", "tests.browser.event_book"],
        cwd=settings.BASE_DIR,
        env=os.environ | module_database.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    keys: Book = json.loads(made.stdout.splitlines()[-1])
    return keys


@pytest.fixture(scope="module")
def office(
    module_database: ClonedDatabase,
    book: Book,
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Office]:
    """The officer, the deciders and a bank's people at their desks."""
    with served(module_database, tmp_path_factory.mktemp("events")) as address:
        people = Office(address, browser)
        yield people
        people.close()


def start(office: Office, who: str, loan: int, event: str) -> Page:
    """Open a form from the page of a loan."""
    page = office.at(who, f"/reports/loans/{loan}/")
    page.locator("#loan-events a.btn").get_by_text(event, exact=True).click()
    expect(page.get_by_role("heading", name=event, level=1)).to_be_visible()
    return page


def field(page: Page, label: str) -> Locator:
    """A field by the words above it."""
    return page.get_by_label(re.compile(rf"^{re.escape(label)}( optional)?$"))


def fill_in(page: Page, **typed: str) -> None:
    """Type or choose by the names of the fields."""
    for name, value in typed.items():
        box = page.locator(f"#event [name={name}]")
        if box.evaluate("box => box.tagName") == "SELECT":
            box.select_option(value)
        else:
            box.fill(value)


def look(page: Page, heading: str = "What changes and why") -> Locator:
    """Ask what it would do; the part that says so."""
    page.get_by_role("button", name=re.compile("Show what it does|Show again")).click()
    shown = page.locator("#preview")
    expect(shown.get_by_role("heading", name=heading)).to_be_visible()
    return shown


def change(shown: Locator, label: str) -> tuple[str, str]:
    """What a row of the changes says: before, after."""
    row = shown.locator(".event-changes tr", has=shown.page.get_by_role("rowheader", name=label, exact=True))
    before, after = (cell.replace("\xa0", " ") for cell in row.locator("td").all_inner_texts())
    return before, after


def taka(text: str) -> Decimal:
    """The amount that a figure states."""
    return Decimal(text.replace(",", ""))


def marks(shown: Locator, mark: str) -> int:
    """How many rows of the two plans have a mark."""
    return shown.locator(f".event-plans tr.plan-{mark}").count()


def propose(page: Page) -> str:
    """Propose what was seen: its maker is told that another decides, and is offered no decision."""
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("Proposed. It is booked when a second person approves it.")).to_be_visible()
    expect(page.get_by_text("somebody else must decide it")).to_be_visible()
    expect(page.get_by_role("button", name="Approve and book")).to_have_count(0)
    return page.url


def approve(office: Office, event: str, who: str = "finance_head") -> Page:
    """A second person reads the same figures and approves."""
    page = office.at(who, event)
    expect(page.get_by_role("heading", name="What changes and why")).to_be_visible()
    page.get_by_label("Reason").fill("Seen with the letter")
    page.get_by_role("button", name="Approve and book").click()
    expect(page.get_by_text("Approved and booked.")).to_be_visible()
    expect(fact(page, "State")).to_have_text("Booked")
    expect(fact(page, "Decided by")).to_contain_text(who)
    expect(fact(page, "Booking").get_by_role("link")).to_be_visible()
    return page


def loan_today(office: Office, loan: int, who: str = "auditor") -> Page:
    """A loan as the open books know it; without the dates its page tells of the latest close."""
    return office.at(who, f"/reports/loans/{loan}/?as_of=2026-11-10&known_by=2026-11-10")


def both_plans_stand(office: Office, loan: int, cause: str) -> Page:
    """On the loan's page the new version is in force, and the old one opens and reads as it was."""
    page = loan_today(office, loan)
    versions = page.locator("details.plan-version")
    expect(versions).to_have_count(2)
    expect(versions.first).to_contain_text(f"Version 2 · {cause}")
    expect(versions.first).to_contain_text("In force")
    old = versions.last
    expect(old.locator("summary").first).to_contain_text("Version 1 · Disbursement")
    expect(old.locator("summary").first).to_contain_text("replaced by version 2 from 10 Nov 2026")
    old.locator("summary").first.click()
    expect(old.get_by_text("taken back by version 2").first).to_be_visible()
    expect(old.get_by_role("cell", name="1 Oct 2025")).to_be_visible()
    return page


@pytest.mark.parametrize(
    ("name", "effect", "stays", "moves"),
    [
        ("prepaid_term", "term", "Next due date", "Last due date"),
        ("prepaid_instalment", "instalment", "Instalments still to come", "Usual instalment"),
    ],
)
def test_a_part_prepayment(
    office: Office, book: Book, name: str, effect: str, stays: str, moves: str
) -> None:
    page = start(office, "officer", book[name], "Part-prepayment")
    outstanding = figure(page, "Principal outstanding").inner_text()
    fill_in(page, amount="10,00,000", effect=effect, reference=f"RTGS {name}", reason="The bank pays ahead")
    shown = look(page, OLD_BESIDE_NEW)
    before, after = change(shown, "Principal still to come")
    assert before == outstanding
    assert taka(before) - taka(after) == 1_000_000
    assert shown.locator(".event-changes").get_by_role("rowheader", name=moves).count() == 1
    assert shown.locator(".event-changes").get_by_role("rowheader", name=stays).count() == 0
    assert marks(shown, "added") == 1
    assert (marks(shown, "gone") > 0) is (effect == "term")
    event = propose(page)
    page = approve(office, event)
    made = card(page, "What it made")
    expect(made.get_by_role("cell", name="2", exact=True)).to_be_visible()
    expect(made.get_by_role("link", name=f"RTGS {name}")).to_be_visible()
    made.get_by_role("link", name=re.compile("WL-")).click()
    expect(page.locator("details.plan-version")).to_have_count(2)
    page = both_plans_stand(office, book[name], "Part-prepayment")
    expect(figure(page, "Principal outstanding")).to_have_text(after)


def test_a_refused_value_says_why_beside_the_field_and_keeps_what_was_typed(
    office: Office, book: Book
) -> None:
    page = start(office, "officer", book["settled"], "Part-prepayment")
    typed = {"amount": "9,99,99,999", "effect": "instalment", "reference": "RTGS 1", "reason": "Too much"}
    fill_in(page, **typed)
    page.get_by_role("button", name="Show what it does").click()
    row = page.locator(".form-row", has=page.locator("[name=amount]"))
    expect(row.locator(".invalid-feedback")).to_contain_text("32,14,285.70")
    expect(row.locator("[name=amount]")).to_be_focused()
    for name, value in typed.items():
        expect(page.locator(f"#event [name={name}]")).to_have_value(value)
    expect(page.get_by_role("button", name="Propose")).to_have_count(0)
    fill_in(page, amount="ten lakh")
    page.get_by_role("button", name="Show what it does").click()
    expect(row.locator(".invalid-feedback")).to_contain_text("Write an amount in taka, such as 12,50,000.00.")
    expect(row.locator("[name=amount]")).to_have_value("ten lakh")


def test_a_settlement_is_quoted_on_paper_paid_and_booked(office: Office, book: Book) -> None:
    page = start(office, "officer", book["settled"], "Full settlement")
    fill_in(page, valid_until="20/11/2026", reason="The bank asks what would end it")
    shown = look(page, "What settles the loan, day by day")
    days = shown.locator(".event-days tbody tr")
    expect(days).to_have_count(11)
    total = days.first.locator("td").last.inner_text()
    propose_quotation = page.get_by_role("button", name="Propose")
    propose_quotation.click()
    expect(page.get_by_text("Proposed. It is booked when a second person approves it.")).to_be_visible()
    expect(field(page, "Amount received")).to_have_value(total)
    event = page.url

    link = page.get_by_role("link", name="Quotation (English)").get_attribute("href")
    paper = page.request.get(office.site + str(link))
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.body().startswith(b"%PDF")

    page = office.at("finance_head", event)
    expect(page.get_by_role("button", name="Approve and book")).to_have_count(0)
    page = office.at("officer", event)
    field(page, "Amount received").fill("5")
    field(page, "Bank's reference of the payment").fill("RTGS END")
    page.get_by_role("button", name="Note the payment").click()
    expect(page.locator(".invalid-feedback")).to_contain_text("is needed on that day")
    expect(field(page, "Bank's reference of the payment")).to_have_value("RTGS END")
    field(page, "Amount received").fill(total)
    page.get_by_role("button", name="Note the payment").click()
    expect(page.get_by_text("The payment is noted; a second person may decide.")).to_be_visible()
    approve(office, event)
    page = both_plans_stand(office, book["settled"], "Full settlement")
    expect(figure(page, "Principal outstanding")).to_have_text("0.00")
    expect(page.locator("main")).to_contain_text("RTGS END")


def test_a_change_of_rate(office: Office, book: Book) -> None:
    page = start(office, "officer", book["repriced"], "Change of rate")
    fill_in(page, annual_rate="7", reason="Board 118")
    page.get_by_role("button", name="Show what it does").click()
    expect(page.locator(".invalid-feedback")).to_contain_text("caps the borrowers' rate at 6")
    fill_in(page, annual_rate="3")
    shown = look(page, OLD_BESIDE_NEW)
    assert change(shown, "Rate a year") == ("2.00 %", "3.00 %")
    old, new = change(shown, "Interest still to come")
    assert taka(old) < taka(new)
    approve(office, propose(page), "approver")
    both_plans_stand(office, book["repriced"], "Change of rate")


def test_a_restructuring_of_a_loan_that_pays(office: Office, book: Book) -> None:
    page = start(office, "officer", book["restructured"], "Restructuring")
    expect(field(page, "Rate, % a year")).to_have_value("2")
    fill_in(page, instalments="16", annual_rate="3", reason="A longer term was agreed")
    shown = look(page, OLD_BESIDE_NEW)
    expect(shown.get_by_text("The books hold no limit for this")).to_be_visible()
    assert change(shown, "Instalments still to come")[1] == "16"
    approve(office, propose(page))
    both_plans_stand(office, book["restructured"], "Restructuring")


def test_a_rescheduling_of_a_bad_loan_within_its_limits(office: Office, book: Book) -> None:
    page = start(office, "officer", book["rescheduled"], "Rescheduling")
    fill_in(page, instalments="12", annual_rate="3", reason="Board 44")
    page.get_by_role("button", name="Show what it does").click()
    expect(page.locator(".form-row", has=page.locator("[name=down_payment]"))).to_contain_text(
        "a down payment of 2"
    )
    fill_in(page, down_payment="2,00,000", reference="RTGS DOWN")
    shown = look(page, OLD_BESIDE_NEW)
    expect(shown.get_by_text("time 1 of at most 1")).to_be_visible()
    approve(office, propose(page))
    page = both_plans_stand(office, book["rescheduled"], "Rescheduling")
    expect(figure(page, "Days past due")).to_have_text("0")
    expect(figure(page, "Class (indicative)")).to_contain_text("BL")


def test_a_moratorium_over_a_bank(office: Office, book: Book) -> None:
    page = office.at("officer", "/repayments/events/")
    page.get_by_role("link", name="Propose a moratorium").click()
    fill_in(
        page,
        until="31/05/2027",
        tier="wholesale",
        institution=str(book["other_bank"]),
        grace_kind="interest_deferred",
        reason="Floods in the north",
    )
    shown = look(page, "The loans and what it means for each")
    expect(shown.locator(".event-loans tbody tr")).to_have_count(2)
    approve(office, propose(page))
    for name in ("paused_1", "paused_2"):
        page = both_plans_stand(office, book[name], "Moratorium")


def test_a_further_tranche_into_a_running_plan(office: Office, book: Book) -> None:
    page = office.at("finance_head", f"/lending/tranches/{book['further']}/")
    page.get_by_role("link", name="into a running loan instead").click()
    number = office.at("auditor", f"/reports/loans/{book['grown']}/").locator("h1").inner_text().split()[-1]
    page.locator("[name=loan]").select_option(label=number)
    field(page, "Reference of the transfer").fill("RTGS MORE")
    shown = look(page, OLD_BESIDE_NEW)
    before, after = change(shown, "Principal still to come")
    assert taka(after) - taka(before) == 5_000_000
    page.get_by_role("button", name="Record the disbursement").click()
    expect(page.get_by_text("Disbursed: the loan has a new plan.")).to_be_visible()
    page = both_plans_stand(office, book["grown"], "Further tranche")
    expect(figure(page, "Principal outstanding")).to_have_text(after)


def test_an_undisbursed_part_is_given_up_by_two_people(office: Office, book: Book) -> None:
    address = f"/lending/facilities/{book['undrawn']}/"
    page = office.at("officer", address)
    step(page, "Cancel an undisbursed part", amount="60,00,000", reason="Not needed")
    expect(page.locator("#steps .invalid-feedback, #steps .alert-danger").first).to_contain_text("50,00,000")
    expect(page.locator("#steps [name$=reason]")).to_have_value("Not needed")
    step(page, "Cancel an undisbursed part", amount="20,00,000", reason="Not needed")
    expect(page.get_by_text("Proposed: a second person decides.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve the cancellation")).to_have_count(0)
    page = office.at("approver", address)
    step(page, "Approve the cancellation")
    expect(page.get_by_text("Cancelled: the allotment has it back.")).to_be_visible()
    expect(card(page, "Parts cancelled")).to_contain_text("20,00,000.00")


def test_a_write_off_in_whole_and_a_recovery_after_it(office: Office, book: Book) -> None:
    page = start(office, "officer", book["written_off"], "Write-off")
    fill_in(page, reason="Notice of 1 October; the Board agreed")
    shown = look(page)
    expect(shown.get_by_text("stays as a memo balance")).to_be_visible()
    event = propose(page)
    page = approve(office, event)
    gone = fact(page, "Amount").inner_text().removeprefix("Tk").strip()
    page = both_plans_stand(office, book["written_off"], "Write-off")
    expect(figure(page, "Principal outstanding")).to_have_text("0.00")
    expect(page.get_by_text(f"Written off, still claimed {gone}")).to_be_visible()

    page = office.at("officer", f"/repayments/receipts/new/{book['written_off']}/")
    page.get_by_label("Amount received").fill("3,00,000")
    page.get_by_label("Value date").fill(TODAY)
    page.get_by_label("Bank's reference").fill("RTGS LATE")
    page.get_by_role("button", name="Show what it settles").click()
    expect(page.get_by_role("cell", name="Recovery")).to_be_visible()
    page.get_by_role("button", name="Propose").click()
    page = office.at("approver", page.url)
    page.get_by_role("button", name="Approve and post").click()
    expect(page.get_by_text("Approved and posted.")).to_be_visible()
    page = loan_today(office, book["written_off"])
    left = taka(gone) - 300_000
    said = page.get_by_text("Written off, still claimed").first.inner_text()
    assert taka(said.split()[-1]) == left


def test_a_write_off_in_part(office: Office, book: Book) -> None:
    page = start(office, "officer", book["written_off_in_part"], "Write-off")
    owed = taka(figure(page, "Principal outstanding").inner_text())
    fill_in(page, extent="part", amount="25,00,000", reason="What the security does not cover")
    shown = look(page)
    expect(shown.get_by_text("accrued interest first, then principal")).to_be_visible()
    approve(office, propose(page))
    page = both_plans_stand(office, book["written_off_in_part"], "Write-off")
    left = taka(figure(page, "Principal outstanding").inner_text())
    assert 0 < owed - left < 2_500_000, "interest goes first"


def test_penal_interest_is_waived_by_two_people(office: Office, book: Book) -> None:
    page = start(office, "officer", book["waived"], "Waiver")
    fill_in(page, amount="1,00,00,000", reason="The bank was told the wrong account")
    page.get_by_role("button", name="Show what it does").click()
    refused = page.locator(".form-row", has=page.locator("[name=amount]")).locator(".invalid-feedback")
    expect(refused).to_contain_text("no more can be waived")
    expect(page.locator("[name=amount]")).to_have_value("1,00,00,000")
    fill_in(page, amount="100")
    shown = look(page)
    expect(shown.get_by_text("of the open penal interest of")).to_be_visible()
    event = propose(page)
    page = office.at("checker", event)
    expect(page.get_by_role("button", name="Approve and book")).to_have_count(0)
    page = approve(office, event, "approver")
    expect(card(page, "What it made")).to_contain_text("100.00")


def test_an_advance_is_given_back(office: Office, book: Book) -> None:
    page = start(office, "officer", book["refunded"], "Refund of an advance")
    expect(figure(page, "Advance held")).to_have_text("70,000.00")
    fill_in(page, amount="70,001", reference="BEFTN 9", reason="Paid twice")
    page.get_by_role("button", name="Show what it does").click()
    expect(page.locator(".invalid-feedback")).to_contain_text("no more can be given back")
    fill_in(page, amount="60,000")
    shown = look(page)
    expect(shown.get_by_text("is given back on 10 Nov 2026, reference BEFTN 9")).to_be_visible()
    approve(office, propose(page))
    page = loan_today(office, book["refunded"])
    expect(page.get_by_text("Advance held 10,000.00")).to_be_visible()


def test_a_bank_asks_for_its_own_sub_loan_and_the_foundation_decides(office: Office, book: Book) -> None:
    page = start(office, "maker", book["of_the_bank"], "Full settlement")
    fill_in(page, valid_until="12/11/2026", reason="The borrower closes the loan")
    look(page, "What settles the loan, day by day")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("The quotation waits for the payment.")).to_be_visible()
    event = page.url
    answer = office.at("other_maker", "/").goto(event)
    assert answer is not None
    assert answer.status == 404, "another bank's event does not exist"
    page = office.at("officer", event)
    field(page, "Bank's reference of the payment").fill("CLOSED 1")
    page.get_by_role("button", name="Note the payment").click()
    approve(office, event, "approver")
    page = loan_today(office, book["of_the_bank"], "maker")
    expect(figure(page, "Principal outstanding")).to_have_text("0.00")


def test_an_event_is_turned_down_with_a_reason_or_taken_back(office: Office, book: Book) -> None:
    page = start(office, "officer", book["prepaid_term"], "Change of rate")
    fill_in(page, annual_rate="4", reason="Asked by the bank")
    look(page)
    event = propose(page)
    page = office.at("approver", event)
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Say why the proposal is rejected")).to_be_visible()
    page.get_by_label("Reason").fill("The rate is agreed until 2027")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Rejected; nothing was booked.")).to_be_visible()
    page = start(office, "officer", book["prepaid_term"], "Change of rate")
    fill_in(page, annual_rate="4", reason="Asked again")
    look(page)
    propose(page)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("Withdrawn; nothing was booked.")).to_be_visible()


def test_the_list_is_filtered_sorted_and_exported(office: Office, book: Book) -> None:
    number = loan_today(office, book["listed"]).locator("h1").inner_text().split()[-1]
    page = office.at("auditor", "/repayments/events/")
    page.get_by_label("Search").fill(number)
    page.get_by_label("Event", exact=True).select_option("rate_change")
    page.get_by_role("button", name="Filter").click()
    rows = page.locator(".event-list tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Waiting")
    page.get_by_role("link", name="State", exact=True).click()
    expect(rows.first).to_contain_text("Booked")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV").click()
    told = waiting.value.path().read_text(encoding="utf-8-sig")
    assert told.count(f",{number},") == 2
    rows.first.get_by_role("link").last.click()
    expect(page.get_by_role("heading", name=re.compile("Booking"), level=1)).to_be_visible()


def test_a_phone_reads_a_preview_and_an_event_in_bangla(office: Office, book: Book) -> None:
    page = start(office, "officer", book["prepaid_instalment"], "Part-prepayment")
    fill_in(page, amount="1,00,000", reference="RTGS P", reason="Seen on a phone")
    look(page, OLD_BESIDE_NEW)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wrap = page.locator(".table-wrap", has=page.locator(".event-plans"))
    assert wrap.evaluate("wrap => wrap.scrollWidth - wrap.clientWidth") == 0
    expect(page.locator(".event-plans").get_by_text("New plan").last).to_be_visible()
    page.context.add_cookies([{"name": "django_language", "value": "bn", "url": office.site}])
    page.goto(f"{office.site}/repayments/events/{book['waiting']}/")
    expect(page.locator("html")).to_have_attribute("lang", "bn")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.clear_cookies(name="django_language")
    page.set_viewport_size({"width": 1360, "height": 850})
