"""What the codes of lending are called on a page, in the reader's language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lending.contract_words import contract_words
from lending.models import Agreement, Application, Cluster, FacilityCancellation, PenalRate, Tranche
from lending.models.borrowers import Activity, Gender, SizeTier

Words = dict[str, Promise | str]

AGREEMENT_STATES: Words = {
    Agreement.State.DRAFT: _("Draft"),
    Agreement.State.ACTIVE: _("In force"),
    Agreement.State.ENDED: _("Ended"),
}
APPLICATION_STATES: Words = {
    Application.State.DRAFT: _("Draft"),
    Application.State.SUBMITTED: _("Submitted"),
    Application.State.APPRAISED: _("Appraised"),
    Application.State.RETURNED: _("Returned for correction"),
    Application.State.APPROVED: _("Approved"),
    Application.State.REJECTED: _("Rejected"),
    Application.State.WITHDRAWN: _("Withdrawn"),
}
TRANCHE_STATES: Words = {
    Tranche.State.REQUESTED: _("Requested"),
    Tranche.State.CLEARED: _("Cleared"),
    Tranche.State.APPROVED: _("Approved"),
    Tranche.State.DISBURSED: _("Disbursed"),
    Tranche.State.CANCELLED: _("Cancelled"),
}
CANCELLATION_STATES: Words = {
    FacilityCancellation.State.PROPOSED: _("Waiting"),
    FacilityCancellation.State.APPROVED: _("Approved"),
    FacilityCancellation.State.REJECTED: _("Rejected"),
    FacilityCancellation.State.WITHDRAWN: _("Withdrawn"),
}
STEPS: Words = {
    "draft": _("Drafted"),
    "change": _("Changed"),
    "list": _("Borrower list loaded"),
    "submit": _("Submitted"),
    "appraise": _("Appraised"),
    "decide": _("Decided"),
    "withdraw": _("Withdrawn"),
    "approve": _("Approved"),
    "request": _("Requested"),
    "clear": _("Cleared"),
    "disburse": _("Disbursed"),
    "cancel": _("Cancelled"),
    "end": _("Ended"),
}
OUTCOMES: Words = {
    "done": _("Done"),
    "approved": _("Approved"),
    "returned": _("Returned"),
    "rejected": _("Rejected"),
    "cancelled": _("Cancelled"),
}
METHODS: Words = {
    "equal_principal": _("Equal principal"),
    "equal_instalment": _("Equal instalments"),
    "flat": _("Flat"),
    "bullet": _("All at the end"),
    "step_up": _("Instalments that step up"),
    "irregular": _("Irregular amounts, given with each tranche"),
}
FREQUENCIES: Words = {
    "weekly": _("Weekly"),
    "fortnightly": _("Fortnightly"),
    "monthly": _("Monthly"),
    "quarterly": _("Quarterly"),
    "half_yearly": _("Half-yearly"),
    "yearly": _("Yearly"),
    "every_n_days": _("Every so many days"),
}
GRACE_KINDS: Words = {
    "none": _("No grace"),
    "interest_paid": _("Interest is paid during grace"),
    "interest_added": _("Interest is added at the end of grace"),
    "interest_capitalised": _("Interest is capitalised each period"),
    "interest_deferred": _("Interest waits and is paid after grace"),
    "interest_waived": _("No interest is charged during grace"),
}
DAY_COUNTS: Words = {
    "ACT/360": _("Actual days over 360"),
    "ACT/365F": _("Actual days over 365"),
    "ACT/ACT": _("Actual days over the days of the year"),
    "ACT/364": _("Actual days over 364"),
    "30/360": _("30 over 360"),
    "30E/360": _("30 over 360, European"),
    "MONTHLY/12": _("Twelfths of a year"),
}
ROLL_RULES: Words = {
    "none": _("Stays where it is"),
    "following": _("Next working day"),
    "modified_following": _("Next working day, within the month"),
    "preceding": _("Working day before"),
}
INTEREST_TO: Words = {
    "nominal": _("To the date as planned"),
    "adjusted": _("To the working day it moved to"),
}
INTEREST_BASES: Words = {
    "scheduled": _("As planned"),
    "daily_product": _("By the day, on what is outstanding"),
}
ROUNDINGS: Words = {
    "half_up": _("To the nearest, halves up"),
    "half_even": _("To the nearest, halves to even"),
    "up": _("Up"),
    "down": _("Down"),
}
QUANTA: Words = {
    "1": _("one poisha"),
    "100": _("1 taka"),
    "500": _("5 taka"),
    "1000": _("10 taka"),
}
RESIDUES: Words = {"last": _("The last instalment"), "first": _("The first instalment")}
ALLOCATION_ORDERS: Words = {
    "oldest_first": _("Oldest instalment first"),
    "by_component": _("Charges, then penal, then interest, then principal, of all instalments"),
    "principal_first": _("Principal first"),
    "grid": _("As the list below says"),
}
CONTRACT_MODES: Words = {mode.value: contract_words(mode).contract for mode in Agreement.ContractMode}
PENAL_RATE_STATES: Words = {
    PenalRate.State.PROPOSED: _("Waiting for a second person"),
    PenalRate.State.APPROVED: _("Approved"),
    PenalRate.State.REJECTED: _("Rejected"),
}
CLUSTER_KINDS: Words = {Cluster.Kind.CLUSTER: _("Cluster"), Cluster.Kind.CLIENTELE: _("Clientele group")}
CLUSTER_STATES: Words = {
    Cluster.Status.CONFIRMED: _("Confirmed"),
    Cluster.Status.PROVISIONAL: _("Provisional"),
}
SIZES: Words = {
    SizeTier.INFORMAL: _("Informal"),
    SizeTier.COTTAGE: _("Cottage"),
    SizeTier.MICRO: _("Micro"),
    SizeTier.SMALL: _("Small"),
    SizeTier.MEDIUM: _("Medium"),
}
GENDERS: Words = {Gender.FEMALE: _("Woman"), Gender.MALE: _("Man"), Gender.THIRD: _("Third gender")}
ACTIVITIES: Words = {
    Activity.MANUFACTURING: _("Manufacturing"),
    Activity.SERVICE: _("Service"),
    Activity.TRADING: _("Trading"),
}
CONFIDENCES: Words = {
    "H": _("stated by several sources"),
    "M": _("one source, or inferred"),
    "L": _("sources disagree"),
    "K": _("known to practitioners; confirm it"),
}


def choices(words: Words) -> list[tuple[str, Promise | str]]:
    """For a form field."""
    return [(str(code), word) for code, word in words.items()]
