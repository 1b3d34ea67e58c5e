"""The broker of a machine without one: Kombu's filesystem transport, made to lose nothing while it runs.

Kombu writes a message under its final name, so that a reader may take it half-written, and moves what
it takes through the system's temporary folder, which another file system makes a copy, so that two
workers may take it both. Here a message is written aside and renamed, and taken by a rename in the
same folder. What a killed worker held is still lost; the lease of the row it worked on mends that.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """A folder of messages, each a file that is whole or not there."""

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]  # its bases disagree
        final = Path(self.data_folder_out) / f"{monotonic_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        aside = final.with_suffix(".part")
        try:
            aside.write_bytes(str_to_bytes(dumps(payload)))
            aside.rename(final)
        except OSError as error:
            raise ChannelError(f"Cannot add {final.name} to {final.parent}: {error}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002  (Kombu calls it so)
        for waiting in sorted(Path(self.data_folder_in).glob(f"*.{queue}.msg")):
            taken = waiting.with_suffix(".taken")
            try:
                waiting.rename(taken)
                content = taken.read_bytes()
                taken.unlink()
            except FileNotFoundError:
                continue  # another worker was quicker
            return loads(bytes_to_str(content))
        raise Empty


class Transport(filesystem.Transport):
    """``filesystem://`` in Paikar."""

    Channel = Channel


def use() -> None:
    """Make ``filesystem://`` mean this transport, in this process."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
