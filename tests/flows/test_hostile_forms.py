"""Every form of the site filled in by somebody who means harm: numbers, dates, text, choices not offered."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice, product

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse

from lending.models import Agreement, Allotment, Application
from repayments.models import LoanEvent, RulingProposal
from reports.models import ReportRun
from tests.flows.forms import Form, forms_of
from tests.flows.site import ADDRESSES, SLOW, WITHOUT_ROLES, Site, body, roles_of
from tests.lending.world import CRORE

pytestmark = pytest.mark.usefixtures("undone")

NUMBERS = ("NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1e-400", "-1", "0", "0x10", "9" * 30,
           "9999999999999.99", "99999999999999999.99", "9223372036854775808", "92233720368547758.07", "0.005",
           "১২৩", "1E+17", "99999", "<script>alert(1)</script>")  # fmt: skip
DAYS = ("01/01/0001", "31/12/9999", "0001-01-01", "9999-12-31", "01/01/1900", "31/12/2199", "29/02/2025",
        "NaN", "১৫/১১/২০২৫")  # fmt: skip
TEXTS = ("<script>alert(1)</script>", "\x00", "=cmd|' /C calc'!A0", "a" * 20_000, "x\r\nX-Injected: 1",
         "../../etc/passwd", "%s%n%(a)s", "' OR 1=1--", "ক" * 2_000, "\u202e")  # fmt: skip
CHOICES = ("", "zzz", "9" * 30, "-1", "\x00", "0", "<script>alert(1)</script>")
AT_EACH_FIELD = 1
"""Of its list a field meets so many in turn; its neighbours, and the same field elsewhere, meet others."""
ROLES = ("finance_head", "officer", "approver", "administrator", "maker", "checker")

GOOD = (
    ("valid_until", "20/11/2025"),
    ("received", ""),
    ("to_date", "30/11/2026"),
    ("until", "30/11/2026"),
    ("first_due_on", ""),
    ("date", "01/11/2025"),
    ("_on", "01/11/2025"),
    ("as_of", "01/11/2025"),
    ("known_by", "01/11/2025"),
    ("compare", "01/11/2025"),
    ("other", "01/11/2025"),
    ("borrower_rate_cap", "9"),
    ("fund_rate", "2"),
    ("max_amount", "2500000"),
    ("tenor_months", "48"),
    ("agreed_instalment", ""),
    ("lag_months", "0"),
    ("sma_months", "1"),
    ("ss_months", "3"),
    ("df_months", "6"),
    ("bl_months", "12"),
    ("percent", "5"),
    ("rate", "5"),
    ("share", "10"),
    ("amount", "100000"),
    ("principal", "100000"),
    ("limit", "1000000"),
    ("value", "100000"),
    ("fee", "0"),
    ("months", "3"),
    ("instalments", "12"),
    ("instalment_count", "12"),
    ("excluded_sectors", "tobacco"),
    ("email", "a@example.com"),
    ("username", "newone"),
    ("password", "quite-a-long-phrase-1"),
    ("bank_code", "123"),
    ("code", "NEW-1"),
)
"""What a field whose name ends so is given, so that the form as a whole gets as far as it can."""
EMPTY = ("routing_number", "step_percent", "step_every", "amounts", "amortised_over", "every_days", "due_day",
         "allocation_grid", "charge", "instalment", "term_years_min", "term_years_max", "grace_periods",
         "interest_grace", "notice_date")  # fmt: skip


def good(name: str) -> str:
    field = name.rpartition("-")[2]
    if field in EMPTY:
        return ""
    return next((value for ending, value in GOOD if field.endswith(ending)), "Some words")


def hostile(name: str) -> tuple[str, ...]:
    usual = good(name)
    if usual.count("/") == 2:
        return DAYS
    return NUMBERS if usual.replace(".", "").isdigit() or not usual else TEXTS


def places(site: Site) -> Iterator[tuple[str, str]]:
    """Every address, each kind of event and of ruling, applications in each state."""
    for name in sorted(set(ADDRESSES) - WITHOUT_ROLES - SLOW):
        yield name, site.address(name)
    for kind in LoanEvent.Kind.values:
        for loan in (site.book.subloans[4], site.book.wholesale):
            yield f"event {kind}", reverse("repayments:event-new", args=[kind, loan.pk])
    for kind in RulingProposal.Kind.values:
        address = reverse("repayments:ruling-new", args=[kind])
        yield f"ruling {kind}", f"{address}?loan={site.book.subloans[0].pk}"
    for application in Application.objects.all():
        yield f"application {application.state}", reverse("lending:application", args=[application.pk])


def forms(site: Site) -> Iterator[tuple[str, str, Form]]:
    """Every form that somebody finds, once: who, where, the form."""
    seen = set()
    for role, (name, address) in product(ROLES, list(places(site))):
        if name in ADDRESSES and role not in roles_of(name):
            continue
        response = site.clients[role].get(address)
        if response.status_code != 200 or "html" not in response.get("Content-Type", ""):
            continue
        for form in forms_of(body(response), address=address):
            key = (form.key, name if form.method == "get" or " " in name else "")
            if key not in seen and "/language/" not in form.action and "/sign-out/" not in form.action:
                seen.add(key)
                yield role, name, form


def trials(form: Form, turn: int) -> Iterator[dict[str, str]]:
    for at, name in enumerate(form.typed):
        few = 1 if form.method == "get" else AT_EACH_FIELD
        for value in islice(cycle(hostile(name)), (turn + at) * few, (turn + at + 1) * few):
            yield {name: value}
    days = [name for name in form.typed if good(name).count("/") == 2]
    if len(days) > 1 and form.method == "post":
        yield dict.fromkeys(days, DAYS[turn % len(DAYS)])
    for at, name in enumerate(form.chosen):
        if name != "csrfmiddlewaretoken":
            yield {name: CHOICES[(turn + at) % len(CHOICES)]}


def test_no_form_crashes_or_repeats_a_program(site: Site) -> None:
    tried, through = 0, set()
    for turn, (role, name, form) in enumerate(forms(site)):
        client = site.clients[role]
        filled = {**form.values, **{field: form.values[field] or good(field) for field in form.typed}}
        button = dict([form.buttons[turn % len(form.buttons)]]) if form.buttons else {}
        for change in [{}, *trials(form, turn)]:
            with transaction.atomic():
                send = client.get if form.method == "get" else client.post
                response = send(form.action, {**filled, **button, **change})
                if response.status_code == 302 and form.method == "post":
                    through.add(name)
                    response = client.get(response["Location"])
                transaction.set_rollback(True)
            tried += 1
            assert response.status_code < 500, (role, name, form.action, change)
            if not response.streaming:
                assert b"<script>alert(1)" not in response.content, (role, name, form.action, change)
    assert tried >= 500
    assert len(through) >= 15, "forms must be filled in well enough to get through"


def test_a_partner_names_nothing_of_another_institution_in_a_form(site: Site) -> None:
    """What is chosen is sent as a number, and anybody can send another."""
    client, bank = site.clients["other_maker"], site.world.bank
    allotment = Allotment.objects.filter(institution=bank)[0]
    draft = Application.objects.filter(institution=bank, state="draft")[0]
    agreement = Agreement.objects.filter(institution=bank)[0]
    before = Application.objects.count(), ReportRun.objects.count()
    application = {
        "allotment": allotment.pk,
        "cluster": site.world.cluster.pk,
        "amount": str(CRORE),
        "purpose": "x",
    }
    assert client.post(reverse("lending:application-new"), application).status_code == 200
    for kind, more in (("borrowers", {"application": draft.pk}), ("subloans", {"agreement": agreement.pk})):
        sent = {"kind": kind, "date_order": "dmy", **more, "file": _file()}
        assert client.post(reverse("repayments:upload-new"), sent).status_code == 200, kind
    statements = {"as_of": "31/10/2025", "tier": "subloan", "lang": "en", "institution": bank.pk}
    said = client.post(reverse("reports:run-new"), statements)
    assert said.status_code == 200
    assert "nothing to print" in body(said)
    assert (Application.objects.count(), ReportRun.objects.count()) == before
    own = site.clients["maker"].post(reverse("reports:run-new"), statements)
    assert own.status_code == 302, "the same question of the institution's own loans is answered"


def _file() -> SimpleUploadedFile:
    return SimpleUploadedFile("list.csv", b"name,amount\nA,1\n", content_type="text/csv")
