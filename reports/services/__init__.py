"""Make reports, record their runs, and do the long ones."""
