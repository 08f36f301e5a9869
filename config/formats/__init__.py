"""How dates are written and typed where Django's own habit would be American."""
