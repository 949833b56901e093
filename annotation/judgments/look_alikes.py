"""Texts that look alike on a screen, though their characters differ."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from functools import cache

# Zero-width space, word joiner, byte order mark, soft hyphen, marks of direction, variation
# selectors of emoji: none of them can be seen.
_UNSEEN = "\u200b\u2060\ufeff\u00ad\u200e\u200f\u061c\u180e\ufe0e\ufe0f"
_JOINERS = "\u200c\u200d"  # inside a word they shape letters, at its ends they cannot be seen
# Unicode's marks of a character that is another one in another width, or one that breaks no line.
# Its other marks change what is said: NFKC as a whole would make "x2" of a superscript.
_SAME_LOOK = ("<wide>", "<narrow>", "<noBreak>")
_BASIC_PLANE = range(0x80, 0x10000)  # no character beyond has one of these marks


def look(text: str) -> str:
    """What a text looks like; texts with the same look cannot be told apart on a screen.

    Letters composed (Unicode NFC), full and half width forms as usual ones, without characters of
    no width and without outer blanks. "" where nothing can be seen. Case counts.
    """
    if text.isascii():
        return text.strip()
    bare = text.translate(_usual_forms()).strip()
    while bare != (shorter := bare.strip(_JOINERS).strip()):
        bare = shorter
    return unicodedata.normalize("NFC", bare)


@cache
def _usual_forms() -> Mapping[int, str]:
    forms = {ord(character): "" for character in _UNSEEN}
    for code in _BASIC_PLANE:
        if unicodedata.decomposition(chr(code)).partition(" ")[0] in _SAME_LOOK:
            forms[code] = unicodedata.normalize("NFKC", chr(code))
    return forms


def shared_spellings(counts: Counter[str], key: Callable[[str], Hashable] = look) -> dict[str, str]:
    """Texts that are spelled anew -> the commonest text of the same key; no others are told.

    Of equally common ones the shortest, then the first in the alphabet: the order of the texts
    decides nothing.
    """
    groups: dict[Hashable, list[str]] = {}
    for text in counts:
        groups.setdefault(key(text), []).append(text)
    changed: dict[str, str] = {}
    for texts in groups.values():
        if len(texts) > 1:
            best = min(texts, key=lambda text: (-counts[text], len(text), text))
            changed.update({text: best for text in texts if text != best})
    return changed
