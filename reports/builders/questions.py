"""A question as plain text values, as in an address and in a report run, and the filters it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from calc.classification import LoanClass
from lending.models import Gender, SizeTier
from reports.builders.objects import Asked, Bilingual, Cell, Words
from reports.builders.wording import (
    BUCKET_LABELS,
    CLASS_CODES,
    CLASS_LABELS,
    DIMENSION_LABELS,
    TIER_LABELS,
    Dimension,
)
from reports.selectors import portfolio as portfolio_selectors
from reports.selectors.portfolio import Filters

NONE = "none"
CLASS_BY_CODE = {code: loan_class for loan_class, code in CLASS_CODES.items()}
Facts = Mapping[str, str]
Names = Mapping[int, tuple[str, Words]]


def filters_of(facts: Facts) -> Filters:
    """The filters a question means. Values were checked by the form that took them."""
    return Filters(
        tier=facts.get("tier", ""),
        institution_id=_number(facts.get("institution")),
        programme_id=_number(facts.get("programme")),
        cluster_id=0 if facts.get("cluster") == NONE else _number(facts.get("cluster")),
        loan_class=CLASS_BY_CODE[facts["class"]] if facts.get("class") else None,
        bucket=_number(facts.get("bucket")),
        gender=_blank(facts.get("gender")),
        size_tier=_blank(facts.get("size")),
        district=_blank(facts.get("district")),
        overdue=bool(facts.get("overdue")),
        late_over=_number(facts.get("late_over")),
        plus_r=bool(facts.get("plus_r")),
        rescheduled=bool(facts.get("rescheduled")),
        text=facts.get("q", ""),
        owing=bool(facts.get("owing")),
    )


def _number(value: str | None) -> int | None:
    return int(value) if value else None


def _blank(value: str | None) -> str | None:
    if not value:
        return None
    return "" if value == NONE else value


def dimension_names(dimension: Dimension) -> dict[int, tuple[str, Words]]:
    """Every group of a dimension in the order shown: number → (value of the filter, what people read)."""
    if dimension is Dimension.CLASS:
        order = [*sorted(LoanClass, key=lambda grade: (grade < 0, grade))]
        return {int(grade): (CLASS_CODES[grade], CLASS_LABELS[grade]) for grade in order}
    if dimension is Dimension.BUCKET:
        return {number: (str(number), label) for number, label in BUCKET_LABELS.items()}
    if dimension is Dimension.GENDER:
        return _coded(
            [(value, Gender(value).label if value else "") for value in portfolio_selectors.GENDERS]
        )
    if dimension is Dimension.SIZE:
        return _coded(
            [(value, SizeTier(value).label if value else "") for value in portfolio_selectors.SIZES]
        )
    if dimension is Dimension.DISTRICT:
        districts = portfolio_selectors.district_names()
        return {
            **{int(code): (code, Bilingual(*name)) for code, name in districts.items()},
            0: (NONE, NOT_STATED),
        }
    found = {
        Dimension.INSTITUTION: portfolio_selectors.institution_names,
        Dimension.PROGRAMME: portfolio_selectors.programme_names,
        Dimension.CLUSTER: portfolio_selectors.cluster_names,
    }[dimension]()
    named: dict[int, tuple[str, Words]] = {pk: (str(pk), Bilingual(*name)) for pk, name in found.items()}
    if dimension is Dimension.CLUSTER:
        named[0] = (NONE, NOT_STATED)
    return named


NOT_STATED = _("Not stated")
GROUP_COLUMNS = {
    Dimension.INSTITUTION: "institution_id",
    Dimension.PROGRAMME: "programme_id",
    Dimension.CLUSTER: "cluster_id",
    Dimension.CLASS: "loan_class",
    Dimension.BUCKET: "bucket",
}


def _coded(values: Sequence[tuple[str, object]]) -> dict[int, tuple[str, Words]]:
    return {
        number: (value or NONE, label if value else NOT_STATED)  # type: ignore[misc]
        for number, (value, label) in enumerate(values)
    }


def books_parameters(asked: Asked, currency: str) -> list[tuple[Words, Cell]]:
    """What every report prints about the books it was made from."""
    found: list[tuple[Words, Cell]] = [
        (_("As of"), asked.as_of),
        (_("Known by"), asked.known_by),
        (_("Books up to booking"), f"#{asked.last_booking_number}"),
        (_("Currency"), currency),
    ]
    if asked.is_projection:
        found.append((_("Note"), _("Projection: the books were known only to an earlier date.")))
    if not asked.is_final:
        found.append((_("Note"), _("The business date is still open.")))
    return found


def filter_parameters(facts: Facts) -> list[tuple[Words, Cell]]:
    """The filters in force, in words."""
    found: list[tuple[Words, Cell]] = []
    if facts.get("tier"):
        found.append((_("Tier"), TIER_LABELS[facts["tier"]]))
    for dimension in Dimension:
        value = facts.get(dimension)
        if value:
            labels = dict(dimension_names(dimension).values())
            found.append((DIMENSION_LABELS[dimension], labels.get(value, value)))
    if facts.get("overdue"):
        found.append((_("Only"), _("overdue")))
    if facts.get("rescheduled"):
        found.append((_("Only"), _("rescheduled")))
    if facts.get("late_over"):
        found.append((_("Days past due over"), int(facts["late_over"])))
    if facts.get("plus_r"):
        found.append((_("At risk"), _("late or rescheduled (+R)")))
    if facts.get("q"):
        found.append((_("Text"), facts["q"]))
    return found
