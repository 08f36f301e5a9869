"""On PostgreSQL, the beginning of an address uses the index whatever the collation of the database."""

import django.db.models.functions.text
from django.db import migrations, models

PLAIN = """
DROP INDEX outgoing_mail_recipient_upper;
CREATE INDEX outgoing_mail_recipient_upper ON billing_outgoingmail (upper(recipient));
"""

BY_PATTERN = PLAIN.replace("(recipient)", "(recipient) text_pattern_ops")


def by_pattern(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(BY_PATTERN)


def plain(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(PLAIN)


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0044_mailed_to_nobody"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="outgoingmail",
            index=models.Index(
                django.db.models.functions.text.Upper("recipient"), name="outgoing_mail_recipient_upper"
            ),
        ),
        migrations.RunPython(by_pattern, plain),
    ]
