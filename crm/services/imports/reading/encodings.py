"""Which encoding a text file is in: what its bytes prove first, then what its letters suggest."""

import codecs
from typing import BinaryIO

from charset_normalizer import from_bytes

from crm.services.imports.reading.source import Unreadable

BLOCK = 1 << 20
# How much of a file that is no UTF-8 is weighed, in bytes.
SAMPLE = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What address books are really kept in, besides Unicode.
LEGACY = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874"),
    *("big5", "gb18030", "cp932", "euc_jp", "cp949", "koi8_r", "mac_roman", "cp850", "cp866"),
)
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
ENCODINGS = (*UNICODE, *LEGACY)


# What programs of a country write if they do not write Unicode; elsewhere it is Western European.
_OF_COUNTRY = {
    **dict.fromkeys(["PL", "CZ", "SK", "HU", "RO", "HR", "SI", "BA", "AL"], "cp1250"),
    **dict.fromkeys(["RU", "UA", "BY", "BG", "RS", "MK", "KZ", "KG", "MN"], "cp1251"),
    **dict.fromkeys(
        [
            "AE",
            "SA",
            "EG",
            "IQ",
            "JO",
            "KW",
            "LB",
            "LY",
            "MA",
            "OM",
            "QA",
            "SY",
            "TN",
            "YE",
            "BH",
            "SD",
            "PS",
            "IR",
            "PK",
        ],
        "cp1256",
    ),
    **{"GR": "cp1253", "CY": "cp1253", "TR": "cp1254", "AZ": "cp1254", "IL": "cp1255", "VN": "cp1258", "TH": "cp874"},
    **dict.fromkeys(["EE", "LV", "LT"], "cp1257"),
    **{"CN": "gb18030", "SG": "gb18030", "TW": "big5", "HK": "big5", "MO": "big5", "JP": "cp932", "KR": "cp949"},
}


def encoding_of(file: BinaryIO, country: str = "") -> str:
    """One of `ENCODINGS`. UTF-8 is decided over the whole file, for its first odd letter may come late."""
    file.seek(0)
    head = file.read(1 << 12)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if wide := _unmarked_wide(head):
        return wide
    if _is_utf8(file):
        return "utf-8"
    found = list(from_bytes(_odd_lines(file), cp_isolation=list(LEGACY)))
    if not found:
        raise Unreadable("The file is not text in any encoding that is known here. Save it as CSV in UTF-8.")
    likely = [match.encoding for match in found if match.chaos <= found[0].chaos]
    return next((one for one in (_OF_COUNTRY.get(country), "cp1252") if one in likely), likely[0])


def _unmarked_wide(head: bytes) -> str:
    """UTF-16 without a mark shows by zeros in every other place."""
    if len(head) < 4 or len(head) % 2:
        head = head[: len(head) // 2 * 2]
    half = len(head) // 2
    if half >= 2 and head[1::2].count(0) > 0.4 * half and not head[0::2].count(0):
        return "utf-16-le"
    if half >= 2 and head[0::2].count(0) > 0.4 * half and not head[1::2].count(0):
        return "utf-16-be"
    return ""


def _is_utf8(file: BinaryIO) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _odd_lines(file: BinaryIO) -> bytes:
    """Lines of the file that are not plain ASCII, up to a sample's size."""
    file.seek(0)
    sample = bytearray()
    while len(sample) < SAMPLE and (block := file.read(BLOCK)):
        if block.isascii():
            continue
        for line in block.splitlines(keepends=True):
            if not line.isascii():
                sample += line[: SAMPLE - len(sample)]
            if len(sample) >= SAMPLE:
                break
    return bytes(sample)
