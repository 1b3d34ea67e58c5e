"""A classification return on paper, in the shape of a CL summary: classes down, figures across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from calc.classification import LoanClass
from repayments.models import ClassificationReturn
from repayments.selectors.returns import ClassTotal
from reports.builders.objects import Asked, Bilingual, Cell, Column, Kind, Report, Row, Table, Words
from reports.builders.wording import CLASS_LABELS, TIER_LABELS

MONEY = (
    ("outstanding_minor", _("Principal outstanding")),
    ("interest_due_minor", _("Interest fallen due")),
    ("suspense_minor", _("Interest suspense")),
    ("security_minor", _("Eligible security")),
    ("base_minor", _("Base for provision")),
    ("provision_minor", _("Provision required")),
)
CLASSIFIED = (LoanClass.SS, LoanClass.DF, LoanClass.BL)


def build_class_return(
    made: ClassificationReturn,
    asked: Asked,
    *,
    currency: str,
    totals: Sequence[ClassTotal],
    by_institution: Sequence[ClassTotal],
    names: Mapping[int, Bilingual],
    facts: dict[str, str],
) -> Report:
    """Totals of one return in one currency by class, and by institution (``names``) and class."""
    mine = [total for total in totals if total.currency == currency]
    apart = [total for total in by_institution if total.currency == currency]
    columns = (
        Column("class", _("Class")),
        Column("loans", _("Loans"), Kind.COUNT),
        *(Column(name, label, Kind.MONEY) for name, label in MONEY),
    )
    state: Words = ClassificationReturn.State(made.state).label
    return Report(
        name="class_return",
        title=_("Classification return"),
        asked=asked,
        currency=currency,
        parameters=(
            (_("Tier"), TIER_LABELS[made.tier]),
            (_("Institution"), names[made.institution_id] if made.institution_id else _("All")),
            (_("As of"), made.as_of),
            (_("Known by"), made.known_by),
            (_("State"), state),
            (_("Drafted by"), str(made.made_by)),
            (_("Locked by"), str(made.decided_by) if made.booking_id else "–"),
            (_("Policies"), ", ".join(code for codes in made.policies.values() for code in codes.values())),
            (_("Checksum of the lines"), made.checksum),
        ),
        facts=facts,
        tables=(
            Table(
                "classes",
                _("By class"),
                columns,
                tuple(_row(total) for total in mine),
                total=_total(_("Total"), mine),
            ),
            Table(
                "classified",
                _("Unclassified and classified"),
                columns,
                (
                    _total(
                        _("Unclassified (Standard, SMA)"),
                        [one for one in mine if one.loan_class not in CLASSIFIED],
                    ),
                    _total(
                        _("Classified (SS, DF, BL)"),
                        [one for one in mine if one.loan_class in CLASSIFIED],
                    ),
                ),
            ),
            Table(
                "institutions",
                _("By institution"),
                (Column("institution", _("Institution")), *columns),
                tuple(
                    Row((names[total.institution_id], *_row(total).cells), key=str(total.institution_id))
                    for total in apart
                ),
            ),
        ),
        definitions=(
            (
                _("Base for provision"),
                _(
                    "Principal outstanding and interest fallen due, less interest suspense; of SS, DF and BL "
                    "also less eligible security. Never below nothing."
                ),
            ),
        ),
    )


def _row(total: ClassTotal) -> Row:
    cells: tuple[Cell, ...] = (
        CLASS_LABELS[total.loan_class],
        total.loan_count,
        *(getattr(total, name) for name, _label in MONEY),
    )
    return Row(cells, key=str(total.loan_class))


def _total(label: Any, totals: Sequence[ClassTotal]) -> Row:
    return Row(
        (
            label,
            sum(total.loan_count for total in totals),
            *(sum(getattr(total, name) for total in totals) for name, _label in MONEY),
        )
    )
