"""Paper: the same bytes, real Bangla, and words that fit the contract."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pypdf
import pytest

from daybook.selectors import known_by
from reports.builders.objects import Asked
from reports.builders.statements import class_of
from reports.render.statement import render_statement
from reports.services.making import make_institution_statement, make_loan_statement
from tests.reports.books import BANGLA_NAME, SECOND_CLOSE, Book, make_book

OTHER_PROCESS = """
import hashlib, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from reports.render.pdf import render_pdf
print(hashlib.sha256(render_pdf(sys.stdin.read(), identifier="ab" * 32)).hexdigest())
"""


def asked() -> Asked:
    return Asked(SECOND_CLOSE, known_by(SECOND_CLOSE))


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


@pytest.mark.parametrize("lang", ["en", "bn"])
def test_the_same_books_give_the_same_bytes(book: Book, lang: str) -> None:
    once, again = (
        render_statement(statement, lang=lang, class_label=class_of(statement.accounts[0]))
        for statement in (
            make_loan_statement(asked(), {"loan": str(book.subloans[0].pk)}),
            make_loan_statement(asked(), {"loan": str(book.subloans[0].pk)}),
        )
    )
    assert once == again


def test_another_process_prints_the_same_bytes(book: Book) -> None:
    from reports.render.pdf import render_pdf
    from reports.render.statement import statement_html

    statement = make_institution_statement(asked(), {"institution": str(book.world.bank.pk)})
    html = statement_html(statement, lang="bn", class_label=class_of(statement.accounts[0]))
    mine = hashlib.sha256(render_pdf(html, identifier="ab" * 32)).hexdigest()
    theirs = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS], input=html, capture_output=True, text=True, check=True
    )
    assert theirs.stdout.strip() == mine


def test_the_bangla_statement_holds_bangla_text_and_digits(
    book: Book, as_foundation: Callable[..., Any]
) -> None:
    content = (
        as_foundation("officer")
        .get(f"/reports/loans/{book.wholesale.pk}/statement.pdf", {"lang": "bn"})
        .content
    )
    printed = text_of(content)
    assert "১,০০,০০,০০০.০০" in printed
    assert "টাকা" in printed
    assert "১ / ১" in printed
    assert not any(digit in printed.split("SHA-256")[0] for digit in ("10,00", "2025"))
    assert all("HindSiliguri" in name for name in fonts_of(content))


def test_names_in_bangla_stand_on_the_bangla_statement(book: Book) -> None:
    statement = make_institution_statement(asked(), {"institution": str(book.world.bank.pk)})
    from reports.render.statement import statement_html

    assert BANGLA_NAME in statement_html(statement, lang="bn", class_label="")
    assert "Bank A" in statement_html(statement, lang="en", class_label="")


def fonts_of(content: bytes) -> set[str]:
    """The names of the fonts embedded in a file."""
    found = set()
    for page in pypdf.PdfReader(io.BytesIO(content)).pages:
        fonts: Any = page["/Resources"]["/Font"]  # type: ignore[index]
        found |= {str(font.get_object()["/BaseFont"]).replace("-", "") for font in fonts.values()}
    return found


@pytest.mark.parametrize(("lang", "word"), [("en", "interest"), ("bn", "সুদ")])
@pytest.mark.parametrize("mode", ["murabaha", "ijara", "mudaraba"])
def test_papers_of_islamic_contracts_do_not_say_interest(db: None, mode: str, lang: str, word: str) -> None:
    from reports.render.statement import statement_html

    book = make_book(contract_mode=mode)
    for statement in (
        make_loan_statement(asked(), {"loan": str(book.wholesale.pk)}),
        make_institution_statement(asked(), {"institution": str(book.world.bank.pk)}),
    ):
        html = statement_html(statement, lang=lang, class_label=class_of(statement.accounts[0]))
        assert word not in html.lower()


def test_an_ordinary_contract_does_say_interest(book: Book) -> None:
    from reports.render.statement import statement_html

    statement = make_loan_statement(asked(), {"loan": str(book.wholesale.pk)})
    assert "Interest" in statement_html(statement, lang="en", class_label="")


def test_pages_are_counted(book: Book, as_foundation: Callable[..., Any]) -> None:
    content = (
        as_foundation("officer")
        .get(f"/reports/loans/{book.subloans[0].pk}/statement.pdf", {"lang": "en"})
        .content
    )
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    assert [f"{n} / {len(pages)}" in page.extract_text() for n, page in enumerate(pages, start=1)] == [
        True
    ] * len(pages)
