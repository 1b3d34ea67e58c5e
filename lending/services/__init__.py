"""Deciding and disbursing."""
