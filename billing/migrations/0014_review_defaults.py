"""What reviewing starts from: thresholds for everybody, and a policy that asks for no second person yet."""

from django.db import migrations


def fill(apps, schema_editor):
    apps.get_model("billing", "ReviewThresholds").objects.get_or_create(organization=None)
    for entity in apps.get_model("billing", "LegalEntity").objects.all():
        apps.get_model("billing", "ApprovalPolicy").objects.get_or_create(legal_entity=entity)


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_corrected_invoices")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
