"""Read the facts that reports are made of, as of a date and known by a booking. Always sets of loans."""
