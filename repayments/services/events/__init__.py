"""Loan events: shown before they are made, proposed by one person, decided by another, booked once.

``steps`` holds what a person does (preview, propose, withdraw, reject, approve); each kind has a file
that works out what it would do to the plan and the money; ``writing`` puts the outcome in the books.
"""
