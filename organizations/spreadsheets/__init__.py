"""Tables to and from Excel and CSV files: plain Python, no Django, no models."""
