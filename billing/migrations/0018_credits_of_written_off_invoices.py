from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """A cancelled grant may remember what becomes usable should the customer pay after all."""

    dependencies = [
        ("billing", "0017_why_allocations_are_undone"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="creditgrant", name="credit_grant_pending_part"),
        migrations.AddConstraint(
            model_name="creditgrant",
            constraint=models.CheckConstraint(
                condition=Q(state="pending", pending_cents__gt=0, pending_cents__lte=F("amount_cents"))
                | Q(state="active", pending_cents=0)
                | Q(state="cancelled", pending_cents__gte=0, pending_cents__lte=F("amount_cents")),
                name="credit_grant_pending_part",
            ),
        ),
    ]
