"""A second, independent calculation of every invoice, written from the rule book (``../shared/domain.md``) alone.

It shares no code with ``billing``: plain Python, Fractions, slow on purpose. ``model.py`` predicts what
``export_invoices`` must print, ``scenario.py`` makes platforms up, ``driver.py`` runs the real commands,
``differences.py`` compares.
"""
