from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0016_kinds_of_refunds"),
    ]

    operations = [
        migrations.AddField(
            model_name="allocation",
            name="undone_reason",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=1000, verbose_name="undone because"
            ),
        ),
    ]
