"""The one chart of the portfolio page, as SVG text: the same on page and paper, without script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path

import altair as alt
import fontpkg_hind_siliguri
import vl_convert

from daybook.formats import digits

TIER_COLOURS = ("#12486b", "#d08a2e")
MUTED, LINE = "#5f6b7a", "#dde3ea"
WIDTH, HEIGHT = 860, 150


def ageing_chart(labels: Sequence[str], series: Sequence[tuple[str, Sequence[Decimal]]]) -> str:
    """Bars of percent by bucket, one colour a tier: how much of each tier's principal is how late.

    The legend is the page's and the paper's own, in their language and type.
    """
    names = [name for name, _values in series]
    rows = [
        {"bucket": label, "tier": name, "percent": str(values[at])}
        for name, values in series
        for at, label in enumerate(labels)
    ]
    below = alt.Axis(labelAngle=0, ticks=False, domainColor=LINE)
    beside = alt.Axis(tickCount=4, gridColor=LINE, domain=False, ticks=False, labelExpr=_percents())
    colours = alt.Scale(domain=names, range=list(TIER_COLOURS))
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .transform_calculate(value="toNumber(datum.percent)")
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X("bucket:N", sort=list(labels), title=None, axis=below),
            xOffset=alt.XOffset("tier:N", sort=names),
            y=alt.Y("value:Q", title=None, axis=beside),
            color=alt.Color("tier:N", sort=names, scale=colours, legend=None),
        )
        .properties(width=WIDTH, height=HEIGHT)
        # The drawing would describe its bars in English; the page labels it in the language of the reader.
        .configure(font="Hind Siliguri, sans-serif", background="transparent", aria=False)
        .configure_view(stroke=None)
        .configure_axis(labelColor=MUTED, labelFontSize=11)
        .configure_scale(bandPaddingInner=0.35)
    )
    _register_fonts()
    svg: str = vl_convert.vegalite_to_svg(chart.to_json())
    return _at_home(svg)


def _percents() -> str:
    """The expression that writes a number of the axis as percent, in the digits of the page."""
    number = "datum.label"
    for latin, shown in zip("0123456789", digits("0123456789"), strict=True):
        if latin != shown:
            number = f"replace({number}, regexp('{latin}', 'g'), '{shown}')"
    return f"{number} + ' %'"


@cache
def _register_fonts() -> None:
    """Let the drawing measure its letters with the font they are shown in."""
    vl_convert.register_font_directory(str(Path(fontpkg_hind_siliguri.ROOT) / "files"))


def _at_home(svg: str) -> str:
    """Let the picture scale to its place, take out what a strict page would refuse (style attributes), and
    number its clips from 1, which the library counts per process: the same figures give the same text."""
    svg = re.sub(r"<\?xml[^>]*>|<!DOCTYPE[^>]*>", "", svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    numbers: dict[str, str] = {}
    svg = re.sub(r"clip\d+", lambda found: numbers.setdefault(found[0], f"clip{len(numbers) + 1}"), svg)
    return re.sub(r' style="[^"]*"', "", svg).strip()
