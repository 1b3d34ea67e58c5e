"""Interest: its working in segments, level instalments, daily product, penal interest and APR."""

from calc.interest.apr import (
    Payment,
    effective_apr,
    effective_apr_after,
    nominal_rate,
    unit_period_apr,
    years_of_equal_months,
)
from calc.interest.level import level_instalments, weighted_instalments
from calc.interest.product import Movements, Rates, Spans, cut_spans, daily_product, penal_interest
from calc.interest.segments import (
    Segment,
    Segments,
    exact_sums,
    float_free,
    interest_on,
    period_ratios,
    sum_ratios,
)

__all__ = [
    "Movements",
    "Payment",
    "Rates",
    "Segment",
    "Segments",
    "Spans",
    "cut_spans",
    "daily_product",
    "effective_apr",
    "effective_apr_after",
    "exact_sums",
    "float_free",
    "interest_on",
    "level_instalments",
    "nominal_rate",
    "penal_interest",
    "period_ratios",
    "sum_ratios",
    "unit_period_apr",
    "weighted_instalments",
    "years_of_equal_months",
]
