import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0012_check_pending_part"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsageCorrection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(verbose_name="consumption month")),
                ("lines", models.JSONField(default=list)),
                ("returned_cents", models.BigIntegerField(default=0, verbose_name="given back to credits")),
                ("created_at", models.DateTimeField(verbose_name="created")),
            ],
            options={
                "verbose_name": "usage correction",
                "verbose_name_plural": "usage corrections",
                "ordering": ("id",),
            },
        ),
        migrations.AlterModelOptions(
            name="invoice",
            options={
                "ordering": ("-id",),
                "permissions": (
                    ("adjust_invoice", "Can adjust, hold and acknowledge drafts"),
                    ("approve_invoice", "Can approve what somebody else did"),
                    ("issue_invoice", "Can issue invoices"),
                    ("credit_invoice", "Can credit invoices and close accounts"),
                    ("settle_invoice", "Can allocate payments"),
                    ("refund_invoice", "Can refund payments and write off invoices"),
                ),
                "verbose_name": "invoice",
                "verbose_name_plural": "invoices",
            },
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_one_live_per_month",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_paid_within_total",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_paid_in_full",
        ),
        migrations.AddField(
            model_name="invoice",
            name="content_hash",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="SHA-256 of the issued document and of the hash of the one before in its series.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="credited_cents",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="The totals of its issued credit notes.", verbose_name="credited"
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="hold_reason",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=1000, verbose_name="on hold because"
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="note",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=2000, verbose_name="note to the customer"
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="open_findings",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Blocking ones that nobody has acknowledged, and conflicts with adjustments.",
                verbose_name="open findings",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="released",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Credited in full so that its month can be invoiced again: what it billed is billed anew.",
                verbose_name="replaced",
            ),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="credited_line_id",
            field=models.BigIntegerField(
                blank=True, help_text="Of a credit note: the line of the invoice that it takes back.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="source_id",
            field=models.BigIntegerField(
                blank=True, help_text="The add-on, charge or adjustment that the line bills.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("document_state__in", ("draft", "issued")), ("kind", "invoice"), ("released", False)
                ),
                fields=("organization", "consumption_month"),
                name="invoice_one_live_per_month",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credited_cents__gte", 0),
                    ("paid_cents__gte", 0),
                    (
                        "total_cents__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("paid_cents"), "+", models.F("credited_cents")
                        ),
                    ),
                ),
                name="invoice_paid_within_total",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("payment_state", "paid"), _negated=True),
                    (
                        "total_cents",
                        django.db.models.expressions.CombinedExpression(
                            models.F("paid_cents"), "+", models.F("credited_cents")
                        ),
                    ),
                    _connector="OR",
                ),
                name="invoice_paid_in_full",
            ),
        ),
        migrations.AddField(
            model_name="usagecorrection",
            name="credit_note",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="usage_correction",
                to="billing.invoice",
                verbose_name="credit note",
            ),
        ),
        migrations.AddField(
            model_name="usagecorrection",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organizations.organization",
                verbose_name="payer",
            ),
        ),
    ]
