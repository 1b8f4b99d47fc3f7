"""Languages by the names and codes that people type."""

_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "ku": "Kurdish", "lt": "Lithuanian", "lv": "Latvian",
    "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian",
    "sv": "Swedish", "sw": "Swahili", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_OTHERS = {"farsi": "Persian", "deutsch": "German", "francais": "French", "espanol": "Spanish",
           "فارسی": "Persian", "nb": "Norwegian", "mandarin": "Chinese"}  # fmt: skip
_BY_WORD = _NAMES | {name.lower(): name for name in _NAMES.values()} | _OTHERS


def language(word: str) -> str | None:
    """Return the English name of a language, or None where it is none that we know.

    Takes a name, a code of two letters, or a tag such as `de-AT`.
    """
    word = word.strip().lower()
    return _BY_WORD.get(word) or _BY_WORD.get(word.partition("-")[0] if "-" in word else "")
