"""Objects that pages show, built from the facts before anything is rendered."""
