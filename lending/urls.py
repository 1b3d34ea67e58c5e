"""Addresses of lending; each view module names its own."""

from lending.views import agreements, applications, programmes, tranches, waiting

app_name = "lending"
urlpatterns = [*programmes.urls, *agreements.urls, *applications.urls, *tranches.urls, *waiting.urls]
