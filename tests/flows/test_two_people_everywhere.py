"""Who may have taken both chairs: asked of every table that names two people, from the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from lending.models import Agreement
from lending.services.cancellations import propose_cancellation
from lending.services.penal import propose_penal_rate
from lending.services.proposals import propose_end
from tests.conftest import set_role
from tests.database.attacks import one
from tests.flows.site import Site
from tests.lending.world import CRORE

pytestmark = pytest.mark.usefixtures("undone")
NO_PAIR = {
    ("lending_application", "appraised_by_id", "made_by_id"): "of two houses: an officer never makes one",
    ("lending_application", "appraised_by_id", "submitted_by_id"): "of two houses",
    ("lending_application", "decided_by_id", "submitted_by_id"): "of two houses",
    ("partners_membership", "stands_in_for_id", "user_id"): "no step of a decision",
}
"""Pairs of people that may be one person, and why."""
ROLES = ("paikar_foundation", "paikar_worker")


def two_people_tables() -> dict[str, list[str]]:
    """Every table with more than one column that names a person."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attname) FROM pg_constraint k"
            "  JOIN pg_class c ON c.oid = k.conrelid"
            "  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]"
            " WHERE k.contype = 'f' AND k.confrelid = 'partners_user'::regclass AND cardinality(k.conkey) = 1"
            " GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
        )
        return dict(cursor.fetchall())


def refused_by_checks(table: str, row: dict[str, Any]) -> bool:
    """Whether a check about people is false for a row, whatever else stands in it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint"
            " WHERE contype = 'c' AND conrelid = %s::regclass AND convalidated AND conname ~ 'maker|clearer'",
            [table],
        )
        for (expression,) in cursor.fetchall():
            cursor.execute(
                f"SELECT ({expression}) IS FALSE FROM jsonb_populate_record(NULL::{table}, %s::jsonb)",
                [json.dumps(row)],
            )
            if cursor.fetchone()[0]:
                return True
    return False


def pairs() -> Iterator[tuple[str, str, str]]:
    for table, columns in two_people_tables().items():
        yield from ((table, *pair) for pair in combinations(columns, 2))


def test_no_table_lets_one_person_take_two_chairs(site: Site) -> None:
    """A new table, or a new step in an old one, has a check or a reason above."""
    found = set(pairs())
    assert len(found) >= 30
    open_pairs = {
        pair for pair in found if not refused_by_checks(pair[0], {pair[1]: 7, pair[2]: 7, "state": "locked"})
    }
    assert open_pairs == set(NO_PAIR)


def test_two_people_may(site: Site) -> None:
    """The checks refuse one person in two chairs, not everybody."""
    for table, first, second in set(pairs()) - set(NO_PAIR):
        assert not refused_by_checks(table, {first: 7, second: 8}), table


def outcome(statement: str, *values: Any) -> str:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            touched = int(cursor.rowcount)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except DatabaseError:
        return "refused"
    return "open" if touched else "nothing to attack"


@pytest.fixture
def proposed(site: Site) -> None:
    """One proposal of each kind that the site has none of."""
    world, on = site.world, date(2025, 11, 1)
    officer: dict[str, Any] = {"actor": world.people["officer"], "business_date": on, "reason": "x"}
    agreement = Agreement.objects.get(pk=world.agreement.pk)
    propose_end(agreement=agreement, **officer)
    propose_penal_rate(agreement=agreement, annual_rate=Decimal(3), effective_date=on, **officer)
    propose_cancellation(facility=world.facility(amount=CRORE), amount=CRORE / 2, **officer)


MAKERS = ("made_by_id", "proposed_by_id", "requested_by_id")
NOT_OPEN = {
    # Approved together with the fact it makes, or written once by the worker: append-only, no open proposal.
    "lending_allotment",
    "lending_security",
    "repayments_chargepolicy",
    "repayments_classfloor",
    "repayments_classfloorrelease",
    "repayments_classfreeze",
    "repayments_classificationpolicy",
    "repayments_provisionpolicy",
    "repayments_reschedulepolicy",
    "repayments_writeoffpolicy",
}


@pytest.mark.parametrize("role", ROLES)
def test_nobody_hands_a_proposal_to_another_maker_to_decide_it(site: Site, proposed: None, role: str) -> None:
    """Two people are two only while the first one's name stands."""
    other = site.world.people["auditor"].pk
    said = {}
    for table, columns in two_people_tables().items():
        maker = next((column for column in columns if column in MAKERS), "")
        if maker and table not in NOT_OPEN:
            set_role(role)
            said[table] = outcome(f"UPDATE {table} SET {maker} = %s", other)
            set_role("paikar_worker")
            assert one(f"SELECT count(*) FROM {table}") > 0, table
    assert len(said) >= 10
    assert {table for table, what in said.items() if what != "refused"} == set()
