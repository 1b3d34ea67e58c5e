"""The pages of lending and partners, through HTTP as every role."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lending.models import Agreement, Application, Facility, Loan, Tranche
from lending.services.application_lines import replace_lines
from lending.services.subloans import open_subloans
from partners.access import EVERYONE, FOUNDATION
from partners.models import Branch, ExposureLimit, Institution, Membership, User
from tests.lending.world import CRORE, TODAY, World, subloan_rows

SignIn = Callable[[User], Client]


@pytest.fixture
def lent(world: World) -> World:
    """An application with a list, a disbursed tranche, sub-loans."""
    replace_lines(application=world.application(), rows=subloan_rows(2), actor=world.people["maker"])
    world.loan()
    open_subloans(rows=subloan_rows(2), institution_id=world.bank.pk, booking=world.booking())
    return world


def addresses(world: World) -> dict[str, tuple[str, ...]]:
    """Every page that only reads, and who may open it."""
    application = Application.objects.order_by("pk")[0]
    pairs: dict[str, tuple[str, ...]] = {
        reverse(f"lending:{name}"): tuple(EVERYONE)
        for name in (
            "programmes", "clusters", "borrowers", "agreements", "applications", "tranches", "subloans",
            "waiting",
        )
    }  # fmt: skip
    for name, pk in (
        ("programme", world.programme.pk),
        ("agreement", world.agreement.pk),
        ("application", application.pk),
        ("application-lines", application.pk),
        ("facility", Facility.objects.get().pk),
        ("tranche", Tranche.objects.get().pk),
    ):
        pairs[reverse(f"lending:{name}", args=[pk])] = tuple(EVERYONE)
    pairs[reverse("lending:agreement-new")] = ("officer", "finance_head")
    pairs[reverse("lending:application-new")] = ("maker",)
    pairs[reverse("partners:home")] = tuple(EVERYONE)
    pairs[reverse("partners:institutions")] = tuple(FOUNDATION)
    pairs[reverse("partners:institution", args=[world.bank.pk])] = tuple(EVERYONE)
    pairs[reverse("partners:institution-new")] = ("administrator", "finance_head")
    pairs[reverse("partners:people")] = ("administrator", "auditor")
    pairs[reverse("partners:person", args=[world.people["maker"].pk])] = ("administrator", "auditor")
    pairs[reverse("partners:person-new")] = ("administrator",)
    pairs[reverse("partners:authorities")] = tuple(FOUNDATION)
    return pairs


@pytest.mark.parametrize(
    ("role", "language"), list(zip(EVERYONE, itertools.cycle(["bn", "en"]), strict=False))
)
def test_every_page_opens_for_its_roles_and_for_no_other(
    lent: World, sign_in: SignIn, role: str, language: str
) -> None:
    client = sign_in(lent.people[role])
    client.cookies["django_language"] = language
    for address, roles in addresses(lent).items():
        assert client.get(address).status_code == (200 if role in roles else 403), address


def test_another_institutions_things_do_not_exist_for_a_partner(lent: World, sign_in: SignIn) -> None:
    client = sign_in(lent.people["other_maker"])
    application = Application.objects.order_by("pk")[0]
    for address in (
        reverse("lending:agreement", args=[lent.agreement.pk]),
        reverse("lending:application", args=[application.pk]),
        reverse("lending:facility", args=[Facility.objects.get().pk]),
        reverse("lending:tranche", args=[Tranche.objects.get().pk]),
        reverse("partners:institution", args=[lent.bank.pk]),
    ):
        assert client.get(address).status_code == 404, address
    assert application.number not in client.get(reverse("lending:applications")).content.decode()


def post(client: Client, address: str, step: str, **told: Any) -> Any:
    return client.post(address, {"step": step, **{f"{step}-{name}": value for name, value in told.items()}})


def test_an_application_goes_its_way_in_the_browser(world: World, sign_in: SignIn) -> None:
    as_ = {role: sign_in(person) for role, person in world.people.items()}
    made = as_["maker"].post(
        reverse("lending:application-new"),
        {
            "allotment": world.allotment.pk,
            "cluster": world.cluster.pk,
            "amount": "1,00,00,000",
            "purpose": "Lasts",
        },
    )
    application = Application.objects.get()
    address = reverse("lending:application", args=[application.pk])
    assert made.headers["Location"] == address
    assert post(as_["checker"], address, "submit").status_code == 302
    assert (
        post(as_["officer"], address, "appraise", recommended_amount="9000000", reason="Sound").status_code
        == 302
    )
    approved = post(
        as_["approver"], address, "approve", amount="9000000", expires_date="2026-12-31", reason=""
    )
    assert approved.status_code == 302
    facility = Facility.objects.get()
    drawn = post(as_["maker"], reverse("lending:facility", args=[facility.pk]), "request", amount="9000000")
    tranche = reverse("lending:tranche", args=[Tranche.objects.get().pk])
    assert drawn.headers["Location"] == tranche
    assert post(as_["officer"], tranche, "clear", reason="").status_code == 302
    assert post(as_["approver"], tranche, "approve", amount="9000000", reason="").status_code == 302
    sent = post(as_["finance_head"], tranche, "disburse", value_date=f"{TODAY}", bank_reference="RTGS 7")
    assert sent.status_code == 302
    assert Loan.objects.get().principal_minor == 900_000_000
    page = as_["viewer"].get(tranche).content.decode()
    for name in ("maker", "officer", "approver", "finance_head"):
        assert f"<td>{name}</td>" in page


def test_a_refusal_is_a_sentence_beside_the_form_and_changes_nothing(world: World, sign_in: SignIn) -> None:
    application = world.application(amount=6 * CRORE, upto="appraise")
    client = sign_in(world.people["approver"])
    address = reverse("lending:application", args=[application.pk])
    answer = post(client, address, "approve", amount="60000000", expires_date="2026-12-31", reason="")
    assert answer.status_code == 200
    assert "your authority reaches Tk\xa05,00,00,000.00" in answer.content.decode()
    application.refresh_from_db()
    assert application.state == Application.State.APPRAISED


def test_a_step_that_somebody_took_meanwhile_says_so(world: World, sign_in: SignIn) -> None:
    application = world.application(upto="decide")
    client = sign_in(world.people["finance_head"])
    address = reverse("lending:application", args=[application.pk])
    answer = client.post(address, {"step": "rejected", "rejected-reason": "late"}, follow=True)
    assert "Somebody was quicker" in answer.content.decode()


def test_an_agreement_is_drafted_and_approved_in_the_browser(world: World, sign_in: SignIn) -> None:
    terms = {
        "institution": world.other_bank.pk, "programme": world.programme.pk, "limit": "2,00,00,000",
        "signed_date": "2025-01-01", "from_date": "2025-01-01", "to_date": "2026-12-31",
        "contract_mode": "murabaha", "annual_rate": "2", "method": "equal_principal",
        "frequency": "quarterly",
        "instalment_count": "8", "grace_months": "5", "grace_kind": "interest_paid", "day_count": "ACT/360",
        "roll_rule": "following", "penal_rate": "1.5",
    }  # fmt: skip
    officer = sign_in(world.people["officer"])
    refused = officer.post(reverse("lending:agreement-new"), terms)
    assert "is not a whole number of periods" in refused.content.decode()
    made = officer.post(reverse("lending:agreement-new"), terms | {"grace_months": "6"})
    assert (
        post(
            sign_in(world.people["approver"]), made.headers["Location"], "approve", reason="Fine"
        ).status_code
        == 302
    )
    assert Agreement.objects.get(institution=world.other_bank).state == Agreement.State.ACTIVE
    allotted = post(
        officer, made.headers["Location"], "allot", fund_source=world.fund.pk, cluster="",
        amount="1,00,00,000",
        from_date="2025-01-01", to_date="2026-12-31",
    )  # fmt: skip
    assert allotted.status_code == 302


def test_a_routing_number_that_looks_wrong_needs_a_tick(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.people["officer"])
    address = reverse("partners:institution", args=[world.bank.pk])
    told = {"name": "Banasree", "routing_number": "০৮৫২৬০৭২৯", "district": "26"}
    assert "its check digit does not fit" in post(client, address, "branch", **told).content.decode()
    assert not Branch.objects.exists()
    assert post(client, address, "branch", **told, is_confirmed="on").status_code == 302
    assert Branch.objects.get().check_digit_confirmed
    right = told | {"name": "Banasree 2", "routing_number": "085260728"}
    assert post(client, address, "branch", **right).status_code == 302


def test_a_limit_is_set_by_the_finance_head_only(world: World, sign_in: SignIn) -> None:
    address = reverse("partners:institution", args=[world.bank.pk])
    told = {"effective_date": "2025-01-01", "amount": "50,00,000", "reason": "Board 12"}
    post(sign_in(world.people["officer"]), address, "limit", **told)
    assert not ExposureLimit.objects.exists()
    assert post(sign_in(world.people["finance_head"]), address, "limit", **told).status_code == 302
    assert ExposureLimit.objects.get().amount.amount == 5_000_000


def test_an_administrator_gives_and_ends_roles_but_not_to_themselves(world: World, sign_in: SignIn) -> None:
    administrator = sign_in(world.people["administrator"])
    made = administrator.post(
        reverse("partners:person-new"),
        {
            "username": "rahima", "full_name": "Rahima Khatun", "full_name_bn": "রহিমা খাতুন",
            "language": "bn", "password": "a-long-enough-passphrase",
        },
    )  # fmt: skip
    assert sign_in(User.objects.get(username="rahima")).get(reverse("lending:programmes")).status_code == 403
    role = {"role": "maker", "institution": world.bank.pk, "from_date": "2025-01-01", "reason": "Joined"}
    assert post(administrator, made.headers["Location"], "give", **role).status_code == 302
    wrong = role | {"role": "officer"}
    assert (
        "has no institution"
        in post(administrator, made.headers["Location"], "give", **wrong).content.decode()
    )
    membership = Membership.objects.get(user__username="rahima")
    ended = post(
        administrator,
        made.headers["Location"],
        "end",
        membership=membership.pk,
        to_date="2025-06-30",
        reason="Left",
    )
    assert ended.status_code == 302
    own = reverse("partners:person", args=[world.people["administrator"].pk])
    post(administrator, own, "give", role="approver", from_date="2025-01-01", reason="me")
    assert world.people["administrator"].memberships.count() == 1


def test_home_counts_what_waits_and_leads_to_exactly_that(world: World, sign_in: SignIn) -> None:
    world.application(upto="appraise")
    mine = world.application(upto="submit")
    officer = sign_in(world.people["officer"])
    panel = officer.get(reverse("lending:waiting")).content.decode()
    assert f"{reverse('lending:applications')}?waiting=applications-appraise" in panel
    listed = officer.get(
        reverse("lending:applications"), {"waiting": "applications-appraise"}
    ).content.decode()
    assert mine.number in listed
    assert listed.count("APP-") == mine.number.count("APP-") * listed.count(mine.number)
    assert Institution.objects.count() == 2
