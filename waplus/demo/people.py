"""The demo's customers: names of many scripts, and numbers of ranges that no network gives out."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class World:
    """Where some customers come from. `number` takes two digits; `together` writes the family name first, unspaced."""

    count: int
    number: str
    first: tuple[str, ...]
    last: tuple[str, ...]
    cities: tuple[str, ...]
    companies: tuple[str, ...]
    together: bool = False


def _world(count: int, number: str, first: str, last: str, cities: str, companies: str, together=False) -> World:
    lists = (tuple(text.split(", ")) for text in (first, last, cities, companies))
    return World(count, number, *lists, together)


WORLDS = (
    _world(
        68,
        "+55 11 97000-00{:02d}",
        "Ana, João, Beatriz, Antônio, Cláudia, Luís, Márcia, José, Letícia, Otávio, Conceição, Íris",
        "Lima, Gonçalves, Araújo, Brandão, Assunção, Magalhães, Sá, Nóbrega, Vidal",
        "São Paulo, Campinas, Santos, Curitiba, Florianópolis, Belém",
        "Padaria Aurora, Floricultura Ipê, Oficina Três Irmãos, Café Jatobá",
    ),
    _world(
        30,
        "+44 7400 0000{:02d}",
        "Amelia, Oliver, Isla, Noah, Freya, Arthur, Maeve, Theo",
        "Whitfield, O’Connor, Ashworth, Penrose, Hartley, Sinclair",
        "London, Bristol, Glasgow, Cardiff",
        "Harbour & Finch, Northgate Books, The Tin Kettle",
    ),
    _world(
        26,
        "+49 1511 00000{:02d}",
        "Jürgen, Käthe, Friedrich, Änne, Sören, Mathilde, Björn",
        "Müller, Weiß, Groß, Köhler, Schäfer, Böttcher",
        "Köln, München, Düsseldorf, Görlitz",
        "Bäckerei Löwe, Gärtnerei Grün, Weiß & Söhne",
    ),
    _world(
        24,
        "+34 600 00 00 {:02d}",
        "Lucía, Martín, Begoña, Íñigo, Ximena, Andrés",
        "Núñez, Ibáñez, Peña, Gutiérrez, Zúñiga",
        "Málaga, Cádiz, A Coruña, León",
        "Librería Quevedo, Viñedos del Duero",
    ),
    _world(
        22,
        "+7 900 000-00-{:02d}",
        "Анна, Дмитрий, Ольга, Сергей, Екатерина, Фёдор",
        "Ткаченко, Черных, Шевчук, Алёшко, Седых",
        "Москва, Казань, Томск",
        "Чайная №5, Книжный двор",
    ),
    _world(
        22,
        "+966 50 000 00{:02d}",
        "فاطمة, أحمد, نورة, يوسف, ليلى, خالد",
        "الحربي, العتيبي, منصور, القحطاني, حداد",
        "الرياض, جدة, الدمام",
        "مكتبة النور, مخبز الواحة",
    ),
    _world(
        18,
        "+86 138 0000 00{:02d}",
        "伟, 芳, 秀英, 磊, 静, 建国",
        "王, 李, 张, 陈, 欧阳",
        "上海, 成都, 广州",
        "明月茶馆, 东方书店",
        together=True,
    ),
    _world(
        16,
        "+81 90 1000 00{:02d}",
        "陽子, 健太, さくら, 翔, 美咲",
        "佐藤, 鈴木, 高橋, 渡辺",
        "京都, 札幌, 大阪",
        "喫茶こもれび, 花屋あおい",
        together=True,
    ),
    _world(
        12, "+82 10 0000 00{:02d}", "민준, 서연, 지우, 하준", "김, 이, 박, 최", "서울, 부산", "달빛서점", together=True
    ),
    _world(14, "+91 98000 000{:02d}", "आरव, दीया, कबीर, मीरा, रोहन", "शर्मा, पटेल, गुप्ता", "मुंबई, जयपुर", "चाय घर, रंग महल"),
    _world(
        10,
        "+30 690 000 00{:02d}",
        "Ελένη, Γιώργος, Μαρία, Νίκος",
        "Παπαδάκης, Οικονόμου, Βλάχος",
        "Αθήνα, Χανιά",
        "Καφέ Αίγλη",
    ),
    _world(10, "+972 50 000 00{:02d}", "נועה, איתי, תמר, עומר", "כהן, לוי, מזרחי", "תל אביב, חיפה", "מאפיית השקד"),
    _world(
        10, "+66 80 000 00{:02d}", "สมชาย, มาลี, ปกรณ์, อรุณี", "ศรีสุข, ทองดี, วงศ์ใหญ่", "กรุงเทพฯ, เชียงใหม่", "ร้านกาแฟดอยคำ"
    ),
)
TITLES = (
    *("Name", "Company", "E-mail", "Phone", "City", "Orders", "Birthday", "Source", "Interests", "Website"),
    *("Newsletter", "Spent", "Stage", "Tags", "Notes"),
)
SOURCES = ("Instagram", "Word of mouth", "Website", "Walk-in")
INTERESTS = ("Coffee", "Tea", "Ceramics", "Workshops")
STAGES = ("New", "Contacted", "Offer made", "Won", "Lost")
TAGS = ("VIP", "Wholesale", "Late payer", "Gift box", "Event", "Press")
NOTES = (
    "Prefers voice messages in the morning.",
    "Asked for an invoice with the company’s tax number.",
    "Allergic to nuts: no almond biscotti in the box.",
)


def _name(world: World, index: int) -> str:
    first = world.first[index % len(world.first)]
    last = world.last[(index // len(world.first) + index % len(world.first)) % len(world.last)]
    return last + first if world.together else f"{first} {last}"


def names() -> Iterator[tuple[World, int, str]]:
    """Every customer: the world, the place in it, the name. No name comes twice."""
    for world in WORLDS:
        for index in range(world.count):
            yield world, index, _name(world, index)


def number_of(world: World, index: int) -> str:
    """A customer's number as people write it."""
    return world.number.format(index)


