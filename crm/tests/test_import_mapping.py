"""Columns are known by their titles in many languages, by their values, and by each other."""

import pytest

from crm.services.imports.mapping.detection import Known, detect
from crm.services.imports.mapping.rows import RowReader

GOOGLE = ["First Name", "Middle Name", "Last Name", "File As", "Organization Name", "Notes", "Labels", "E-mail 1 - Label", "E-mail 1 - Value", "Phone 1 - Label", "Phone 1 - Value"]  # fmt: skip
AS_GOOGLE = ["first_name", "middle_name", "last_name", "name", "company", "note", "tags", "ignore", "email", "ignore", "phone"]  # fmt: skip

OUTLOOK = {
    "English": ("First Name;Middle Name;Last Name;Company;Business Fax;Business Phone;Mobile Phone;E-mail Address;E-mail Display Name;Categories;Notes;Birthday", ""),
    "German": ("Vorname;Weitere Vornamen;Nachname;Firma;Fax geschäftlich;Telefon geschäftlich;Mobiltelefon;E-Mail-Adresse;E-Mail: Angezeigter Name;Kategorien;Notizen;Geburtstag", ""),
    "Spanish": ("Nombre;Segundo nombre;Apellidos;Organización;Fax del trabajo;Teléfono del trabajo;Móvil;Dirección de correo electrónico;Nombre para mostrar;Categorías;Notas;Cumpleaños", "name"),
    "Portuguese": ("Nome;Segundo Nome;Sobrenome;Empresa;Fax Comercial;Telefone Comercial;Celular;Endereço de Email;Tipo de Email;Categorias;Anotações;Aniversário", ""),
}  # fmt: skip
AS_OUTLOOK = ["first_name", "middle_name", "last_name", "company", "ignore", "phone", "phone", "email", "ignore", "tags", "note", "ignore"]  # fmt: skip


def test_knows_google():
    assert detect(GOOGLE, [], "BR", Known()) == AS_GOOGLE


@pytest.mark.parametrize("language", OUTLOOK)
def test_knows_outlook(language):
    titles, instead = OUTLOOK[language]
    expected = [*AS_OUTLOOK]
    if instead:
        expected[8] = instead
    assert detect(titles.split(";"), [], "BR", Known()) == expected


@pytest.mark.parametrize(
    ("titles", "record", "targets"),
    [
        (["Name", "Vorname"], ["Häußler", "Götz"], ["last_name", "first_name"]),
        (["Nom", "Prénom"], ["Petit", "Luc"], ["last_name", "first_name"]),
        (["Nombre"], ["Ana"], ["name"]),
        (["a", "b", "c", "d"], ["Ana Núñez", "ana@example.com", "+34 612 34 56 78", "12"], ["name", "email", "phone", "ignore"]),
        (["x"], ["5511987654321@c.us"], ["whatsapp"]),
        (["WhatsApp"], ["5511987654321@c.us"], ["whatsapp"]),
        (["姓名", "电话", "备注"], ["王小明", "+86 138 0013 8000", "x"], ["name", "phone", "note"]),
        (["Имя", "Телефон"], ["Иван", "+7 921 123-45-67"], ["name", "phone"]),
        (["Name", "CPF", "Customer ID"], ["Ana", "12345678901", "11987654321"], ["name", "ignore", "ignore"]),
        (["Name", "Status"], ["Ana", "Won"], ["name", "stage"]),
        (["Name", "Status"], ["Ana", "married"], ["name", "ignore"]),
        (["Name", "Segment"], ["Ana", "Retail"], ["name", "field:1"]),
    ],
)  # fmt: skip
def test_knows_columns(titles, record, targets):
    known = Known({"segment": "field:1"}, frozenset({"won"}))
    assert detect(titles, [record], "BR", known) == targets


def test_reads_cells_of_every_target():
    titles = ["Name", "Company", "E-mail", "Phone", "WhatsApp", "Note", "Tags", "Stage"]
    reader = RowReader(
        titles, ["name", "company", "email", "phone", "whatsapp", "note", "tags", "stage"], "BR", {"won": "1"}
    )
    row = reader.read(1, ["  Ana\u200b  Maria ", "", "x; ana@example.com", "11 98765-4321 ::: +49 30 123456; 12", "551133334444", "a\r\nb", "VIP, * myContacts | New, VIP", "WON"])  # fmt: skip
    assert (row.name, row.email, row.note, row.tags, row.stage) == (
        "Ana Maria",
        "ana@example.com",
        "a\nb",
        ["VIP", "New"],
        "1",
    )
    assert [identity[:2] for identity in row.identities] == [
        ("phone", "+5511987654321"),
        ("phone", "+4930123456"),
        ("phone", "+551133334444"),
    ]
    assert len(row.notes) == 1
    assert row.notes[0].startswith("Phone: ")
