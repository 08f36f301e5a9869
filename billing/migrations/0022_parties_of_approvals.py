from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0021_one_draft_credit_note"),
    ]

    operations = [
        migrations.AddField(
            model_name="approval",
            name="parties",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=32),
        ),
        migrations.RemoveConstraint(model_name="approval", name="approval_once"),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.UniqueConstraint(
                fields=("invoice", "fingerprint", "parties", "approver"), name="approval_once"
            ),
        ),
    ]
