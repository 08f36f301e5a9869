"""DATABASE_URL to Django's settings."""

from config.databases import database_settings


def test_sqlite_takes_the_write_lock_first_and_waits_for_it() -> None:
    options = database_settings("sqlite:////srv/billing.sqlite3")["OPTIONS"]

    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 60
    assert "journal_mode=WAL" in options["init_command"]


def test_postgresql_gets_a_pool() -> None:
    config = database_settings("postgres://alice@db.example.org:6432/invoices")

    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db.example.org", 6432, "invoices")
    assert config["OPTIONS"]["pool"]["min_size"] == 1


def test_options_of_the_url_win() -> None:
    options = database_settings("sqlite:////srv/billing.sqlite3?timeout=5")["OPTIONS"]

    assert options["timeout"] == 5
    assert options["transaction_mode"] == "IMMEDIATE"
