"""The app that holds the page frame, set-up commands and sign-in."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Paikar"
