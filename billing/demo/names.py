"""Made-up names, addresses and registration numbers. Streets and towns exist, companies and people do not."""

from dataclasses import dataclass
from functools import lru_cache

from stdnum import luhn
from stdnum.eu import vat

from billing.demo import chance
from billing.demo.accounts import Json
from billing.usecases.describe_seller import Seller


@dataclass(frozen=True, slots=True)
class Place:
    """A town where customers are."""

    country: str
    postcode: str
    city: str


FRENCH_PLACES = (
    Place("FR", "44000", "Nantes"),
    Place("FR", "69003", "Lyon"),
    Place("FR", "31000", "Toulouse"),
    Place("FR", "35000", "Rennes"),
    Place("FR", "59000", "Lille"),
    Place("FR", "33000", "Bordeaux"),
    Place("FR", "67000", "Strasbourg"),
    Place("FR", "34000", "Montpellier"),
    Place("FR", "75011", "Paris"),
    Place("FR", "38000", "Grenoble"),
    Place("FR", "13002", "Marseille"),
    Place("FR", "21000", "Dijon"),
    Place("FR", "29200", "Brest"),
    Place("FR", "54000", "Nancy"),
    Place("FR", "37000", "Tours"),
    Place("FR", "63000", "Clermont-Ferrand"),
)
OVERSEAS_PLACES = (
    Place("FR", "97410", "Saint-Pierre"),
    Place("FR", "97200", "Fort-de-France"),
    Place("FR", "97110", "Pointe-à-Pitre"),
    Place("FR", "97300", "Cayenne"),
)
EU_PLACES = (
    Place("DE", "22765", "Hamburg"),
    Place("BE", "9000", "Gent"),
    Place("ES", "46004", "Valencia"),
    Place("IT", "40126", "Bologna"),
    Place("NL", "3511", "Utrecht"),
    Place("LU", "1611", "Luxembourg"),
)
OTHER_PLACES = (Place("CH", "8005", "Zürich"), Place("GB", "BS1 4ST", "Bristol"), Place("CA", "H2Y 1C6", "Montréal"))

_STREETS = {
    "FR": ("rue des Tanneurs", "quai de la Fosse", "rue du Joli Cœur", "place du Marché", "avenue de la Gare"),
    "BE": ("Kouter", "Oude Beestenmarkt"),
    "CH": ("Limmatstrasse", "Hardturmstrasse"),
    "DE": ("Lindenallee", "Am Speicher"),
    "ES": ("calle de la Paz", "calle del Mar"),
    "GB": ("Harbour Road", "Mill Lane"),
    "CA": ("rue Saint-Paul", "rue de la Commune"),
    "IT": ("via del Porto", "via dei Mille"),
    "LU": ("rue des Bains", "avenue de la Liberté"),
    "NL": ("Oudegracht", "Lange Nieuwstraat"),
}
_FORMS = {
    "FR": "SAS",
    "BE": "BV",
    "CH": "AG",
    "DE": "GmbH",
    "ES": "SL",
    "GB": "Ltd",
    "CA": "inc.",
    "IT": "Srl",
    "LU": "SA",
    "NL": "BV",
}
_LANGUAGES = {"FR": "fr", "LU": "fr", "CA": "fr"}

_WORDS = (
    *("Boréal", "Mistral", "Garance", "Ormeau", "Salicorne", "Bruyère", "Cobalt", "Sillage", "Falaise", "Alizé"),
    *(
        "Tramontane",
        "Lucarne",
        "Pivoine",
        "Estuaire",
        "Quartz",
        "Capucine",
        "Ricochet",
        "Hirondelle",
        "Vermeil",
        "Ardoise",
    ),
    *("Coquelicot", "Marée", "Tilleul", "Sarcelle", "Granit", "Libellule", "Amarante", "Genévrier", "Corail", "Écluse"),
    *(
        "Passerelle",
        "Noroît",
        "Cassiopée",
        "Filigrane",
        "Calanque",
        "Mélèze",
        "Orage",
        "Palissandre",
        "Solstice",
        "Vertige",
    ),
)
_TRADES = (
    *("Logistique", "Santé", "Énergie", "Éditions", "Mobilité", "Conseil", "Habitat", "Studio", "Paysages", "Presse"),
    *(
        "Formation",
        "Voyages",
        "Mécanique",
        "Textile",
        "Optique",
        "Agricole",
        "Billetterie",
        "Assurances",
        "Cosmétique",
        "Jeux",
    ),
    *(
        "Robotique",
        "Restauration",
        "Patrimoine",
        "Musique",
        "Cartographie",
        "Maritime",
        "Immobilier",
        "Diagnostics",
        "Vélos",
    ),
)
_FOREIGN_WORDS = (
    *("Aurora", "Vertex", "Solis", "Orion", "Nova", "Zenit", "Corallo", "Delta", "Lumen", "Meridian"),
    *("Polaris", "Terra", "Vento", "Stella", "Atrium", "Basalt", "Cirrus", "Ember", "Fjord", "Halcyon"),
    *("Indigo", "Juniper", "Kestrel", "Lagoon", "Monsoon", "Nimbus", "Onyx", "Prisma", "Quarto", "Rubicon"),
    *("Saffron", "Tundra", "Umbra", "Vela", "Willow", "Xenon", "Ypsilon", "Zephyr", "Alba", "Brio"),
)
_FOREIGN_TRADES = (
    *("Logistics", "Media", "Health", "Energy", "Foods", "Maps", "Robotics", "Optics", "Travel", "Textiles"),
    *("Software", "Games", "Design", "Press", "Insurance", "Marine", "Mobility", "Analytics", "Music", "Learning"),
)
_FIRST_NAMES = (
    "Anaïs",
    "Basile",
    "Colette",
    "Doriane",
    "Ewen",
    "Flora",
    "Gaspard",
    "Héloïse",
    "Ilan",
    "Jeanne",
    "Lise",
)
_LAST_NAMES = (
    "Hautelune",
    "Castelvert",
    "Brumière",
    "Valdeluz",
    "Merlombre",
    "Rochefeuille",
    "Grandsillon",
    "Clairval",
)

