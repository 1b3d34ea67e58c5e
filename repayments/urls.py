"""Addresses of repayments; each view module names its own."""

from repayments.views import (
    close,
    event_page,
    events,
    further,
    policies,
    positions,
    proposals,
    raised,
    receipts,
    return_lines,
    returns,
    rulings,
    uploads,
    waiting,
)

app_name = "repayments"
urlpatterns = [
    *event_page.urls,
    *events.urls,
    *further.urls,
    *uploads.urls,
    *close.urls,
    *policies.urls,
    *positions.urls,
    *proposals.urls,
    *raised.urls,
    *receipts.urls,
    *return_lines.urls,
    *returns.urls,
    *rulings.urls,
    *waiting.urls,
]
