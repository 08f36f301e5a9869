from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0043_attempts_of_checks"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(condition=models.Q(("kind", "mail.nobody")), fields=["at"], name="event_mail_nobody"),
        ),
    ]
