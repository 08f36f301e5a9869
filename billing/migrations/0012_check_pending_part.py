from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0011_fill_pending_part")]

    operations = [
        migrations.AddConstraint(
            model_name="creditgrant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("pending_cents__gt", 0), ("pending_cents__lte", models.F("amount_cents")), ("state", "pending")
                    ),
                    models.Q(models.Q(("state", "pending"), _negated=True), ("pending_cents", 0)),
                    _connector="OR",
                ),
                name="credit_grant_pending_part",
            ),
        ),
    ]
