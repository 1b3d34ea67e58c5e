"""How large a file may be. Set by what a bank's month needs (tens of thousands of rows), with room."""

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 120
MAX_CELL = 1_000
"""Characters kept of a cell; longer ones are cut, and no field we read is that long."""

MAX_ENTRIES = 1_000
MAX_UNPACKED = 160 * 1024 * 1024
MAX_MEMBER = 96 * 1024 * 1024
MAX_RATIO = 100
"""Unpacked over packed of one member above ``RATIO_FROM``. Sheets pack 5 to 30 times, zeros 1,000 times."""
RATIO_FROM = 1024 * 1024
