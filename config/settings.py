"""Django's settings. What differs between machines comes from the environment (config/environment.py)."""

from __future__ import annotations

import os
from decimal import ROUND_HALF_UP
from typing import Any

from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF

from config import environment
from config.environment import VAR_DIR
from config.watching import logs

environment.make_folders()

BASE_DIR = environment.BASE_DIR

PAIKAR_PROCESS = environment.process()
IS_TEST = PAIKAR_PROCESS == "test"

SECRET_KEY = environment.secret_key()
DEBUG = environment.flag("DEBUG", default=False)
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "config",
    "daybook",
    "partners",
    "lending",
    "repayments",
    "reports",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "djmoney",
    "django_htmx",
    "django_tables2",
    "django_filters",
    "axes",
    "csp",
]

# The order matters: everything from the session on runs inside one transaction, as the web's own role; once
# the person is known, a view runs as the foundation's or the partner's role (config/middleware.py).
# Around all of it stands what watches: it answers probes even when the database does not.
MIDDLEWARE = [
    "config.watching.middleware.Watched",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.OneTransaction",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.ActingRole",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "config.context.page",
            ],
            "builtins": [
                "daybook.templatetags.paikar",
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
        },
    },
]
FORM_RENDERER = "config.forms.PaikarRenderer"

DATABASES: dict[str, dict[str, Any]] = {
    "default": environment.database_settings(PAIKAR_PROCESS),
    **({} if IS_TEST else environment.replica_settings()),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "partners.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# Five wrong passwords for one name from one address lock that pair for fifteen minutes.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "config/locked_out.html"
AXES_VERBOSE = False
AXES_ENABLED = not IS_TEST or environment.flag("AXES_ENABLED", default=False)

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 8 * 60 * 60  # one working day
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

BEHIND_HTTPS = environment.flag("BEHIND_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("bn", "বাংলা")]
LOCALE_PATHS = [VAR_DIR / "locale"]  # compiled by `manage.py assets` from each app's locale/bn.po
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "Asia/Dhaka"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [VAR_DIR / "assets"]
ICONS_FILE = VAR_DIR / "icons.json"
MEDIA_ROOT = VAR_DIR / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or IS_TEST
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = (
    5 * 1024 * 1024
)  # form fields; files are streamed to disk and checked by the parser
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

DEFAULT_CURRENCY = "BDT"
CURRENCIES = ("BDT", "USD")
CURRENCY_DECIMAL_PLACES = 2
MONEY_ROUNDING = ROUND_HALF_UP

DJANGO_TABLES2_TEMPLATE = "daybook/_table.html"

# Messages only wake workers; every work is a row with a lease (docs/decisions/0014).
CELERY_BROKER_URL = environment.broker_url()
CELERY_BROKER_TRANSPORT_OPTIONS = environment.broker_options(CELERY_BROKER_URL)
CELERY_BROKER_CONNECTION_TIMEOUT = 2.0
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker never gives a broker up
CELERY_BROKER_HEARTBEAT = 30
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True  # the attempts in the row end what kills every worker
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # the hold is still kept: let it finish
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "broker" / "beat-schedule")
# What nobody took within its period is not wanted any more: after a long silence one sweep is enough.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for name, task, seconds in (
        ("daybook.beat", "daybook.tasks.beat", 30.0),
        ("repayments.take_up_slices", "repayments.tasks.take_up_slices", 10.0),
        ("repayments.sweep", "repayments.tasks.sweep", 60.0),
        ("reports.sweep", "reports.tasks.sweep", 60.0),
        ("repayments.tell_of_closes", "repayments.tasks.tell_of_closes", 60.0),
        ("daybook.seal_audit", "daybook.tasks.seal_audit", 60.0),
        ("daybook.deliver_audit_head", "daybook.tasks.deliver_audit_head", 86_400.0),
    )
}
SNAPSHOT_MONTHS = environment.months("SNAPSHOT_MONTHS", default=13)  # whole months kept daily
CELERY_BEAT_SCHEDULE["repayments.retain_snapshots"] = {
    "task": "repayments.tasks.retain_snapshots",
    "schedule": crontab(day_of_month="2", hour="3", minute="0"),
    "options": {"expires": 86_400.0},
}
# The books follow the clock only where operators say so: a demonstration keeps its date.
CLOSE_DAYS_BY_CLOCK = environment.flag("CLOSE_DAYS_BY_CLOCK", default=False)
CLOSE_AFTER_HOUR = environment.hour("CLOSE_AFTER_HOUR", default=1)  # of the next day, in TIME_ZONE
CLOSE_LATE_AFTER_HOURS = environment.hour("CLOSE_LATE_AFTER_HOURS", default=4)
if CLOSE_DAYS_BY_CLOCK:
    CELERY_BEAT_SCHEDULE["repayments.close_due_days"] = {
        "task": "repayments.tasks.close_due_days",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    }

# Who is told when a close fails, ends with exceptions or is late: these addresses; else the finance heads and
# administrators who have one. Without a mail server letters are files under var/mail.
PAIKAR_ALERT_TO = environment.words("PAIKAR_ALERT_TO", default=[])
PAIKAR_SITE_URL = os.environ.get("PAIKAR_SITE_URL", "").rstrip("/")
EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT") or 25)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = environment.flag("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = environment.flag("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = os.environ.get("EMAIL_FROM", "paikar@localhost")

# Who shows this word may read /metrics and the reasons of /health/ready; without it nobody may.
PAIKAR_WATCH_TOKEN = os.environ.get("PAIKAR_WATCH_TOKEN", "")

# The audit chain's head and count go here daily; point it at a place that outlives the database.
PAIKAR_AUDIT_HEADS = os.environ.get("PAIKAR_AUDIT_HEADS") or str(VAR_DIR / "audit-heads.log")

LOGGING = logs.settings(
    style=os.environ.get("PAIKAR_LOG_FORMAT", "text"), level=os.environ.get("LOG_LEVEL", "WARNING")
)
