"""Addresses of lending; each view module names its own."""

from lending.views import agreement_new, agreements, applications, programmes, quote, tranches, waiting

app_name = "lending"
urlpatterns = [
    *programmes.urls,
    *agreement_new.urls,
    *agreements.urls,
    *applications.urls,
    *tranches.urls,
    *waiting.urls,
    *quote.urls,
]
