"""A return as a file: PDF or XLSX, recorded as a run whose checksum can be verified."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from partners.access import FOUNDATION, requires
from repayments.models import ClassificationReturn
from reports.render.pdf import CONTENT_TYPE
from reports.services.class_returns import asked_of, make_class_return, print_class_return
from reports.services.runs import record_run
from reports.views.asking import FILES, address_of, as_file, download, language_of, person


@requires(*FOUNDATION)
def return_paper(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The paper of a return whose lines are written."""
    made = get_object_or_404(ClassificationReturn, pk=pk, work=ClassificationReturn.Work.DONE)
    report = make_class_return(asked_of(made), {"return": str(made.pk), "tier": made.tier})
    stem = f"classification_return_{made.tier}_{made.pk}"
    if kind in FILES:
        return download(
            request, report, kind=kind, stem=stem, subject=made.tier, institution_id=made.institution_id
        )
    if kind != "pdf":
        raise Http404
    lang = language_of(request)
    name = f"{stem}_{made.as_of.isoformat()}_{lang}.pdf"
    record_run(
        report,
        subject=made.tier,
        file_name=name,
        content_type=CONTENT_TYPE,
        lang=lang,
        institution_id=made.institution_id,
        made_by=person(request),
        address=address_of(request),
    )
    return as_file(print_class_return(report, lang=lang), name=name, content_type=CONTENT_TYPE, inline=True)
