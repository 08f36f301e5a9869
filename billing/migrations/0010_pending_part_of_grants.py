from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0009_refunds_and_undone_allocations"),
    ]

    operations = [
        migrations.AddField(
            model_name="creditgrant",
            name="pending_cents",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Becomes usable when its invoice is fully paid: all of it, or what a chargeback suspended.",
                verbose_name="pending payment",
            ),
        ),
        migrations.AlterField(
            model_name="creditentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("grant", "granted"),
                    ("use", "used"),
                    ("return", "given back"),
                    ("suspension", "suspended"),
                    ("expiry", "expired"),
                    ("revocation", "revoked"),
                    ("refund", "refunded"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
    ]
