"""The plan of a daily-product loan: principal on its dates, and the periods whose interest is raised later.

What nobody knows yet is not due: such a plan has no interest. Its version keeps the interest periods in its
terms, under ``accruals``, and the close of day raises the interest of each when it has ended.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from calc.money import Component
from calc.schedule import InterestTo, Terms
from calc.schedule import Schedule as Plan


def accrual_periods(plan: Plan, terms: Terms) -> list[dict[str, Any]]:
    """The interest periods of a plan as a version keeps them: instalment, last day, late date.

    Each begins where the one before ends, the first at the disbursement; interest runs to the nominal or to
    the adjusted date, as the terms say.
    """
    return [
        {
            "instalment": period.instalment,
            "until": (
                period.due_on if terms.interest_to is InterestTo.ADJUSTED else period.nominal_on
            ).isoformat(),
            "late": period.due_on.isoformat(),
        }
        for period in plan.instalments
    ]


def without_interest(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a plan (``tranches.plan_rows``) that fall due whatever happens."""
    return rows[rows["component"] != int(Component.INTEREST)]
