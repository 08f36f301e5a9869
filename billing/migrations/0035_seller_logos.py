from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0034_credit_notes_that_free_money"),
    ]

    operations = [
        migrations.CreateModel(
            name="SellerLogo",
            fields=[
                (
                    "legal_entity",
                    models.OneToOneField(
                        on_delete=models.deletion.CASCADE,
                        primary_key=True,
                        related_name="logo",
                        serialize=False,
                        to="billing.legalentity",
                    ),
                ),
                ("svg", models.TextField(verbose_name="logo")),
                ("digest", models.CharField(max_length=64, verbose_name="SHA-256")),
            ],
            options={"verbose_name": "logo", "verbose_name_plural": "logos"},
        ),
    ]
