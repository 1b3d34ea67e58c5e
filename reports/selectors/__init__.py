"""Read the facts that reports are made of, as of a date and known by a booking. Sets, never one loan at a time."""
