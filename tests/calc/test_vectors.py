"""Published cases through calc's public interface: each is run, or listed with the reason it can't be.

Two files hold them, in one shape: the one handed to the project, and our own of further cases. The
expected figures are the sources' own and are never altered. A case is run by the kind of check it names,
never by its id, so that more cases of the same kinds can be tried: docs/arithmetic.md, section 17.
"""

import pytest

from tests.calc.vectors import counted, facts, lateness, money_in, plans, rates
from tests.calc.vectors.reading import GATHERED, GIVEN, load
from tests.calc.vectors.registry import runner_of

RUNNERS = (rates, plans, facts, lateness, money_in, counted)
"""Modules whose checks put themselves into the registry."""

CASES = load(GIVEN, GATHERED)

CANNOT = {
    "FIN-RP01": "overdue interest bears interest each month; ours never does (penal interest is simple)",
    "FIN-RSCH-GRACEINT": "interest is put off while principal is repaid; ours waits only while none is due",
    "PUB-PROEDUCATE-ARM-PMT-CAP-65K-10PCT-TO-12PCT-360MO": (
        "the instalment is capped below its interest and the balance grows; ours is refused"
    ),
}
"""Cases our terms cannot express, and the peculiarity of the source that stands in the way."""

PARTLY = {
    "FIN-CHARGEOFF": "plan and daily accrual; taking unearned interest at charge-off is the source's own",
    "FIN-DQ-PAUSE": "days past due and amount; days of grace and pauses of the clock are not ours",
    "FIN-GL-GOODWILL": "plan; charges settled before they fall due and journals are the source's own",
    "FIN-REAGE": "plans before and after; the down payment at disbursement and days of grace are not ours",
    "PAR-SADHAN": "PAR and bands; provision by days past due is multiplied out, our policies go by class",
}
"""Cases run but for a part, and which."""


@pytest.mark.parametrize("name", [name for name in CASES if name not in CANNOT])
def test_a_published_case_comes_out_as_published(name: str) -> None:
    runner = runner_of(CASES[name])
    assert runner is not None, f"{name} is neither run nor listed with a reason"
    runner(CASES[name])


@pytest.mark.parametrize("name", CANNOT)
def test_a_case_listed_as_impossible_does_not_come_out_as_published(name: str) -> None:
    runner = runner_of(CASES[name])
    assert runner is not None
    with pytest.raises(AssertionError):
        runner(CASES[name])


@pytest.mark.skipif(not GIVEN.is_file(), reason="vectors.json is not beside this clone")
def test_every_listed_reason_belongs_to_a_case() -> None:
    assert set(CANNOT) | set(PARTLY) <= set(CASES)
    assert not set(CANNOT) & set(PARTLY)


def test_every_case_gathered_names_its_source() -> None:
    ours = load(GATHERED)
    assert len(ours) >= 100
    for one in ours.values():
        assert one["source"]["name"]
        assert {"url", "ref", "via"} & one["source"].keys()
