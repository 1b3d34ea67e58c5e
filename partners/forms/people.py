"""Forms of people, their roles and what roles may decide."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from daybook.forms import DayField, TakaField
from partners import words
from partners.models import Institution, Membership, User


class PersonForm(forms.Form):
    """A person who may sign in."""

    username = forms.SlugField(label=_("Signs in as"), max_length=150)
    full_name = forms.CharField(label=_("Full name"), max_length=120)
    full_name_bn = forms.CharField(label=_("Name in Bangla"), max_length=160, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=[("en", "English"), ("bn", "বাংলা")])
    email = forms.EmailField(
        label=_("E-mail"), required=False, help_text=_("For letters about closes that fail or are late.")
    )
    password = forms.CharField(
        label=_("First password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least ten characters; the person changes it after signing in."),
    )


class RoleForm(forms.Form):
    """A role between two dates."""

    role = forms.ChoiceField(label=_("Role"), choices=words.choices(words.ROLES))
    institution = forms.ModelChoiceField(
        label=_("Institution"),
        queryset=Institution.objects.all(),
        required=False,
        empty_label=_("The foundation"),
    )
    from_date = DayField(label=_("From"))
    to_date = DayField(label=_("To"), required=False)
    stands_in_for = forms.ModelChoiceField(
        label=_("Stands in for"), queryset=User.objects.filter(is_active=True), required=False
    )
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}))


class EmailForm(forms.Form):
    """Where the system writes to a person."""

    email = forms.EmailField(label=_("E-mail"), required=False)


class EndRoleForm(forms.Form):
    """The last day of a role."""

    membership = forms.ModelChoiceField(label=_("Role"), queryset=Membership.objects.none())
    to_date = DayField(label=_("Last day"))
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: object, user: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["membership"].queryset = user.memberships.filter(to_date__isnull=True)  # type: ignore[attr-defined]


class AuthorityForm(forms.Form):
    """Up to what amount a role decides."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=[
            (code, words.ROLES[code]) for code in (Membership.Role.APPROVER, Membership.Role.FINANCE_HEAD)
        ],
    )
    effective_date = DayField(label=_("From"))
    amount = TakaField(label=_("Up to (Tk)"))
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}))
