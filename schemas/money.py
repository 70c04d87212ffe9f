"""Minor units in words: 5000 is `50.00 元` in Chinese, `CNY 50.00` in English."""

from __future__ import annotations

# Currencies whose smallest unit is the unit itself (ISO 4217).
_WHOLE = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF", "UGX", "PYG"})
_CHINESE = {
    "CNY": "元",
    "HKD": "港元",
    "TWD": "新台币",
    "JPY": "日元",
    "USD": "美元",
    "EUR": "欧元",
}


def digits(minor: int, currency: str) -> str:
    """An amount without its currency: `50.00`."""
    if currency in _WHOLE:
        return str(minor)
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def money_words(minor: int, currency: str, language: str = "en") -> str:
    """An amount with its currency, in Chinese (`zh`) or English."""
    if language == "zh":
        return f"{digits(minor, currency)} {_CHINESE.get(currency, currency)}"
    return f"{currency} {digits(minor, currency)}"
