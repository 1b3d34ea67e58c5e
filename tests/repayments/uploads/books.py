"""A bank with sub-loans, a maker and a checker, and uploads taken through their steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from lending.models import Loan, LoanIdentifier
from partners.models import Institution, User
from repayments.models import Upload, UploadRow
from repayments.services.uploads import confirm_upload, post_upload, read_upload, receive_upload
from tests.repayments.posting.books import BOOKS_OPEN, Books, make_books

PLAN = [(date(2025, 2, 1), 1_000_000), (date(2025, 3, 1), 1_000_000), (date(2025, 4, 1), 1_000_000)]
DISBURSED = date(2025, 1, 1)


@dataclass(frozen=True)
class Bank:
    """An institution and its two people."""

    books: Books
    maker: User
    checker: User

    @property
    def institution(self) -> Institution:
        return self.books.institution

    def subloan(self, *accounts: str) -> Loan:
        """A sub-loan of Tk 30,000 known by the account numbers given."""
        loan = self.books.loan(PLAN, tier="subloan", disbursed=DISBURSED)
        booking = self.books.booking()
        for account in accounts:
            LoanIdentifier.objects.create(
                loan=loan,
                institution=self.institution,
                kind=LoanIdentifier.Kind.ACCOUNT,
                value=account,
                from_date=DISBURSED,
                booking=booking,
            )
        return loan

    def receive(self, content: bytes, *, name: str = "march.csv", kind: str = "repayments") -> Upload:
        """Take a file in, without reading it."""
        return receive_upload(
            institution=self.institution, kind=kind, file_name=name, content=content, made_by=self.maker
        )

    def read(self, content: bytes, *, name: str = "march.csv", kind: str = "repayments") -> Upload:
        """Take a file in and read it."""
        upload = self.receive(content, name=name, kind=kind)
        assert read_upload(upload_id=upload.pk, claimed_by="test")
        upload.refresh_from_db()
        return upload

    def post(self, upload: Upload, *, accepts_warnings: bool = False) -> Upload:
        """Confirm and post."""
        confirm_upload(upload=upload, confirmed_by=self.checker, accepts_warnings=accepts_warnings)
        assert post_upload(upload_id=upload.pk, claimed_by="test")
        upload.refresh_from_db()
        return upload

    def row(self, *cells: str) -> UploadRow:
        """The only row of a file with these cells under the usual headings."""
        from tests.repayments.uploads.files import csv_file

        upload = self.read(csv_file(cells))
        assert upload.state == Upload.State.PREVIEW, upload.messages
        return upload.rows.get()


def make_bank(make_user: Callable[..., User]) -> Bank:
    """A bank in open books (business date 31 December 2025)."""
    books = make_books()
    maker = make_user("maker", institution=books.institution)
    checker = make_user("checker", institution=books.institution)
    return Bank(books, maker, checker)


__all__ = ["BOOKS_OPEN", "DISBURSED", "PLAN", "Bank", "make_bank"]
