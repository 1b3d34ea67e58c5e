"""Lists that become something in lending, seen with lending's eyes before they are posted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd

from lending.services.application_lines import check_lines
from lending.services.subloans import check_subloans
from repayments.faults import CannotReadFile
from repayments.models import Upload
from repayments.parsing.dates import DateOrder
from repayments.parsing.plans import read_plans
from repayments.parsing.text import account_key

_NUMBERS = ("tenor_months", "grace_months", "instalment_count", "every_days", "due_day", "step_every")
_PERCENTS = ("annual_rate", "step_percent")


def lending_rows(values: pd.DataFrame) -> pd.DataFrame:
    """Understood values as lending takes them: exact rates, whole numbers or nothing."""
    rows = values.drop(columns=["account_key", "loan_id"], errors="ignore").copy()
    for name in _NUMBERS:
        if name in rows:
            rows[name] = pd.to_numeric(rows[name].replace("", None)).astype("Int64")
    for name in _PERCENTS:
        if name in rows:
            rows[name] = rows[name].map(lambda text: Decimal(text) if text else None)
    return rows


def supplied_plan(upload: Upload, accounts: pd.Series, *, business_date: date) -> pd.DataFrame | None:
    """The plans the bank supplies in its workbook, under the accounts as its list writes them.

    Read from the file as it came, which is kept. Raises ``CannotReadFile``; at the first reading, when
    ``accounts`` are all of the list, also for a plan of an account that is not there.
    """
    if upload.kind != Upload.Kind.SUBLOANS:
        return None
    plan = read_plans(bytes(upload.content), order=DateOrder(upload.date_order), business_date=business_date)
    if plan is None:
        return None
    written = pd.Series(accounts.to_numpy(), index=account_key(accounts).to_numpy())
    written = written[~written.index.duplicated()]
    unknown = ~plan["account_key"].isin(written.index)
    if unknown.any() and upload.state == Upload.State.RECEIVED:
        raise CannotReadFile("file.plan_account", account=plan.loc[unknown, "account_key"].iloc[0])
    plan = plan[~unknown]
    return plan.assign(account=written.reindex(plan["account_key"]).to_numpy()).drop(columns="account_key")


def check_list(
    upload: Upload, values: pd.DataFrame, *, business_date: date, plan: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What lending finds wrong or worth a warning: index, field, severity, reason, remedy."""
    if upload.kind == Upload.Kind.BORROWERS and upload.application is not None:
        return check_lines(
            rows=lending_rows(values), application=upload.application, business_date=business_date
        )
    return check_subloans(
        rows=lending_rows(values),
        institution_id=upload.institution_id,
        business_date=business_date,
        agreement_id=upload.agreement_id,
        plan=plan,
    )
