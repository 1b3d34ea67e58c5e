"""Every address. An app's own pages are in its ``urls.py``; an app without one has no pages yet.

What machines ask (/health/live, /health/ready, /metrics) is answered before: config/watching/probes.py.
"""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from config import views
from config.middleware import for_anyone

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("sign-in/", for_anyone(views.SignIn.as_view()), name="login"),
    path("sign-out/", views.sign_out, name="logout"),
    path("password/", for_anyone(views.ChangePassword.as_view()), name="password_change"),
    path("language/", views.choose_language, name="set_language"),
]
urlpatterns += [
    path(f"{app}/", include(f"{app}.urls"))
    for app in ("daybook", "partners", "lending", "repayments", "reports")
    if find_spec(f"{app}.urls")
]

handler400 = "config.views.bad_request"
handler403 = "config.views.forbidden"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
