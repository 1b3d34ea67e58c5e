"""What people fill in about institutions and people."""
