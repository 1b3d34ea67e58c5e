"""Addresses of repayments; each view module names its own."""

from repayments.views import close, proposals, receipts, uploads, waiting

app_name = "repayments"
urlpatterns = [*uploads.urls, *close.urls, *proposals.urls, *receipts.urls, *waiting.urls]
