"""Pages that tell. Thin: a form reads the question, a service makes the report, a template shows it."""
