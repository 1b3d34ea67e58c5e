"""From a report object to bytes: sheet, comma-separated text, paper, chart. Nothing is computed here."""
