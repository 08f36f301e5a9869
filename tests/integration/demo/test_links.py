"""Where the links of the demo's e-mails lead."""

from typing import Any

import pytest
from django.conf import settings as django_settings

from billing.management.commands.demo import lead_links_to


def test_links_lead_to_the_port_that_is_served(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SITE_URL = "https://billing.example.org"
    monkeypatch.setenv("SITE_URL", "https://billing.example.org")
    lead_links_to(8111)
    assert django_settings.SITE_URL == "https://billing.example.org"
    monkeypatch.delenv("SITE_URL")
    lead_links_to(8111)
    assert django_settings.SITE_URL == "http://127.0.0.1:8111"
