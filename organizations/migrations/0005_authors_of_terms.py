import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def author(help_text: str) -> models.ForeignKey:
    return models.ForeignKey(
        blank=True,
        db_index=False,
        editable=False,
        help_text=help_text,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


class Migration(migrations.Migration):
    """Who sets a discount or a refill does not approve the drafts that it changes."""

    dependencies = [
        ("organizations", "0004_e_invoices"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="refill_author",
            field=author("Who set the negotiated refill in the desk; nobody: the platform."),
        ),
        migrations.AddField(
            model_name="organization",
            name="discount_author",
            field=author("Who set the discount in the desk; nobody: the platform."),
        ),
    ]
