"""Pages about institutions and people."""