_ORGANIZATION, _STREET, _HOUSE, _PERSON, _SIREN, _VAT = range(6)
# It shares no factor with the number of names of a pool, so every name comes once before one comes again.
_STRIDE = 457

SELLER: Seller = {
    "name": "Nuages d'Armor SAS",
    "address": "4 quai des Antilles",
    "postcode": "44200",
    "city": "Nantes",
    "country": "FR",
    "siren": "087319620",
    "vat_number": "FR90087319620",
    "legal_mentions": "SAS au capital de 250 000 € · RCS Nantes 087 319 620 · APE 6311Z",
    "email": "facturation@nuages.example",
    "iban": "FR7630006000011234567890189",
    "bic": "AGRIFRPP",
    "electronic_address": "087319620",
    "electronic_scheme": "0225",
}
"""The legal entity that issues the demo's invoices."""


def organization_name(index: int, country: str) -> str:
    """Return a name that no other index has."""
    words, trades = (_WORDS, _TRADES) if country == "FR" else (_FOREIGN_WORDS, _FOREIGN_TRADES)
    round_, position = divmod(index, len(words) * len(trades))
    word, trade = divmod(position * _STRIDE % (len(words) * len(trades)), len(trades))
    lap, second = divmod(round_, len(words))
    parts = [
        words[word],
        words[(word + second) % len(words)] if second else "",
        trades[trade],
        f"{lap + 1}" if lap else "",
    ]
    return " ".join(filter(None, parts))


def person_name(index: int) -> str:
    """Return the name of nobody."""
    return f"{chance.pick(_FIRST_NAMES, _PERSON, index)} {chance.pick(_LAST_NAMES, _PERSON, index, 1)}"


def company(name: str, index: int, place: Place) -> Json:
    """Billing details of a company: with its SIREN in France, a VAT number in the EU."""
    details = _party(name, index, place)
    details |= {"is_company": True, "company": f"{name} {_FORMS[place.country]}", "name": person_name(index)}
    if place.country == "FR":
        siren = _siren(index)
        details |= {"siren": siren, "vat_number": _french_vat_number(siren)}
    elif place in EU_PLACES:
        details["vat_number"] = _foreign_vat_number(place.country, index)
    return details


def consumer(index: int, place: Place) -> Json:
    """Billing details of a person."""
    name = person_name(index)
    return _party(name, index, place) | {"is_company": False, "name": name}


def _party(name: str, index: int, place: Place) -> Json:
    street = chance.pick(_STREETS[place.country], _STREET, index)
    house = 1 + chance.number(80, _HOUSE, index)
    return {
        "address": f"{house} {street}" if place.country in ("FR", "GB", "CA", "LU") else f"{street} {house}",
        "postcode": place.postcode,
        "city": place.city,
        "country": place.country,
        "email": f"billing@{_domain(name)}.example",
        "language": _LANGUAGES.get(place.country, "en"),
    }


def _domain(name: str) -> str:
    plain = name.lower().translate(str.maketrans("àâçéèêëîïôöùûü", "aaceeeeiioouuu")).replace("œ", "oe")
    return "-".join("".join(letter if letter.isalnum() else " " for letter in plain).split())


def _siren(index: int) -> str:
    # Real ones do not begin with 0.
    digits = f"0{1_000_000 + chance.number(9_000_000, _SIREN, index)}"
    return digits + luhn.calc_check_digit(digits)


def _french_vat_number(siren: str) -> str:
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


# A serial number in the country's form; the last digits are the check digits that the search finds.
_VAT_FORMS = {
    "BE": ("BE0{:09d}", 400_000_000),
    "DE": ("DE{:09d}", 150_000_000),
    "ES": ("ESB{:08d}", 46_000_000),
    "IT": ("IT{:011d}", 20_000_000_150),
    "LU": ("LU{:08d}", 20_000_000),
    "NL": ("NL{:09d}B01", 800_000_000),
}


@lru_cache(maxsize=2048)
def _foreign_vat_number(country: str, index: int) -> str:
    form, first = _VAT_FORMS[country]
    serial = first + 10_000 * chance.number(900, _VAT, index)
    while not vat.is_valid(form.format(serial)):
        serial += 1
    return form.format(serial)
