"""Carry the demonstration out: the same services, in the same order, by the same people as in real life."""
