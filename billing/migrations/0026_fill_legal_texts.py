"""The texts that French law asks for on invoices of a seller of services, in both languages.

Commercial code, articles L. 441-9 and L. 441-10 (as renumbered on 26 April 2019) and D. 441-5; tax code, articles 259,
259 D, 294 and 269, and annex II, article 242 nonies A; directive 2006/112/EC, articles 44, 58 and 196.
"""

from datetime import date

from django.db import migrations

RENUMBERED = date(2019, 4, 26)
PLACE_OF_SERVICES = date(2015, 1, 1)

# Code, in force since, French, English.
TEXTS = [
    (
        "PMT",
        RENUMBERED,
        (
            "En cas de retard de paiement, une indemnité forfaitaire de 40 € pour frais de recouvrement est due par tout "
            "client professionnel (articles L. 441-10 et D. 441-5 du code de commerce)."
        ),
        (
            "Professional customers who pay late owe a fixed compensation of €40 for recovery costs (articles L. 441-10 "
            "and D. 441-5 of the French commercial code)."
        ),
    ),
    (
        "PMD",
        RENUMBERED,
        (
            "Tout retard de paiement d'un client professionnel entraîne de plein droit, dès le lendemain de l'échéance, des "
            "pénalités au taux de la dernière opération de refinancement de la Banque centrale européenne majoré de dix "
            "points (article L. 441-10 du code de commerce)."
        ),
        (
            "Professional customers who pay late owe, from the day after the due date and without a reminder, interest at "
            "the European Central Bank's latest refinancing rate plus ten percentage points (article L. 441-10 of the "
            "French commercial code)."
        ),
    ),
    (
        "AAB",
        RENUMBERED,
        "Pas d'escompte pour paiement anticipé.",
        "No discount for early payment.",
    ),
    (
        "DEBITS",
        PLACE_OF_SERVICES,
        "Option pour le paiement de la taxe d'après les débits.",
        "The seller has opted to pay VAT on debits, when the invoice is issued (article 269 of the French tax code).",
    ),
    (
        "AE",
        PLACE_OF_SERVICES,
        (
            "Autoliquidation : TVA due par le preneur (article 259, 1° du code général des impôts ; articles 44 et 196 de "
            "la directive 2006/112/CE)."
        ),
        (
            "Reverse charge: VAT is due by the customer (article 259, 1° of the French tax code; articles 44 and 196 of "
            "directive 2006/112/EC)."
        ),
    ),
    (
        "O_ABROAD",
        PLACE_OF_SERVICES,
        (
            "TVA non applicable : prestation de services située hors de l'Union européenne (articles 259, 1° et 259 D du "
            "code général des impôts ; articles 44 et 58 de la directive 2006/112/CE)."
        ),
        (
            "Not subject to VAT: services supplied outside the European Union (articles 259, 1° and 259 D of the French tax "
            "code; articles 44 and 58 of directive 2006/112/EC)."
        ),
    ),
    (
        "O_OVERSEAS",
        PLACE_OF_SERVICES,
        (
            "TVA non applicable : prestation de services située en Guyane, à Mayotte ou dans une collectivité d'outre-mer, "
            "où la TVA ne s'applique pas (articles 259, 1° et 294, 1 du code général des impôts)."
        ),
        (
            "Not subject to VAT: services supplied in French Guiana, Mayotte or a French overseas collectivity, where VAT "
            "does not apply (articles 259, 1° and 294, 1 of the French tax code)."
        ),
    ),
]


def fill(apps, schema_editor):
    """Idempotent, so that it can run again after a reversal that kept rows."""
    rows = apps.get_model("billing", "LegalText").objects
    for code, valid_from, french, english in TEXTS:
        for language, text in (("fr", french), ("en", english)):
            rows.get_or_create(code=code, language=language, valid_from=valid_from, defaults={"text": text})


class Migration(migrations.Migration):
    dependencies = [("billing", "0025_legal_texts_and_exchange_rates")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
