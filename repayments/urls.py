"""Addresses of repayments; each view module names its own."""

from repayments.views import close

app_name = "repayments"
urlpatterns = [*close.urls]
