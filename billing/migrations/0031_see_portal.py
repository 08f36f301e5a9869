"""A permission to see the portal as one of the organizations."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0030_outgoing_mail"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="invoice",
            options={
                "ordering": ("-id",),
                "permissions": (
                    ("adjust_invoice", "Can adjust, hold and acknowledge drafts"),
                    ("approve_invoice", "Can approve what somebody else did"),
                    ("issue_invoice", "Can issue invoices"),
                    ("credit_invoice", "Can credit invoices and close accounts"),
                    ("settle_invoice", "Can allocate payments"),
                    ("refund_invoice", "Can refund payments and write off invoices"),
                    ("see_portal", "Can see the portal as an organization, read-only"),
                ),
                "verbose_name": "invoice",
                "verbose_name_plural": "invoices",
            },
        ),
    ]
