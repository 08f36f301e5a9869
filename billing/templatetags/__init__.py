"""Template tags of the finance desk."""
