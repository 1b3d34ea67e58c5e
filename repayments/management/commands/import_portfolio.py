"""``manage.py import_portfolio DIR --maker NAME --approver NAME``: docs/users/import.md."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from calc.money import from_minor
from daybook.selectors import BooksNotOpen, open_business_date
from partners.models import InstitutionStatus, User
from repayments.services.portfolio_files import CannotReadPortfolio, read_portfolio
from repayments.services.portfolio_import import CannotImportPortfolio, Imported, import_portfolio
from repayments.services.portfolio_opening import Order

FAULTS_SHOWN = 50


class Command(BaseCommand):
    """Load loans, schedules and payments of both tiers from CSV files; all or nothing, repeatable."""

    help = "Import a portfolio from loans.csv, schedule.csv and payments.csv in a folder."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--maker", required=True, help="username of who prepared the files")
        parser.add_argument("--approver", required=True, help="username of the second person")
        parser.add_argument("--currency", default="BDT", choices=settings.CURRENCIES)
        parser.add_argument("--programme", default="IMPORT", help="code of the programme; made when missing")
        parser.add_argument(
            "--kind",
            default=InstitutionStatus.Kind.FINANCE_COMPANY.value,
            choices=InstitutionStatus.Kind.values,
            help="kind of institutions that are not in the books yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            portfolio = read_portfolio(options["folder"], business_date=open_business_date())
            result = import_portfolio(
                portfolio=portfolio,
                order=Order(
                    maker=_user(options["maker"]),
                    approver=_user(options["approver"]),
                    currency=options["currency"],
                    programme_code=options["programme"],
                    institution_kind=options["kind"],
                ),
            )
        except CannotReadPortfolio as refusal:
            for fault in refusal.faults[:FAULTS_SHOWN]:
                self.stderr.write(str(fault))
            more = len(refusal.faults) - FAULTS_SHOWN
            rest = f" The first {FAULTS_SHOWN} are shown." if more > 0 else ""
            raise CommandError(
                f"Faults: {len(refusal.faults)}; nothing was imported.{rest} Mend the files and run again."
            ) from refusal
        except (CannotImportPortfolio, BooksNotOpen) as refusal:
            raise CommandError(str(refusal)) from refusal
        self._tell(result)

    def _tell(self, result: Imported) -> None:
        if result.changed_nothing:
            self.stdout.write(
                f"Nothing changed: all {result.known_loan_count} loans and"
                f" {result.known_receipt_count} receipts were in the books already."
            )
        else:
            self.stdout.write(
                f"Imported: sub-loans {result.subloan_count}, wholesale loans {result.wholesale_count},"
                f" receipts {result.receipt_count}, agreements {result.agreement_count},"
                f" new institutions {result.institution_count}."
            )
        self._list(
            "left out", result.left_out, lambda row: f"loan {row['id']} (row {row['row']}): {row['reason']}"
        )
        self._list(
            "paid before disbursement, accepted",
            result.before_disbursement,
            lambda row: (
                f"loan {row['id']}, payment {row['payment_id']} (row {row['row']}): "
                f"{from_minor(row['amount_minor'])} on {row['processed']:%Y-%m-%d},"
                f" lent {row['disb']:%Y-%m-%d}"
            ),
        )

    def _list(self, title: str, rows: pd.DataFrame, line: Any) -> None:
        if len(rows):
            self.stdout.write(f"{len(rows)} {title}:")
            for row in rows.to_dict("records"):
                self.stdout.write(f"  {line(row)}")


def _user(username: str) -> User:
    try:
        return User.objects.get(username=username)
    except User.DoesNotExist as error:
        raise CommandError(f"There is no user {username}.") from error
