"""Reading files: what people really have is read, what is hostile gets a sentence, and never anything else."""

import contextlib
import io
import zipfile
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from crm.services.imports.reading import Layout, Unreadable, open_source
from crm.services.spreadsheets import workbook

NAMES = {
    "utf-8": ["José", "Łukasz", "王小明"],
    "utf-8-sig": ["José", "Łukasz", "王小明"],
    "utf-16": ["José", "Łukasz", "王小明"],
    "cp1252": ["José Gonçalves", "Günther Häußler", "Conceição Araújo"],
    "cp1250": ["Małgorzata Łęcka", "Jiří Dvořák", "Żaneta Świątek"],
    "cp1251": ["Иван Петров", "Мария Кузнецова", "Алексей Смирнов"],
    "big5": ["王小明", "陳大文", "林美玲"],
    "gb18030": ["王小明", "李华", "张伟"],
    "cp932": ["佐藤花子", "田中太郎", "鈴木一郎"],
}


def read(content: bytes, layout: Layout | None = None) -> tuple[Layout, list[str], list[list[str]]]:
    source = open_source(io.BytesIO(content), layout)
    return source.layout, source.titles, list(source.records())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", NAMES)
def test_reads_text_in_any_encoding_and_delimiter(encoding, delimiter):
    rows = [[name, "+49 151 1234567", "a; b, c"] for name in NAMES[encoding]]
    text = "".join(delimiter.join(f'"{cell}"' for cell in row) + "\r\n" for row in [["Name", "Phone", "Tags"], *rows])
    layout, titles, records = read(text.encode(encoding))
    assert (layout.delimiter, titles, records) == (delimiter, ["Name", "Phone", "Tags"], rows)


@pytest.mark.parametrize(
    ("content", "titles", "records"),
    [
        (b"sep=;\r\nName;Phone\r\nAna;1\r\n", ["Name", "Phone"], [["Ana", "1"]]),
        (b"Name,Phone\rAna,1\rBea,2\r", ["Name", "Phone"], [["Ana", "1"], ["Bea", "2"]]),
        (b'Name,Notes\n"Ana","two\r\nlines, ""quoted"""\n', ["Name", "Notes"], [["Ana", 'two\r\nlines, "quoted"']]),
        (b"Name,Phone\n\n,,\nAna,1\n   \n", ["Name", "Phone"], [["Ana", "1"]]),
        (b"Ana;+49 151 1234567\nBea;+49 151 1234568\n", ["Column 1", "Column 2"], [["Ana", "+49 151 1234567"], ["Bea", "+49 151 1234568"]]),
        (b"Phone\n+4915112345678\n", ["Phone"], [["+4915112345678"]]),
        ("N\u0101me\nx\n".encode("utf-16-le"), ["N\u0101me"], [["x"]]),
        (b"Name," + b"x" * 2_000 + b"\nAna,1\n", ["Name", "x" * 200], [["Ana", "1"]]),
    ],
)  # fmt: skip
def test_reads_oddities_of_text(content, titles, records):
    assert read(content)[1:] == (titles, records)


def test_prefers_encoding_of_country():
    content = "İsim;Şehir\nÇınar;Muğla\n".encode("cp1254")
    assert read(content, Layout(country="TR"))[2] == [["Çınar", "Muğla"]]
    assert read(content)[0].encoding == "cp1252"


def test_takes_chosen_layout():
    content = "Name;Stadt\nJürgen;Köln\n".encode("cp1252")
    assert read(content, Layout("csv", "cp1252", ",", True))[1:] == (["Name;Stadt"], [["Jürgen;Köln"]])
    assert read(content, Layout("csv", "cp850", ";", False))[2][1] != ["Jürgen", "Köln"]


def test_reads_workbook_as_people_see_it():
    book = Workbook()
    sheet = book.active
    sheet.append(["Name", "Phone", "Since", "Formula", "Number"])
    sheet.append(["Ana", 4915112345678, __import__("datetime").datetime(2026, 1, 31), "=1+1", 1.5])
    sheet.append(["Bea", 5.511987654321e12, None, None, True])
    book.create_sheet("Other").append(["not read"])
    file = io.BytesIO()
    book.save(file)
    source = open_source(file)
    assert source.titles == ["Name", "Phone", "Since", "Formula", "Number"]
    assert list(source.records()) == [
        ["Ana", "4915112345678", "2026-01-31", "", "1.5"],
        ["Bea", "5511987654321", "", "", "TRUE"],
    ]
    assert source.remarks == ["Only the first sheet, “Sheet”, is read."]


