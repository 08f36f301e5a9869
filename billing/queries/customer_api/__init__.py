"""What the customers' API answers, in its published shapes (its page is api-v4.md).

Money is an exact decimal: whoever encodes it writes a JSON number with its digits, never through a float.
"""
