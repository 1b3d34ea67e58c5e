"""Under which contracts an institution works, and so in which words its pages speak."""

from __future__ import annotations

from lending.contract_words import ContractWords, common_words
from lending.models import Agreement


def words_of(institution_id: int | None) -> ContractWords:
    """The words for what holds several loans of an institution; of the foundation's own pages interest.

    An institution all of whose agreements bear no interest never reads the word.
    """
    if institution_id is None:
        return common_words([])
    modes = Agreement.objects.filter(institution_id=institution_id).values_list("contract_mode", flat=True)
    return common_words(modes.order_by().distinct())