VCARDS = (
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Silva;Jos=C3=A9;;;\r\n"
    b"FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Jos=C3=A9 =\r\nSilva\r\nTEL;CELL;PREF:+55 11 98765-4321\r\n"
    b"PHOTO;ENCODING=BASE64;JPEG:\r\n " + b"QUJD" * 20_000 + b"\r\n\r\nEND:VCARD\r\n"
    b"BEGIN:VCARD\nVERSION:3.0\nFN:Bea\\, M\xc3\xbcller\nitem1.TEL;TYPE=\"cell,voice\":+49 151\n  1234567\n"
    b"item1.X-ABLabel:x\nTEL;waid=4915112345679:+49 151 12345679\nORG:Acme;Sales\nCATEGORIES:A,B\\,C\nNOTE:one\\ntwo\n"
    b"EMAIL;TYPE=INTERNET:bea@example.com\nEND:VCARD\n"
    b"BEGIN:VCARD\nVERSION:4.0\nFN:Carl\nTEL;VALUE=uri;PREF=1:tel:+1-202-555-0123;ext=5\nEND:VCARD\n"
    b"BEGIN:VCARD\nFN:Never ended\n"
)  # fmt: skip


def test_reads_cards_of_all_versions():
    _, titles, records = read(VCARDS)
    people = [{title: cell for title, cell in zip(titles, record, strict=True) if cell} for record in records]
    assert people == [
        {"Name": "José Silva", "First Name": "José", "Last Name": "Silva", "Phone": "+55 11 98765-4321"},
        {
            "Name": "Bea, Müller",
            "Organization": "Acme Sales",
            "Phone": "+49 151 1234567 ::: +4915112345679",
            "E-mail": "bea@example.com",
            "Categories": "A ::: B,C",
            "Notes": "one\ntwo",
        },
        {"Name": "Carl", "Phone": "+1-202-555-0123"},
        {"Name": "Never ended"},
    ]


