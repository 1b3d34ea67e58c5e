"""Addresses of lending; each view module names its own."""

from lending.views import agreement_new, agreements, applications, penal, programmes, quote, tranches, waiting

app_name = "lending"
urlpatterns = [
    *programmes.urls,
    *agreement_new.urls,
    *agreements.urls,
    *applications.urls,
    *penal.urls,
    *tranches.urls,
    *waiting.urls,
    *quote.urls,
]
