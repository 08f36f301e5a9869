"""The arithmetic of billing in plain Python: no Django, no clock, no settings, no input or output.

Values come in, values go out. Amounts are integer cents, quantities integer millionths of a meter's unit, unit
prices decimals, instants UTC datetimes, and a month is a half-open interval in the legal entity's time zone.
"""
