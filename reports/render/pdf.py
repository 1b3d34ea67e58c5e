"""HTML to PDF with WeasyPrint and our own fonts. The same HTML gives the same bytes.

Fonts and the style sheet are read once per process. A document may fetch nothing: what it shows is in it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import fontpkg_hind_siliguri
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

CONTENT_TYPE = "application/pdf"
WEIGHTS = {400: "Regular", 500: "Medium", 600: "SemiBold"}


class CannotFetch(Exception):
    """A document asked for something outside itself."""


def render_pdf(html: str, *, identifier: str) -> bytes:
    """The pages of an HTML document. ``identifier`` (hexadecimal) becomes the file's fixed id."""
    fonts, style = _style()
    document: Any = HTML(string=html, url_fetcher=_refuse)
    content: bytes = document.write_pdf(
        stylesheets=[style], font_config=fonts, pdf_identifier=bytes.fromhex(identifier)[:16]
    )
    return content


@cache
def _style() -> tuple[Any, Any]:
    """Font configuration and style sheet, made once per process: they cost more than a short statement."""
    folder = Path(fontpkg_hind_siliguri.ROOT) / "files"
    faces = "".join(
        f"@font-face {{ font-family: 'Hind Siliguri'; font-weight: {weight};"
        f" src: url('{(folder / f'HindSiliguri-{name}.ttf').as_uri()}') }}\n"
        for weight, name in WEIGHTS.items()
    )
    sheet = (Path(__file__).parent / "paper.css").read_text(encoding="utf-8")
    fonts = FontConfiguration()
    return fonts, CSS(string=faces + sheet, font_config=fonts)


def _refuse(url: str, **_options: Any) -> NoReturn:
    raise CannotFetch(f"a report may not fetch {url}")