def _every(place: int, step: int, value) -> str:
    return str(value) if place % step == 0 else ""


def address_book() -> bytes:
    """The customers as a file of semicolons, as a spreadsheet writes it, with some rows that nobody could use."""
    text = io.StringIO()
    rows = csv.writer(text, delimiter=";", lineterminator="\r\n")
    rows.writerow(TITLES)
    for place, (world, index, name) in enumerate(names()):
        rows.writerow(
            [
                name,
                _every(place, 3, world.companies[index % len(world.companies)]),
                _every(place, 2, f"customer{place}@example.com"),
                number_of(world, index),
                world.cities[index % len(world.cities)],
                _every(place, 2, place * 7 % 41),
                _every(place, 4, date(1960, 1, 9) + timedelta(days=place * 131 % 16_000)),
                _every(place, 2, SOURCES[place // 2 % len(SOURCES)]),
                _every(place, 3, ", ".join(INTERESTS[place % 3 : place % 3 + 1 + place % 2])),
                _every(place, 9, f"https://shop{place}.example.com/"),
                _every(place, 2, ("yes", "no")[place // 2 % 2]),
                _every(place, 3, f"{place * 1373 % 9000 + 45}.{place % 10}0"),
                _every(place, 2, STAGES[place // 2 * 5 % 13 % len(STAGES)]),
                _every(place, 4, TAGS[place // 4 % len(TAGS)]),
                _every(place, 17, NOTES[place % len(NOTES)]),
            ]
        )
    for cells in (["Ohne Nummer", "", "not an address", "12"], ["", "", "", "call the front desk"]):
        rows.writerow(cells + [""] * (len(TITLES) - len(cells)))
    return text.getvalue().encode("utf-8-sig")
