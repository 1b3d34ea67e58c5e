"""The ageing of both tiers as a picture, from the portfolio by days past due."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from calc.arrears import Bucket
from reports.builders.portfolio import TIERS, Portfolio
from reports.builders.wording import BUCKET_LABELS, TIER_SHORT
from reports.render.chart import ageing_chart


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
    return ageing_chart(
        [str(BUCKET_LABELS[bucket]) for bucket in late],
        series,
        axis_title=_("% of outstanding principal"),
    )
