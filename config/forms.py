"""How Django draws forms: Tabler's classes, from our templates."""

from django.forms.renderers import TemplatesSetting


class PaikarRenderer(TemplatesSetting):
    """Find form templates in the apps, so that ours replace Django's."""

    form_template_name = "config/forms/form.html"
    field_template_name = "config/forms/field.html"
