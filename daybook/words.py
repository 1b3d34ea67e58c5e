"""Amounts in words, as cheques and statements need them: crore, lakh, thousand; English and Bangla."""

from __future__ import annotations

from decimal import Decimal

from djmoney.money import Money

from daybook.formats import Amount, language

ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
ENGLISH_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
# Bangla has a word of its own for every number up to ninety-nine.
BANGLA = (
    "শূন্য এক দুই তিন চার পাঁচ ছয় সাত আট নয় দশ এগারো বারো তেরো "
    "চৌদ্দ পনেরো ষোলো সতেরো আঠারো উনিশ বিশ একুশ বাইশ তেইশ চব্বিশ "
    "পঁচিশ ছাব্বিশ সাতাশ আটাশ ঊনত্রিশ ত্রিশ একত্রিশ বত্রিশ "
    "তেত্রিশ চৌত্রিশ পঁয়ত্রিশ ছত্রিশ সাঁইত্রিশ আটত্রিশ ঊনচল্লিশ "
    "চল্লিশ একচল্লিশ বিয়াল্লিশ তেতাল্লিশ চুয়াল্লিশ পঁয়তাল্লিশ "
    "ছেচল্লিশ সাতচল্লিশ আটচল্লিশ ঊনপঞ্চাশ পঞ্চাশ একান্ন বায়ান্ন "
    "তিপ্পান্ন চুয়ান্ন পঞ্চান্ন ছাপ্পান্ন সাতান্ন আটান্ন ঊনষাট "
    "ষাট একষট্টি বাষট্টি তেষট্টি চৌষট্টি পঁয়ষট্টি ছেষট্টি "
    "সাতষট্টি আটষট্টি ঊনসত্তর সত্তর একাত্তর বাহাত্তর তিয়াত্তর "
    "চুয়াত্তর পঁচাত্তর ছিয়াত্তর সাতাত্তর আটাত্তর ঊনআশি আশি "
    "একাশি বিরাশি তিরাশি চুরাশি পঁচাশি ছিয়াশি সাতাশি অষ্টআশি "
    "ঊননব্বই নব্বই একানব্বই বিরানব্বই তিরানব্বই চুরানব্বই "
    "পঁচানব্বই ছিয়ানব্বই সাতানব্বই আটানব্বই নিরানব্বই"
).split()
SCALES = {
    "en": ((10_000_000, " crore"), (100_000, " lakh"), (1_000, " thousand"), (100, " hundred")),
    "bn": ((10_000_000, " কোটি"), (100_000, " লাখ"), (1_000, " হাজার"), (100, "শ")),
}
FRAME = {
    "en": ("taka {taka} only", "taka {taka} and {poisha} poisha only", "minus "),
    "bn": ("{taka} টাকা মাত্র", "{taka} টাকা {poisha} পয়সা মাত্র", "ঋণাত্মক "),
}


def amount_in_words(value: Amount, *, lang: str = "") -> str:
    """12,50,000.50 is "Taka twelve lakh fifty thousand and fifty poisha only".

    ``lang`` is ``en`` or ``bn``; the language of the page when empty. Raises ``ValueError`` for an amount
    finer than a poisha or in another currency than taka.
    """
    lang = lang or language()
    if isinstance(value, Money) and str(value.currency) != "BDT":
        raise ValueError(f"{value} is not in taka")
    amount = value.amount if isinstance(value, Money) else Decimal(value)
    poisha_in_all = abs(amount) * 100
    if poisha_in_all != int(poisha_in_all):
        raise ValueError(f"{amount} is finer than a poisha")
    taka, poisha = divmod(int(poisha_in_all), 100)
    whole, with_poisha, minus = FRAME[lang]
    frame = with_poisha if poisha else whole
    text = frame.format(taka=number_in_words(taka, lang=lang), poisha=number_in_words(poisha, lang=lang))
    text = minus + text if amount < 0 else text
    return text[0].upper() + text[1:]


def number_in_words(value: int, *, lang: str) -> str:
    """A whole number, not negative; beyond a crore the crores are counted: "one thousand crore"."""
    if value < 0:
        raise ValueError(f"{value} is negative")
    parts = []
    rest = value
    for size, word in SCALES[lang]:
        count, rest = divmod(rest, size)
        if count:
            parts.append(number_in_words(count, lang=lang) + word)
    if rest or not parts:
        parts.append(_below_hundred(rest, lang=lang))
    return " ".join(parts)


def _below_hundred(value: int, *, lang: str) -> str:
    if lang == "bn":
        return BANGLA[value]
    if value < 20:
        return ENGLISH[value]
    tens, ones = divmod(value, 10)
    return ENGLISH_TENS[tens] + (f"-{ENGLISH[ones]}" if ones else "")
