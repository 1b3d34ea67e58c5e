"""Lists that become something in lending, seen with lending's eyes before they are posted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd

from lending.services.application_lines import check_lines
from lending.services.subloans import check_subloans
from repayments.models import Upload

_NUMBERS = ("tenor_months", "grace_months", "instalment_count")


def lending_rows(values: pd.DataFrame) -> pd.DataFrame:
    """Understood values as lending takes them: exact rates, whole numbers or nothing."""
    rows = values.drop(columns=["account_key", "loan_id"], errors="ignore").copy()
    for name in _NUMBERS:
        if name in rows:
            rows[name] = pd.to_numeric(rows[name].replace("", None)).astype("Int64")
    if "annual_rate" in rows:
        rows["annual_rate"] = rows["annual_rate"].map(lambda text: Decimal(text) if text else None)
    return rows


def check_list(upload: Upload, values: pd.DataFrame, *, business_date: date) -> pd.DataFrame:
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
    )
