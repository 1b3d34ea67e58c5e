"""Messages through a folder: each arrives whole, once, whatever the number of hands."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

from kombu import Connection

from config import broker

SENT = 300


def connection(folder: Path) -> Connection:
    broker.use()
    return Connection(
        "filesystem://",
        transport_options={
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.01,
        },
    )


def test_two_writers_and_three_readers_lose_and_double_nothing(tmp_path: Path) -> None:
    got: Counter[Any] = Counter()
    lock = threading.Lock()
    written = threading.Event()

    def write(start: int) -> None:
        with connection(tmp_path) as opened, opened.SimpleQueue("work") as queue:
            for number in range(start, SENT, 2):
                queue.put({"number": number, "filling": "x" * 5000})

    def read() -> None:
        with connection(tmp_path) as opened, opened.SimpleQueue("work", no_ack=True) as queue:
            while True:
                done = written.is_set()
                try:
                    message = queue.get_nowait()
                except queue.Empty:
                    if done:
                        return
                    continue
                with lock:
                    got[message.payload["number"]] += 1

    readers = [threading.Thread(target=read) for _ in range(3)]
    writers = [threading.Thread(target=write, args=(start,)) for start in range(2)]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    written.set()
    for thread in readers:
        thread.join()

    assert got == Counter(dict.fromkeys(range(SENT), 1))


def test_an_unfinished_message_is_not_taken(tmp_path: Path) -> None:
    with connection(tmp_path) as opened, opened.SimpleQueue("other") as queue:
        (tmp_path / "1_x.other.part").write_text("half a mess")
        queue.put("whole")
        assert queue.get(timeout=1).payload == "whole"
