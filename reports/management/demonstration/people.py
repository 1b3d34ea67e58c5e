"""Who acts in the demonstration: one person for each role, with passwords made for this installation."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import transaction

from partners.models import Institution, Membership, User

Role = Membership.Role
SINCE = date(2020, 1, 1)
FOUNDATION = (
    ("officer", "Demo Officer", "ডেমো কর্মকর্তা", Role.OFFICER),
    ("approver", "Demo Approver", "ডেমো অনুমোদনকারী", Role.APPROVER),
    ("finance", "Demo Finance Head", "ডেমো অর্থ প্রধান", Role.FINANCE_HEAD),
    ("admin", "Demo Administrator", "ডেমো প্রশাসক", Role.ADMINISTRATOR),
    ("auditor", "Demo Auditor", "ডেমো নিরীক্ষক", Role.AUDITOR),
)
INSTITUTION = (
    ("maker", "Demo Maker", "ডেমো প্রস্তুতকারী", Role.MAKER),
    ("checker", "Demo Checker", "ডেমো যাচাইকারী", Role.CHECKER),
    ("viewer", "Demo Viewer", "ডেমো দর্শক", Role.VIEWER),
)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class People:
    """The acting users by name: ``people["officer"]``, ``people["brac.maker"]``."""

    users: dict[str, User]
    passwords: dict[str, str]

    def __getitem__(self, username: str) -> User:
        return self.users[username]

    def of(self, institution_code: str, role: str) -> User:
        """A person of an institution."""
        return self.users[f"{institution_code.lower()}.{role}"]


@transaction.atomic
def foundation_people(folder: Path) -> People:
    """The foundation's five; needed before there is any institution."""
    people = _known(folder)
    for username, name, name_bn, role in FOUNDATION:
        _ensure(people, username, name, name_bn, role, None)
    _keep(folder, people)
    return people


@transaction.atomic
def institution_people(
    folder: Path, people: People, institutions: Iterable[Institution], *, sign_in: Collection[str]
) -> None:
    """Three people at each institution; those of the institutions ``sign_in`` (codes) get a password."""
    for institution in institutions:
        for title, name, name_bn, role in INSTITUTION:
            _ensure(
                people,
                f"{institution.code.lower()}.{title}",
                f"{name}, {institution.name}",
                f"{name_bn}, {institution.name_bn}",
                role,
                institution,
                may_sign_in=institution.code in sign_in,
            )
    _keep(folder, people)


def _known(folder: Path) -> People:
    path = folder / "logins.json"
    passwords: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return People(users={}, passwords=passwords)


def _ensure(
    people: People,
    username: str,
    name: str,
    name_bn: str,
    role: str,
    institution: Institution | None,
    *,
    may_sign_in: bool = True,
) -> None:
    """Make the person unless there is one; whoever may sign in and has no kept password gets a new one."""
    known = User.objects.filter(username=username).first()
    user = known or User(username=username, full_name=name, full_name_bn=name_bn)
    if known is None and not may_sign_in:
        user.set_unusable_password()
        user.save()
    elif may_sign_in and username not in people.passwords:
        password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
        user.set_password(password)
        user.save()
        people.passwords[username] = password
    Membership.objects.get_or_create(
        user=user, role=role, institution=institution, defaults={"from_date": SINCE}
    )
    people.users[username] = user


def _keep(folder: Path, people: People) -> None:
    """Keep the passwords where only this user reads them, so that a second run can print them again."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "logins.json"
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(people.passwords, file, indent=1)
    draft.replace(path)
