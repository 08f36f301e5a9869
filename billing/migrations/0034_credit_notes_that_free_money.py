import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Why money is free again is worded for its reader, so the row names the credit note."""

    dependencies = [
        ("billing", "0033_back_off_of_bulk_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="allocation",
            name="credited_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The credit note that freed the money.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.invoice",
                verbose_name="credited by",
            ),
        ),
    ]
