"""The ageing of both tiers as a picture, from the portfolio by days past due."""

from __future__ import annotations

from decimal import Decimal

from calc.arrears import Bucket
from daybook.formats import digits
from reports.builders.portfolio import TIERS, Portfolio
from reports.builders.wording import TIER_SHORT
from reports.render.chart import ageing_chart

LADDER: dict[int, str] = {
    Bucket.DAYS_1_30: "1–30",
    Bucket.DAYS_31_60: "31–60",
    Bucket.DAYS_61_90: "61–90",
    Bucket.DAYS_91_180: "91–180",
    Bucket.DAYS_181_365: "181–365",
    Bucket.OVER_365: "> 365",
}


def chart_of(buckets: Portfolio) -> str:
    """How much of each tier's outstanding principal is how late, in percent."""
    late = [bucket for bucket in Bucket if bucket is not Bucket.CURRENT]
    by_value = {value: figures for value, _label, figures in buckets.groups}
    series = []
    for tier in TIERS:
        whole = buckets.totals[tier].outstanding_minor
        parts = [
            by_value[str(int(b))][tier].outstanding_minor if str(int(b)) in by_value else 0 for b in late
        ]
        shares = [Decimal(part) * 100 / whole if whole else Decimal(0) for part in parts]
        series.append((str(TIER_SHORT[tier]), [round(share, 4) for share in shares]))
    return ageing_chart([digits(LADDER[bucket]) for bucket in late], series)
