from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0018_credits_of_written_off_invoices"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=Q(amount_cents__gt=F("allocated_cents") + F("refunded_cents")),
                fields=["organization", "id"],
                name="payment_unallocated",
            ),
        ),
    ]
