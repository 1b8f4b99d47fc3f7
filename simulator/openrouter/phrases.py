"""The few phrases that the demo model can really translate."""

from collections.abc import Mapping

LANGUAGES: Mapping[str, str] = {
    "german": "de", "deutsch": "de", "french": "fr", "français": "fr", "spanish": "es",
    "español": "es", "italian": "it", "italiano": "it", "persian": "fa", "farsi": "fa",
    "فارسی": "fa", "english": "en", "turkish": "tr", "arabic": "ar", "russian": "ru",
    "portuguese": "pt", "dutch": "nl", "japanese": "ja", "chinese": "zh",
}  # fmt: skip
"""Names as people write them, to codes."""

PREFIX: Mapping[str, str] = {
    "de": "Auf Deutsch: ",
    "fr": "En français : ",
    "es": "En español: ",
    "it": "In italiano: ",
    "fa": "به فارسی: ",
    "en": "",
}

_TABLE: tuple[dict[str, str], ...] = (
    {"en": "hello", "de": "Hallo", "fr": "Bonjour", "es": "Hola", "it": "Ciao", "fa": "سلام"},
    {"en": "good morning", "de": "Guten Morgen", "fr": "Bonjour", "es": "Buenos días",
     "it": "Buongiorno", "fa": "صبح بخیر"},
    {"en": "good night", "de": "Gute Nacht", "fr": "Bonne nuit", "es": "Buenas noches",
     "it": "Buona notte", "fa": "شب بخیر"},
    {"en": "how are you", "de": "Wie geht es dir", "fr": "Comment vas-tu", "es": "¿Cómo estás",
     "it": "Come stai", "fa": "حال شما چطور است"},
    {"en": "thank you", "de": "Danke", "fr": "Merci", "es": "Gracias", "it": "Grazie",
     "fa": "متشکرم"},
    {"en": "goodbye", "de": "Auf Wiedersehen", "fr": "Au revoir", "es": "Adiós",
     "it": "Arrivederci", "fa": "خداحافظ"},
    {"en": "yes", "de": "Ja", "fr": "Oui", "es": "Sí", "it": "Sì", "fa": "بله"},
    {"en": "no", "de": "Nein", "fr": "Non", "es": "No", "it": "No", "fa": "نه"},
    {"en": "hello world", "de": "Hallo Welt", "fr": "Bonjour le monde", "es": "Hola mundo",
     "it": "Ciao mondo", "fa": "سلام دنیا"},
    {"en": "the network is down", "de": "Das Netz ist ausgefallen", "fr": "Le réseau est en panne",
     "es": "La red no funciona", "it": "La rete non funziona", "fa": "شبکه قطع است"},
    {"en": "where is the station", "de": "Wo ist der Bahnhof", "fr": "Où est la gare",
     "es": "¿Dónde está la estación", "it": "Dov'è la stazione", "fa": "ایستگاه کجاست"},
)  # fmt: skip

_END = " .!?؟¿¡\"'«»"
_LOOKUP: Mapping[str, dict[str, str]] = {
    phrase.strip(_END).casefold(): row for row in _TABLE for phrase in row.values()
}


def code_of(name: str) -> str | None:
    """Return the code of a language by its name or code, None if it is neither."""
    low = name.casefold().strip(_END)
    return low if low in LANGUAGES.values() else LANGUAGES.get(low)


def translate(text: str, code: str) -> str:
    """Return the phrase in that language, or the text marked as not translated."""
    row = _LOOKUP.get(text.strip().strip(_END).casefold(), {})
    if code not in row:
        return f"[{code}] {text.strip()}"
    end = text.strip()[-1:]
    mark = end if end in "?!." else ""
    return row[code] + ("؟" if mark == "?" and code == "fa" else mark)
