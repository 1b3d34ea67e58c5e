"""The nouns of repayments: files in, money received, what it settled, and each day's standing."""

from repayments.models.charges import ChargePolicy
from repayments.models.closes import (
    ArrearsSnapshot,
    CloseRequest,
    ControlTotal,
    DayRun,
    DayRunSlice,
    MonthEndSnapshot,
    StandingBase,
)
from repayments.models.event_policies import ReschedulePolicy, WriteOffPolicy
from repayments.models.events import LoanEvent, LoanEventLine
from repayments.models.judgements import ClassFloor, ClassFloorRelease, ClassFreeze, RulingProposal
from repayments.models.policies import ClassificationPolicy, ProvisionPolicy
from repayments.models.positions import ReportedPosition
from repayments.models.receipts import Allocation, Receipt, ReceiptProposal
from repayments.models.returns import ClassificationReturn, ReturnLine
from repayments.models.uploads import Upload, UploadRow

__all__ = [
    "Allocation",
    "ArrearsSnapshot",
    "ChargePolicy",
    "ClassFloor",
    "ClassFloorRelease",
    "ClassFreeze",
    "ClassificationPolicy",
    "ClassificationReturn",
    "CloseRequest",
    "ControlTotal",
    "DayRun",
    "DayRunSlice",
    "LoanEvent",
    "LoanEventLine",
    "MonthEndSnapshot",
    "ProvisionPolicy",
    "Receipt",
    "ReceiptProposal",
    "ReportedPosition",
    "ReschedulePolicy",
    "ReturnLine",
    "RulingProposal",
    "StandingBase",
    "Upload",
    "UploadRow",
    "WriteOffPolicy",
]
