import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0029_archive_of_earlier_documents"),
        ("organizations", "0004_e_invoices"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutgoingMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("invoice", "invoice"), ("credit_note", "credit note")],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("recipient", models.EmailField(max_length=254, verbose_name="recipient")),
                ("number", models.PositiveSmallIntegerField(default=1, verbose_name="sending")),
                (
                    "language",
                    models.CharField(
                        choices=[("fr", "French"), ("en", "English")], max_length=2, verbose_name="language"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("unclear", "unclear"),
                            ("given_up", "given up"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                (
                    "not_before",
                    models.DateTimeField(
                        help_text="When it is due; while it is being sent, its lease.", verbose_name="next attempt"
                    ),
                ),
                ("try_until", models.DateTimeField(verbose_name="tried until")),
                ("error", models.CharField(blank=True, max_length=1000, verbose_name="why it is not sent")),
                ("message_id", models.CharField(max_length=200, unique=True, verbose_name="Message-ID")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
                (
                    "invoice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="billing.invoice",
                        verbose_name="document",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.organization",
                        verbose_name="organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "e-mail",
                "verbose_name_plural": "e-mails",
                "ordering": ("-id",),
                "permissions": (("send_outgoingmail", "Can send documents again and give e-mails up"),),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")), fields=["not_before", "id"], name="outgoing_mail_due"
                    ),
                    models.Index(
                        condition=models.Q(("state", "sending")), fields=["not_before"], name="outgoing_mail_being_sent"
                    ),
                    models.Index(
                        condition=models.Q(("state", "sent"), _negated=True),
                        fields=["state", "-id"],
                        name="outgoing_mail_not_sent",
                    ),
                    models.Index(fields=["organization", "-id"], name="outgoing_mail_of_organization"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("invoice"),
                        django.db.models.functions.text.Lower("recipient"),
                        models.F("number"),
                        name="outgoing_mail_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state", "sent")),
                            models.Q(models.Q(("state", "sent"), _negated=True), ("sent_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="outgoing_mail_sent_at",
                    ),
                ],
            },
        ),
    ]
