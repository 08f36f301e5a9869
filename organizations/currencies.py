"""The currencies in which an organization can be billed."""

# ISO 4217 currencies whose minor unit is a hundredth: amounts are kept in integer cents.
_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP
    CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR
    IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN
    NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
    STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
TWO_DECIMAL_CURRENCIES = frozenset(_CODES.split())


def check_currency(code: str) -> str:
    """Return a currency's code. Raises ValueError, with a sentence, unless it is one with two decimals."""
    if code not in TWO_DECIMAL_CURRENCIES:
        raise ValueError(f"{code!r:.20} is not the code of a currency with two decimals, such as EUR.")
    return code
