"""The type of a table read from the books."""

from __future__ import annotations

from typing import Any, TypeAlias

Frame: TypeAlias = Any
"""A pandas DataFrame. Its stubs know neither columns nor what a cell holds: `Any` is the honest type."""
