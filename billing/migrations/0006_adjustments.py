import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0005_events"),
    ]

    operations = [
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(verbose_name="consumption month")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("line", "line"),
                            ("discount", "discount"),
                            ("refill", "other refill"),
                            ("skip", "skipped line"),
                            ("due_date", "due date"),
                            ("purchase_order", "purchase order"),
                            ("note", "note to the customer"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("target", models.CharField(blank=True, max_length=60, verbose_name="line")),
                (
                    "target_net_cents",
                    models.BigIntegerField(blank=True, null=True, verbose_name="net amount of the line then"),
                ),
                ("name", models.CharField(blank=True, max_length=500, verbose_name="description")),
                ("quantity_micro", models.BigIntegerField(blank=True, null=True, verbose_name="quantity")),
                ("unit_price_micro", models.BigIntegerField(blank=True, null=True, verbose_name="unit price")),
                ("amount_cents", models.BigIntegerField(blank=True, null=True, verbose_name="amount")),
                ("percent_ppm", models.PositiveIntegerField(blank=True, null=True, verbose_name="percentage")),
                ("day", models.DateField(blank=True, null=True, verbose_name="date")),
                ("text", models.CharField(blank=True, max_length=2000, verbose_name="text")),
                ("reason", models.CharField(max_length=1000, verbose_name="reason")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("undone_at", models.DateTimeField(blank=True, null=True, verbose_name="undone")),
            ],
            options={
                "verbose_name": "adjustment",
                "verbose_name_plural": "adjustments",
                "ordering": ("id",),
            },
        ),
        migrations.AddField(
            model_name="adjustment",
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
            model_name="adjustment",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organizations.organization",
                verbose_name="organization",
            ),
        ),
        migrations.AddIndex(
            model_name="adjustment",
            index=models.Index(
                condition=models.Q(("undone_at__isnull", True)),
                fields=["organization", "month"],
                name="adjustment_in_force",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="adjustment_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("percent_ppm__isnull", True), ("percent_ppm__lte", 1000000), _connector="OR"),
                name="adjustment_discount_at_most_all",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_cents__isnull", True), ("amount_cents__gte", 0), _connector="OR"),
                name="adjustment_amount_not_negative",
            ),
        ),
    ]
