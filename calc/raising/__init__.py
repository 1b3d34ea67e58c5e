"""What nobody plans but the facts bring about: penal interest and the interest of daily-product loans.

Both follow from dues, receipts and dated rates alone. What should stand raised as of a day is reckoned
from them anew; beside what stands raised that gives the rows to append and the rows to take back.
"""

from calc.raising.penal import DayAmounts, Items, penal_by_day, penal_total, penal_working
from calc.raising.reckon import Accruals, Facts, overdue_items, rates_by_item, reckon, settle_to_rest
from calc.raising.rows import DatedDues, Fixed, Unmatched, empty_dues, unmatched

__all__ = [
    "Accruals",
    "DatedDues",
    "DayAmounts",
    "Facts",
    "Fixed",
    "Items",
    "Unmatched",
    "empty_dues",
    "overdue_items",
    "penal_by_day",
    "penal_total",
    "penal_working",
    "rates_by_item",
    "reckon",
    "settle_to_rest",
    "unmatched",
]
