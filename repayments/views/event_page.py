"""One loan event: what approving it would do, its papers and versions, and the second person's decision."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from djmoney.money import Money

from calc.money import from_minor, to_minor
from daybook import formats
from daybook.pages import Page, Text
from daybook.selectors import open_business_date
from lending.contract_words import contract_words
from lending.models import Agreement
from partners.access import EVERYONE, Role
from partners.models import User
from partners.services.refusals import Refused
from repayments.builders.events import shown_preview
from repayments.event_words import ICONS, KINDS, STATES
from repayments.forms.event import lead_to_fault
from repayments.forms.events import QuotationPaymentForm
from repayments.forms.receipts import DecisionForm
from repayments.models import LoanEvent
from repayments.names import sign_of
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.steps import (
    DECIDERS,
    PROPOSERS,
    CannotDecideEvent,
    approve,
    as_asked,
    pay_quotation,
    reject,
    renew,
    see,
    withdraw,
)

Kind = LoanEvent.Kind


class EventPage(Page, TemplateView):
    """What was proposed, what it does on the facts of now, who decided, what it made."""

    required_roles = EVERYONE
    template_name = "repayments/events/event.html"

    def get_title(self) -> Text:
        return KINDS[self.event.kind]

    def get_subtitle(self) -> Text:
        if self.event.loan is None:
            return _("Every loan of a scope")
        return f"{self.event.loan.number} · {formats.named(self.event.loan.institution)}"

    def get_crumbs(self) -> list[tuple[Text, str]]:
        crumbs: list[tuple[Text, str]] = [(_("Loan events"), reverse("repayments:events"))]
        if self.event.loan:
            crumbs.append((self.event.loan.number, reverse("reports:loan", args=[self.event.loan_id])))
        return crumbs

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._shown(DecisionForm())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        get_object_or_404(LoanEvent, pk=self.kwargs["pk"])  # another institution's does not exist
        if "pay" in request.POST:
            return self._pay(request)
        form = DecisionForm(request.POST)
        if not form.is_valid():
            return self._shown(form)
        try:
            told = self._act(request, form.cleaned_data["reason"])
        except Refused as refusal:
            form.add_error(None, str(refusal))
            return self._shown(form)
        messages.success(request, told)
        return redirect("repayments:event", pk=self.kwargs["pk"])

    def _act(self, request: HttpRequest, reason: str) -> str:
        context, pk = request.context, self.kwargs["pk"]  # type: ignore[attr-defined]
        actor = cast(User, request.user)
        if "withdraw" in request.POST or "renew" in request.POST:
            if not context.may(*PROPOSERS, Role.MAKER):
                raise PermissionDenied(gettext("Your role does not propose events."))
            if "withdraw" in request.POST:
                withdraw(event_id=pk, actor=actor)
                return gettext("Withdrawn; nothing was booked.")
            renew(event_id=pk, actor=actor)
            return gettext("The figures of now are taken over; a second person may decide.")
        if not context.may(*DECIDERS):
            raise PermissionDenied(gettext("Approvers and the finance head decide events."))
        if "reject" in request.POST:
            reject(event_id=pk, actor=actor, reason=reason)
            return gettext("Rejected; nothing was booked.")
        approve(event_id=pk, actor=actor, reason=reason)
        return gettext("Approved and booked.")

    def _pay(self, request: HttpRequest) -> HttpResponse:
        if not request.context.may(*PROPOSERS):  # type: ignore[attr-defined]
            raise PermissionDenied(gettext("Your role does not propose events."))
        form = QuotationPaymentForm(request.POST)
        if form.is_valid():
            told = form.cleaned_data
            try:
                pay_quotation(
                    event_id=self.kwargs["pk"],
                    value_date=told["value_date"],
                    received_minor=to_minor(told["received"]),
                    reference=told["reference"],
                    actor=request.user,  # type: ignore[arg-type]
                )
            except CannotMakeEvent as refusal:
                form.refuse(refusal.term, str(refusal))
            except CannotDecideEvent as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, gettext("The payment is noted; a second person may decide."))
                return redirect("repayments:event", pk=self.kwargs["pk"])
        lead_to_fault(form)
        return self._shown(DecisionForm(), payment=form)

    def _shown(self, form: DecisionForm, *, payment: QuotationPaymentForm | None = None) -> HttpResponse:
        event: LoanEvent = get_object_or_404(
            LoanEvent.objects.select_related(
                "loan__agreement", "loan__institution", "institution", "booking"
            ),
            pk=self.kwargs["pk"],
        )
        self.event = event
        is_open = event.state == LoanEvent.State.PROPOSED
        mode = event.loan.agreement.contract_mode if event.loan else Agreement.ContractMode.INTEREST
        words = contract_words(mode)
        currency = event.loan.currency if event.loan else "BDT"
        moved, now = self._now(event) if is_open else ("", None)
        context = self.request.context  # type: ignore[attr-defined]
        is_mine = event.made_by_id == self.request.user.pk
        waits_for_money = event.kind == Kind.SETTLEMENT and not event.parameters.get("reference")
        may_propose = context.may(*PROPOSERS)
        may_withdraw = may_propose or (context.may(Role.MAKER) and is_mine)
        first = {
            "value_date": event.effective_date,
            "received": formats.taka_minor(event.amount_minor),
        }
        return self.render_to_response(
            self.get_context_data(
                form=form,
                payment=payment or QuotationPaymentForm(initial=first),
                event=event,
                icon=ICONS[event.kind],
                state_label=STATES[event.state],
                words=words,
                currency=sign_of(currency),
                amount=Money(from_minor(event.amount_minor), currency),
                institution=formats.named(event.institution) if event.institution else "",
                preview=shown_preview(now or event.preview, words),
                moved=moved,
                is_open=is_open,
                is_mine=is_mine,
                is_quotation=event.kind == Kind.SETTLEMENT,
                waits_for_money=is_open and waits_for_money,
                is_past=is_open and waits_for_money and _is_past(event),
                may_pay=is_open and waits_for_money and may_propose,
                may_withdraw=is_open and may_withdraw,
                may_renew=bool(moved) and now is not None and may_propose,
                may_decide=is_open and not waits_for_money and context.may(*DECIDERS) and not is_mine,
                lines=event.lines.select_related("loan", "schedule", "receipt").order_by("loan_id")[:200],
            )
        )

    def _now(self, event: LoanEvent) -> tuple[str, dict[str, Any] | None]:
        """A sentence where the books have moved since it was proposed, and what it would do now."""
        try:
            seen = see(as_asked(event), actor=event.made_by) if self._knows(event) else None
        except CannotMakeEvent as refusal:
            return str(refusal), None
        if seen is None or seen.digest == event.preview_digest:
            return "", None
        return gettext("The books have moved since this was proposed: these are the figures of now."), (
            seen.outcome.preview()
        )

    def _knows(self, event: LoanEvent) -> bool:
        """A partner's page does not see the foundation's people, in whose name it would reckon."""
        return bool(self.request.context.is_foundation)  # type: ignore[attr-defined]


def _is_past(event: LoanEvent) -> bool:
    """Whether a quotation's last day is over. A payment of a day that it held may still be noted."""
    return event.valid_until is not None and event.valid_until < open_business_date()


urls = [path("events/<int:pk>/", EventPage.as_view(), name="event")]
