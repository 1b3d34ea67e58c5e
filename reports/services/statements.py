"""Statements on paper: one now, for a person who waits."""

from __future__ import annotations

from dataclasses import dataclass

from partners.models import User
from reports.builders.objects import Asked
from reports.builders.statement import Statement
from reports.builders.statements import class_of
from reports.render.pdf import CONTENT_TYPE
from reports.render.statement import render_statement
from reports.services.making import Facts, make_institution_statement, make_loan_statement
from reports.services.runs import record_run


@dataclass(frozen=True, slots=True)
class Paper:
    """A file and its name."""

    file_name: str
    content: bytes
    checksum: str


def print_statement(statement: Statement, *, lang: str) -> Paper:
    """The PDF of a statement. The class shown on top is that of the loan furthest behind."""
    worst = max(statement.accounts, key=lambda account: int(account.standing["loan_class"]))
    return Paper(
        file_name=statement_file_name(statement, lang=lang),
        content=render_statement(statement, lang=lang, class_label=class_of(worst)),
        checksum=statement.report.checksum,
    )


def statement_file_name(statement: Statement, *, lang: str) -> str:
    """statement_WL-000012_2026-10-31_bn.pdf"""
    header = statement.accounts[0].header
    subject = header["number"] if statement.report.name == "loan_statement" else header["institution_code"]
    return f"statement_{subject}_{statement.report.asked.as_of.isoformat()}_{lang}.pdf"


def print_loan_statement(asked: Asked, facts: Facts, *, lang: str, made_by: User, address: str) -> Paper:
    """Make, print and record the statement of one loan. Raises `CannotMake`."""
    return _printed(make_loan_statement(asked, facts), lang=lang, made_by=made_by, address=address)


def print_institution_statement(
    asked: Asked, facts: Facts, *, lang: str, made_by: User, address: str
) -> Paper:
    """Make, print and record the statement of what an institution owes. Raises `CannotMake`."""
    return _printed(make_institution_statement(asked, facts), lang=lang, made_by=made_by, address=address)


def _printed(statement: Statement, *, lang: str, made_by: User, address: str) -> Paper:
    paper = print_statement(statement, lang=lang)
    header = statement.accounts[0].header
    record_run(
        statement.report,
        subject=header["number"] if statement.report.name == "loan_statement" else header["institution"],
        file_name=paper.file_name,
        content_type=CONTENT_TYPE,
        lang=lang,
        institution_id=int(header["institution_id"]),
        made_by=made_by,
        address=address,
    )
    return paper
