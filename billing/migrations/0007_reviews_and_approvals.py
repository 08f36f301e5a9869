import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0006_adjustments"),
    ]

    operations = [
        migrations.CreateModel(
            name="Acknowledgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(verbose_name="consumption month")),
                ("code", models.CharField(max_length=40, verbose_name="finding")),
                ("finding", models.CharField(max_length=32)),
                ("reason", models.CharField(max_length=1000, verbose_name="reason")),
                ("created_at", models.DateTimeField(verbose_name="created")),
            ],
            options={
                "verbose_name": "acknowledgement",
                "verbose_name_plural": "acknowledgements",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(editable=False, max_length=32)),
                ("approved_at", models.DateTimeField(verbose_name="approved")),
            ],
            options={
                "verbose_name": "approval",
                "verbose_name_plural": "approvals",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="ApprovalPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "invoice_total_cents",
                    models.BigIntegerField(blank=True, null=True, verbose_name="invoice total from"),
                ),
                ("manual_line_cents", models.BigIntegerField(blank=True, null=True, verbose_name="manual line from")),
                ("discount_cents", models.BigIntegerField(blank=True, null=True, verbose_name="discount from")),
                (
                    "credit_note_cents",
                    models.BigIntegerField(blank=True, null=True, verbose_name="credit note total from"),
                ),
                (
                    "bulk_count",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="invoices issued at once from"),
                ),
            ],
            options={
                "verbose_name": "approval policy",
                "verbose_name_plural": "approval policies",
            },
        ),
        migrations.CreateModel(
            name="ReviewThresholds",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "jump_percent",
                    models.PositiveIntegerField(blank=True, default=100, null=True, verbose_name="jump, in percent"),
                ),
                (
                    "drop_percent",
                    models.PositiveIntegerField(blank=True, default=60, null=True, verbose_name="drop, in percent"),
                ),
                ("least_change_cents", models.BigIntegerField(default=10000, verbose_name="least change")),
                (
                    "block_jump_percent",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="blocking jump, in percent"),
                ),
                (
                    "block_change_cents",
                    models.BigIntegerField(default=5000000, verbose_name="least change that blocks"),
                ),
                (
                    "provision_percent",
                    models.PositiveIntegerField(
                        blank=True,
                        default=200,
                        null=True,
                        verbose_name="provision against the highest recent consumption, in percent",
                    ),
                ),
                ("most_lines", models.PositiveIntegerField(default=2000, verbose_name="most usage lines")),
            ],
            options={
                "verbose_name": "review thresholds",
                "verbose_name_plural": "review thresholds",
            },
        ),
        migrations.AddField(
            model_name="acknowledgement",
            name="author",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="author",
            ),
        ),
        migrations.AddField(
            model_name="acknowledgement",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organizations.organization",
                verbose_name="organization",
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="approver",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="approver",
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="approvals",
                to="billing.invoice",
                verbose_name="invoice",
            ),
        ),
        migrations.AddField(
            model_name="approvalpolicy",
            name="legal_entity",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="approval_policy",
                to="billing.legalentity",
                verbose_name="legal entity",
            ),
        ),
        migrations.AddField(
            model_name="reviewthresholds",
            name="organization",
            field=models.OneToOneField(
                blank=True,
                help_text="Empty: for all organizations that have no thresholds of their own.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="organizations.organization",
                verbose_name="organization",
            ),
        ),
        migrations.AddConstraint(
            model_name="acknowledgement",
            constraint=models.UniqueConstraint(fields=("organization", "month", "finding"), name="acknowledged_once"),
        ),
        migrations.AddConstraint(
            model_name="acknowledgement",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="acknowledgement_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.UniqueConstraint(fields=("invoice", "fingerprint", "approver"), name="approval_once"),
        ),
        migrations.AddConstraint(
            model_name="reviewthresholds",
            constraint=models.UniqueConstraint(
                django.db.models.functions.comparison.Coalesce("organization", 0), name="review_thresholds_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewthresholds",
            constraint=models.CheckConstraint(
                condition=models.Q(("least_change_cents__gte", 0), ("block_change_cents__gte", 0)),
                name="review_thresholds_not_negative",
            ),
        ),
    ]
