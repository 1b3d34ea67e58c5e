"""Floors and freezes of class, returns as reported, positions as stated, and their proposals."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("daybook", "0002_guards"),
        ("lending", "0014_security_is_booked"),
        ("partners", "0004_partner_acts_as_itself"),
        ("repayments", "0014_events_are_kept"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="provisionpolicy",
            name="floor_percent",
            field=models.DecimalField(
                decimal_places=3,
                default=0,
                help_text="Least share of the outstanding that the base of a classified loan may be; 0: none.",
                max_digits=6,
            ),
        ),
        migrations.AlterField(
            model_name="upload",
            name="kind",
            field=models.CharField(
                choices=[
                    ("repayments", "Sub-loan repayments"),
                    ("subloans", "Sub-loan disbursements"),
                    ("borrowers", "Intended borrowers of an application"),
                    ("positions", "Positions of sub-loans as stated"),
                ],
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="ClassFloor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.TextField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("judgement", "Qualitative judgement"),
                            ("rescheduled", "Held since rescheduling"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "at_least",
                    models.SmallIntegerField(
                        choices=[(0, "Standard"), (1, "SMA"), (2, "SS"), (3, "DF"), (4, "BL")]
                    ),
                ),
                ("from_date", models.DateField()),
                (
                    "approved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="daybook.booking"
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.institution",
                    ),
                ),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="class_floors",
                        to="lending.loan",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["loan_id", "from_date", "id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ClassFloorRelease",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.TextField()),
                ("from_date", models.DateField()),
                (
                    "approved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="daybook.booking"
                    ),
                ),
                (
                    "floor",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="release",
                        to="repayments.classfloor",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.institution",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["floor_id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ClassFreeze",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.TextField()),
                ("reference", models.CharField(help_text="Circular or decision.", max_length=120)),
                (
                    "tier",
                    models.CharField(
                        blank=True,
                        choices=[("wholesale", "Wholesale"), ("subloan", "Sub-loan")],
                        max_length=9,
                    ),
                ),
                (
                    "applies_to",
                    models.CharField(
                        choices=[
                            ("bank", "Banks"),
                            ("finance_company", "Finance companies"),
                            ("any", "Any institution"),
                        ],
                        default="any",
                        max_length=16,
                    ),
                ),
                (
                    "sizes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), blank=True, default=list, size=None
                    ),
                ),
                ("from_date", models.DateField()),
                ("to_date", models.DateField()),
                ("is_withdrawn", models.BooleanField(default=False)),
                (
                    "approved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="daybook.booking"
                    ),
                ),
                (
                    "district",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.district",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.institution",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="lending.programme",
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="repayments.classfreeze",
                    ),
                ),
            ],
            options={
                "ordering": ["-from_date", "-id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ClassificationReturn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "work",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for a person"),
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("done_count", models.PositiveIntegerField(default=0)),
                ("total_count", models.PositiveIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("claimed_by", models.CharField(blank=True, max_length=120)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("queued_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tier",
                    models.CharField(
                        choices=[("wholesale", "Wholesale"), ("subloan", "Sub-loan")], max_length=9
                    ),
                ),
                ("as_of", models.DateField()),
                ("known_by", models.DateField(help_text="Business date whose knowledge it is drafted from.")),
                ("last_booking_id", models.BigIntegerField()),
                ("policies", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft, waiting for a second person"),
                            ("locked", "Locked"),
                            ("discarded", "Discarded"),
                        ],
                        default="draft",
                        max_length=9,
                    ),
                ),
                ("loan_count", models.PositiveIntegerField(default=0)),
                ("provision_minor", models.BigIntegerField(default=0)),
                ("checksum", models.CharField(blank=True, help_text="SHA-256 of its lines.", max_length=64)),
                ("reason", models.TextField(blank=True, help_text="Remarks of whoever drafted it.")),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decision_reason", models.TextField(blank=True)),
                (
                    "booking",
                    models.ForeignKey(
                        blank=True,
                        help_text="Of the lock: what is known from then on.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="daybook.booking",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: every institution.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.institution",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-as_of", "tier", "-id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ReportedPosition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("as_of", models.DateField()),
                ("outstanding_minor", models.BigIntegerField()),
                ("overdue_minor", models.BigIntegerField(blank=True, null=True)),
                (
                    "declared_class",
                    models.SmallIntegerField(
                        blank=True,
                        choices=[(0, "Standard"), (1, "SMA"), (2, "SS"), (3, "DF"), (4, "BL")],
                        null=True,
                    ),
                ),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="daybook.booking"
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.institution",
                    ),
                ),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reported_positions",
                        to="lending.loan",
                    ),
                ),
                (
                    "upload_row",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reported_position",
                        to="repayments.uploadrow",
                    ),
                ),
            ],
            options={
                "ordering": ["loan_id", "as_of", "booking_id"],
            },
        ),
        migrations.CreateModel(
            name="ReturnLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "classification_return_id",
                        "loan_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("loan_id", models.BigIntegerField()),
                ("institution_id", models.BigIntegerField()),
                ("programme_id", models.BigIntegerField()),
                ("size_tier", models.SmallIntegerField(help_text="calc.classification.SizeTier")),
                ("currency", models.CharField(max_length=3)),
                (
                    "loan_class",
                    models.SmallIntegerField(help_text="calc.classification.LoanClass; -1: no policy."),
                ),
                ("objective_class", models.SmallIntegerField(help_text="By the figures alone.")),
                ("class_basis", models.SmallIntegerField(help_text="calc.classification.Basis")),
                (
                    "is_carried",
                    models.BooleanField(default=False, help_text="Its facts contradict each other."),
                ),
                ("days_past_due", models.IntegerField()),
                ("months_overdue", models.IntegerField()),
                ("outstanding_minor", models.BigIntegerField()),
                ("interest_due_minor", models.BigIntegerField()),
                ("overdue_minor", models.BigIntegerField()),
                ("suspense_minor", models.BigIntegerField()),
                ("security_minor", models.BigIntegerField()),
                ("base_minor", models.BigIntegerField()),
                ("provision_minor", models.BigIntegerField()),
                ("classification_policy_id", models.BigIntegerField()),
                ("provision_policy_id", models.BigIntegerField()),
                (
                    "classification_return",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="repayments.classificationreturn",
                    ),
                ),
            ],
            options={
                "ordering": ["classification_return_id", "loan_id"],
            },
        ),
        migrations.CreateModel(
            name="RulingProposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("floor", "Hold a class"),
                            ("release", "Release a held class"),
                            ("freeze", "Freeze classes"),
                            ("security", "Security of a loan"),
                            ("class_policy", "Policy of class"),
                            ("provision_policy", "Policy of provision"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting for a second person"),
                            ("approved", "Approved and booked"),
                            ("rejected", "Rejected"),
                        ],
                        default="proposed",
                        max_length=8,
                    ),
                ),
                ("parameters", models.JSONField(default=dict)),
                ("reason", models.TextField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decision_reason", models.TextField(blank=True)),
                (
                    "booking",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="daybook.booking",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.institution",
                    ),
                ),
                (
                    "loan",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rulings",
                        to="lending.loan",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="classfloor",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="classfloor_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="classfloor",
            constraint=models.CheckConstraint(
                condition=models.Q(("made_by", models.F("approved_by")), _negated=True),
                name="classfloor_maker_is_not_checker",
            ),
        ),
        migrations.AddConstraint(
            model_name="classfloor",
            constraint=models.CheckConstraint(
                condition=models.Q(("at_least__gte", 0), ("at_least__lte", 4)), name="classfloor_class_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="classfloor",
            constraint=models.UniqueConstraint(
                fields=("id", "institution"), name="classfloor_id_institution"
            ),
        ),
        migrations.AddConstraint(
            model_name="classfloorrelease",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="classfloorrelease_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="classfloorrelease",
            constraint=models.CheckConstraint(
                condition=models.Q(("made_by", models.F("approved_by")), _negated=True),
                name="classfloorrelease_maker_is_not_checker",
            ),
        ),
        migrations.AddConstraint(
            model_name="classfreeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="classfreeze_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="classfreeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("made_by", models.F("approved_by")), _negated=True),
                name="classfreeze_maker_is_not_checker",
            ),
        ),
        migrations.AddConstraint(
            model_name="classfreeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("to_date__gte", models.F("from_date"))),
                name="classfreeze_ends_after_it_begins",
            ),
        ),
        migrations.AddConstraint(
            model_name="classfreeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_withdrawn", False), ("replaces__isnull", False), _connector="OR"),
                name="classfreeze_withdraws_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="classfreeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("reference", ""), _negated=True), name="classfreeze_names_its_source"
            ),
        ),
        migrations.AddConstraint(
            model_name="classificationreturn",
            constraint=models.CheckConstraint(
                condition=models.Q(("done_count__lte", models.F("total_count"))),
                name="classification_return_progress",
            ),
        ),
        migrations.AddConstraint(
            model_name="classificationreturn",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("made_by")), _negated=True),
                    ("state", "discarded"),
                    _connector="OR",
                ),
                name="classification_return_maker_is_not_checker",
            ),
        ),
        migrations.AddConstraint(
            model_name="classificationreturn",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("booking__isnull", True), ("decided_by__isnull", True), ("state", "draft")),
                    models.Q(
                        ("booking__isnull", True), ("decided_by__isnull", False), ("state", "discarded")
                    ),
                    models.Q(
                        ("booking__isnull", False),
                        ("decided_by__isnull", False),
                        ("state", "locked"),
                        ("work", "done"),
                        models.Q(("checksum", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="classification_return_locked_in_full",
            ),
        ),
        migrations.AddConstraint(
            model_name="classificationreturn",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "discarded"), _negated=True),
                fields=("tier", "institution", "as_of"),
                name="classification_return_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddIndex(
            model_name="reportedposition",
            index=models.Index(fields=["institution", "as_of"], name="repayments__institu_f8b7a9_idx"),
        ),
        migrations.AddConstraint(
            model_name="reportedposition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("outstanding_minor__gte", 0),
                    models.Q(("overdue_minor__isnull", True), ("overdue_minor__gte", 0), _connector="OR"),
                ),
                name="reported_position_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportedposition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("declared_class__isnull", True),
                    models.Q(("declared_class__gte", 0), ("declared_class__lte", 4)),
                    _connector="OR",
                ),
                name="reported_position_class_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulingproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="ruling_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="rulingproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="ruling_maker_is_not_checker",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulingproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("booking__isnull", True), ("decided_by__isnull", True), ("state", "proposed")),
                    models.Q(
                        ("booking__isnull", False), ("decided_by__isnull", False), ("state", "approved")
                    ),
                    models.Q(("booking__isnull", True), ("decided_by__isnull", False), ("state", "rejected")),
                    _connector="OR",
                ),
                name="ruling_decided_by_someone",
            ),
        ),
    ]
