"""One book under two sets of policies: by class, by institution, by size, and the loans that change class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
from django.utils.translation import gettext_lazy as _

from calc.money import IntColumn
from calc.portfolio import group_by, totals
from lending.models import Loan
from lending.models.borrowers import SizeTier
from partners.models import Institution
from repayments.frames import SIZE_CODES
from repayments.models.policies import DatedPolicy
from reports.builders.objects import (
    Asked,
    Bilingual,
    Cell,
    Column,
    Kind,
    Report,
    Row,
    Table,
    Words,
    column_sums,
)
from reports.builders.wording import CLASS_LABELS, TIER_LABELS

LOANS_LISTED = 2_000
"""Loans that change class and are listed; the tables above them are of all."""


@dataclass(frozen=True)
class Compared:
    """Loans side by side under set A and set B: int64 columns, money in minor units.

    A row stands for ``count`` loans: one, or after `collapsed` all that keep their class and are alike.
    """

    loan: IntColumn
    count: IntColumn
    institution: IntColumn
    size: IntColumn
    outstanding: IntColumn
    class_a: IntColumn
    class_b: IntColumn
    provision_a: IntColumn
    provision_b: IntColumn

    @classmethod
    def joined(cls, parts: Sequence[Compared]) -> Compared:
        """Several lots as one."""
        none = np.zeros(0, dtype=np.int64)
        return cls(
            **{
                field.name: np.concatenate([none, *(getattr(part, field.name) for part in parts)])
                for field in fields(cls)
            }
        )

    def collapsed(self) -> Compared:
        """Loans that keep their class as one row for institution, size and class (loan 0); the others stay.

        Every table of the report is the same from it, and a million loans become some hundred rows and
        those that change.
        """
        keeps = self.class_a == self.class_b
        kept = {field.name: getattr(self, field.name)[keeps] for field in fields(self)}
        groups = group_by(kept["institution"], kept["size"], kept["class_a"])
        summed = ("count", "outstanding", "provision_a", "provision_b")
        sums = totals(groups, **{name: kept[name] for name in summed})
        institution, size, grade = (key.astype(np.int64) for key in groups.keys)
        alike = Compared(
            loan=np.zeros(institution.size, dtype=np.int64),
            institution=institution, size=size, class_a=grade, class_b=grade, **sums,
        )  # fmt: skip
        others = Compared(**{field.name: getattr(self, field.name)[~keeps] for field in fields(self)})
        return Compared.joined([alike, others])

    @property
    def loans(self) -> int:
        """How many loans were compared."""
        return int(self.count.sum())

    @property
    def changed(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Positions of loans whose class differs, the greatest change of provision first."""
        at = np.flatnonzero(self.class_a != self.class_b)
        change = np.abs(self.provision_b[at] - self.provision_a[at])
        return at[np.lexsort((self.loan[at], -change))]


def build_what_if(
    asked: Asked,
    compared: Compared,
    *,
    currency: str,
    other: date,
    draft: DatedPolicy | None,
    facts: Mapping[str, str],
) -> Report:
    """The comparison as a report."""
    found = Institution.objects.values_list("pk", "name", "name_bn")
    institutions = {pk: Bilingual(en, bn) for pk, en, bn in found}
    sizes = {
        int(code): SizeTier(name).label if name else _("Not recorded") for name, code in SIZE_CODES.items()
    }
    set_b: Words = draft.code if draft is not None else "–"
    return Report(
        name="what_if",
        title=_("The same book under two sets of policies"),
        asked=asked,
        currency=currency,
        parameters=(
            (_("Tier"), TIER_LABELS[facts["tier"]]),
            (_("As of"), asked.as_of),
            (_("Known by"), asked.known_by),
            (_("Set A: the policies in force on"), asked.as_of),
            (_("Set B: the policies in force on"), other),
            (_("Set B: with the draft"), set_b),
        ),
        facts=facts,
        tables=(
            _classes(compared),
            _groups("institutions", _("By institution"), _("Institution"), compared, compared.institution,
                    lambda key: institutions.get(key, str(key))),
            _groups("sizes", _("By size of enterprise"), _("Size of enterprise"), compared, compared.size,
                    lambda key: sizes.get(key, str(key))),
            _loans(compared, institutions),
        ),
    )  # fmt: skip


