"""A manifest's bytes as text, in the encodings that programs write tables in, and texts that can be written again."""

from __future__ import annotations

import codecs
import re
from typing import Any

BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SURROGATES = re.compile("[\ud800-\udfff]")


def as_text(data: bytes) -> str:
    """Decode by the byte order mark, as UTF-16 where every other byte is zero, else as UTF-8 or, failing that, cp1252.

    What Windows' programs write without a mark is cp1252. Read wrongly, a name finds no file, which its row says.

    Raises:
        UnicodeDecodeError: it is none of these.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding)
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = data[first:400:2]
        if zeros and zeros.count(0) > len(zeros) // 2:
            return data.decode(encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            raise error from None


def as_utf8(text: str) -> str:
    """The text as a file can hold it: JSON can have halves of characters, a file's name bytes that are no UTF-8."""
    return text if text.isascii() else _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)


def spelled(value: Any) -> str:
    """Any cell as text: its kind alone where Python does not write it out, as a number of thousands of digits."""
    try:
        return str(value)
    except ValueError:
        return f"({type(value).__name__})"
