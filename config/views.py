"""Sign-in, the way home and the pages for things that went wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from config.middleware import for_anyone
from partners.access import Side
from partners.models import User

# Where each side starts work; the first name that exists wins, so the page can move without a change here.
HOMES = {
    Side.FOUNDATION: ("partners:home", "reports:portfolio"),
    Side.PARTNER: ("partners:home", "reports:overview"),
}


def home(request: HttpRequest) -> HttpResponseBase:
    """Send a person to the page where their work starts."""
    side = request.context.side  # type: ignore[attr-defined]
    for name in HOMES.get(side, ()):
        try:
            return redirect(reverse(name))
        except NoReverseMatch:
            continue
    return render(request, "config/home.html", {"title": gettext("Welcome")})


class SignIn(LoginView):
    """Name and password; what failed is counted by django-axes."""

    template_name = "config/sign_in.html"
    extra_context = {"title": gettext_lazy("Sign in")}
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in; pages come in the person's language from now on."""
        response = super().form_valid(form)
        return _keep_language(response, form.get_user().language)


@login_not_required
@require_POST
@for_anyone
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    messages.success(request, gettext("You are signed out."))
    return redirect(settings.LOGOUT_REDIRECT_URL)


class ChangePassword(PasswordChangeView):
    """A person's own password; other sessions of theirs end."""

    template_name = "config/change_password.html"
    extra_context = {"title": gettext_lazy("Change password")}
    success_url = reverse_lazy("home")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, gettext("Your password is changed."))
        return response


@login_not_required
@require_POST
@for_anyone
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the language in a cookie and go back to the same page."""
    language = request.POST.get("language", "")
    back = request.POST.get("next") or "/"
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    response = redirect(back)
    if language not in dict(settings.LANGUAGES):
        return response
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return _keep_language(response, language)


def _keep_language(response: HttpResponse, language: str) -> HttpResponse:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, HTTPStatus.BAD_REQUEST, "")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, HTTPStatus.FORBIDDEN, str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, HTTPStatus.NOT_FOUND, "")


def server_error(request: HttpRequest) -> HttpResponse:
    """Plain page without any query: the database may be what failed."""
    return HttpResponse(render_to_string("config/errors/500.html"), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def _problem(request: HttpRequest, status: HTTPStatus, reason: str) -> HttpResponse:
    return render(request, f"config/errors/{status.value}.html", {"reason": reason}, status=status.value)
