"""Wires Paikar together: settings, addresses, Celery, set-up, the page frame. Contains no rule."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
