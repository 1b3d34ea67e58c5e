"""Files come in, are read by workers, confirmed by checkers and posted by workers, several at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Count

from repayments import tasks
from repayments.models import Upload, UploadRow
from repayments.services.uploads import CannotReceiveUpload, confirm_upload, receive_upload, retry_upload
from reports.demonstration.bad_files import BadFile, End, bad_files
from reports.demonstration.cast import WAVES
from reports.demonstration.files import BankFile, Kind
from reports.management.demonstration.office import Office
from reports.management.demonstration.stage import CannotPlay, Patience, Stage

State, Work = Upload.State, Upload.Work


class PostRoom:
    """Sends the files of a business date and sees them through; knows what it sent, for the answer key."""

    def __init__(self, stage: Stage, office: Office) -> None:
        self.stage = stage
        self.office = office
        self.open: dict[int, BankFile] = {}

    def send(self, day: date, *, leave: Collection[str] = ()) -> None:
        """Send the files of a date as the makers; those in ``leave`` are read and wait for a visitor."""
        files = self.stage.book.files_on(day)
        numbers = self.office.tranche_numbers({file.request for file in files if file.kind is Kind.SUBLOANS})
        for file in files:
            upload = self.upload_of(file)
            if upload is None:
                upload = self._receive(file, self.written(file, numbers))
            elif upload.work == Work.FAILED:
                self._try_again(upload, file)
            if file.name not in leave and upload.state not in (State.POSTED, State.DISCARDED):
                self.open[upload.pk] = file

    def see_through(self) -> None:
        """Wait until every file sent is posted, confirming each as soon as it has been read."""
        patience = Patience()
        while self.open:
            states = self._step()
            if self.open:
                patience.wait(states)

    def bad_files(self) -> list[BadFile]:
        """What the demonstration sends that cannot be taken."""
        names = {code: institution.name for code, institution in self.stage.institutions.items()}
        return bad_files(self.stage.book.cast, self.stage.book.files, names=names)

    def send_bad(self, day: date) -> None:
        """On the last month end, send what cannot be taken, after the good files."""
        if day != self.stage.book.cast.last_month_end:
            return
        for bad in self.bad_files():
            if self.bad_end(bad) == End.REFUSED:
                with suppress(CannotReceiveUpload), transaction.atomic():
                    upload = receive_upload(
                        institution=self.stage.institutions[bad.player.code],
                        kind=Kind.REPAYMENTS.value,
                        file_name=bad.name,
                        content=bad.content,
                        made_by=self.stage.people.of(bad.player.code, "maker"),
                    )
                    transaction.on_commit(partial(tasks.read_upload.delay, upload.pk))
        patience = Patience()
        while State.RECEIVED in (ends := [self.bad_end(bad) for bad in self.bad_files()]):
            patience.wait(ends)

    def bad_end(self, bad: BadFile) -> str:
        """How a bad file ended: the state of its upload, or refused at the door, which leaves none."""
        upload = Upload.objects.filter(
            institution=self.stage.institutions[bad.player.code], file_name=bad.name
        ).only("state")
        return next((str(found.state) for found in upload), End.REFUSED.value)

    def _step(self) -> list[tuple[object, ...]]:
        """Confirm what is read, let go of what is posted; return how things stand."""
        rows = Upload.objects.filter(pk__in=list(self.open)).values_list(
            "pk", "state", "work", "done_count", "error", named=True
        )
        states = [tuple(row) for row in rows]
        for row in rows:
            if row.work == Work.FAILED or row.state == State.UNREADABLE:
                raise CannotPlay(f"{self.open[row.pk].name} was not {row.state}: {row.error}")
            if row.state == State.PREVIEW:
                self._confirm(row.pk)
            elif row.state in (State.POSTED, State.DISCARDED):
                del self.open[row.pk]
        return states

    def written(self, file: BankFile, tranche_numbers: Mapping[str, str]) -> bytes:
        """The file as the bank's officer writes it."""
        institution = self.stage.institutions[file.player.code]
        return file.write(institution=institution.name, tranche_numbers=tranche_numbers)

    def upload_of(self, file: BankFile) -> Upload | None:
        """The upload of a file sent before."""
        return (
            Upload.objects.filter(
                institution=self.stage.institutions[file.player.code],
                kind=file.kind.value,
                file_name=file.name,
            )
            .exclude(state=State.DISCARDED)
            .defer("content")
            .first()
        )

    def _receive(self, file: BankFile, content: bytes) -> Upload:
        with transaction.atomic():
            upload = receive_upload(
                institution=self.stage.institutions[file.player.code],
                kind=file.kind.value,
                file_name=file.name,
                content=content,
                made_by=self.stage.people.of(file.player.code, "maker"),
                **self._subject(file),
            )
            transaction.on_commit(partial(tasks.read_upload.delay, upload.pk))
        return upload

    def _try_again(self, upload: Upload, file: BankFile) -> None:
        """Queue what an interrupted demonstration left failed."""
        task = tasks.post_upload if upload.state == State.CONFIRMED else tasks.read_upload
        with transaction.atomic():
            retry_upload(upload=upload, asked_by=self.stage.people.of(file.player.code, "maker"))
            transaction.on_commit(partial(task.delay, upload.pk))

    def _subject(self, file: BankFile) -> dict[str, Any]:
        if file.kind is Kind.REPAYMENTS:
            return {}
        request = next(request for request in self.stage.book.cast.requests if request.key == file.request)
        if file.kind is Kind.BORROWERS:
            return {"application": self.office.application(request)}
        return {"agreement": self.office.agreement(request.player, WAVES[request.wave].programme)}

    def _confirm(self, upload_id: int) -> None:
        file = self.open[upload_id]
        with transaction.atomic():
            confirm_upload(
                upload=Upload.objects.defer("content").get(pk=upload_id),
                confirmed_by=self.stage.people.of(file.player.code, "checker"),
                accepts_warnings=True,
            )
            transaction.on_commit(partial(tasks.post_upload.delay, upload_id))


def rows_by_state() -> Counter[str]:
    """How many rows of all uploads are in each state."""
    counted = UploadRow.objects.values("state").annotate(count=Count("pk")).values_list("state", "count")
    return Counter(dict(counted))
