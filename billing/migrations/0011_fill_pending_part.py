from django.db import migrations
from django.db.models import F


def fill(apps, schema_editor):
    apps.get_model("billing", "CreditGrant").objects.filter(state="pending").update(pending_cents=F("amount_cents"))


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_pending_part_of_grants")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
