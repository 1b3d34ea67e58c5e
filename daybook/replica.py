"""Read long reports from a copy of the database, where one is configured and knows enough.

A copy follows the books by seconds or minutes. What is asked as known by a *closed* business date can
be answered there as soon as the copy has that date's close: everything booked before it stands earlier
in the write-ahead log. Anything else, and anything when the copy is away, is read from the books.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import OperationalError, connections, transaction

from daybook.selectors import Knowledge

PRIMARY, REPLICA = "books", "replica"
logger = logging.getLogger("paikar.replica")


@contextmanager
def reading_known(knowledge: Knowledge) -> Iterator[str]:
    """Let every query of the block go to the copy, if it may; tells which it is: ``books`` or ``replica``.

    The block reads as the role and the institution of the request, in one read-only transaction.
    """
    with ExitStack() as stack:
        yield REPLICA if _turned_to_replica(stack, knowledge) else PRIMARY


def _turned_to_replica(stack: ExitStack, knowledge: Knowledge) -> bool:
    if REPLICA not in connections.settings or not knowledge.is_final:
        return False
    books, replica = connections["default"], connections[REPLICA]
    if books is replica:  # a block within a block
        return False
    with books.cursor() as cursor:
        cursor.execute("SELECT current_user, coalesce(current_setting('paikar.institution', true), '')")
        role, institution = cursor.fetchone()
    try:
        with ExitStack() as attempt:
            attempt.enter_context(transaction.atomic(using=REPLICA))
            with replica.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
                cursor.execute("SELECT set_config('role', %s, true)", [role])
                cursor.execute("SELECT set_config('paikar.institution', %s, true)", [institution])
                cursor.execute(
                    "SELECT FROM daybook_businessday WHERE date = %s AND last_booking_id = %s",
                    [knowledge.business_date, knowledge.last_booking_id],
                )
                knows = cursor.rowcount == 1
            if knows:
                stack.push(attempt.pop_all().__exit__)
    except OperationalError as error:
        logger.warning("The replica is away, so the books are read: %s", error)
        replica.close()
        return False
    if not knows:
        return False
    connections["default"] = replica
    stack.callback(connections.__setitem__, "default", books)
    return True