def _classes(compared: Compared) -> Table:
    """Loans, principal and provision of each class under A, under B, and B less A."""
    rows = []
    for grade, label in CLASS_LABELS.items():
        in_a, in_b = compared.class_a == grade, compared.class_b == grade
        if not (in_a.any() or in_b.any()):
            continue
        a = (
            int(compared.count[in_a].sum()),
            int(compared.outstanding[in_a].sum()),
            int(compared.provision_a[in_a].sum()),
        )
        b = (
            int(compared.count[in_b].sum()),
            int(compared.outstanding[in_b].sum()),
            int(compared.provision_b[in_b].sum()),
        )
        rows.append(Row((label, *a, *b, b[2] - a[2]), key=str(int(grade))))
    columns = (
        Column("class", _("Class")),
        Column("loans_a", _("Loans, set A"), Kind.COUNT),
        Column("outstanding_a", _("Principal, set A"), Kind.MONEY),
        Column("a", _("Provision, set A"), Kind.MONEY),
        Column("loans_b", _("Loans, set B"), Kind.COUNT),
        Column("outstanding_b", _("Principal, set B"), Kind.MONEY),
        Column("b", _("Provision, set B"), Kind.MONEY),
        Column("change", _("Change of provision"), Kind.MONEY),
    )
    return Table(
        "classes", _("By class"), columns, tuple(rows),
        total=Row((_("Total"), *column_sums(rows, range(1, 8)))),
    )  # fmt: skip


def _groups(
    key: str, title: Any, head: Any, compared: Compared, by: IntColumn, name: Callable[[int], Cell]
) -> Table:
    """Loans, those that change class, principal and provision of each group."""
    groups = group_by(by)
    sums = totals(
        groups,
        loans=compared.count,
        changed=(compared.class_a != compared.class_b).astype(np.int64),
        outstanding=compared.outstanding,
        a=compared.provision_a,
        b=compared.provision_b,
        change=compared.provision_b - compared.provision_a,
    )
    rows = [
        Row((name(int(number)), *(int(column[at]) for column in sums.values())), key=str(int(number)))
        for at, number in enumerate(groups.keys[0])
    ]
    columns = (
        Column(key, head),
        Column("loans", _("Loans"), Kind.COUNT),
        Column("changed", _("Change class"), Kind.COUNT),
        Column("outstanding", _("Principal outstanding"), Kind.MONEY),
        Column("a", _("Provision, set A"), Kind.MONEY),
        Column("b", _("Provision, set B"), Kind.MONEY),
        Column("change", _("Change of provision"), Kind.MONEY),
    )
    return Table(key, title, columns, tuple(rows), total=Row((_("Total"), *column_sums(rows, range(1, 7)))))


def _loans(compared: Compared, institutions: Mapping[int, Bilingual]) -> Table:
    """The loans that change class, the greatest change of provision first."""
    at = compared.changed[:LOANS_LISTED]
    numbers = dict(Loan.objects.filter(pk__in=compared.loan[at].tolist()).values_list("pk", "number"))
    rows = tuple(
        Row(
            (
                numbers[int(compared.loan[one])],
                institutions.get(int(compared.institution[one]), ""),
                CLASS_LABELS[int(compared.class_a[one])],
                CLASS_LABELS[int(compared.class_b[one])],
                int(compared.outstanding[one]),
                int(compared.provision_a[one]),
                int(compared.provision_b[one]),
                int(compared.provision_b[one] - compared.provision_a[one]),
            ),
            key=str(int(compared.loan[one])),
        )
        for one in at
    )
    columns = (
        Column("loan", _("Loan")),
        Column("institution", _("Institution")),
        Column("class_a", _("Class, set A")),
        Column("class_b", _("Class, set B")),
        Column("outstanding", _("Principal outstanding"), Kind.MONEY),
        Column("a", _("Provision, set A"), Kind.MONEY),
        Column("b", _("Provision, set B"), Kind.MONEY),
        Column("change", _("Change of provision"), Kind.MONEY),
    )
    return Table("loans", _("Loans that change class"), columns, rows)


def changing_rows(
    compared: Compared,
    *,
    institution_id: int | None = None,
    class_a: int | None = None,
    class_b: int | None = None,
) -> list[dict[str, Any]]:
    """Every loan that changes class, the greatest change of provision first; narrowed where asked."""
    at = compared.changed
    for column, value in (
        (compared.institution, institution_id), (compared.class_a, class_a), (compared.class_b, class_b)
    ):  # fmt: skip
        if value is not None:
            at = at[column[at] == value]
    ids = compared.loan[at].tolist()
    numbers = dict(Loan.objects.filter(pk__in=ids).values_list("pk", "number"))
    names = {
        pk: str(Bilingual(en, bn)) for pk, en, bn in Institution.objects.values_list("pk", "name", "name_bn")
    }
    labels = {grade: str(label) for grade, label in CLASS_LABELS.items()}
    columns = (compared.institution, compared.class_a, compared.class_b, compared.outstanding,
               compared.provision_a, compared.provision_b)  # fmt: skip
    return [
        {
            "loan_id": loan, "number": numbers.get(loan, ""), "institution": names.get(institution, ""),
            "grade_a": a, "grade_b": b, "class_a": labels[a], "class_b": labels[b],
            "outstanding_minor": outstanding, "provision_a_minor": before, "provision_b_minor": after,
            "change_minor": after - before,
        }
        for loan, institution, a, b, outstanding, before, after in zip(
            ids, *(column[at].tolist() for column in columns), strict=True
        )
    ]  # fmt: skip
