"""The pages of repayments. Each module names its addresses in `urls`."""
