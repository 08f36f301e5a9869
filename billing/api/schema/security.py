"""How a key is shown, in the description."""

from typing import Any

from django.utils.translation import override
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from billing.api.schema.components import Schema
from billing.queries.scope_words import SCOPE_WORDS


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers it
    """How a key is shown."""

    target_class = "billing.api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        """A bearer token."""
        with override("en"):
            scopes = ", ".join(f"`{scope}` ({words})" for scope, words in SCOPE_WORDS.items())
        return {
            "type": "http",
            "scheme": "bearer",
            "description": f"A key, made in the finance desk or with `manage.py create_api_key`. Scopes: {scopes}.",
        }
