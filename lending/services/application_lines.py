"""An application's list of intended borrowers: checked against the programme's terms, replaced as a whole."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from django.db import transaction
from django.utils.translation import gettext as _

from calc.money import from_minor
from daybook.selectors import open_business_date
from lending.models import Application, ApplicationLine
from lending.models.borrowers import Activity, Gender, SizeTier
from lending.selectors.programmes import terms_on
from lending.services.faults import Faults, shown
from lending.services.identity import borrows_here, digests, is_nid, known_elsewhere
from lending.services.locks import lock_application
from lending.services.places import district_ids
from lending.services.steps import note_step, require_role
from lending.services.subloan_rows import completed
from partners.access import Role
from partners.models import User
from partners.services.refusals import Refused

LINE_COLUMNS = (
    "row_number",
    "person_name",
    "nid",
    "gender",
    "phone",
    "enterprise_name",
    "size_tier",
    "activity",
    "sector",
    "district_id",
    "is_machinery",
)
OPEN = (Application.State.DRAFT, Application.State.RETURNED)
CHOICES = (("gender", Gender), ("size_tier", SizeTier), ("activity", Activity))


class CannotReplaceLines(Refused):
    """The application is with the foundation already, or a row lacks what every borrower must have."""


def check_lines(*, rows: pd.DataFrame, application: Application, business_date: date) -> pd.DataFrame:
    """Faults of a list of intended borrowers: index, field, severity, reason, remedy. Writes nothing.

    What contradicts the programme's terms is a warning here: the foundation decides on the list as it is.
    """
    table, faults = completed(rows), Faults()
    for field in ("person_name", "enterprise_name"):
        faults.add(table[field] == "", field, "The name is missing.", "Fill it in.")
    for field, choices in CHOICES:
        faults.add(
            ~table[field].isin(choices.values),
            field,
            "“" + table[field] + "” is not known here.",
            f"Write one of: {', '.join(str(label) for label in choices.labels)}.",
        )
    faults.add(
        ~(table["amount_minor"] > 0).fillna(False),
        "amount_minor",
        "There is no amount above nothing.",
        "Write the amount the borrower asks for.",
    )
    _check_people(table, faults, application.institution_id)
    _check_terms(table, faults, application, business_date)
    return faults.table()


def _check_people(table: pd.DataFrame, faults: Faults, institution_id: int) -> None:
    strange = (table["nid"] != "") & ~is_nid(table["nid"])
    faults.add(strange, "nid", "The NID has not 10, 13 or 17 digits; the row is taken without it.",
               "Correct it.", severity="warning")  # fmt: skip
    marks = digests(table["nid"])
    for wrong, reason in (
        (marks.duplicated(keep=False) & (marks != ""), "The same person stands in this list more than once."),
        (borrows_here(marks, institution_id=institution_id), "This person has a sub-loan here already."),
        (
            known_elsewhere(marks, institution_id=institution_id),
            "Match elsewhere: another institution reports this person too.",
        ),
    ):
        faults.add(wrong, "nid", reason, "Check it with the borrower.", severity="warning")


def _check_terms(table: pd.DataFrame, faults: Faults, application: Application, on: date) -> None:
    terms = terms_on(application.allotment.agreement.programme, on)
    if terms is None:
        return
    amount = table["amount_minor"].fillna(0)
    least, most = (int(money.amount * 100) for money in (terms.min_amount, terms.max_amount))
    dearest = int(terms.max_machinery_amount.amount * 100) if terms.max_machinery_amount else most
    ceiling = pd.Series(np.where(table["is_machinery"], dearest, most), index=table.index)
    faults.add(
        (amount < least) | (amount > ceiling),
        "amount_minor",
        "The programme lends from "
        + shown(pd.Series(least, index=table.index))
        + " to "
        + shown(ceiling)
        + ".",
        "Correct the amount.",
        severity="warning",
    )
    excluded = [
        any(word.casefold() in sector.casefold() for word in terms.excluded_sectors)
        for sector in table["sector"]
    ]
    faults.add(
        pd.Series(excluded, index=table.index),
        "sector",
        "The sector “" + table["sector"] + "” is excluded from the programme.",
        "Leave the borrower out.",
        severity="warning",
    )


@transaction.atomic
def replace_lines(*, application: Application, rows: pd.DataFrame, actor: User) -> int:
    """Replace the intended borrowers of an open application by these rows; return how many.

    ``rows`` has the fields of a sub-loan list that concern the person, the enterprise and the amount;
    ``row_number`` is the sheet's (else the index is). Raises ``CannotReplaceLines``.
    """
    on = open_business_date()
    require_role(
        CannotReplaceLines, Role.MAKER, actor=actor, on=on, institution_id=application.institution_id
    )
    held = lock_application(application.pk)
    if held.state not in OPEN:
        raise CannotReplaceLines(
            _("Application %(number)s is %(state)s; its list can no longer be changed.")
            % {"number": held.number, "state": held.get_state_display().lower()}
        )
    numbers = rows["row_number"] if "row_number" in rows else pd.Series(rows.index, index=rows.index)
    faults = check_lines(rows=rows, application=held, business_date=on)
    invalid = faults[faults["severity"] == "invalid"]
    if len(invalid):
        first = invalid.iloc[0]
        raise CannotReplaceLines(f"Row {numbers.loc[first['index']]}: {first['reason']} {first['remedy']}")
    table = completed(rows)
    before = held.lines.count()
    held.lines.all().delete()
    warnings = faults.groupby("index")["reason"].agg(list).to_dict() if len(faults) else {}
    table["row_number"] = numbers
    table["district_id"] = district_ids(table["district"])
    table["nid"] = table["nid"].where(is_nid(table["nid"]), "")
    ApplicationLine.objects.bulk_create(
        ApplicationLine(
            application=held,
            institution_id=held.institution_id,
            amount=from_minor(int(row["amount_minor"])),
            amount_currency=str(held.amount.currency),
            warnings=[text[:300] for text in warnings.get(index, [])],
            **{name: row[name] for name in LINE_COLUMNS},
        )
        for index, row in zip(table.index, table.to_dict("records"), strict=True)
    )
    note_step(
        held,
        step="list",
        actor=actor,
        business_date=on,
        before={"borrowers": before},
        after={"borrowers": len(table), "with_warnings": len(warnings)},
    )
    return len(table)
