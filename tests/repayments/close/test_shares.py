"""A sub-loan counts in each tranche by its share of the money, and the shares never come to more than it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from calc.classification import Tier
from lending.models import Funding, Loan, Standing, Tranche
from lending.services.subloans import open_subloans
from lending.services.tranches import disburse_tranche
from repayments.frames import Scope
from repayments.models import ArrearsSnapshot, StandingBase
from repayments.selectors.measuring import STANDING
from repayments.selectors.shares import come_to
from repayments.services import standings as service
from repayments.services.close import close_day
from repayments.services.posting import post_receipts
from tests.lending.world import TODAY, World, make_world, subloan_rows
from tests.repayments.posting.books import receipts

pytestmark = pytest.mark.django_db

FIGURES = ("on_lent_minor", "subloan_collected_minor", "subloan_outstanding_minor", "subloan_par30_minor")


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def shared(world: World) -> Loan:
    """A sub-loan of Tk 5 lakh paid with three lakh of one tranche and two of another."""
    facility = world.facility()
    for amount in (Decimal(300_000), Decimal(400_000)):
        disburse_tranche(
            tranche=world.tranche(facility, amount=amount, upto="approve"),
            value_date=TODAY,
            bank_reference="R",
            **world.act("finance_head"),
        )
    (loan_id,) = open_subloans(rows=subloan_rows(1), institution_id=world.bank.pk, booking=world.booking())
    return Loan.objects.get(pk=int(loan_id))


def _of(tranche: Tranche) -> tuple[int, ...]:
    return Standing.objects.values_list(*FIGURES).get(tranche=tranche)


def test_what_is_left_over_counts_only_with_the_institution_and_the_agreement(
    world: World, shared: Loan
) -> None:
    close_day(opening=TODAY + timedelta(days=200))
    post_receipts(
        receipts=receipts((shared, TODAY + timedelta(days=100), 4_567_893, "ODD")), booking=world.booking()
    )
    posted = {tranche.pk: _of(tranche) for tranche in Tranche.objects.all()}
    run = close_day()

    outstanding = ArrearsSnapshot.objects.get(
        business_date=run.business_date, loan_id=shared.pk
    ).outstanding_minor
    collected = 50_000_000 - outstanding
    assert collected > 0
    assert outstanding % 5, "an amount that does not divide"
    by_hand = {
        tranche_id: (lent, collected * part // 5, outstanding * part // 5, outstanding * part // 5)
        for tranche_id, lent, part in (
            (funding.tranche_id, funding.amount_minor, funding.amount_minor // 10_000_000)
            for funding in Funding.objects.filter(loan=shared)
        )
    }
    assert sorted(lent for lent, *_ in by_hand.values()) == [20_000_000, 30_000_000]
    assert {tranche.pk: _of(tranche) for tranche in Tranche.objects.all()} == by_hand == posted
    shares = sum(row[2] for row in by_hand.values())
    assert shares == outstanding - 1, "a poisha belongs to no tranche"
    whole = Standing.objects.get(institution=world.bank, agreement=None, tranche=None)
    assert (whole.subloan_outstanding_minor, whole.subloan_par30_minor) == (outstanding, outstanding)
    assert StandingBase.objects.get(run=run, agreement_id=None).subloan_outstanding_minor == outstanding

    before = list(Standing.objects.order_by("pk").values_list(*FIGURES))
    service._rewrite([world.bank.pk], run.business_date, None)
    assert list(Standing.objects.order_by("pk").values_list(*FIGURES)) == before


def test_an_institution_whose_sub_loans_are_all_repaid_comes_down_to_nothing(
    world: World, shared: Loan
) -> None:
    close_day(opening=TODAY + timedelta(days=40))
    whole = Standing.objects.get(institution=world.bank, agreement=None, tranche=None)
    assert whole.subloan_outstanding_minor == 50_000_000
    due = sum(row.amount_minor for row in shared.dues.all())
    post_receipts(
        receipts=receipts((shared, TODAY + timedelta(days=40), due, "ALL")), booking=world.booking()
    )
    close_day(opening=TODAY + timedelta(days=900))
    close_day()
    for standing in Standing.objects.filter(institution=world.bank):
        assert (standing.subloan_outstanding_minor, standing.subloan_par30_minor) == (0, 0)


def test_amounts_whose_product_passes_sixty_four_bits_are_shared_exactly(shared: Loan) -> None:
    rows = np.zeros(1, dtype=STANDING)
    rows["loan_id"], rows["institution_id"], rows["agreement_id"] = shared.pk, 1, 1
    rows["tier"], rows["currency"] = Tier.SUBLOAN, 0x424454
    rows["disbursed_minor"], rows["outstanding_minor"] = 9_000_000_000_000_007, 8_999_999_999_999_999
    found = come_to(rows, Scope.of_loans([shared.pk]), as_of=TODAY, last_booking_id=2**62)
    in_tranches = found[found["tranche_id"].notna()].sort_values("on_lent_minor")
    assert in_tranches["subloan_outstanding_minor"].tolist() == [
        8_999_999_999_999_999 * lent // 9_000_000_000_000_007 for lent in (20_000_000, 30_000_000)
    ]
