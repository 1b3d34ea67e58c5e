"""Each institution sees, writes and decides its own only: attacks with raw SQL as a partner's session."""

from __future__ import annotations

from collections.abc import Callable

import psycopg2.errors
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from lending.services.subloans import open_subloans
from tests.database.attacks import grant_partners, names, one, outcome, refused, run, touched_or_forbidden
from tests.lending.world import CRORE, World, make_world, subloan_rows

ActingAs = Callable[..., None]


@pytest.fixture
def world(db: None) -> World:
    """A programme with an application, a disbursed tranche and sub-loans in it."""
    world = make_world()
    world.application()
    world.loan()
    open_subloans(rows=subloan_rows(2), institution_id=world.bank.pk, booking=world.booking())
    return world


def guarded() -> list[tuple[str, str]]:
    """Every table with row-level security, and the column that names the institution."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, CASE WHEN c.relname = 'partners_institution' THEN 'id' ELSE a.attname END"
            "  FROM pg_class c"
            "  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'institution_id'"
            " WHERE c.relrowsecurity AND c.relkind IN ('r', 'p') AND c.relname <> 'partners_user' ORDER BY 1"
        )
        return cursor.fetchall()


def test_every_table_that_names_an_institution_is_guarded(world: World) -> None:
    bare = names(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'institution_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p')"
        "   AND NOT c.relispartition AND NOT c.relrowsecurity AND c.relnamespace = 'public'::regnamespace"
    )
    for table in bare:
        assert not one("SELECT has_table_privilege('paikar_partner', %s, 'SELECT')", table), table


def test_a_partner_sees_nothing_of_another_institution(world: World, acting_as: ActingAs) -> None:
    theirs = f"{world.bank.pk}"
    full = [
        (table, column)
        for table, column in guarded()
        if one(f"SELECT count(*) FROM {table} WHERE {column} = %s", theirs)
    ]
    assert len(full) >= 20, "the attack needs something to find"
    for table, column in full:
        acting_as("paikar_partner", institution_id=world.bank.pk)
        own = one(f"SELECT count(*) FROM {table}")
        acting_as("paikar_partner", institution_id=world.other_bank.pk)
        if own:
            assert one(f"SELECT count(*) FROM {table} WHERE {column} = %s", theirs) == 0, table
        acting_as("paikar_partner")
        assert one(f"SELECT count(*) FROM {table} WHERE {column} = %s", theirs) == 0, table


def test_a_partner_writes_nothing_of_another_institution(world: World, acting_as: ActingAs) -> None:
    acting_as("paikar_partner", institution_id=world.other_bank.pk)
    for table, column in guarded():
        with pytest.raises(DatabaseError) as raised, transaction.atomic():
            run(
                f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s::jsonb)",
                f'{{"{column}": {world.bank.pk}}}',
            )
        cause = raised.value.__cause__
        # Row-level security or a missing right; a booking may also fail on its date before it gets there.
        assert isinstance(cause, psycopg2.errors.InsufficientPrivilege | psycopg2.errors.CheckViolation), (
            table,
            cause,
        )
        for attack in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            assert touched_or_forbidden(f"{attack} WHERE {column} = %s", world.bank.pk) == 0, table


def test_a_partner_does_not_hand_a_row_to_another_institution(world: World, acting_as: ActingAs) -> None:
    acting_as("paikar_partner", institution_id=world.bank.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        run("UPDATE lending_application SET institution_id = %s", world.other_bank.pk)


def test_a_rows_institution_is_its_parents(world: World) -> None:
    keys = names("SELECT conname FROM pg_constraint WHERE conname LIKE '%%_own_institution' ORDER BY 1")
    assert len(keys) >= 30
    for table in ("lending_application", "lending_tranche", "lending_standing"):
        with pytest.raises(IntegrityError, match=r"own_institution|id_institution"), transaction.atomic():
            run(f"UPDATE {table} SET institution_id = %s", world.other_bank.pk)


# Who decides


@pytest.mark.parametrize("state", ["appraised", "approved", "rejected", "returned"])
def test_a_partner_does_not_decide_its_application(world: World, acting_as: ActingAs, state: str) -> None:
    acting_as("paikar_partner", institution_id=world.bank.pk)
    refused("partner_does_not_decide", "UPDATE lending_application SET state = %s", state)


def test_a_partner_does_not_send_itself_money(world: World, acting_as: ActingAs) -> None:
    world.tranche(world.facility(), amount=CRORE)
    acting_as("paikar_partner", institution_id=world.bank.pk)
    refused(
        "partner_does_not_decide", "UPDATE lending_tranche SET state = 'cleared' WHERE state = 'requested'"
    )


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE lending_agreement SET "limit" = "limit" * 2',
        "UPDATE lending_facility SET amount = amount * 2",
        "UPDATE lending_standing SET exposure_minor = 0",
        "UPDATE lending_allotment SET to_date = '2030-01-01'",
        "UPDATE partners_membership SET role = 'checker'",
        "UPDATE partners_institution SET name = 'Other'",
        "DELETE FROM partners_branch",
    ],
)
def test_a_partner_does_not_change_its_limits_or_roles(
    world: World, acting_as: ActingAs, statement: str
) -> None:
    acting_as("paikar_partner", institution_id=world.bank.pk)
    assert outcome(statement) == "forbidden"
    grant_partners(next(word for word in statement.split() if "_" in word))
    acting_as("paikar_partner", institution_id=world.bank.pk)
    refused("partner_writes_little", statement)
