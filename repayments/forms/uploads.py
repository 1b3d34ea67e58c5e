"""Forms of uploads: the file and what it is, a row put right, a confirmation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lending.models import Agreement, Application
from repayments.models import Upload
from repayments.parsing import limits

KINDS = [
    (Upload.Kind.REPAYMENTS, gettext_lazy("Sub-loan repayments")),
    (Upload.Kind.SUBLOANS, gettext_lazy("Sub-loan disbursements")),
    (Upload.Kind.BORROWERS, gettext_lazy("Intended borrowers of an application")),
    (Upload.Kind.POSITIONS, gettext_lazy("Positions of sub-loans as stated")),
]
DATE_ORDERS = [
    (Upload.DateOrder.DAY_FIRST, gettext_lazy("Day first: 25/03/2026")),
    (Upload.DateOrder.MONTH_FIRST, gettext_lazy("Month first: 03/25/2026")),
]
_OPEN = [Application.State.DRAFT, Application.State.RETURNED]


class UploadForm(forms.Form):
    """A file from an institution. The choices are the institution's own agreements and open applications."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=True,
        help_text=gettext_lazy("CSV or Excel (.xlsx, .xls), at most 10 MB and 50,000 rows."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,.xls", "data-drop": ""}),
    )
    kind = forms.ChoiceField(label=gettext_lazy("What it holds"), choices=KINDS, widget=forms.RadioSelect)
    application: Any = forms.ModelChoiceField(
        label=gettext_lazy("Application"),
        queryset=Application.objects.none(),
        required=False,
        help_text=gettext_lazy("For a list of intended borrowers."),
    )
    agreement: Any = forms.ModelChoiceField(
        label=gettext_lazy("Agreement"),
        queryset=Agreement.objects.none(),
        required=False,
        empty_label=gettext_lazy("Any, as the tranches in the list say"),
        help_text=gettext_lazy("For a list of disbursements."),
    )
    date_order = forms.ChoiceField(
        label=gettext_lazy("Dates in digits are written"),
        choices=DATE_ORDERS,
        initial=Upload.DateOrder.DAY_FIRST,
    )

    def __init__(self, *args: Any, institution_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        applications = Application.objects.filter(institution_id=institution_id, state__in=_OPEN)
        agreements = Agreement.objects.filter(institution_id=institution_id, state=Agreement.State.ACTIVE)
        self.fields["application"].queryset = applications  # type: ignore[attr-defined]
        self.fields["agreement"].queryset = agreements  # type: ignore[attr-defined]
        has_list = applications.exists()
        kinds = [choice for choice in KINDS if choice[0] != Upload.Kind.BORROWERS or has_list]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]
        if not has_list:
            del self.fields["application"]

    def clean_file(self) -> Any:
        """Refuse a large file by its stated size, before its bytes are taken into memory."""
        file = self.cleaned_data["file"]
        if file.size > limits.MAX_BYTES:
            raise forms.ValidationError(
                _("The file has %(size)s MB; the most is %(limit)s MB. Split it by branch or by month.")
                % {"size": f"{file.size / 1024**2:.1f}", "limit": limits.MAX_BYTES // 1024**2}
            )
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == Upload.Kind.BORROWERS and not cleaned.get("application"):
            self.add_error("application", _("Choose the application the borrowers belong to."))
        return cleaned


class RowForm(forms.Form):
    """The cells of one row that are read, to be put right; one field per column."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("The checker and the auditor will read it."),
    )

    def __init__(self, *args: Any, cells: list[tuple[str, str, str, bool]], **kwargs: Any) -> None:
        """``cells``: column letter, label, text as it stands, whether every row must fill it."""
        super().__init__(*args, **kwargs)
        self._letters = [letter for letter, *_rest in cells]
        for letter, label, text, is_filled in cells:
            self.fields[f"cell_{letter}"] = forms.CharField(
                label=label, max_length=160, required=is_filled, initial=text
            )
        self.order_fields([*(f"cell_{letter}" for letter in self._letters), "reason"])

    def corrections(self) -> dict[str, str]:
        """Column letter → new text, of the cells that changed."""
        return {
            letter: self.cleaned_data[f"cell_{letter}"]
            for letter in self._letters
            if self.cleaned_data[f"cell_{letter}"] != self.fields[f"cell_{letter}"].initial
        }
