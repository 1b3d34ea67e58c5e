"""What every test of uploads starts from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A page shown in Bangla leaves its language to the thread; messages are asserted in English."""
    with translation.override("en"):
        yield
