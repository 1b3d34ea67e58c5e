"""Put the front-end files and translations where the site serves them from."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import fontpkg_hind_siliguri
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config.environment import BASE_DIR, VAR_DIR

LATIN = "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"
BANGLA_DIGITS = "@fontsource-variable/noto-sans-bengali/files/noto-sans-bengali-bengali-wght-normal.woff2"
# What is copied from where; the names on the right are what templates ask for.
FROM_NODE = {
    "@tabler/core/dist/css/tabler.min.css": "vendor/tabler.min.css",
    "@tabler/core/dist/css/tabler.min.css.map": "vendor/tabler.min.css.map",
    "@tabler/core/dist/js/tabler.min.js": "vendor/tabler.min.js",
    "@tabler/core/dist/js/tabler.min.js.map": "vendor/tabler.min.js.map",
    "htmx.org/dist/htmx.min.js": "vendor/htmx.min.js",
    # Latin text, and Bangla digits that stand in columns: Hind Siliguri's are not all of one width.
    LATIN: "fonts/Inter.woff2",
    BANGLA_DIGITS: "fonts/NotoSansBengali.woff2",
}
WEIGHTS = ("Regular", "Medium", "SemiBold", "Bold")


class Command(BaseCommand):
    """``manage.py assets``: copy, compile translations, collect. Quick when nothing changed."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for source, target in FROM_NODE.items():
            _copy(BASE_DIR / "node_modules" / source, VAR_DIR / "assets" / target)
        _copy(BASE_DIR / "node_modules/@tabler/icons/tabler-nodes-outline.json", settings.ICONS_FILE)
        fonts = Path(fontpkg_hind_siliguri.ROOT) / "files"
        for weight in WEIGHTS:
            _copy(
                fonts / f"HindSiliguri-{weight}.ttf",
                VAR_DIR / "assets" / "fonts" / f"HindSiliguri-{weight}.ttf",
            )
        count = compile_translations()
        call_command("collectstatic", interactive=False, verbosity=0)
        self.stdout.write(f"Assets are in place; {count} Bangla phrases.")


def compile_translations() -> int:
    """Merge every app's ``locale/bn.po`` into the one catalogue Django reads; return how many phrases."""
    merged = None
    for app in apps.get_app_configs():
        path = Path(app.path) / "locale" / "bn.po"
        if not path.is_relative_to(BASE_DIR) or not path.exists():
            continue
        with path.open("rb") as file:
            catalogue = read_po(file, locale="bn", abort_invalid=True)
        if merged is None:
            merged = catalogue
            continue
        for message in catalogue:
            if message.id and message.string:
                merged[message.id] = message
    if merged is None:
        return 0
    folder = VAR_DIR / "locale" / "bn" / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, merged)
    return len(merged)


def _copy(source: Path, target: Path) -> None:
    if not source.exists():
        raise CommandError(
            f"{source} is missing. Run `make assets`, which fetches the front-end packages first."
        )
    if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
