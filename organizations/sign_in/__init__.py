"""Signing in with an e-mail address and a password or a passkey, and the second factor of staff (django-allauth)."""
