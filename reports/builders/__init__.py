"""From facts to a report: plain objects with every total made once, before any page, sheet or paper."""
