"""What makes a new installation usable: a legal entity to edit, VAT rates, number series.

Standard VAT rates of the EU: European Commission, Taxes in Europe Database. Overseas departments: French tax code,
article 296 (Guadeloupe, Martinique, Réunion).
"""

from datetime import date

from django.db import migrations

# Territory, rate in hundredths of a percent, in force since.
RATES = [
    ("AT", 2000, date(1984, 1, 1)),
    ("BE", 2100, date(1996, 1, 1)),
    ("BG", 2000, date(1999, 1, 1)),
    ("CY", 1900, date(2014, 1, 13)),
    ("CZ", 2100, date(2013, 1, 1)),
    ("DE", 1900, date(2021, 1, 1)),
    ("DK", 2500, date(1992, 1, 1)),
    ("EE", 2200, date(2024, 1, 1)),
    ("EE", 2400, date(2025, 7, 1)),
    ("ES", 2100, date(2012, 9, 1)),
    ("FI", 2400, date(2013, 1, 1)),
    ("FI", 2550, date(2024, 9, 1)),
    ("FR", 2000, date(2014, 1, 1)),
    ("GP", 850, date(1995, 8, 1)),
    ("GR", 2400, date(2016, 6, 1)),
    ("HR", 2500, date(2012, 3, 1)),
    ("HU", 2700, date(2012, 1, 1)),
    ("IE", 2300, date(2021, 3, 1)),
    ("IT", 2200, date(2013, 10, 1)),
    ("LT", 2100, date(2009, 9, 1)),
    ("LU", 1700, date(2024, 1, 1)),
    ("LV", 2100, date(2012, 7, 1)),
    ("MQ", 850, date(1995, 8, 1)),
    ("MT", 1800, date(2004, 1, 1)),
    ("NL", 2100, date(2012, 10, 1)),
    ("PL", 2300, date(2011, 1, 1)),
    ("PT", 2300, date(2011, 1, 1)),
    ("RE", 850, date(1995, 8, 1)),
    ("RO", 1900, date(2017, 1, 1)),
    ("RO", 2100, date(2025, 8, 1)),
    ("SE", 2500, date(1990, 7, 1)),
    ("SI", 2200, date(2013, 7, 1)),
    ("SK", 2000, date(2011, 1, 1)),
    ("SK", 2300, date(2025, 1, 1)),
]
SERIES = [("invoice", "F{date:%Y%m%d}-{counter:06d}"), ("credit_note", "A{date:%Y%m%d}-{counter:06d}")]


def fill(apps, schema_editor):
    """Idempotent, so that it can run again after a reversal that kept rows in use."""
    entity, _ = apps.get_model("billing", "LegalEntity").objects.get_or_create(
        pk=1, defaults={"name": "Your company", "country": "FR"}
    )
    for territory, rate_bp, valid_from in RATES:
        apps.get_model("billing", "TaxRate").objects.get_or_create(
            territory=territory, valid_from=valid_from, defaults={"rate_bp": rate_bp}
        )
    for kind, template in SERIES:
        apps.get_model("billing", "NumberSeries").objects.get_or_create(
            legal_entity=entity, kind=kind, defaults={"template": template}
        )


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_usage_partitions")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
