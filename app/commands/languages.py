"""Languages by the names and codes that people type."""

import re
import unicodedata

# No codes that are everyday English words (am, is, my, so): they would be taken for one.
_NAMES = {
    "ar": "Arabic", "az": "Azerbaijani", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan",
    "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh",
    "ko": "Korean", "ku": "Kurdish", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian",
    "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "ps": "Pashto",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil",
    "te": "Telugu", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
    "uz": "Uzbek", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_OTHERS = {
    "nb": "Norwegian", "nn": "Norwegian", "farsi": "Persian", "mandarin": "Chinese",
    "العربية": "Arabic", "български": "Bulgarian", "català": "Catalan", "čeština": "Czech",
    "dansk": "Danish", "deutsch": "German", "ελληνικά": "Greek", "español": "Spanish",
    "فارسی": "Persian", "suomi": "Finnish", "français": "French", "עברית": "Hebrew",
    "हिन्दी": "Hindi", "hrvatski": "Croatian", "magyar": "Hungarian", "italiano": "Italian",
    "日本語": "Japanese", "한국어": "Korean", "nederlands": "Dutch", "norsk": "Norwegian",
    "polski": "Polish", "português": "Portuguese", "română": "Romanian", "русский": "Russian",
    "svenska": "Swedish", "türkçe": "Turkish", "українська": "Ukrainian", "اردو": "Urdu",
    "中文": "Chinese",
}  # fmt: skip

# With a script and a region at most: "no-one" and "he-said" are no tags.
_TAG = re.compile(r"([a-z]{2,3})(?:-(?:arab|cyrl|hans|hant|latn))?(?:-(?:[a-z]{2}|[0-9]{3}))?")


def language(word: str) -> str | None:
    """Return the English name of a language, or None where it is none that we know.

    Takes a name, with or without its accents, a code of two letters, or a tag such as `de-AT`.
    """
    word = _bare(word)
    tag = _TAG.fullmatch(word)
    return _BY_WORD.get(word) or (_BY_WORD.get(tag[1]) if tag else None)


def _bare(word: str) -> str:
    """Return `word` in lower case and without accents: phones leave them out."""
    apart = unicodedata.normalize("NFKD", word.strip().lower())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


_BY_WORD = {
    _bare(word): name
    for word, name in (
        *_NAMES.items(),
        *((name, name) for name in _NAMES.values()),
        *_OTHERS.items(),
    )
}
