"""On PostgreSQL, let the beginning of a name use its index whatever the collation of the database."""

from django.db import migrations

BY_PATTERN = """
DROP INDEX organization_name_upper;
DROP INDEX organization_ext_id_upper;
CREATE INDEX organization_name_upper ON organizations_organization (upper(name) text_pattern_ops);
CREATE INDEX organization_ext_id_upper ON organizations_organization (upper(external_id) text_pattern_ops);
"""

PLAIN = BY_PATTERN.replace(" text_pattern_ops", "")


def by_pattern(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(BY_PATTERN)


def plain(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(PLAIN)


class Migration(migrations.Migration):
    dependencies = [("organizations", "0001_initial")]

    operations = [migrations.RunPython(by_pattern, plain)]
