"""From a question to a report object: selectors read, builders build. One call for page, file and check.

A question is a report's name, the books asked (`Asked`), and its facts: plain text values, which are also
what a report run keeps, so that any run can be made again and its checksum compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import numpy as np

from reports.builders.accounts import read_accounts
from reports.builders.loans import DEFAULT_SORT, build_loans, sorted_loans
from reports.builders.objects import Asked, Report
from reports.builders.portfolio import Portfolio, build_portfolio
from reports.builders.questions import (
    GROUP_COLUMNS,
    books_parameters,
    dimension_names,
    filter_parameters,
    filters_of,
)
from reports.builders.statement import Statement
from reports.builders.statements import institution_statement, loan_statement
from reports.builders.wording import Dimension
from reports.selectors import facts as fact_selectors
from reports.selectors.frames import Frame
from reports.selectors.institutions import wholesale_loan_ids
from reports.selectors.portfolio import GENDERS, SIZES, read_standings
from reports.services.class_returns import make_class_return
from reports.services.what_if import make_what_if

Facts = Mapping[str, str]


class CannotMake(Exception):
    """The report has no such subject in the books asked, or the reader may not see it."""


def make_portfolio(asked: Asked, facts: Facts) -> Portfolio:
    """The portfolio by the dimension named in ``by``, in one currency."""
    currency = facts.get("currency", "BDT")
    dimension = Dimension(facts.get("by", Dimension.INSTITUTION))
    frame = read_standings(
        as_of=asked.as_of, knowledge=asked.knowledge, currency=currency, filters=filters_of(facts)
    )
    frame["group"] = _groups(frame, dimension)
    return build_portfolio(
        asked=asked,
        currency=currency,
        dimension=dimension,
        standings=frame,
        names=dimension_names(dimension),
        parameters=[*books_parameters(asked, currency), *filter_parameters(facts)],
        facts=dict(facts),
    )


def _groups(frame: Frame, dimension: Dimension) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    if dimension in GROUP_COLUMNS:
        return frame[GROUP_COLUMNS[dimension]].to_numpy(np.int64)
    if dimension is Dimension.DISTRICT:
        return frame["district"].astype(str).replace("", "0").astype(np.int64).to_numpy()
    order = GENDERS if dimension is Dimension.GENDER else SIZES
    column = "gender" if dimension is Dimension.GENDER else "size_tier"
    codes = {value: number for number, value in enumerate(order)}
    return frame[column].astype(str).map(codes).to_numpy(np.int64)


def loan_standings(asked: Asked, facts: Facts) -> Frame:
    """The loans of a list, sorted as asked."""
    frame = read_standings(
        as_of=asked.as_of,
        knowledge=asked.knowledge,
        currency=facts.get("currency", "BDT"),
        filters=filters_of(facts),
    )
    return sorted_loans(frame, facts.get("sort", DEFAULT_SORT))


def make_loans(
    asked: Asked, facts: Facts, *, standings: Frame | None = None, page: slice | None = None
) -> Report:
    """The list of loans of one tier; ``page`` makes only those rows, the total stays of all."""
    frame = loan_standings(asked, facts) if standings is None else standings
    shown = frame if page is None else frame.iloc[page]
    currency = facts.get("currency", "BDT")
    return build_loans(
        asked=asked,
        currency=currency,
        tier=facts["tier"],
        standings=frame,
        headers=fact_selectors.loan_headers(shown["loan_id"].tolist()),
        parameters=[*books_parameters(asked, currency), *filter_parameters(facts)],
        facts=dict(facts),
    )


def make_loan_statement(asked: Asked, facts: Facts) -> Statement:
    """The statement of one loan. Raises `CannotMake`."""
    accounts = read_accounts([int(facts["loan"])], asked)
    if not accounts:
        raise CannotMake("The loan was not disbursed by that date, or not known then.")
    return loan_statement(accounts[0], asked, period_from=_day(facts.get("from")))


def make_institution_statement(asked: Asked, facts: Facts) -> Statement:
    """The statement of what an institution owes the foundation in one currency. Raises `CannotMake`."""
    currency = facts.get("currency", "BDT")
    accounts = read_accounts(wholesale_loan_ids(int(facts["institution"]), currency), asked)
    if not accounts:
        raise CannotMake("The institution owed nothing in that currency by that date.")
    return institution_statement(accounts, asked, currency=currency, period_from=_day(facts.get("from")))


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


MAKERS: dict[str, Callable[[Asked, Facts], Report]] = {
    "portfolio": lambda asked, facts: make_portfolio(asked, facts).report,
    "loans": make_loans,
    "loan_statement": lambda asked, facts: make_loan_statement(asked, facts).report,
    "institution_statement": lambda asked, facts: make_institution_statement(asked, facts).report,
    "class_return": make_class_return,
    "what_if": lambda asked, facts: make_what_if(asked, facts).report,
}


def make_report(name: str, asked: Asked, facts: Facts) -> Report:
    """Any report of the catalogue by its name."""
    return MAKERS[name](asked, facts)
