import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0007_reviews_and_approvals"),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("issue", "issue invoices"), ("refresh", "refresh drafts")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting for approval"),
                            ("running", "running"),
                            ("done", "finished"),
                            ("refused", "refused"),
                        ],
                        default="running",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("issue_date", models.DateField(blank=True, null=True, verbose_name="issue date")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished")),
            ],
            options={
                "verbose_name": "bulk job",
                "verbose_name_plural": "bulk jobs",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="BulkJobItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("left", "to do"), ("done", "done"), ("failed", "failed")],
                        default="left",
                        max_length=6,
                        verbose_name="state",
                    ),
                ),
                ("reason_code", models.CharField(blank=True, max_length=40, verbose_name="reason")),
                ("reason_values", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "verbose_name": "item of a bulk job",
                "verbose_name_plural": "items of bulk jobs",
                "ordering": ("id",),
            },
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="approver",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="approver",
            ),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="author",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="author",
            ),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="close",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="jobs",
                to="billing.monthclose",
                verbose_name="month close",
            ),
        ),
        migrations.AddField(
            model_name="bulkjobitem",
            name="job",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="items", to="billing.bulkjob"
            ),
        ),
        migrations.AddField(
            model_name="bulkjobitem",
            name="organization",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organizations.organization",
                verbose_name="organization",
            ),
        ),
        migrations.AddIndex(
            model_name="bulkjobitem",
            index=models.Index(condition=models.Q(("state", "left")), fields=["job", "id"], name="bulk_job_item_left"),
        ),
        migrations.AddConstraint(
            model_name="bulkjobitem",
            constraint=models.UniqueConstraint(fields=("job", "organization"), name="bulk_job_item_once"),
        ),
    ]
