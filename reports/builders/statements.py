"""Statements of a loan and of an institution: who, which account, from when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext_lazy as _

from lending.contract_words import contract_words
from lending.models import Tier
from reports.builders.account import Account
from reports.builders.objects import Asked, Bilingual, Words
from reports.builders.shown import Count, Day, Percent
from reports.builders.statement import Statement, build_statement
from reports.builders.wording import CLASS_LABELS

__all__ = ["class_of", "institution_statement", "loan_statement"]


def loan_statement(account: Account, asked: Asked, *, period_from: date | None) -> Statement:
    """The account of one loan, from its disbursement unless a later start is asked for."""
    header = account.header
    institution = Bilingual(header["institution"], header["institution_bn"])
    owner = Bilingual(header["borrower"], header["borrower_bn"]) if header["borrower"] else institution
    if header["tier"] == Tier.SUBLOAN and not header["borrower"]:
        owner = Bilingual(header["enterprise"] or header["institution"])
    details: list[tuple[Words, Words]] = [
        (_("Institution"), institution),
        (_("Programme"), Bilingual(header["programme"], header["programme_bn"])),
        (_("Agreement"), header["agreement"]),
        (_("Disbursed on"), Day(header["disbursed_date"])),
    ]
    said = contract_words(header["contract_mode"])
    if header["annual_rate"] is not None:
        details.append((said.rate, Percent(header["annual_rate"])))
    if not said.bears_interest:
        details.append((_("Contract"), said.contract))
    for label, key in (
        (_("Enterprise"), "enterprise"),
        (_("Account number"), "account"),
        (_("Tranche"), "tranche"),
    ):
        if header[key]:
            details.append((label, header[key]))
    return build_statement(
        name="loan_statement",
        title=_("Statement of account"),
        heading=Bilingual(f"{header['number']}, {owner.en}", f"{header['number']}, {owner.bn or owner.en}"),
        details=details,
        asked=asked,
        currency=header["currency"],
        accounts=[account],
        period_from=max(period_from or header["disbursed_date"], header["disbursed_date"]),
        facts={"loan": str(header["loan_id"])},
        classes={int(header["loan_id"]): class_of(account)},
    )


def institution_statement(
    accounts: Sequence[Account], asked: Asked, *, currency: str, period_from: date | None
) -> Statement:
    """The wholesale loans of one institution in one currency, their lines in one order of dates."""
    header = accounts[0].header
    first = min(account.header["disbursed_date"] for account in accounts)
    return build_statement(
        name="institution_statement",
        title=_("Statement of account"),
        heading=Bilingual(header["institution"], header["institution_bn"]),
        details=[(_("Loans"), Count(len(accounts))), (_("Currency"), currency)],
        asked=asked,
        currency=currency,
        accounts=accounts,
        period_from=max(period_from or first, first),
        facts={"institution": str(header["institution_id"]), "currency": currency},
        classes={int(account.header["loan_id"]): class_of(account) for account in accounts},
    )


def class_of(account: Account) -> Words:
    """The indicative class of a loan, in words."""
    return CLASS_LABELS[int(account.standing["loan_class"])]
