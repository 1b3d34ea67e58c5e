"""Make the paper of a return from its lines; the same lines give the same paper."""

from __future__ import annotations

from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils.translation import override

from daybook.selectors import Knowledge
from repayments.models import ClassificationReturn
from repayments.selectors.returns import class_totals
from reports.builders.class_returns import build_class_return
from reports.builders.objects import Asked, Bilingual, Report
from reports.render.pdf import render_pdf
from reports.render.text import show_parameters, show_table
from reports.selectors.portfolio import institution_names


def asked_of(made: ClassificationReturn) -> Asked:
    """The books a return was drafted from."""
    return Asked(made.as_of, Knowledge(made.known_by, made.last_booking_id, is_final=True))


def make_class_return(asked: Asked, facts: Mapping[str, str]) -> Report:
    """The report of the return named in ``return``, in one currency."""
    made = ClassificationReturn.objects.select_related("institution", "made_by", "decided_by").get(
        pk=int(facts["return"])
    )
    return build_class_return(
        made,
        asked,
        currency=facts.get("currency", "BDT"),
        totals=class_totals(made),
        by_institution=class_totals(made, by_institution=True),
        names={pk: Bilingual(*name) for pk, name in institution_names().items()},
        facts=dict(facts),
    )


def print_class_return(report: Report, *, lang: str) -> bytes:
    """A4 landscape, in English or Bangla."""
    checksum = report.checksum
    with override(lang):
        html = render_to_string(
            "reports/paper/class_return.html",
            {
                "lang": lang,
                "report": report,
                "asked": report.asked,
                "tables": [show_table(table) for table in report.tables],
                "parameters": show_parameters(report),
                "checksum": checksum,
                "created": f"{report.asked.as_of.isoformat()}T00:00:00Z",
            },
        )
    return render_pdf(html, identifier=checksum)
