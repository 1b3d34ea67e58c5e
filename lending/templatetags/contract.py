"""{{ label|tell:mode }}: a phrase in the words of a contract (``lending.contract_words``)."""

from __future__ import annotations

from django import template

from lending.contract_words import ContractWords, contract_words

register = template.Library()


@register.filter
def tell(text: object, said: ContractWords | str | None) -> str:
    """The phrase with profit or rent in place of interest; as it is where no contract is named.

    ``said`` is the words of a contract or its mode.
    """
    if not said:
        return str(text)
    return (said if isinstance(said, ContractWords) else contract_words(said)).tell(text)
