"""A worker that sees everything is asked by a partner that must not: runs of reports, by raw SQL."""

from __future__ import annotations

import json
from typing import Any

import pytest

from partners.models import Institution
from repayments.models import ClassificationReturn, DayRun, RulingProposal
from reports.models import ReportPart, ReportRun
from tests.database.attacks import as_partner, outcome, refused, run
from tests.reports.books import FIRST_CLOSE, Book

RUN = """
INSERT INTO reports_reportrun (name, title, parameters, institution_id, as_of, known_by, last_booking_id,
    language, made_by_id, file_name, content_type, checksum, work, done_count, total_count, error, claimed_by,
    attempts)
SELECT %s, 't', %s::jsonb, %s, date, date, 1, 'en', %s, '', '', '', %s, 0, 1, '', '', 0
  FROM daybook_businessday WHERE state = 'open'
"""


@pytest.fixture
def thief(world: Any) -> tuple[Institution, int]:
    """The other bank, and one of its people."""
    return world.other_bank, world.people["other_maker"].pk


def asks(bank: Institution, person: int, loans: list[int], *, name: str = "loan_statements",
         work: str = "queued") -> tuple[Any, ...]:  # fmt: skip
    return name, json.dumps({"loans": loans, "tier": "subloan"}), bank.pk, person, work


def test_a_partner_asks_for_statements_of_its_own_loans_only(
    world: Any, book: Book, thief: tuple[Institution, int]
) -> None:
    theirs = [loan.pk for loan in book.subloans[:2]]
    as_partner(thief[0].pk)
    for work in ("queued", "running", "waiting"):
        refused("partner_asks_for_its_own", RUN, *asks(*thief, theirs, work=work))
    refused("partner_asks_for_its_own", RUN, *asks(*thief, [10**12]))
    refused("partner_asks_for_its_own", RUN, *asks(*thief, [], name="what_if_run"))
    assert run(RUN, *asks(*thief, [])) == 1
    as_partner(world.bank.pk)
    assert run(RUN, *asks(world.bank, world.people["maker"].pk, theirs)) == 1


def test_a_partner_puts_no_paper_into_anybodys_run(
    world: Any, book: Book, thief: tuple[Institution, int]
) -> None:
    theirs = ReportRun.objects.create(
        name="loan_statements", title="Statements", institution=world.bank, as_of=FIRST_CLOSE,
        known_by=FIRST_CLOSE, last_booking_id=1, made_by=world.people["maker"], total_count=1,
        parameters={"loans": [book.subloans[0].pk]},
    )  # fmt: skip
    for bank in (thief[0], world.bank):
        as_partner(bank.pk)
        forged = (
            "INSERT INTO reports_reportpart (run_id, institution_id, position, file_name, content, checksum)"
            " VALUES (%s, %s, 0, 'forged.pdf', '', '')"
        )
        assert outcome(forged, theirs.pk, bank.pk) == "forbidden"
        assert outcome("UPDATE reports_reportrun SET checksum = 'f'") == "forbidden"
    assert not ReportPart.objects.filter(run=theirs).exists()


@pytest.mark.parametrize(
    ("model", "columns"),
    [
        (DayRun, ("error", "loan_count", "checksum", "signed_reason", "started_by")),
        (ClassificationReturn, ("provision_minor", "loan_count", "reason", "policies", "checksum")),
        (RulingProposal, ("parameters", "reason", "kind", "made_by_id")),
    ],
)
def test_a_partner_reads_no_figure_of_the_whole_programme(
    world: Any, model: Any, columns: tuple[str, ...]
) -> None:
    table = model._meta.db_table
    as_partner(world.bank.pk)
    for column in (*columns, "*"):
        assert outcome(f"SELECT {column} FROM {table}") == "forbidden", column
    assert outcome(f"SELECT id FROM {table} ORDER BY {columns[0]}") == "forbidden"
    assert outcome(f"SELECT count(*) FROM {table} WHERE id > 0") == "open"


def test_no_key_tells_a_partner_how_many_there_are(world: Any) -> None:
    as_partner(world.bank.pk)
    for table in ("lending_loan", "repayments_receipt", "daybook_booking", "repayments_upload"):
        for question in ("SELECT last_value FROM {0}", "SELECT nextval('{0}')", "SELECT setval('{0}', 1)"):
            assert outcome(question.format(f"{table}_id_seq")) == "forbidden", (table, question)
    assert outcome("SELECT nextval('lending_number_wholesale')") == "forbidden"
    assert outcome("SELECT last_value FROM lending_number_application") == "forbidden"
