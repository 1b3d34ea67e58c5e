"""A partner reads its own books and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from daybook.models import AuditEntry
from daybook.selectors import known_by
from reports.builders.objects import Asked
from reports.models import ReportRun
from reports.services.bulk import start_statements
from reports.services.making import make_loan_statement
from tests.reports.books import SECOND_CLOSE, Book

MINE = ("loans/{loan}/", "loans/{loan}/statement.pdf", "loans/{loan}/recalculation.xlsx", "loans/{loan}/nid/")
HOUSE = ("institutions/{bank}/", "institutions/{bank}/statement.pdf")


@pytest.mark.parametrize("address", [*MINE, *HOUSE])
def test_another_institutions_page_is_not_found(
    book: Book, as_partner: Callable[..., Any], address: str
) -> None:
    url = "/reports/" + address.format(loan=book.subloans[0].pk, bank=book.world.bank.pk)
    assert as_partner(book.world.bank, "maker").get(url).status_code == 200
    assert as_partner(book.world.other_bank, "maker").get(url).status_code == 404


@pytest.mark.parametrize("address", ["loans/", "portfolio/"])
def test_exports_of_another_institution_hold_none_of_its_loans(
    book: Book, as_partner: Callable[..., Any], address: str
) -> None:
    stranger = as_partner(book.world.other_bank, "viewer")
    asked = {"export": "csv", "tier": "subloan", "institution": str(book.world.bank.pk)}
    text = stranger.get(f"/reports/{address}", asked).content.decode()
    assert "SL-" not in text
    assert "Bank A" not in text


def test_a_run_and_its_files_stay_with_its_institution(book: Book, as_partner: Callable[..., Any]) -> None:
    run = start_statements(
        Asked(SECOND_CLOSE, known_by(SECOND_CLOSE)),
        {"institution": str(book.world.bank.pk), "tier": "subloan", "currency": "BDT"},
        lang="en",
        institution_id=book.world.bank.pk,
        title="Statements",
        made_by=book.world.people["officer"],
    )
    stranger = as_partner(book.world.other_bank, "viewer")
    for address in (f"{run.pk}/", f"{run.pk}/progress/", f"{run.pk}/file/", f"{run.pk}/parts/0/"):
        assert stranger.get(f"/reports/runs/{address}").status_code == 404
    assert as_partner(book.world.bank, "viewer").get(f"/reports/runs/{run.pk}/").status_code == 200


def test_a_checksum_of_another_institution_is_not_known(
    book: Book, as_foundation: Callable[..., Any], as_partner: Callable[..., Any]
) -> None:
    loan = book.subloans[0]
    as_foundation("officer").get(f"/reports/loans/{loan.pk}/statement.pdf")
    run = ReportRun.objects.get(name="loan_statement")
    asked = {"checksum": run.checksum}
    own = as_partner(book.world.bank, "viewer").get("/reports/verify/", asked)
    other = as_partner(book.world.other_bank, "viewer").get("/reports/verify/", asked)
    assert own.context["verdict"].matches
    assert other.context["verdict"].run is None


def test_a_checksum_is_that_of_figures_made_again_from_the_same_bookings(
    book: Book, as_foundation: Callable[..., Any]
) -> None:
    client = as_foundation("auditor")
    facts = {"loan": str(book.subloans[8].pk)}
    client.get(f"/reports/loans/{facts['loan']}/statement.pdf")
    printed = make_loan_statement(Asked(SECOND_CLOSE, known_by(SECOND_CLOSE)), facts).report.checksum
    spaced = " ".join(printed[at : at + 8] for at in range(0, 64, 8)).upper()
    assert client.get("/reports/verify/", {"checksum": spaced}).context["verdict"].matches
    wrong = printed[:-1] + ("0" if printed[-1] != "0" else "1")
    assert client.get("/reports/verify/", {"checksum": wrong}).context["verdict"].run is None


def test_a_nid_is_masked_and_seeing_it_is_recorded(book: Book, as_foundation: Callable[..., Any]) -> None:
    client = as_foundation("officer")
    loan = book.subloans[3]
    assert "5000000003" not in client.get(f"/reports/loans/{loan.pk}/").content.decode()
    assert not AuditEntry.objects.filter(action="loan.see_nid").exists()
    assert "5000000003" in client.get(f"/reports/loans/{loan.pk}/nid/").content.decode()
    seen = AuditEntry.objects.get(action="loan.see_nid")
    assert (seen.subject_id, seen.actor_id) == (str(loan.pk), client.user.pk)


def test_who_may_not_see_a_nid_is_refused(book: Book, as_partner: Callable[..., Any]) -> None:
    viewer = as_partner(book.world.bank, "viewer")
    assert viewer.get(f"/reports/loans/{book.subloans[3].pk}/nid/").status_code == 403


def test_every_download_is_in_the_trail(book: Book, as_foundation: Callable[..., Any]) -> None:
    client = as_foundation("auditor")
    client.get("/reports/portfolio/", {"export": "xlsx"})
    client.get("/reports/portfolio/", {"export": "xlsx"})
    assert ReportRun.objects.filter(name="portfolio").count() == 1
    assert AuditEntry.objects.filter(action="report.download", actor_id=client.user.pk).count() == 2
