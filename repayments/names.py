"""Names of institutions, programmes and places in the reader's language."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django_filters.fields import ModelChoiceField as FilterChoiceField

from daybook import formats


def sign_of(currency: str) -> str:
    """How the reader writes a currency: Tk or ৳; others by their code."""
    return formats.SYMBOL.get(currency, {}).get(formats.language(), currency)


class NamedChoiceField(forms.ModelChoiceField):
    """One of the things with a name in both languages."""

    def label_from_instance(self, obj: Any) -> str:
        """The choice as it is shown."""
        return formats.named(obj)


class _NamedFilterField(FilterChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return formats.named(obj)


class NamedChoiceFilter(django_filters.ModelChoiceFilter):
    """A filter by one of them."""

    field_class = _NamedFilterField
