"""The forms of a page as a browser has them: where each goes, its fields, its buttons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import html

CHOSEN = {"file", "submit", "button", "image", "reset"}


@dataclass(frozen=True)
class Form:
    """One form: ``values`` as they stand on the page, ``typed`` the fields a person writes into."""

    action: str
    method: str
    values: dict[str, Any]
    typed: tuple[str, ...]
    chosen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    buttons: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[Any, ...]:
        """Two pages with the same form for another thing count once."""
        return (self.method, self.typed, tuple(self.chosen), self.buttons)


def forms_of(page: str, *, address: str) -> Iterator[Form]:
    """Every form of a page. The first choice is taken where the page chooses nothing."""
    if not page.strip():
        return
    for form in html.fromstring(page).iter("form"):
        values: dict[str, Any] = {}
        typed: list[str] = []
        chosen: dict[str, tuple[str, ...]] = {}
        buttons = [
            (str(one.get("name")), str(one.get("value") or "1"))
            for one in form.iter("button", "input")
            if one.get("name") and (one.tag == "button" or one.get("type") == "submit")
        ]
        for one in form.iter("input", "select", "textarea"):
            name, kind = one.get("name"), one.get("type", "text")
            if not name or (one.tag == "input" and kind in CHOSEN):
                continue
            if one.tag == "select":
                offered = tuple(choice.get("value", choice.text or "") for choice in one.iter("option"))
                picked = [
                    choice.get("value", "")
                    for choice in one.iter("option")
                    if choice.get("selected") is not None
                ]
                chosen[name] = offered
                values[name] = next((value for value in (*picked, *offered) if value), "")
            elif kind in ("checkbox", "radio"):
                chosen[name] = (*chosen.get(name, ()), one.get("value", "on"))
                if one.get("checked") is not None:
                    values[name] = one.get("value", "on")
            else:
                values[name] = (one.text if one.tag == "textarea" else one.get("value") or "") or ""
                values[name] = values[name].strip()
                if kind != "hidden":
                    typed.append(name)
                else:
                    chosen[name] = (values[name],)
        yield Form(
            action=form.get("action") or form.get("hx-post") or form.get("hx-get") or address,
            method="post"
            if "post" in (form.get("method", "get").lower(), "post" if form.get("hx-post") else "")
            else "get",
            values=values,
            typed=tuple(typed),
            chosen=chosen,
            buttons=tuple(buttons),
        )
