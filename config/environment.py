"""What the environment says: folders, secrets and the address of the database for each kind of process.

Everything has a default that works on a laptop and is safe: DEBUG is off, only localhost is answered.
docs/operators/settings.md lists every variable.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("PAIKAR_VAR_DIR") or BASE_DIR / "var").resolve()

Process = Literal["web", "worker", "owner", "admin", "test"]
"""Who connects: gunicorn; Celery and management commands; migrations; set-up of roles; pytest."""

CLUSTER_DATABASE = "paikar"
LOGIN_OF: dict[Process, str] = {
    "web": "paikar_web",
    "worker": "paikar_worker",
    "owner": "paikar_owner",
    "admin": "postgres",
    "test": "postgres",
}
URL_VARIABLE_OF: dict[Process, str] = {
    "web": "DATABASE_URL",
    "worker": "DATABASE_WORKER_URL",
    "owner": "DATABASE_OWNER_URL",
    "admin": "DATABASE_ADMIN_URL",
    "test": "DATABASE_ADMIN_URL",
}
# A Unix socket's path may have 107 bytes on Linux; PostgreSQL adds this file name to the folder.
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 107


def flag(name: str, *, default: bool) -> bool:
    """Read an on/off variable: 1, true, yes, on (any case) mean on."""
    value = os.environ.get(name, "").strip().lower()
    return value in {"1", "true", "yes", "on"} if value else default


def words(name: str, *, default: list[str]) -> list[str]:
    """Read a comma-separated variable."""
    found = [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]
    return found or default


def process() -> Process:
    """Tell which kind of process this is; the web, with the fewest rights, when nobody said."""
    value = os.environ.get("PAIKAR_PROCESS", "web")
    for known in get_args(Process):
        if value == known:
            return known
    raise ImproperlyConfigured(
        f"PAIKAR_PROCESS is {value!r}; it must be one of {', '.join(get_args(Process))}."
    )


def secret_key() -> str:
    """Read SECRET_KEY; when it is unset, make one for this installation once and keep it under var/."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    path = VAR_DIR / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    key = secrets.token_urlsafe(50)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key


def make_folders() -> None:
    """Create the folders under var/ that Django and Celery expect to find."""
    for name in ("assets", "static", "locale", "files", "broker/messages", "broker/control"):
        (VAR_DIR / name).mkdir(parents=True, exist_ok=True)


def broker_url() -> str:
    """Where messages to workers go: CELERY_BROKER_URL, or a folder under var/."""
    return os.environ.get("CELERY_BROKER_URL") or "filesystem://"


def broker_options(url: str) -> dict[str, Any]:
    """What Kombu is told about a broker.

    A request that finds the broker away must not wait for it: two tries within a second, then the row
    waits for the sweeper. Redis gives a message again that nobody acknowledged for six hours; a lease
    lapses long before, and makes the second delivery harmless.
    """
    if url == "filesystem://":
        messages = str(VAR_DIR / "broker" / "messages")
        return {
            "data_folder_in": messages,
            "data_folder_out": messages,
            "control_folder": str(VAR_DIR / "broker" / "control"),
            "polling_interval": 0.05,
        }
    options: dict[str, Any] = {
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.2,
    }
    if url.startswith(("redis://", "rediss://")):
        options |= {"visibility_timeout": 6 * 60 * 60, "socket_connect_timeout": 2, "socket_keepalive": True}
    return options


def months(name: str, *, default: int) -> int:
    """Read a number of months, 3 at least."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdigit() or int(text) < 3:
        raise ImproperlyConfigured(f"{name} is {text!r}; it must be a number of months, 3 at least.")
    return int(text)


def hour(name: str, *, default: int) -> int:
    """Read an hour of the day, 0 to 23."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdigit() or int(text) > 23:
        raise ImproperlyConfigured(f"{name} is {text!r}; it must be an hour of the day, 0 to 23.")
    return int(text)


def uses_own_cluster() -> bool:
    """Tell whether PostgreSQL runs under var/, because DATABASE_URL names no other."""
    return not os.environ.get("DATABASE_URL")


def socket_folder() -> Path:
    """Where the cluster under var/ listens: there, or in /tmp when that path is too long for a socket."""
    folder = VAR_DIR / "postgres" / "run"
    if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        return folder
    digest = hashlib.sha256(os.fsencode(VAR_DIR)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"paikar-{digest}"


def database_url(kind: Process, *, database: str = CLUSTER_DATABASE) -> str:
    """Return the address for a kind of process.

    Raises ``ImproperlyConfigured`` when DATABASE_URL is set and the variable for this kind is not.
    """
    if uses_own_cluster():
        query = urlencode({"host": str(socket_folder())})
        return f"postgresql://{LOGIN_OF[kind]}@/{quote(database)}?{query}"
    variable = URL_VARIABLE_OF[kind]
    url = os.environ.get(variable)
    if not url:
        raise ImproperlyConfigured(
            f"DATABASE_URL is set but {variable} is not, and a {kind} process needs it "
            f"(docs/operators/settings.md says which login each one names)."
        )
    return url


def parse_database_url(url: str) -> dict[str, Any]:
    """Turn ``postgresql://user:password@host:port/name?option=value`` into Django's settings."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(
            f"A database address must begin with postgresql://, not {parts.scheme}://."
        )
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def database_settings(kind: Process) -> dict[str, Any]:
    """Settings of the one database for a kind of process.

    Tests log in as the admin but act from the first statement on as ``paikar_worker``: they have the
    real grants, and may take any other role for a while (tests/conftest.py).
    """
    settings = parse_database_url(database_url(kind))
    if kind == "test":
        settings["OPTIONS"]["options"] = "-c role=paikar_worker"
        # Never the books themselves, even when a test forgets to ask for the database.
        settings["NAME"] = os.environ.get("PAIKAR_TEST_DATABASE", "test_paikar")
    else:
        settings["CONN_MAX_AGE"] = 600 if kind == "web" else 0
        settings["CONN_HEALTH_CHECKS"] = True
    return settings


def replica_settings() -> dict[str, dict[str, Any]]:
    """Settings of a read-only copy of the database, where DATABASE_REPLICA_URL names one; else nothing.

    Its login is that of the process that reads: paikar_web on web machines, paikar_worker on workers.
    """
    url = os.environ.get("DATABASE_REPLICA_URL")
    if not url:
        return {}
    settings = parse_database_url(url)
    settings["OPTIONS"] = {"connect_timeout": "2"} | settings["OPTIONS"]
    return {"replica": settings | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}}
