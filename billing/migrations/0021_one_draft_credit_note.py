"""One credit note of an invoice is prepared at a time: two drafts could promise the same rest."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0020_cockpit")]

    operations = [
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(kind="credit_note", document_state="draft"),
                fields=("refers_to",),
                name="credit_note_one_draft",
            ),
        ),
    ]
