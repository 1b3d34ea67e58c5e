"""Locks in one order everywhere: the agreement first, then what hangs on it."""

from __future__ import annotations

from lending.models import Agreement, Application


def lock_agreement(agreement_id: int) -> Agreement:
    """The agreement, held until the transaction ends: every step under it locks this row first."""
    return (
        Agreement.objects.select_for_update(no_key=True, of=("self",))
        .select_related("programme", "institution")
        .get(pk=agreement_id)
    )


def lock_application(application_id: int) -> Application:
    """Lock the agreement, then the application, until the transaction ends."""
    agreement_id = Application.objects.values_list("allotment__agreement_id", flat=True).get(
        pk=application_id
    )
    lock_agreement(agreement_id)
    return (
        Application.objects.select_for_update(no_key=True, of=("self",))
        .select_related("allotment__agreement__programme", "allotment__cluster", "cluster")
        .get(pk=application_id)
    )
