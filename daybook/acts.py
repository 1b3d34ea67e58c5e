"""What was done, in words: the trail and the bookings keep ``noun.verb``, people read "Tranche: approved"."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

NOUNS: dict[str, Promise] = {
    "agreement": pgettext_lazy("thing", "Agreement"),
    "allotment": pgettext_lazy("thing", "Allotment"),
    "application": pgettext_lazy("thing", "Application"),
    "authority": pgettext_lazy("thing", "Approval authority"),
    "branch": pgettext_lazy("thing", "Branch"),
    "class_floor": pgettext_lazy("thing", "Class held"),
    "close": pgettext_lazy("thing", "Close of day"),
    "day": pgettext_lazy("thing", "Business date"),
    "exposure_limit": pgettext_lazy("thing", "Exposure limit"),
    "facility": pgettext_lazy("thing", "Facility"),
    "holiday": pgettext_lazy("thing", "Holiday"),
    "institution": pgettext_lazy("thing", "Institution"),
    "limits": pgettext_lazy("thing", "Limits"),
    "loan": pgettext_lazy("thing", "Loan"),
    "loan_event": pgettext_lazy("thing", "Loan event"),
    "penal_rate": pgettext_lazy("thing", "Penal rate"),
    "person": pgettext_lazy("thing", "Person"),
    "policy": pgettext_lazy("thing", "Policy"),
    "portfolio": pgettext_lazy("thing", "Portfolio"),
    "proposal": pgettext_lazy("thing", "Proposal"),
    "ratio": pgettext_lazy("thing", "Ratio"),
    "receipt": pgettext_lazy("thing", "Receipt"),
    "reference": pgettext_lazy("thing", "Reference data"),
    "report": pgettext_lazy("thing", "Report"),
    "return": pgettext_lazy("thing", "Return of classes"),
    "role": pgettext_lazy("thing", "Role"),
    "ruling": pgettext_lazy("thing", "Ruling on a class"),
    "statements": pgettext_lazy("thing", "Statements"),
    "subloan": pgettext_lazy("thing", "Sub-loans"),
    "terms": pgettext_lazy("thing", "Terms"),
    "tranche": pgettext_lazy("thing", "Tranche"),
    "upload": pgettext_lazy("thing", "Uploaded file"),
    "upload_row": pgettext_lazy("thing", "Row of a file"),
}
VERBS: dict[str, Promise] = {
    "add": pgettext_lazy("done to a thing", "added"),
    "answer": pgettext_lazy("done to a thing", "answered"),
    "appraise": pgettext_lazy("done to a thing", "appraised"),
    "approve": pgettext_lazy("done to a thing", "approved"),
    "approved": pgettext_lazy("done to a thing", "approved"),
    "ask_close": pgettext_lazy("done to a thing", "close asked for"),
    "borrowers": pgettext_lazy("done to a thing", "list of borrowers"),
    "cancel": pgettext_lazy("done to a thing", "cancelled"),
    "change": pgettext_lazy("done to a thing", "changed"),
    "clear": pgettext_lazy("done to a thing", "cleared"),
    "close": pgettext_lazy("done to a thing", "closed"),
    "confirm": pgettext_lazy("done to a thing", "confirmed"),
    "correct": pgettext_lazy("done to a thing", "corrected"),
    "decide": pgettext_lazy("done to a thing", "decided"),
    "declare": pgettext_lazy("done to a thing", "declared"),
    "discard": pgettext_lazy("done to a thing", "set aside"),
    "disburse": pgettext_lazy("done to a thing", "disbursed"),
    "download": pgettext_lazy("done to a thing", "downloaded"),
    "draft": pgettext_lazy("done to a thing", "drafted"),
    "drop_snapshots": pgettext_lazy("done to a thing", "old snapshots dropped"),
    "end": pgettext_lazy("done to a thing", "ended"),
    "first_administrator": pgettext_lazy("done to a thing", "first administrator"),
    "give": pgettext_lazy("done to a thing", "given"),
    "import": pgettext_lazy("done to a thing", "imported"),
    "list": pgettext_lazy("done to a thing", "list changed"),
    "load": pgettext_lazy("done to a thing", "loaded"),
    "lock": pgettext_lazy("done to a thing", "locked"),
    "moratorium": pgettext_lazy("done to a thing", "moratorium"),
    "open": pgettext_lazy("done to a thing", "opened"),
    "positions": pgettext_lazy("done to a thing", "positions"),
    "post": pgettext_lazy("done to a thing", "posted"),
    "prepayment": pgettext_lazy("done to a thing", "prepayment"),
    "propose": pgettext_lazy("done to a thing", "proposed"),
    "propose_reversal": pgettext_lazy("done to a thing", "reversal proposed"),
    "raise": pgettext_lazy("done to a thing", "dues raised"),
    "rate_change": pgettext_lazy("done to a thing", "change of rate"),
    "read": pgettext_lazy("done to a thing", "read"),
    "receive": pgettext_lazy("done to a thing", "received"),
    "refund": pgettext_lazy("done to a thing", "refund"),
    "refuse": pgettext_lazy("done to a thing", "refused"),
    "reject": pgettext_lazy("done to a thing", "rejected"),
    "rejected": pgettext_lazy("done to a thing", "rejected"),
    "renew": pgettext_lazy("done to a thing", "renewed"),
    "repayments": pgettext_lazy("done to a thing", "repayments"),
    "request": pgettext_lazy("done to a thing", "requested"),
    "reschedule": pgettext_lazy("done to a thing", "rescheduling"),
    "restructure": pgettext_lazy("done to a thing", "restructuring"),
    "retry": pgettext_lazy("done to a thing", "tried again"),
    "return": pgettext_lazy("done to a thing", "sent back"),
    "returned": pgettext_lazy("done to a thing", "sent back"),
    "reverse": pgettext_lazy("done to a thing", "reversed"),
    "see_nid": pgettext_lazy("done to a thing", "NID seen"),
    "set": pgettext_lazy("done to a thing", "set"),
    "set_email": pgettext_lazy("done to a thing", "e-mail changed"),
    "settlement": pgettext_lazy("done to a thing", "early settlement"),
    "sign_exceptions": pgettext_lazy("done to a thing", "exceptions signed"),
    "start": pgettext_lazy("done to a thing", "started"),
    "status": pgettext_lazy("done to a thing", "status changed"),
    "submit": pgettext_lazy("done to a thing", "submitted"),
    "subloans": pgettext_lazy("done to a thing", "sub-loan list"),
    "waiver": pgettext_lazy("done to a thing", "waiver"),
    "withdraw": pgettext_lazy("done to a thing", "withdrawn"),
    "withdrawn": pgettext_lazy("done to a thing", "withdrawn"),
    "write_off": pgettext_lazy("done to a thing", "write-off"),
}


def act_words(act: str) -> str:
    """``tranche.approve`` as "Tranche: approved"; a word nobody put here stays as it is kept."""
    noun, *verbs = act.split(".")
    # "approve.approved" is one word; a proposal's verb may be the thing proposed.
    done = dict.fromkeys(_word({**NOUNS, **VERBS}, verb) for verb in verbs)
    return f"{_word(NOUNS, noun)}: {', '.join(done)}" if verbs else act


def choices(words: dict[str, Promise]) -> list[tuple[str, str]]:
    """Words as choices of a filter, in the reader's order; of two that read the same, the first."""
    first: dict[str, str] = {}
    for kept, word in words.items():
        first.setdefault(str(word), kept)
    return sorted(((kept, word) for word, kept in first.items()), key=lambda pair: pair[1])


def same_words(words: dict[str, Promise], kept: str) -> list[str]:
    """Everything kept that reads as this does."""
    return [other for other, word in words.items() if str(word) == str(words.get(kept))]


def _word(words: dict[str, Promise], kept: str) -> str:
    return str(words[kept]) if kept in words else kept.replace("_", " ")
