"""Addresses of partners; each view module names its own."""

from partners.views import home, institutions, people

app_name = "partners"
urlpatterns = [*home.urls, *institutions.urls, *people.urls]
