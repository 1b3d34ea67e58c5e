from django.apps import AppConfig


class RepaymentsConfig(AppConfig):
    name = "repayments"
    default_auto_field = "django.db.models.BigAutoField"
