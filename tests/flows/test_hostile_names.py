"""Names and reasons that are programs: on every page, in every exported list, on every paper."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from lending.models import Cluster, Enterprise, Person, Programme
from partners.models import Institution, User
from repayments.models import Upload, UploadRow
from reports.render.pdf import CannotFetch, render_pdf
from tests.conftest import set_role
from tests.flows.site import ADDRESSES, WITHOUT_ROLES, Site, body, roles_of
from tests.reports.books import make_book

FORMULA = '=HYPERLINK("http://evil.example/")'
EVIL = f"{FORMULA}<script>alert(1)</script><img src=file:///etc/passwd>"
RAW = ("<script>alert(1)", "<img src=file:", "%3Cscript%3Ealert")
FIRST = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"-?[\d.,:/ -]*%?$")


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker: Any) -> Iterator[Site]:
    """The site, everybody and everything on it named by a hostile officer."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            set_role("paikar_worker")
            made = Site(make_book())
            for model in (Programme, Cluster, Institution, Person, Enterprise):
                for pk in model._default_manager.values_list("pk", flat=True):
                    model._default_manager.filter(pk=pk).update(name=f"{EVIL[:100]}{pk}")
            for user in User.objects.all():
                User.objects.filter(pk=user.pk).update(full_name=f"{EVIL}{user.pk}")
            UploadRow.objects.create(
                upload=made.upload, institution=made.world.bank, row_number=3, cells={"A": EVIL},
                reason=EVIL, state="invalid",
            )  # fmt: skip
            Upload.objects.update(sheet_name=EVIL)
            yield made
            transaction.set_rollback(True)
        connection.close()


pytestmark = pytest.mark.usefixtures("undone")


def formulas(content: bytes) -> str:
    """Every formula of a workbook, one after the other."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        assert sheets
        return "".join(
            formula
            for name in sheets
            for formula in re.findall(r"<f>(.*?)</f>", book.read(name).decode(), flags=re.DOTALL)
        )


@pytest.mark.parametrize("role", ["officer", "maker"])
def test_no_page_runs_a_name(site: Site, role: str) -> None:
    shown = 0
    for name in sorted(set(ADDRESSES) - WITHOUT_ROLES):
        if role not in roles_of(name):
            continue
        response = site.clients[role].get(site.address(name))
        kind = response.get("Content-Type", "")
        if response.status_code != 200 or "html" not in kind:
            continue
        said = body(response)
        shown += "&lt;script&gt;alert(1)" in said
        for raw in RAW:
            assert raw not in said, (name, raw)
    assert shown >= 15, "the names must be somewhere"


@pytest.mark.parametrize("role", ["officer", "maker"])
def test_no_exported_cell_begins_as_a_formula(site: Site, role: str) -> None:
    told = 0
    for name in sorted(set(ADDRESSES) - WITHOUT_ROLES):
        if role not in roles_of(name):
            continue
        response = site.clients[role].get(site.address(name), {"export": "csv"})
        if response.status_code == 200 and response["Content-Type"].startswith("text/csv"):
            for row in csv.reader(io.StringIO(body(response).removeprefix("\ufeff"))):
                for cell in row:
                    told += FORMULA in cell
                    assert NUMBER.match(cell) or not cell.startswith(FIRST), (name, cell)
        response = site.clients[role].get(site.address(name), {"export": "xlsx"})
        if response.status_code == 200 and "spreadsheetml" in response["Content-Type"]:
            assert "HYPERLINK" not in formulas(response.content), name
    assert told >= 5, "the names must be somewhere"


@pytest.mark.parametrize(
    "name", ["reports:loan-statement", "reports:institution-statement", "reports:settlement-quotation"]
)
def test_a_paper_prints_a_name_as_it_is(site: Site, name: str) -> None:
    response = site.clients["officer"].get(site.address(name))
    assert response.status_code == 200
    assert response.content.startswith(b"%PDF")
    assert "\n" not in response["Content-Disposition"]


def test_a_workbook_to_recalculate_holds_no_formula_of_a_name(site: Site) -> None:
    response = site.clients["officer"].get(site.address("reports:loan-recalculation"))
    assert response.status_code == 200
    assert "HYPERLINK" not in formulas(response.content)


@pytest.mark.parametrize(
    "piece",
    [
        '<img src="{0}">',
        '<link rel="attachment" href="{0}">',
        '<a rel="attachment" href="{0}">x</a>',
        '<link rel="stylesheet" href="{0}">',
        '<style>@import url("{0}"); body {{ background: url("{0}") }}</style>',
        '<object data="{0}"></object><embed src="{0}">',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="{0}"/></svg>',
    ],
)
def test_a_paper_fetches_nothing(piece: str, tmp_path: Any) -> None:
    """Not a file of the machine and not the network, even if a name were ever printed unescaped."""
    secret = tmp_path / "secret.svg"
    secret.write_text("<svg xmlns='http://www.w3.org/2000/svg'><text>TOPSECRET</text></svg>")
    plain = render_pdf("<p>x</p>", identifier="00" * 16)
    for address in (secret.as_uri(), "http://127.0.0.1:9/", "data:text/plain,TOPSECRET"):
        made, refusal = b"", None
        try:
            made = render_pdf(f"<p>x</p>{piece.format(address)}", identifier="00" * 16)
        except Exception as error:  # noqa: BLE001  # however WeasyPrint wraps it
            refusal = error.__context__ or error
        assert refusal is None or isinstance(refusal, CannotFetch)
        assert b"EmbeddedFile" not in made
        assert len(made) < len(plain) + 1_000
