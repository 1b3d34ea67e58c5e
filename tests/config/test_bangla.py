"""Bangla is whole: no phrase without a translation, and no English left in what people read."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.urls import resolve, reverse
from django.utils import translation
from django.utils.translation.template import templatize
from lxml import html

from config.environment import BASE_DIR
from config.management.commands.assets import compile_translations
from repayments.models import (
    ChargePolicy,
    ClassificationPolicy,
    ProvisionPolicy,
    ReschedulePolicy,
    WriteOffPolicy,
)
from tests.conftest import ActingClient
from tests.reports.books import Book, make_book

APPS = ("config", "daybook", "partners", "lending", "repayments", "reports")
KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2),
}  # fmt: skip
STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
CALL = re.compile(rf"\b(_|gettext|ngettext|pgettext|npgettext)\(\s*((?:u?(?:{STRING})|[\s,]|count)+)\)")
Phrase = tuple[str | None, str]


def phrases_of_python(path: Path) -> Iterator[Phrase]:
    with path.open("rb") as file:
        for _line, message, _comments, context in extract("python", file, KEYWORDS, ()):
            yield context, message if isinstance(message, str) else message[0]


def phrases_of_template(path: Path) -> Iterator[Phrase]:
    for call in CALL.finditer(templatize(path.read_text(encoding="utf-8"))):
        words = [ast.literal_eval(text) for text in re.findall(STRING, call[2])]
        yield (words[0], words[1]) if "pget" in call[1] else (None, words[0])


def phrases() -> dict[Phrase, str]:
    """Every phrase that the code marks for translation → a file it stands in."""
    found: dict[Phrase, str] = {}
    for app in APPS:
        for path in sorted((BASE_DIR / app).rglob("*")):
            if path.suffix == ".py":
                found |= dict.fromkeys(phrases_of_python(path), str(path.relative_to(BASE_DIR)))
            elif path.suffix in (".html", ".txt"):
                found |= dict.fromkeys(phrases_of_template(path), str(path.relative_to(BASE_DIR)))
    return found


def catalogues() -> dict[Phrase, set[str]]:
    """Every phrase → its translations in the apps' catalogues; one that is empty or fuzzy is none."""
    found: dict[Phrase, set[str]] = {}
    for path in sorted(BASE_DIR.glob("*/locale/bn.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="bn"):
                text = message.string if isinstance(message.string, str) else (message.string or [""])[0]
                if message.id and text and not message.fuzzy:
                    words = message.id if isinstance(message.id, str) else message.id[0]
                    found.setdefault((message.context, words), set()).add(text)
    return found


def test_every_phrase_has_a_translation() -> None:
    marked, translated = phrases(), catalogues()
    assert len(marked) > 1000, "the extraction lost phrases"
    assert {phrase: path for phrase, path in marked.items() if phrase not in translated} == {}


def test_one_phrase_has_one_translation() -> None:
    """The catalogues are merged into one: where two disagree, the reader would get either."""
    assert {phrase: texts for phrase, texts in catalogues().items() if len(texts) > 1} == {}


GAP = re.compile(r"%\(\w+\)s|\{\w*\}")


def test_a_translation_keeps_the_gaps_of_its_phrase() -> None:
    wrong = [
        (words, text)
        for (_context, words), texts in catalogues().items()
        for text in texts
        if set(GAP.findall(words)) != set(GAP.findall(text))
    ]
    assert wrong == []


def test_every_choice_is_named_in_bangla() -> None:
    """States, roles, kinds, tiers, genders and the rest, through their models."""
    compile_translations()
    found = {
        (model.__name__, field.name, str(value)): label
        for model in apps.get_models()
        if model.__module__.partition(".")[0] in APPS
        for field in model._meta.get_fields()
        for value, label in getattr(field, "flatchoices", ())
        if not field.name.endswith(("language", "_currency"))
    }
    assert len(found) > 100
    with translation.override("bn"):
        assert {key: str(label) for key, label in found.items() if re.search("[A-Za-z]", str(label))} == {}


# What stays Latin on a Bangla page: formats, codes and names of things, and what the test's books are called.
LATIN = set(
    """
    PDF XLSX CSV ZIP PAR PAR1 PAR30 PAR60 PAR90 PAR180 PARn R SHA-256 NID English Excel xlsx xls BDT Tk MB
    STD SMA SS DF BL H M L K n
    """.split()
)
CODE = re.compile(r"[A-Za-z]*[\d/_.:@#-][\w/.:@#-]*")
WORD = re.compile(r"[A-Za-z][\w'’/.:@#-]*")


@pytest.fixture
def book(db: None) -> Book:
    """Bangla in the catalogue, and books with loans of both tiers, receipts, closes and waiting work."""
    compile_translations()
    made = make_book()
    made.world.application(upto="submit")
    return made


def words_seen(page: str) -> set[str]:
    """English words a reader sees or a screen reader says; what people typed in is marked by its cell."""
    tree: Any = html.fromstring(page)
    for hidden in tree.xpath("//script | //style | //code | //*[@lang='en']"):
        hidden.drop_tree()
    texts = [str(text) for text in tree.xpath("//text()")]
    for name in ("placeholder", "title", "aria-label", "data-confirm", "alt"):
        texts += [str(text) for text in tree.xpath(f"//@{name}")]
    texts += [str(text) for text in tree.xpath("//input[@type='submit']/@value")]
    found = {word.strip(".,:'’/-") for text in texts for word in WORD.findall(text)}
    return {word for word in found if word and word not in LATIN and not CODE.fullmatch(word)}


# Their cells are records as they were written: codes of acts, states before and after.
RECORDS = {"daybook:trail", "daybook:bookings"}


def crawl(client: ActingClient, *, said: set[str]) -> tuple[dict[str, set[str]], set[str]]:
    """Follow the links from the start page, one page for each view: view → English words; and all views."""
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "bn"
    ahead, seen, english = [reverse("partners:home"), reverse("password_change")], set(), {}
    while ahead:
        address = ahead.pop(0)
        view = resolve(urlsplit(address).path).view_name
        if view in seen:
            continue
        seen.add(view)
        answer = client.get(address)
        if answer.status_code == HTTPStatus.FOUND or not answer["Content-Type"].startswith("text/html"):
            continue
        page = answer.content.decode()
        read = re.sub(r"<td.*?</td>", "", page, flags=re.DOTALL) if view in RECORDS else page
        assert answer.status_code == HTTPStatus.OK, address
        assert '<html lang="bn"' in page, address
        if strange := {word for word in words_seen(read) if word.casefold() not in said}:
            english[view] = strange
        whole: Any = html.fromstring(page)
        links = whole.xpath("//a/@href | //tr/@data-href")
        ahead += [urljoin(address, link) for link in links if link.startswith(("/", "?"))]
    return english, seen


@pytest.fixture
def said(book: Book) -> set[str]:
    """Words of the test's own books: names, reasons and references that people typed."""
    typed = """
        Bank A B Second round Revolving fund RF Shoe Leather Footwear Dhaka Working capital Sound Agreed Board
        Test Borrower Works BFT RTGS BFT-LATE Bounced instrument officer approver auditor maker checker viewer
        finance_head administrator tobacco CITY
        past_due due in_advance charge penal interest principal
    """
    policies = [
        *ClassificationPolicy.objects.all(), *ProvisionPolicy.objects.all(), *ChargePolicy.objects.all(),
        *ReschedulePolicy.objects.all(), *WriteOffPolicy.objects.all(),
    ]  # fmt: skip
    typed += " ".join(policy.reference for policy in policies)
    return {word.casefold() for word in WORD.findall(typed)}


@pytest.mark.parametrize("role", ["officer", "finance_head", "administrator", "auditor"])
def test_the_foundation_reads_bangla(
    role: str, as_foundation: Callable[..., ActingClient], said: set[str]
) -> None:
    english, seen = crawl(as_foundation(role), said=said)
    assert {
        "reports:portfolio",
        "lending:applications",
        "repayments:receipts",
        "partners:institutions",
    } <= seen
    assert not english, english


@pytest.mark.parametrize("role", ["maker", "viewer"])
def test_an_institution_reads_bangla(
    role: str, book: Book, as_partner: Callable[..., ActingClient], said: set[str]
) -> None:
    english, seen = crawl(as_partner(book.world.bank, role), said=said)
    assert {"reports:overview", "reports:loan", "repayments:uploads", "lending:applications"} <= seen
    assert not english, english


def test_sign_in_and_problems_speak_bangla(client: ActingClient) -> None:
    compile_translations()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "bn"
    assert words_seen(client.get(reverse("login")).content.decode()) == set()
    for typed in ({"username": "", "password": ""}, {"username": "x", "password": "y"}):
        assert words_seen(client.post(reverse("login"), typed).content.decode()) - {"x"} == set()
