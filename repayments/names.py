"""Names of institutions, programmes and places in the reader's language."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django_filters.fields import ModelChoiceField as FilterChoiceField

from daybook import formats
from lending.models import Programme


def name_of(thing: Any) -> str:
    """The Bangla name on a Bangla page where there is one, otherwise the name every page has.

    A programme is known by its code, so that stands before either name.
    """
    bangla = str(thing.name_bn) if formats.language() == "bn" else ""
    if not bangla:
        return str(thing)
    return f"{thing.code} {bangla}" if isinstance(thing, Programme) else bangla


def sign_of(currency: str) -> str:
    """How the reader writes a currency: Tk or ৳; others by their code."""
    return formats.SYMBOL.get(currency, {}).get(formats.language(), currency)


class NamedChoiceField(forms.ModelChoiceField):
    """One of the things with a name in both languages."""

    def label_from_instance(self, obj: Any) -> str:
        """The choice as it is shown."""
        return name_of(obj)


class _NamedFilterField(FilterChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return name_of(obj)


class NamedChoiceFilter(django_filters.ModelChoiceFilter):
    """A filter by one of them."""

    field_class = _NamedFilterField
