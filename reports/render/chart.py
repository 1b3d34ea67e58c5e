"""The one chart of the portfolio page, as SVG text: the same on page and paper, nothing fetched, no script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path

import altair as alt
import fontpkg_hind_siliguri
import vl_convert

TIER_COLOURS = ("#12486b", "#d08a2e")
MUTED, LINE = "#5f6b7a", "#dde3ea"


def ageing_chart(
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[Decimal]]],
    *,
    axis_title: str,
    width: int = 760,
) -> str:
    """Bars of percent by bucket, one colour a tier: how much of each tier's principal is how late."""
    rows = [
        {"bucket": label, "order": at, "tier": name, "percent": str(values[at])}
        for name, values in series
        for at, label in enumerate(labels)
    ]
    bars = (
        alt.Chart(alt.Data(values=rows))
        .transform_calculate(value="toNumber(datum.percent)")
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X("bucket:N", sort=list(labels), title=None, axis=alt.Axis(labelAngle=0, ticks=False, domainColor=LINE)),
            xOffset=alt.XOffset("tier:N", sort=[name for name, _values in series]),
            y=alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4, gridColor=LINE, domain=False, ticks=False)),
            color=alt.Color(
                "tier:N",
                sort=[name for name, _values in series],
                scale=alt.Scale(domain=[name for name, _values in series], range=list(TIER_COLOURS)),
                legend=None,
            ),
        )
        .properties(width=width, height=150)
        .configure(font="Hind Siliguri, sans-serif", background="transparent")
        .configure_view(stroke=None)
        .configure_axis(labelColor=MUTED, titleColor=MUTED, labelFontSize=11, titleFontSize=11, titleFontWeight="normal")
        .configure_scale(bandPaddingInner=0.35)
    )  # fmt: skip
    _register_fonts()
    svg: str = vl_convert.vegalite_to_svg(bars.to_json())
    return _responsive(svg)


@cache
def _register_fonts() -> None:
    """Let the drawing measure its letters with the font they are shown in."""
    vl_convert.register_font_directory(str(Path(fontpkg_hind_siliguri.ROOT) / "files"))


def _responsive(svg: str) -> str:
    """Let the picture scale to its place, take out what a strict page would refuse (style attributes), and
    number its clips from 1, which the library counts per process: the same figures give the same text."""
    svg = re.sub(r"<\?xml[^>]*>|<!DOCTYPE[^>]*>", "", svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    numbers: dict[str, str] = {}
    svg = re.sub(r"clip\d+", lambda found: numbers.setdefault(found[0], f"clip{len(numbers) + 1}"), svg)
    return re.sub(r' style="[^"]*"', "", svg).strip()
