"""Every class boundary worked by hand, which policy governs, and what stands in the way of a class."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.arrears import Arrears
from calc.calendar import add_months
from calc.classification import (
    AMBIGUOUS_POLICY,
    NO_POLICY,
    Chosen,
    Classes,
    ClassificationPolicies,
    ClassificationPolicy,
    ClassTest,
    Ground,
    InstitutionKind,
    LoanClass,
    SizeTier,
    Tier,
    Traits,
    choose_policies,
    classify,
    explain,
)
from calc.money import Component
from tests.calc.reference import (
    BANK_2012,
    BANK_2019,
    BANK_2025,
    BANK_CMS_2020,
    CLASSIFICATION,
    CMS,
    FC_GT5,
    FC_LE5,
    WHOLESALE,
)
from tests.calc.test_arrears import monthly, standing
from tests.calc.walker import Due, Receipt

STANDARD, SMA, SS, DF, BL = (LoanClass(n) for n in range(5))
BANK, COMPANY = InstitutionKind.BANK, InstitutionKind.FINANCE_COMPANY
SMALL, LARGE = SizeTier.SMALL, SizeTier.LARGE
PRINCIPAL = Component.PRINCIPAL


def traits(
    kind: InstitutionKind = BANK, size: SizeTier = SMALL, term: int = 36, tier: Tier = Tier.SUBLOAN
) -> Traits:
    return Traits(
        np.array([tier], dtype=np.int8),
        np.array([kind], dtype=np.int8),
        np.array([size], dtype=np.int8),
        np.array([term], dtype=np.int64),
    )


def policy_of(on: date, loan: Traits, policies: ClassificationPolicies = CLASSIFICATION) -> Chosen:
    return choose_policies(policies.scopes, loan, on)


def grade(arrears: Arrears, number: int, policies: ClassificationPolicies = CLASSIFICATION) -> Classes:
    """Classify one loan under one policy, chosen by number."""
    row = policies.scopes.policy.tolist().index(number)
    return classify(arrears, policies, Chosen(np.array([number]), np.array([row])))


@pytest.mark.parametrize(
    ("on", "loan", "policy"),
    [
        (date(2012, 12, 30), traits(), NO_POLICY),
        (date(2012, 12, 31), traits(), BANK_2012),
        (date(2019, 6, 29), traits(), BANK_2012),
        (date(2019, 6, 30), traits(), BANK_2019),
        (date(2020, 7, 20), traits(), BANK_2019),
        (date(2020, 7, 21), traits(), BANK_CMS_2020),
        (date(2020, 7, 21), traits(size=LARGE), BANK_2019),
        (date(2020, 7, 21), traits(size=SizeTier.UNKNOWN), BANK_2019),
        (date(2025, 3, 31), traits(size=SizeTier.COTTAGE), BANK_CMS_2020),
        (date(2025, 4, 1), traits(), BANK_2025),
        (date(2021, 7, 25), traits(COMPANY), NO_POLICY),
        (date(2021, 7, 26), traits(COMPANY, term=60), FC_LE5),
        (date(2021, 7, 26), traits(COMPANY, term=61), FC_GT5),
        (date(2026, 1, 1), traits(tier=Tier.WHOLESALE), WHOLESALE),
        (date(2009, 6, 30), traits(tier=Tier.WHOLESALE), NO_POLICY),
    ],
)
def test_the_policy_in_force_is_the_most_specific_one(on: date, loan: Traits, policy: int) -> None:
    chosen = policy_of(on, loan)
    assert chosen.policy.tolist() == [policy]
    assert (chosen.row.tolist() == [-1]) == (policy == NO_POLICY)


def test_among_equally_specific_policies_the_latest_start_wins() -> None:
    older, newer = (
        ClassificationPolicy(
            policy=n, tier=Tier.SUBLOAN, effective_from=start, test=ClassTest.TIME, ss=3, df=6, bl=9
        )
        for n, start in ((1, date(2020, 1, 1)), (2, date(2021, 1, 1)))
    )
    for rows in ([older, newer], [newer, older]):
        policies = ClassificationPolicies.of(rows)
        assert policy_of(date(2022, 1, 1), traits(), policies).policy.tolist() == [2]
        assert policy_of(date(2020, 6, 1), traits(), policies).policy.tolist() == [1]


def test_among_policies_for_sizes_the_one_for_fewer_wins_whatever_its_start() -> None:
    few = frozenset({SizeTier.SMALL})
    rows = [
        ClassificationPolicy(
            policy=n,
            tier=Tier.SUBLOAN,
            effective_from=start,
            sizes=sizes,
            test=ClassTest.TIME,
            ss=3,
            df=6,
            bl=9,
        )
        for n, start, sizes in ((1, date(2020, 1, 1), few), (2, date(2021, 1, 1), CMS))
    ]
    for policies in (ClassificationPolicies.of(rows), ClassificationPolicies.of(rows[::-1])):
        assert policy_of(date(2022, 1, 1), traits(size=SizeTier.SMALL), policies).policy.tolist() == [1]
        assert policy_of(date(2022, 1, 1), traits(size=SizeTier.MICRO), policies).policy.tolist() == [2]


def test_two_policies_that_fit_equally_well_are_ambiguous_unless_a_better_one_fits() -> None:
    start = date(2020, 1, 1)
    twins = [
        ClassificationPolicy(
            policy=n, tier=Tier.SUBLOAN, effective_from=start, test=ClassTest.TIME, ss=3, df=6, bl=9
        )
        for n in (1, 2)
    ]
    narrower = ClassificationPolicy(
        policy=3, tier=Tier.SUBLOAN, effective_from=start, sizes=CMS, test=ClassTest.TIME, ss=3, df=6, bl=9
    )
    for rows in ([*twins, narrower], [narrower, *twins], [twins[0], narrower, twins[1]]):
        policies = ClassificationPolicies.of(rows)
        assert policy_of(start, traits(size=LARGE), policies).policy.tolist() == [AMBIGUOUS_POLICY]
        assert policy_of(start, traits(size=LARGE), policies).row.tolist() == [-1]
        assert policy_of(start, traits(size=SMALL), policies).policy.tolist() == [3]


@pytest.mark.parametrize(
    ("late", "as_of", "expected"),
    [
        # due 31 March 2025 under BRPD 15/2024 (bounds 2, 3, 6, 12 months), a single balloon due
        (date(2025, 3, 31), date(2025, 3, 31), STANDARD),
        (date(2025, 3, 31), date(2025, 5, 30), STANDARD),
        (date(2025, 3, 31), date(2025, 5, 31), SMA),
        (date(2025, 3, 31), date(2025, 6, 29), SMA),
        (date(2025, 3, 31), date(2025, 6, 30), SS),
        (date(2025, 3, 31), date(2025, 9, 29), SS),
        (date(2025, 3, 31), date(2025, 9, 30), DF),
        (date(2025, 3, 31), date(2026, 3, 30), DF),
        (date(2025, 3, 31), date(2026, 3, 31), BL),
        # the end of February
        (date(2024, 11, 30), date(2025, 2, 27), SMA),
        (date(2024, 11, 30), date(2025, 2, 28), SS),
        (date(2025, 2, 28), date(2025, 5, 27), SMA),
        (date(2025, 2, 28), date(2025, 5, 28), SS),
        (date(2023, 8, 31), date(2024, 2, 28), SS),
        (date(2023, 8, 31), date(2024, 2, 29), DF),
    ],
)
def test_time_classes_change_on_the_day_the_month_is_complete(
    late: date, as_of: date, expected: LoanClass
) -> None:
    arrears = standing([Due(1, PRINCIPAL, late, 1000)], [], as_of)
    assert grade(arrears, WHOLESALE).loan_class.tolist() == [expected]


@pytest.mark.parametrize(
    ("policy", "months", "expected"),
    [
        (BANK_2019, 7, STANDARD), (BANK_2019, 8, SMA), (BANK_2019, 9, SS), (BANK_2019, 14, SS),
        (BANK_2019, 15, DF), (BANK_2019, 17, DF), (BANK_2019, 18, BL),
        (BANK_CMS_2020, 11, STANDARD), (BANK_CMS_2020, 12, SS), (BANK_CMS_2020, 23, SS),
        (BANK_CMS_2020, 24, DF), (BANK_CMS_2020, 35, DF), (BANK_CMS_2020, 36, BL),
        (FC_LE5, 2, STANDARD), (FC_LE5, 3, SMA), (FC_LE5, 6, SS), (FC_LE5, 12, DF), (FC_LE5, 18, BL),
        (FC_GT5, 5, STANDARD), (FC_GT5, 6, SMA), (FC_GT5, 12, SS), (FC_GT5, 18, DF), (FC_GT5, 24, BL),
    ],
)  # fmt: skip
def test_lag_and_band_are_added_in_one_step(policy: int, months: int, expected: LoanClass) -> None:
    late = date(2021, 8, 31)
    due = [Due(1, PRINCIPAL, late, 1000)]
    on_the_day = standing(due, [], add_months(late, months))
    assert grade(on_the_day, policy).loan_class.tolist() == [expected]
    day_before = standing(due, [], add_months(late, months) - timedelta(days=1))
    assert grade(day_before, policy).loan_class[0] <= expected


def test_a_policy_may_count_from_the_day_after() -> None:
    rows = [
        ClassificationPolicy(
            policy=1, tier=Tier.SUBLOAN, effective_from=date(2020, 1, 1), test=ClassTest.TIME,
            ss=3, df=6, bl=12, counts_from=1,
        )
    ]  # fmt: skip
    policies = ClassificationPolicies.of(rows)
    due = [Due(1, PRINCIPAL, date(2025, 3, 31), 1000)]
    assert grade(standing(due, [], date(2025, 6, 30)), 1, policies).loan_class.tolist() == [STANDARD]
    assert grade(standing(due, [], date(2025, 7, 1)), 1, policies).loan_class.tolist() == [SS]


@pytest.mark.parametrize(
    ("instalments_paid", "as_of", "expected"),
    [
        # 1,100 a month from 31 January 2014; amounts overdue against 2, 3, 6, 9 months' dues
        (0, date(2014, 2, 27), STANDARD),  # one overdue of 1,100; two months' dues are 2,200
        (0, date(2014, 3, 1), SMA),  # two overdue
        (0, date(2014, 4, 1), SS),  # three
        (6, date(2014, 8, 1), STANDARD),
        (5, date(2014, 8, 1), SMA),
        (4, date(2014, 8, 1), SS),
        (1, date(2014, 8, 1), DF),
        (1, date(2014, 11, 1), BL),
    ],
)
def test_the_amount_test_compares_overdue_with_what_fell_due(
    instalments_paid: int, as_of: date, expected: LoanClass
) -> None:
    received = [Receipt(1, date(2014, 1, 31), 1100 * instalments_paid)] if instalments_paid else []
    arrears = standing(monthly(24, first=date(2014, 1, 31)), received, as_of, windows=CLASSIFICATION.windows)
    assert grade(arrears, BANK_2012).loan_class.tolist() == [expected]


def test_a_quarterly_instalment_missed_by_a_day_meets_the_amount_test_alone() -> None:
    quarterly = [Due(n, PRINCIPAL, add_months(date(2025, 6, 30), 3 * (n - 1)), 3000) for n in (1, 2, 3)]
    paid = [Receipt(1, date(2025, 6, 30), 3000)]
    arrears = standing(quarterly, paid, date(2025, 10, 1), windows=CLASSIFICATION.windows)
    result = grade(arrears, BANK_2025)
    assert (result.by_time.tolist(), result.by_amount.tolist()) == ([STANDARD], [SS])
    assert result.loan_class.tolist() == [SS]
    assert result.ground.tolist() == [Ground.AMOUNT]
    assert grade(arrears, WHOLESALE).loan_class.tolist() == [STANDARD]


def test_part_payments_keep_an_old_instalment_old_though_the_amount_is_small() -> None:
    received = [Receipt(1, date(2025, 8, 1), 1099 + 1100 * 4)]
    arrears = standing(monthly(12), received, date(2025, 7, 31), windows=CLASSIFICATION.windows)
    assert grade(arrears, BANK_2025).loan_class.tolist() == [DF]
    later = standing(monthly(12), received, date(2025, 8, 1), windows=CLASSIFICATION.windows)
    result = grade(later, BANK_2025)
    # five instalments less one poisha are paid: the fifth, of 31 May, is two months old
    assert later.overdue_since.astype(str).tolist() == ["2025-05-31"]
    assert result.by_time.tolist() == [SMA]


def test_an_amount_test_without_a_window_does_not_apply() -> None:
    arrears = standing(
        [Due(1, PRINCIPAL, date(2013, 1, 31), 1000)], [], date(2014, 1, 31), windows=CLASSIFICATION.windows
    )
    assert arrears.due_in_window.tolist() == [[0, 0, 0, 0, 0]]
    assert grade(arrears, BANK_2012).loan_class.tolist() == [STANDARD]


def test_after_the_last_instalment_time_goes_on_counting() -> None:
    arrears = standing(monthly(2), [], date(2026, 1, 31), windows=CLASSIFICATION.windows)
    result = grade(arrears, BANK_2025)
    assert result.months.tolist() == [12]
    assert result.loan_class.tolist() == [BL]
    assert result.ground.tolist() == [Ground.TIME]


def test_a_freeze_stops_the_class_and_not_the_days() -> None:
    arrears = standing([Due(1, PRINCIPAL, date(2025, 3, 31), 1000)], [], date(2025, 9, 30))
    chosen = Chosen(np.array([WHOLESALE]), np.array([WHOLESALE - 1]))
    frozen = classify(arrears, CLASSIFICATION, chosen, frozen=np.array([SMA], dtype=np.int8))
    assert frozen.loan_class.tolist() == [SMA]
    assert frozen.objective.tolist() == [DF]
    assert frozen.ground.tolist() == [Ground.FREEZE]
    assert arrears.days_past_due.tolist() == [183]
    text = explain(0, arrears, frozen, CLASSIFICATION, chosen)
    assert text.startswith("SMA: a freeze holds the class. Without it DF: ")
    better = classify(arrears, CLASSIFICATION, chosen, frozen=np.array([BL], dtype=np.int8))
    assert better.loan_class.tolist() == [DF]


def test_months_that_begin_days_after_the_due_date_put_no_loan_in_a_class_before() -> None:
    policy = ClassificationPolicy(
        policy=1, tier=Tier.WHOLESALE, effective_from=date(2020, 1, 1), test=ClassTest.TIME,
        sma=0, ss=2, df=5, bl=11, counts_from=30,
    )  # fmt: skip
    policies = ClassificationPolicies.of([policy])
    plan = [Due(1, PRINCIPAL, date(2025, 3, 31), 1000)]
    classes = {
        on: int(grade(standing(plan, [], on), 1, policies).loan_class[0])
        for on in (
            date(2025, 4, 1),
            date(2025, 4, 29),
            date(2025, 4, 30),
            date(2025, 6, 29),
            date(2025, 6, 30),
        )
    }
    assert list(classes.values()) == [STANDARD, STANDARD, SMA, SMA, SS]


@pytest.mark.parametrize(
    ("judged", "expected", "ground"),
    [(BL, BL, Ground.JUDGEMENT), (SMA, SS, Ground.TIME), (-1, SS, Ground.TIME)],
)
def test_judgement_may_worsen_and_never_flatter(judged: int, expected: LoanClass, ground: Ground) -> None:
    arrears = standing([Due(1, PRINCIPAL, date(2025, 3, 31), 1000)], [], date(2025, 6, 30))
    chosen = Chosen(np.array([WHOLESALE]), np.array([WHOLESALE - 1]))
    result = classify(arrears, CLASSIFICATION, chosen, judged=np.array([judged], dtype=np.int8))
    assert result.loan_class.tolist() == [expected]
    assert result.ground.tolist() == [ground]


@pytest.mark.parametrize("number", [NO_POLICY, AMBIGUOUS_POLICY])
def test_a_loan_without_a_policy_has_no_class_even_by_judgement(number: int) -> None:
    arrears = standing([Due(1, PRINCIPAL, date(2025, 3, 31), 1000)], [], date(2025, 6, 30))
    chosen = Chosen(np.array([number]), np.array([-1]))
    for policies in (CLASSIFICATION, ClassificationPolicies.of([])):
        result = classify(arrears, policies, chosen, judged=np.array([BL], dtype=np.int8))
        assert result.loan_class.tolist() == [LoanClass.UNCLASSIFIED]
        assert result.policy.tolist() == [number]
        assert result.ground.tolist() == [Ground.NO_POLICY]
        assert explain(0, arrears, result, policies, chosen).startswith("No class: ")


@pytest.mark.parametrize(
    ("plan", "policy", "as_of", "words"),
    [
        ([], WHOLESALE, date(2025, 6, 30), "STANDARD: nothing is overdue."),
        (
            [Due(1, PRINCIPAL, date(2025, 3, 31), 1000)], WHOLESALE, date(2025, 6, 30),
            ("SS: the oldest unpaid due is of 2025-03-31, 3 months overdue on 2025-06-30; "
            "the bound is 3 months."),
        ),
        (
            [Due(1, PRINCIPAL, date(2025, 3, 31), 1000)], BANK_2019, date(2025, 12, 31),
            ("SS: the oldest unpaid due is of 2025-03-31, 9 months overdue on 2025-12-31 "
            "(counted after a lag of 6 months); the bound is 9 months."),
        ),
        (
            [Due(1, PRINCIPAL, date(2025, 3, 31), 1000)], WHOLESALE, date(2025, 4, 30),
            ("STANDARD: the oldest unpaid due is of 2025-03-31, 1 month overdue on 2025-04-30, "
            "below every bound of the policy."),
        ),
        (
            [Due(1, PRINCIPAL, date(2013, 3, 1), 1000)], BANK_2012, date(2013, 5, 15),
            ("BL: 10.00 of principal and interest is overdue, not less than the 10.00 due "
            "in 9 months."),
        ),
    ],
)  # fmt: skip
def test_why_a_loan_is_in_its_class_is_said_in_words(
    plan: list[Due], policy: int, as_of: date, words: str
) -> None:
    arrears = standing(plan, [], as_of, windows=CLASSIFICATION.windows)
    chosen = Chosen(np.array([policy]), np.array([policy - 1]))
    result = classify(arrears, CLASSIFICATION, chosen)
    assert explain(0, arrears, result, CLASSIFICATION, chosen) == words


@given(st.integers(0, 60), st.sampled_from([BANK_2012, BANK_2019, BANK_CMS_2020, BANK_2025, FC_LE5, FC_GT5]))
def test_an_unpaid_loan_never_gets_a_better_class_as_time_goes_by(months: int, policy: int) -> None:
    if policy == BANK_2012:
        policy = BANK_2025
    now = add_months(date(2025, 1, 31), months)
    plan = monthly(12)
    classes = [
        int(grade(standing(plan, [], day, windows=CLASSIFICATION.windows), policy).loan_class[0])
        for day in (now, add_months(now, 1))
        if day > date(2025, 12, 31)
    ]
    assert classes == sorted(classes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ss": 7, "df": 6}, "do not rise"),
        ({"sma": 4}, "do not rise"),
        ({"test": ClassTest.AMOUNT, "lag": 6}, "cannot have a lag"),
        ({"policy": 0}, "positive numbers"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(change: dict[str, object], words: str) -> None:
    sound: dict[str, object] = {
        "policy": 1, "tier": Tier.SUBLOAN, "effective_from": date(2020, 1, 1), "test": ClassTest.TIME,
        "ss": 3, "df": 6, "bl": 9,
    }  # fmt: skip
    with pytest.raises(ValueError, match=words):
        ClassificationPolicies.of([ClassificationPolicy(**{**sound, **change})])  # type: ignore[arg-type]
