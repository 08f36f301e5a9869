"""Prices stand still while invoices are issued: otherwise one could be issued at a price that is being replaced."""

from django.db import connection

from billing.models import LegalEntity


def hold_prices() -> None:
    """Keep prices as they are until this transaction ends; others may hold them too."""
    if connection.vendor == "postgresql":  # on SQLite there is one writer at a time
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM billing_legalentity ORDER BY id FOR SHARE")


def wait_for_issuing() -> None:
    """Wait until nobody holds prices, and let nobody until this transaction ends: a price is about to change."""
    list(LegalEntity.objects.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
