from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0015_hash_chain"),
    ]

    operations = [
        migrations.AddField(
            model_name="refund",
            name="kind",
            field=models.CharField(
                choices=[("refund", "refund"), ("chargeback", "chargeback")],
                db_default="refund",
                default="refund",
                max_length=12,
                verbose_name="kind",
            ),
        ),
    ]
