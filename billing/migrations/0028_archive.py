import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0027_draft_checks"),
    ]

    operations = [
        migrations.CreateModel(
            name="ArchivedDocument",
            fields=[
                (
                    "invoice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="archived",
                        serialize=False,
                        to="billing.invoice",
                        verbose_name="document",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "waiting"), ("stored", "stored"), ("failed", "failed, tried again")],
                        default="waiting",
                        max_length=7,
                        verbose_name="state",
                    ),
                ),
                (
                    "not_before",
                    models.DateTimeField(help_text="When it is due, or due again.", verbose_name="next attempt"),
                ),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                ("error", models.CharField(blank=True, max_length=1000, verbose_name="why it failed")),
                ("pdf_name", models.CharField(blank=True, max_length=200, verbose_name="PDF")),
                ("pdf_sha256", models.CharField(blank=True, max_length=64)),
                ("pdf_bytes", models.BigIntegerField(default=0)),
                ("xml_name", models.CharField(blank=True, max_length=200, verbose_name="e-invoice")),
                ("xml_sha256", models.CharField(blank=True, max_length=64)),
                ("xml_bytes", models.BigIntegerField(default=0)),
                ("rendered_at", models.DateTimeField(blank=True, null=True, verbose_name="stored at")),
            ],
            options={
                "verbose_name": "archived document",
                "verbose_name_plural": "archived documents",
                "ordering": ("-invoice",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "stored"), _negated=True),
                        fields=["not_before", "invoice"],
                        name="archived_document_left",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("pdf_bytes__gt", 0),
                                ("rendered_at__isnull", False),
                                ("state", "stored"),
                                ("xml_bytes__gt", 0),
                                models.Q(("pdf_name", ""), _negated=True),
                                models.Q(("pdf_sha256", ""), _negated=True),
                                models.Q(("xml_name", ""), _negated=True),
                                models.Q(("xml_sha256", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "stored"), _negated=True),
                                ("pdf_name", ""),
                                ("rendered_at__isnull", True),
                                ("xml_name", ""),
                            ),
                            _connector="OR",
                        ),
                        name="archived_document_complete_when_stored",
                    )
                ],
            },
        ),
    ]
