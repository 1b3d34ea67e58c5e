"""Real brokers for a test: started on a port of their own, killed, started again with nothing in them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

STARTS_WITHIN = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker(ABC):
    """A broker in a folder and a group of processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def spawn(self) -> subprocess.Popen[bytes]: ...

    def start(self) -> None:
        """Start with no message in it, and wait until it takes connections."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.process = self.spawn()
        deadline = time.monotonic() + STARTS_WITHIN
        while not self.answers():
            assert self.process.poll() is None, f"ended by itself: {self.said()}"
            assert time.monotonic() < deadline, f"did not start: {self.said()}"
            time.sleep(0.1)

    def kill(self) -> None:
        """Take it away at once, with every message it held."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as opened:
                opened.sendall(self.greeting)
                return bool(opened.recv(1))
        except OSError:
            return False

    greeting: bytes

    def said(self) -> str:
        log = self.folder / "log"
        return log.read_text()[-2000:] if log.exists() else ""

    def _popen(
        self, command: list[str], environment: dict[str, str], executable: str
    ) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, executable=executable, env=environment, cwd=self.folder,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip


class Redis(Broker):
    """Redis keeping nothing on disk. Debian's redis-tools has the server's program under another name, and
    unlike the package redis-server starts no service."""

    greeting = b"PING\r\n"

    @staticmethod
    def missing() -> str:
        return "" if Redis.program() else "Redis is not installed (Debian package redis-tools)"

    @staticmethod
    def program() -> str | None:
        return shutil.which("redis-server") or shutil.which("redis-check-rdb")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def spawn(self) -> subprocess.Popen[bytes]:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        return self._popen(command, dict(os.environ), self.program() or "")


class RabbitMQ(Broker):
    """RabbitMQ as a node of its own, with its own name service."""

    greeting = b"AMQP\x00\x00\x09\x01"

    @staticmethod
    def missing() -> str:
        return "" if RabbitMQ.program() else "RabbitMQ is not installed (Debian package rabbitmq-server)"

    @staticmethod
    def program() -> str | None:
        """The program itself; the one in the path insists on being the system's service."""
        found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
        return str(found[-1]) if found else None

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.names = {"ERL_EPMD_PORT": str(free_port()), "ERL_EPMD_ADDRESS": "127.0.0.1"}

    def kill(self) -> None:
        """The name service of Erlang leaves the group; it is ended by its port."""
        was_up = self.process is not None
        super().kill()
        if was_up:
            subprocess.run(
                ["epmd", "-kill"], env=os.environ | self.names, capture_output=True, timeout=30, check=False
            )

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def spawn(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"paikar{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            **self.names,
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }
        program = self.program() or ""
        return self._popen([program], environment, program)
