"""The pages of the daybook: business days, holidays, bookings, and the audit trail."""
