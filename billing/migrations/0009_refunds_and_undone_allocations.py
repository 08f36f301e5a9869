import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0008_bulk_jobs"),
    ]

    operations = [
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=100, unique=True, verbose_name="reference")),
                ("amount_cents", models.BigIntegerField(verbose_name="amount")),
                ("date", models.DateField(verbose_name="date")),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("card", "card"),
                            ("sepa_debit", "SEPA direct debit"),
                            ("bank_transfer", "bank transfer"),
                        ],
                        max_length=20,
                        verbose_name="method",
                    ),
                ),
                ("reason", models.CharField(max_length=1000, verbose_name="reason")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded")),
            ],
            options={
                "verbose_name": "refund",
                "verbose_name_plural": "refunds",
                "ordering": ("-id",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="allocation",
            name="allocation_once",
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payment_not_over_allocated",
        ),
        migrations.AddField(
            model_name="allocation",
            name="undone_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="undone"),
        ),
        migrations.AddField(
            model_name="payment",
            name="refunded_cents",
            field=models.BigIntegerField(db_default=0, default=0, editable=False, verbose_name="refunded"),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at__isnull", True)), fields=("payment", "invoice"), name="allocation_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("allocated_cents__gte", 0),
                    ("refunded_cents__gte", 0),
                    (
                        "amount_cents__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("allocated_cents"), "+", models.F("refunded_cents")
                        ),
                    ),
                ),
                name="payment_not_over_allocated",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refunds",
                to="billing.payment",
                verbose_name="payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(condition=models.Q(("amount_cents__gt", 0)), name="refund_positive"),
        ),
    ]
