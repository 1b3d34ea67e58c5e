"""A statement of account on paper, in English or Bangla."""

from __future__ import annotations

from collections.abc import Sequence

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from daybook import words
from daybook.formats import from_minor
from reports.builders.statement import Statement
from reports.render.pdf import render_pdf
from reports.render.text import show_table

SYMBOLS = {"BDT": {"en": "Tk", "bn": "৳"}}
# Of one loan, and of several. Names of months are longer in Bangla: a date keeps to one line.
ACCOUNT_WIDTHS = {
    "en": (
        ("22mm", "auto", "13mm", "25mm", "25mm", "25mm", "26mm"),
        ("22mm", "17mm", "auto", "12mm", "25mm", "25mm", "25mm", "26mm"),
    ),
    "bn": (
        ("28mm", "auto", "12mm", "23mm", "23mm", "23mm", "25mm"),
        ("28mm", "17mm", "auto", "12mm", "23mm", "23mm", "23mm", "25mm"),
    ),
}
STANDING_WIDTHS = ("17mm", "auto", "27mm", "27mm", "26mm", "22mm", "13mm", "22mm")


def statement_html(statement: Statement, *, lang: str, class_label: object) -> str:
    """The document that the PDF is printed from, in ``en`` or ``bn``."""
    report = statement.report
    several = len(statement.accounts) > 1
    with override(lang):
        is_taka = report.currency == "BDT"
        return render_to_string(
            "reports/paper/statement.html",
            {
                "lang": lang,
                "statement": statement,
                "asked": report.asked,
                "checksum": report.checksum,
                "created": f"{report.asked.as_of.isoformat()}T00:00:00Z",
                "symbol": SYMBOLS.get(report.currency, {}).get(lang, report.currency),
                "several": several,
                "account": show_table(report.table("account")),
                "standing": show_table(report.table("standing")),
                "ageing": show_table(report.table("ageing")),
                "account_widths": ACCOUNT_WIDTHS[lang][several],
                "standing_widths": STANDING_WIDTHS,
                "ageing_widths": ("auto", *["21mm"] * 6, "26mm"),
                "days_past_due": max(
                    (int(a.standing["days_past_due"]) for a in statement.accounts), default=0
                ),
                "class_label": class_label,
                "in_words": words.amount_in_words(from_minor(abs(statement.closing_minor)))
                if is_taka
                else "",
                "principal_in_words": words.amount_in_words(from_minor(statement.outstanding_minor))
                if is_taka
                else "",
                "notes": _notes(several=several),
            },
        )


def render_statement(statement: Statement, *, lang: str, class_label: object) -> bytes:
    """The statement as PDF; the same books and language give the same bytes."""
    html = statement_html(statement, lang=lang, class_label=class_label)
    return render_pdf(html, identifier=statement.report.checksum)


def _notes(*, several: bool) -> Sequence[str]:
    notes = [
        _("Balance due: what has fallen due less what was received; a minus sign means paid ahead."),
        _(
            "Overdue: what fell due before the date of this statement and is not settled. "
            "What falls due on the date itself is not yet overdue."
        ),
        _(
            "Dates are value dates: when the money counts. "
            "A due date on a holiday moves as the agreement says."
        ),
        _(
            "The class is indicative, from the nightly close; "
            "the class reported at a quarter's end may differ."
        ),
    ]
    if several:
        notes.append(
            _("Only what the institution owes the foundation is in this statement; sub-loans are not.")
        )
    return notes
