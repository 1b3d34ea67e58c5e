"""What people fill in to lend."""
