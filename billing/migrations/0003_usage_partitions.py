"""On PostgreSQL, partition usage records by month: an old month is then dropped in milliseconds."""

from django.db import migrations

PARTITION = """
CREATE TABLE billing_usagerecord_by_month
    (LIKE billing_usagerecord INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (month);
DROP TABLE billing_usagerecord;
ALTER TABLE billing_usagerecord_by_month RENAME TO billing_usagerecord;
ALTER TABLE billing_usagerecord ADD PRIMARY KEY (id, month);
ALTER TABLE billing_usagerecord ADD CONSTRAINT usage_event_once UNIQUE (month, source, event_id, part);
CREATE INDEX usage_of_a_month ON billing_usagerecord (month, organization_id, resource_id, meter_id, zone)
    INCLUDE (quantity_micro, started_at, ended_at);
"""

PLAIN = """
CREATE TABLE billing_usagerecord_plain
    (LIKE billing_usagerecord INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING CONSTRAINTS);
INSERT INTO billing_usagerecord_plain OVERRIDING SYSTEM VALUE SELECT * FROM billing_usagerecord;
DROP TABLE billing_usagerecord;
ALTER TABLE billing_usagerecord_plain RENAME TO billing_usagerecord;
ALTER TABLE billing_usagerecord ADD PRIMARY KEY (id);
ALTER TABLE billing_usagerecord ADD CONSTRAINT usage_event_once UNIQUE (month, source, event_id, part);
CREATE INDEX usage_of_a_month ON billing_usagerecord (month, organization_id, resource_id, meter_id, zone)
    INCLUDE (quantity_micro, started_at, ended_at);
SELECT setval(
    pg_get_serial_sequence('billing_usagerecord', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM billing_usagerecord), false
);
"""


def partition(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(PARTITION)


def merge(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(PLAIN)


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_relations")]

    operations = [migrations.RunPython(partition, merge)]
