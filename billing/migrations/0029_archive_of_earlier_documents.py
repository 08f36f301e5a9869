from django.db import migrations

FILL = """
INSERT INTO billing_archiveddocument
    (invoice_id, state, not_before, attempts, error, pdf_name, pdf_sha256, pdf_bytes, xml_name, xml_sha256, xml_bytes)
    SELECT id, 'waiting', issued_at, 0, '', '', '', 0, '', '', 0 FROM billing_invoice WHERE document_state = 'issued'
"""


class Migration(migrations.Migration):
    """What was issued before there was an archive waits for its files like everything that is issued from now on."""

    dependencies = [("billing", "0028_archive")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