def packed(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_sheet(xml: bytes, texts: bytes = b"") -> bytes:
    """A workbook of ours with another sheet, and a table of texts if one is given."""
    parts = zipfile.ZipFile(io.BytesIO(b"".join(workbook([["Name"]]))))
    content = {name: parts.read(name) for name in parts.namelist()}
    content["xl/worksheets/sheet1.xml"] = xml
    if texts:
        content["xl/sharedStrings.xml"] = texts
        types = content["[Content_Types].xml"]
        content["[Content_Types].xml"] = types.replace(b"</Types>", SHARED + b"</Types>")
    return packed(**content)


SHARED = (
    b'<Override PartName="/xl/sharedStrings.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
TEXTS = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>'


def row_of_texts(number: int, *places: int) -> bytes:
    """A row of a sheet whose cells name texts by their places in the table."""
    cells = "".join(f'<c r="{"AB"[column]}{number}" t="s"><v>{place}</v></c>' for column, place in enumerate(places))
    return f'<row r="{number}">{cells}</row>'.encode()


def test_reads_texts_that_cells_share():
    texts = (
        b"<si><t>Name</t></si><si><t>City</t></si><si><t xml:space='preserve'> Ana &amp; Bea</t></si>"
        b"<si><r><t>S\xc3\xa3o </t></r><r><t>Paulo</t></r><rPh sb='0' eb='1'><t>not said</t></rPh></si><si><t/></si>"
    )
    sheet = row_of_texts(1, 0, 1) + row_of_texts(2, 2, 3) + row_of_texts(3, 3, 2) + row_of_texts(4, 4, 3)
    source = open_source(io.BytesIO(with_sheet(SHEET % sheet, TEXTS % texts)))
    assert source.titles == ["Name", "City"]
    assert list(source.records()) == [[" Ana & Bea", "São Paulo"], ["São Paulo", " Ana & Bea"], ["", "São Paulo"]]


@pytest.mark.parametrize("broken", ["sheet", "texts"])
def test_looks_at_first_rows_of_workbook_without_reading_the_rest(broken):
    """What is damaged behind them is found by whoever reads on: a large workbook is uploaded in no time."""
    sheet = SHEET % b"".join(row_of_texts(number, number - 1, number - 1) for number in range(1, 20_001))
    texts = TEXTS % b"".join(b"<si><t>Text %d</t></si>" % number for number in range(20_000))
    if broken == "sheet":
        sheet = sheet[: len(sheet) * 3 // 4]
    else:
        texts = texts[: len(texts) * 3 // 4]
    source = open_source(io.BytesIO(with_sheet(sheet, texts)), Layout(header=True))
    assert list(islice(source.records(), 200)) == [[f"Text {number}"] * 2 for number in range(1, 201)]
    with pytest.raises(Unreadable, match="damaged"):
        list(source.records())


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'

HOSTILE = {
    "empty": (b"", "empty"),
    "nothing but blanks": (b"\n\n , ,\n"[:2], "empty"),
    "NUL": (b"Name,Phone\nA\x00na,1\n", "NUL"),
    "cell of 10 MB": (b'Name\n"' + b"x" * 10_000_000 + b'"\n', "characters"),
    "cell of many lines": (b'Name\n"' + b"x\n" * 200_000, "field larger than field limit"),
    "quote never closed": (b'Name,Phone\n"Ana,1\nBea,2\n', "never closed"),
    "header without end": (b"x" * 20_000_000, "characters"),
    "too many columns": (b",".join([b"Column"] * 600) + b"\n", "more than 500 columns"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel file"),
    "PDF": (b"%PDF-1.7 ...", "PDF"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
    "web page": (b"\n <html><table><tr><td>Name</td></tr></table>", "web page"),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(50), "compressed"),
    "JSON": (b'{"name": "Ana"}', "JSON"),
    "zip that is no workbook": (packed(readme=b"hello"), "ZIP archive"),
    "OpenDocument": (packed(**{"content.xml": b"<x/>"}), "OpenDocument"),
    "broken zip": (b"PK\x03\x04" + bytes(range(256)) * 10, "damaged"),
    "half a workbook": (b"".join(workbook([["Name"], ["Ana"]]))[:400], "damaged"),
    "entities": (with_sheet(ENTITIES + SHEET % b"<row><c t='inlineStr'><is><t>&b;&f;</t></is></c></row>"), "damaged"),
    "cell of 10 MB in a workbook": (
        with_sheet(SHEET % (b"<row><c t='inlineStr'><is><t>" + b"x" * 10_000_000 + b"</t></is></c></row>")),
        "too large to be true",
    ),
    "cell far to the right": (with_sheet(SHEET % b'<row r="1"><c r="XFD1"><v>1</v></c></row>'), "more than 500 columns"),
    "text that is not there": (with_sheet(SHEET % b'<row r="1"><c r="A1" t="s"><v>99</v></c></row>'), "damaged"),
    "bomb": (packed(**{"[Content_Types].xml": b"<x/>", "xl/styles.xml": bytes(20_000_000)}), "too large to be true"),
    "card of a huge value": (b"BEGIN:VCARD\nFN:" + b"x" * 10_000_000 + b"\nEND:VCARD\n", "more than"),
    "card with NUL": (b"BEGIN:VCARD\nFN:A\x00na\nEND:VCARD\n", "NUL"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_says_what_is_wrong_with_hostile_file(name):
    content, sentence = HOSTILE[name]
    with pytest.raises(Unreadable, match=sentence):
        read(content)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=3000), st.text(max_size=1000).map(lambda text: text.encode("utf-8", "replace"))))
def test_reads_any_bytes_or_says_why_not(content):
    try:
        _, titles, records = read(content)
    except Unreadable:
        return
    assert titles
    assert all(isinstance(cell, str) and "\x00" not in cell for record in records for cell in record)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(VCARDS) - 1), st.integers(0, 255)), max_size=20), st.data())
def test_reads_damaged_cards_or_says_why_not(damage, data):
    content = bytearray(VCARDS[:900] + VCARDS[-600:])
    for place, byte in damage:
        content[place % len(content)] = byte
    with contextlib.suppress(Unreadable):
        read(bytes(content))


BOOK = b"".join(workbook([["Name", "Phone"], *([f"Person {n}", f"+49151{n:07}"] for n in range(20))]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(BOOK) - 1), st.integers(0, 255)), min_size=1, max_size=10))
def test_reads_damaged_workbook_or_says_why_not(damage):
    content = bytearray(BOOK)
    for place, byte in damage:
        content[place] = byte
    with contextlib.suppress(Unreadable):
        read(bytes(content))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from('<>/="rcvtsinlSAB1 09_&;:-'), max_size=200))
def test_reads_any_sheet_or_says_why_not(inner):
    with contextlib.suppress(Unreadable):
        read(with_sheet(SHEET % inner.encode()))
