"""The project's own reference data, and routing numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO

import bdbanks
import pytest
from django.core.management import call_command

from daybook.models import Booking
from daybook.services import open_books
from lending.models import Cluster, Programme
from partners.models import Branch, District, Institution, InstitutionStatus
from partners.routing import check_digit_fits
from repayments.models import ClassificationPolicy, ProvisionPolicy
from tests.lending.world import make_person


def test_reference_data_loads_once_in_one_booking(db: None) -> None:
    open_books(first_date=date(2025, 1, 1))
    for role in ("officer", "approver"):
        make_person(role, name=role)
    people = ["--proposed-by", "officer", "--approved-by", "approver"]
    for expected in ("23 institutions added", "0 institutions added"):
        said = StringIO()
        call_command("load_reference", *people, stdout=said)
        assert expected in said.getvalue()
    assert Booking.objects.filter(purpose="reference.load").count() == 1
    assert District.objects.count() == 64
    assert (Institution.objects.count(), InstitutionStatus.objects.count()) == (23, 23)
    assert (Cluster.objects.count(), Cluster.objects.filter(kind="clientele").count()) == (88, 3)
    terms = Programme.objects.get(code="RF-2").terms.get()
    assert (terms.fund_rate, terms.borrower_rate_cap, terms.grace_months) == (Decimal(2), Decimal(6), 6)
    assert ClassificationPolicy.objects.count() == 7
    assert ProvisionPolicy.objects.count() == 6
    # Dhaka has two routing codes, and Dinajpur another one than its statistical code.
    assert Branch.objects.filter(routing_number__regex="^...27").values_list(
        "district__name"
    ).distinct().get() == ("Dhaka",)
    assert set(Branch.objects.filter(district__name="Dinajpur").values_list("district_id", flat=True)) == {
        "27"
    }


@pytest.mark.parametrize("number", ["085260728", "125274182", "140581184", "200480554"])
def test_known_routing_numbers_fit_their_check_digit(number: str) -> None:
    assert check_digit_fits(number)
    wrong = number[:8] + str((int(number[8]) + 1) % 10)
    assert not check_digit_fits(wrong)


def test_nearly_every_published_routing_number_fits() -> None:
    numbers = [branch.routing for bank in bdbanks.banks() for branch in bdbanks.branches(bank.code)]
    failing = {number for number in numbers if not check_digit_fits(number)}
    assert len(numbers) > 11_000
    assert failing == {"125474199", "205153236"}


@pytest.mark.parametrize("text", ["", "08526072", "0852607281", "০৮৫২৬০৭২৮", "08526072x"])
def test_what_is_no_routing_number_does_not_fit(text: str) -> None:
    assert not check_digit_fits(text)
