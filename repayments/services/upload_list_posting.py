"""The worker posts a list: sub-loans disbursed by the bank, borrowers an application is for."""

from __future__ import annotations

import numpy as np

from daybook.models import Booking
from daybook.selectors import open_business_date
from lending.services.applications import replace_lines
from lending.services.subloans import open_subloans
from partners.services.refusals import Refused
from repayments.models import Upload, UploadRow
from repayments.services import leases
from repayments.services.upload_lists import lending_rows, supplied_plan
from repayments.services.upload_rows import assess, mark_rows, rows_of, set_loans


class CannotPostList(Exception):
    """Lending refuses the list as a whole; the sentence says why."""


def post_list(upload: Upload, booking: Booking, report: leases.Report) -> int:
    """Open the sub-loans, or replace the application's lines, of the ready rows; return how many.

    The rows are understood and checked once more: what changed since the preview leaves a row unposted with
    its reason. Raises ``CannotPostList``.
    """
    rows = rows_of(upload, states=[UploadRow.State.READY])
    understood = assess(upload, rows, business_date=open_business_date())
    clean = understood.faults.clean
    if not clean.all():
        mark_rows(upload, understood.faults)
    ready = lending_rows(understood.values[clean])
    report(0, len(ready))
    try:
        if upload.kind == Upload.Kind.SUBLOANS:
            loan_ids = open_subloans(
                rows=ready,
                institution_id=upload.institution_id,
                agreement=upload.agreement,
                booking=booking,
                plan=supplied_plan(upload, ready["account"], business_date=booking.business_date),
            )
            set_loans(upload, ready.index, loan_ids)
        elif upload.application is not None:
            replace_lines(application=upload.application, rows=ready, actor=upload.made_by)
            set_loans(upload, ready.index, np.zeros(len(ready), dtype=np.int64))
    except Refused as error:
        raise CannotPostList(str(error)) from error
    return len(ready)
