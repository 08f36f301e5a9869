from django.db import migrations, models


class Migration(migrations.Migration):
    """A series remembers the hash that its next document is chained to."""

    dependencies = [("billing", "0014_review_defaults")]

    operations = [
        migrations.AddField(
            model_name="numberseries",
            name="last_hash",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The content hash of the last document, which the next one is chained to.",
                max_length=64,
            ),
        ),
    ]
