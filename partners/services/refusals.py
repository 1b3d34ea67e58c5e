"""What every refusal of a use case has in common, so that a page can show any of them beside its form."""

from __future__ import annotations


class Refused(Exception):
    """The request is well-formed but a rule forbids it; the text is a sentence for people."""
