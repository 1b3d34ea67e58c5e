"""On no page and no paper of a contract without interest does the word appear, in either language."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import openpyxl
import pytest
from django.conf import settings
from django.urls import resolve, reverse
from lxml import html

from config.management.commands.assets import compile_translations
from lending.contract_words import common_words, contract_words
from lending.models import Agreement
from repayments.builders.upload_files import template_code
from repayments.parsing.fields import FIELDS
from repayments.parsing.text import heading_key
from tests.conftest import ActingClient
from tests.reports.books import Book, make_book

MODES = [mode.value for mode in Agreement.ContractMode if mode != Agreement.ContractMode.INTEREST]
SAID = re.compile(r"interest|সুদ", re.IGNORECASE)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def texts_of_page(content: bytes, *, hidden: str = "//script | //style") -> Iterator[str]:
    """What a reader sees or a screen reader says."""
    if not content.strip():
        return
    tree: Any = html.fromstring(content.decode())
    for part in tree.xpath(hidden):
        part.drop_tree()
    yield from map(str, tree.xpath("//text()"))
    for name in ("placeholder", "title", "aria-label", "data-confirm", "alt"):
        yield from map(str, tree.xpath(f"//@{name}"))


def texts_of_workbook(content: bytes) -> Iterator[str]:
    """Sheet names and every cell."""
    for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets:
        yield sheet.title
        yield from (str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None)


def found_in(answer: Any, *, hidden: str = "//script | //style") -> set[str]:
    """Where the word is said; papers as PDF are made from pages that other tests read."""
    kind = answer["Content-Type"].partition(";")[0]
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    texts: Iterator[str] = iter(())
    if kind == "text/html":
        texts = texts_of_page(content, hidden=hidden)
    elif kind == XLSX:
        texts = texts_of_workbook(content)
    elif kind.startswith("text/"):
        texts = iter(content.decode("utf-8-sig").splitlines())
    return {" ".join(text.split())[:120] for text in texts if SAID.search(text)}


def crawl(client: ActingClient, lang: str, starts: list[str]) -> tuple[dict[str, set[str]], set[str]]:
    """Follow the links, one page for each view and kind of file: view → where the word is said; all views."""
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = lang
    ahead, seen = list(starts), set()
    wrong: dict[str, set[str]] = {}
    while ahead:
        address = ahead.pop(0)
        split = urlsplit(address)
        view = resolve(split.path).view_name
        key = view + ("?export" if "export" in split.query or "format" in split.query else "")
        if key in seen or view == "logout":
            continue
        seen.add(key)
        answer = client.get(address)
        if answer.status_code != HTTPStatus.OK:
            continue
        if said := found_in(answer):
            wrong[address] = said
        if answer["Content-Type"].startswith("text/html") and answer.content.strip():
            whole: Any = html.fromstring(answer.content.decode())
            links = whole.xpath("//a/@href | //tr/@data-href | //@hx-get")
            ahead += [urljoin(address, link) for link in links if link.startswith(("/", "?"))]
    return wrong, seen


@pytest.mark.parametrize("lang", ["en", "bn"])
@pytest.mark.parametrize("mode", ["murabaha", "ijara"])
def test_an_islamic_institution_never_reads_of_interest(
    db: None, mode: str, lang: str, as_partner: Callable[..., ActingClient]
) -> None:
    compile_translations()
    book = make_book(contract_mode=mode)
    client = as_partner(book.world.bank, "maker")
    kinds = [reverse("repayments:upload-template", args=[kind]) for kind in ("subloans", "repayments")]
    wrong, seen = crawl(client, lang, [reverse("partners:home"), *kinds])
    assert {"reports:loan", "lending:agreement", "repayments:receipt", "repayments:uploads"} <= seen
    # Any terms may be tried there, those of a loan at interest too.
    wrong = {address: said for address, said in wrong.items() if "/quote/" not in address}
    assert not wrong, wrong


@pytest.mark.parametrize("mode", [*MODES, "interest"])
@pytest.mark.parametrize("lang", ["en", "bn"])
def test_what_a_template_says_is_read_back(mode: str, lang: str) -> None:
    tell = contract_words(mode).tell
    for fields in FIELDS.values():
        for spec in fields:
            heading = tell(spec.heading_bn if lang == "bn" else spec.heading)
            assert heading_key(heading) in spec.keys, heading
            for code, words in spec.choices.items():
                known = {heading_key(word) for word in (code, *words.split(";"))}
                assert heading_key(template_code(code, tell)) in known, (heading, code)


def pages_of(book: Book) -> list[str]:
    """Every page and file of one agreement's loans that the foundation opens."""
    loans = [book.wholesale, book.subloans[0]]
    found = [reverse("lending:agreement", args=[book.world.agreement.pk])]
    found += [reverse("lending:tranche", args=[book.wholesale.tranche_id])]
    found += [reverse("reports:institution", args=[book.world.bank.pk])]
    for loan in loans:
        found += [
            reverse("reports:loan", args=[loan.pk]),
            reverse("reports:loan-recalculation", args=[loan.pk]),
        ]
    return found


@pytest.mark.parametrize("lang", ["en", "bn"])
@pytest.mark.parametrize("mode", MODES)
def test_the_foundation_reads_none_on_pages_of_such_a_contract(
    db: None, mode: str, lang: str, as_foundation: Callable[..., ActingClient]
) -> None:
    compile_translations()
    book = make_book(contract_mode=mode)
    client = as_foundation("officer")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = lang
    answers = {address: client.get(address) for address in pages_of(book)}
    assert {answer.status_code for answer in answers.values()} == {HTTPStatus.OK}
    # The menu is the foundation's own: it holds contracts of every kind.
    menu = "//script | //style | //aside"
    wrong = {address: said for address, answer in answers.items() if (said := found_in(answer, hidden=menu))}
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("mode", "text", "told"),
    [
        ("interest", "Interest paid", "Interest paid"),
        ("murabaha", "Interest paid", "Profit paid"),
        ("ijara", "an interest of 5", "a rent of 5"),
        ("mudaraba", "Penal interest, interest", "Late-payment charity, provisional profit"),
        ("murabaha", "সুদের হার", "মুনাফার হার"),
        ("ijara", "দণ্ড সুদ ও সুদ", "বিলম্ব দান ও ভাড়া"),
        ("musharaka", "সুদে রেয়াত", "সাময়িক মুনাফায় রেয়াত"),
        ("murabaha", "disinterested", "disinterested"),
    ],
)
def test_a_phrase_takes_the_word_of_its_contract(mode: str, text: str, told: str) -> None:
    assert contract_words(mode).tell(text) == told


def test_figures_of_several_contracts_say_interest_only_where_one_bears_it() -> None:
    assert common_words(["murabaha", "interest"]).bears_interest
    assert not common_words(["murabaha", "ijara"]).bears_interest
    assert common_words(["ijara"]).mode == "ijara"
    assert common_words([]).bears_interest
