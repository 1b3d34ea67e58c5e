"""The nouns of repayments: files in, money received, what it settled, and each day's standing."""

from repayments.models.closes import ArrearsSnapshot, CloseRequest, ControlTotal, DayRun, DayRunSlice
from repayments.models.events import LoanEvent, LoanEventLine
from repayments.models.policies import ClassificationPolicy, ProvisionPolicy
from repayments.models.receipts import Allocation, Receipt, ReceiptProposal
from repayments.models.uploads import Upload, UploadRow

__all__ = [
    "Allocation",
    "ArrearsSnapshot",
    "ClassificationPolicy",
    "CloseRequest",
    "ControlTotal",
    "DayRun",
    "DayRunSlice",
    "LoanEvent",
    "LoanEventLine",
    "ProvisionPolicy",
    "Receipt",
    "ReceiptProposal",
    "Upload",
    "UploadRow",
]
