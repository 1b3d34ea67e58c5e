"""What contracts without interest forbid, event by event."""

from __future__ import annotations

from typing import Any

import pytest

from lending.contract_words import contract_words
from lending.services.contracts import mode_refusal

ISLAMIC = ["murabaha", "ijara", "mudaraba", "musharaka"]


@pytest.mark.parametrize("mode", ISLAMIC)
@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("reschedule", {"capitalises": True}),
        ("restructure", {"capitalised_minor": 5_000}),
        ("moratorium", {"grace_kind": "interest_capitalised"}),
    ],
)
def test_nothing_unpaid_joins_the_principal(mode: str, kind: str, parameters: dict[str, Any]) -> None:
    assert mode_refusal("interest", kind, parameters) is None
    said = mode_refusal(mode, kind, parameters)
    assert said is not None
    assert contract_words(mode).tell(said) == said, "a refusal does not say interest either"


@pytest.mark.parametrize(
    ("kind", "parameters", "refusing"),
    [
        ("rate_change", {"annual_rate": "3"}, ["murabaha"]),
        ("reschedule", {"annual_rate": "3"}, ["murabaha"]),
        ("tranche", {}, ["murabaha"]),
        ("settlement", {"fee_percent": "0.5"}, ["murabaha"]),
        ("settlement", {"fee_minor": 0}, []),
        ("prepayment", {}, []),
        ("waiver", {"amount_minor": 500}, []),
        ("write_off", {}, []),
        ("reschedule", {"instalments": 12}, []),
    ],
)
def test_only_a_murabaha_has_its_price_fixed(
    kind: str, parameters: dict[str, Any], refusing: list[str]
) -> None:
    assert [mode for mode in ISLAMIC if mode_refusal(mode, kind, parameters)] == refusing
