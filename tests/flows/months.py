"""A month in the life of the small demonstration: files, late and bounced money, an event, rulings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from djmoney.money import Money

from daybook.selectors import open_business_date
from lending.models import Loan, LoanIdentifier, Tier
from partners.models import Institution, User
from repayments.models import ArrearsSnapshot, DayRun, LoanEvent, Receipt, RulingProposal, Upload
from repayments.services.close import close_day
from repayments.services.events.kinds import Asked
from repayments.services.events.steps import approve, propose
from repayments.services.receipts import approve_proposal, propose_receipt, propose_reversal
from repayments.services.rulings import approve_ruling, propose_ruling
from repayments.services.uploads import confirm_upload, post_upload, read_upload, receive_upload
from tests.repayments.uploads.files import csv_file

BANK = "BRAC"


def live(days: int) -> None:
    """Close so many business dates, each with its work before it; every third brings something."""
    works: list[Callable[[], None]] = [
        _file, _late_receipt, _bounced, _event, _floor, _file, _freeze,
    ]  # fmt: skip
    for number in range(days):
        if number % 3 == 1 and works:
            works.pop(0)()
        run = close_day()
        assert run.state in (DayRun.State.CLOSED, DayRun.State.EXCEPTIONS), run.error
    assert not works, "the month is too short for its work"


def _person(name: str) -> User:
    return User.objects.get(username=name)


def _standing(tier: str, **which: object) -> Loan:
    """The first loan of a tier that stood so at the latest close."""
    latest = ArrearsSnapshot.objects.latest("business_date").business_date
    found = ArrearsSnapshot.objects.filter(business_date=latest, tier=tier, **which).earliest("loan_id")
    return Loan.objects.get(pk=found.loan_id)


def _file() -> None:
    """The bank sends a file with three payments: two of today, one a month old."""
    day = open_business_date()
    bank = Institution.objects.get(code=BANK)
    accounts = LoanIdentifier.objects.filter(institution=bank, kind=LoanIdentifier.Kind.ACCOUNT).order_by(
        "pk"
    )
    rows = [
        (account.value, f"{day - timedelta(days=age):%d/%m/%Y}", "500.00", f"M-{day}-{age}", "")
        for account, age in zip(accounts[:3], (0, 0, 30), strict=False)
    ]
    upload = receive_upload(
        institution=bank, kind=Upload.Kind.REPAYMENTS, file_name=f"{day}.csv", content=csv_file(*rows),
        made_by=_person("brac.maker"),
    )  # fmt: skip
    assert read_upload(upload_id=upload.pk, claimed_by="test")
    upload.refresh_from_db()
    confirm_upload(upload=upload, confirmed_by=_person("brac.checker"), accepts_warnings=True)
    assert post_upload(upload_id=upload.pk, claimed_by="test")
    assert Receipt.objects.filter(external_reference__startswith=f"M-{day}-").count() == 3


def _late_receipt() -> None:
    """Money of three weeks ago on a tranche that is late: penal interest raised since is taken back."""
    proposal = propose_receipt(
        loan_id=_standing(Tier.WHOLESALE, outstanding_minor__gt=0).pk, amount=Money("1000.00", "BDT"),
        value_date=open_business_date() - timedelta(days=21), external_reference="LATE-1",
        actor=_person("officer"),
    )  # fmt: skip
    approve_proposal(proposal_id=proposal.pk, actor=_person("finance"))


def _bounced() -> None:
    """The bank's first payment of the month was a cheque that came back."""
    receipt = Receipt.objects.filter(external_reference__startswith="M-", mirror_of=None).earliest("pk")
    proposal = propose_reversal(
        receipt_id=receipt.pk, reason="The cheque came back.", actor=_person("officer")
    )
    approve_proposal(proposal_id=proposal.pk, actor=_person("finance"))
    assert Receipt.objects.filter(mirror_of=receipt).exists()


def _event() -> None:
    """A part of a tranche is paid back before its time; its plan is made anew."""
    loan = _standing(Tier.WHOLESALE, outstanding_minor__gt=1_000_000_00, days_past_due=0)
    parameters = {"amount_minor": 50_000_00, "effect": "instalment", "reference": "EARLY-1"}
    wanted = Asked("prepayment", loan.pk, open_business_date(), parameters, None)
    event = propose(wanted, actor=_person("officer"), reason="The bank has no use for it.")
    approve(event_id=event.pk, actor=_person("finance"))
    assert LoanEvent.objects.get(pk=event.pk).state == LoanEvent.State.APPROVED


def _floor() -> None:
    """A loan is held in a worse class than its lateness says."""
    day = open_business_date()
    _rule(RulingProposal.Kind.FLOOR, {"at_least": 3, "from_date": day.isoformat()}, loan=_standing("subloan"))


def _freeze() -> None:
    """Classes of banks' small borrowers are held where they are."""
    day = open_business_date()
    _rule(
        RulingProposal.Kind.FREEZE,
        {
            "reference": "Of this test", "tier": "subloan", "applies_to": "bank", "sizes": ["small"],
            "from_date": day.isoformat(), "to_date": (day + timedelta(days=60)).isoformat(),
        },
    )  # fmt: skip


@transaction.atomic
def _rule(kind: str, parameters: dict[str, object], *, loan: Loan | None = None) -> None:
    proposal = propose_ruling(
        kind=kind, parameters=parameters, reason="Seen on a visit", actor=_person("officer"), loan=loan
    )
    approve_ruling(proposal_id=proposal.pk, actor=_person("finance"))
