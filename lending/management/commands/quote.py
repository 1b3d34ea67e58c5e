"""`manage.py quote`: what a loan would look like, in a terminal or a file, from any terms."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, time
from pathlib import Path
from typing import Any

from django import forms
from django.core.management.base import BaseCommand, CommandError

from calc.calendar import BusinessCalendar
from daybook.exports import Sheet, to_csv, to_xlsx
from daybook.formats import day, percent, taka_minor
from daybook.selectors import business_calendar
from lending.contract_words import contract_words
from lending.forms.quote import QuoteForm, codes_of
from lending.services.quoting import Quote, quote_sheet, working_text


class Command(BaseCommand):
    """Plan a loan from its terms: schedule, working, totals and APR, without a loan."""

    help = (
        "Plan a loan that need not exist: schedule, totals and APR. "
        "Example: quote --principal 1000000 --annual-rate 6 --disbursed-on 2026-01-15 --instalments 42"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One option for every term of the page."""
        for name, field in QuoteForm.base_fields.items():
            option = f"--{name.replace('_', '-')}"
            if isinstance(field, forms.BooleanField):
                parser.add_argument(option, action="store_const", const="on", help=str(field.label))
                continue
            codes = list(codes_of(field)) or None
            usual = f" (usual: {field.initial})" if field.initial not in (None, "") else ""
            parser.add_argument(
                option,
                choices=codes,
                metavar=None if codes else name.upper(),
                help=f"{field.label}{usual}".replace("%", "%%"),
            )
        parser.add_argument("--output", type=Path, help="Write to this file, .xlsx or .csv, instead.")
        parser.add_argument(
            "--no-holidays", action="store_true", help="Count Friday and Saturday only, read no database."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the quote; CommandError names each term that is wrong and why."""
        said = {name: options[name] for name in QuoteForm.base_fields if options.get(name) is not None}
        # Without a number, an agreed instalment is there to find it.
        if "agreed_instalment" in said:
            said.setdefault("instalments", "")
        calendar = BusinessCalendar() if options["no_holidays"] else business_calendar()
        form = QuoteForm(said, calendar=calendar)
        if not form.is_valid() or form.quote is None:
            faults = (
                f"--{name.replace('_', '-')}: {fault}" if name != "__all__" else str(fault)
                for name, found in form.errors.items()
                for fault in found
            )
            raise CommandError("\n".join(faults))
        quote = form.quote
        sheet = quote_sheet(quote, [*form.told(), ("APR", percent(quote.apr))])
        output: Path | None = options["output"]
        if output is None:
            self.stdout.write("\n".join(_lines(quote, shows_working=bool(said.get("working")))))
            return
        output.write_bytes(_file(sheet, output, quote))
        self.stdout.write(f"Wrote {output}.")


def _file(sheet: Sheet, output: Path, quote: Quote) -> bytes:
    """The file by its ending. The workbook is dated the disbursement: the same terms give the same bytes."""
    if output.suffix == ".csv":
        return to_csv(sheet)
    if output.suffix == ".xlsx":
        return to_xlsx(sheet, created=datetime.combine(quote.terms.disbursed_on, time()))
    raise CommandError(f"--output: {output.name} is neither .xlsx nor .csv; give it one of these endings.")


def _lines(quote: Quote, *, shows_working: bool) -> list[str]:
    """The quote as a person at a terminal reads it."""
    words = contract_words(quote.mode)
    heads = ("No.", "Due on", "Principal", str(words.interest), "Total", "Balance")
    widths = (5, 12, 18, 20, 18, 18)
    rule = "-" * sum(widths)
    lines = ["".join(head.rjust(width) for head, width in zip(heads, widths, strict=True)), rule]
    for row in quote.rows:
        period = row.period
        cells = (
            str(period.instalment or "-"),
            day(period.due_on),
            taka_minor(period.principal_minor),
            taka_minor(period.interest_minor),
            taka_minor(row.total_minor),
            taka_minor(period.closing_minor),
        )
        lines.append("".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))
        if shows_working and row.working:
            lines.append(f"{'':5}  {working_text(row.working)}")
    paid = (
        f"Received {taka_minor(quote.received_minor)}, paid {taka_minor(quote.paid_minor)}: "
        f"{str(words.interest).lower()} {taka_minor(quote.interest_minor)}, "
        f"charges {taka_minor(quote.charges_minor)}."
    )
    return [
        *lines,
        rule,
        paid,
        f"APR (effective, days over 365): {percent(quote.apr)}. Matures on {day(quote.matures_on)}.",
    ]
