import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


def author(help_text: str) -> models.ForeignKey:
    return models.ForeignKey(
        blank=True,
        db_index=False,
        help_text=help_text,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        verbose_name="author",
    )


class Migration(migrations.Migration):
    """What people add beside a draft counts like what they add to it."""

    dependencies = [
        ("billing", "0031_see_portal"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="charge",
            name="author",
            field=author("Who set its amount in the desk; nobody: the platform."),
        ),
        migrations.AddField(
            model_name="creditgrant",
            name="author",
            field=author("Who gave them in the desk; nobody: the platform, an invoice."),
        ),
        migrations.AddIndex(
            model_name="creditgrant",
            index=models.Index(condition=Q(author__isnull=False), fields=["organization"], name="credit_grant_by_hand"),
        ),
    ]
