from django.db import migrations, models


class Migration(migrations.Migration):
    """Work that keeps failing is tried less and less often, and lets other work pass."""

    dependencies = [
        ("billing", "0032_authors_of_charges_and_grants"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkjob",
            name="failures",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="How often in a row the database gave up on its work.",
            ),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="not_before",
            field=models.DateTimeField(blank=True, editable=False, help_text="When it is tried again.", null=True),
        ),
    ]
