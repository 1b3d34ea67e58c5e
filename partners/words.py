"""What the codes of partners are called on a page, in the reader's language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from partners.models import InstitutionStatus, Membership

Words = dict[str, Promise | str]

KINDS: Words = {
    InstitutionStatus.Kind.BANK: _("Bank"),
    InstitutionStatus.Kind.FINANCE_COMPANY: _("Finance company"),
}
OWNERSHIPS: Words = {
    InstitutionStatus.Ownership.STATE: _("State-owned"),
    InstitutionStatus.Ownership.STATE_SPECIALISED: _("State-owned, specialised"),
    InstitutionStatus.Ownership.PRIVATE: _("Private"),
    InstitutionStatus.Ownership.FOREIGN: _("Foreign"),
}
STATUSES: Words = {
    InstitutionStatus.Status.ACTIVE: _("Active"),
    InstitutionStatus.Status.SUSPENDED: _("Suspended"),
    InstitutionStatus.Status.CLOSED: _("Closed"),
}
ROLES: Words = {
    Membership.Role.OFFICER: _("Foundation officer"),
    Membership.Role.APPROVER: _("Foundation approver"),
    Membership.Role.FINANCE_HEAD: _("Foundation finance head"),
    Membership.Role.ADMINISTRATOR: _("Foundation administrator"),
    Membership.Role.AUDITOR: _("Auditor"),
    Membership.Role.MAKER: _("Institution maker"),
    Membership.Role.CHECKER: _("Institution checker"),
    Membership.Role.VIEWER: _("Institution viewer"),
}


def choices(words: Words) -> list[tuple[str, Promise | str]]:
    """For a form field."""
    return [(str(code), word) for code, word in words.items()]
