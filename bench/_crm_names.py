"""Made-up people for benchmarks: names of several scripts, a few very frequent and most of them rare."""

import itertools

# Share of contacts, given names, family names, how the two are joined, and syllables
# for the rare family names; where the family name stands first, the two have changed places.
SCRIPTS: dict[str, tuple[float, str, str, str, tuple[str, str, str]]] = {
    "latin": (
        0.62,
        "Maria José Ana João António Luís Paula Carlos Jürgen Zoë Chloé François Łukasz Søren Iñaki Müge Ágata Bob Liz Wu "
        "Fernanda Rafael Beatriz Thiago Camila Bruno Larissa Eduardo Sofía Mateo Valentina Santiago Hannah Lukas Emma Jonas "
        "Olivia Noah Amelia Liam Aisha Omar Fatou Kwame Thandiwe Sipho Nguyễn Đặng Trần Björk Åsa Jiří Žofie Gergő Bence",
        "Silva Santos Oliveira Souza Pereira García Martínez López Müller Schmidt Weiß Dąbrowski Kowalski Jensen Smith Jones "
        "Brown Taylor Li O'Brien d'Ávila Sá Gonçalves Araújo Barbosa Ribeiro Carvalho Fernández Ibáñez Núñez Yılmaz Özdemir",
        " ",
        (
            "ba be bra ca cor da del fa fer go gra ha ho jo ka kle la lo ma men",
            "ra ri ro sa se ti to va ve zi",
            "no ne lli des witz son ra ski to va",
        ),
    ),
    "cyrillic": (
        0.1,
        "Иван Анна Дмитрий Ольга Сергей Елена Андрей Наталья Алёна Юрий Йосип Ґанна",
        "Иванов Петрова Сидоров Кузнецова Смирнов Попова Шевченко Коваленко Ткачук Бойко",
        " ",
        ("ба ве го да жу за ка ла ме но па ру", "ра ре ри ро са та ту", "нов ская ченко юк ин ева"),
    ),
    "arabic": (
        0.1,
        "محمد أحمد فاطمة علي عائشة يوسف مريم خالد نور سارة",
        "الحربي العتيبي القحطاني المصري السيد حسن إبراهيم الشامي",
        " ",
        ("با تا حا سا شا عا", "را لا ما نا", "دي ني كي ري"),
    ),
    "chinese": (
        0.1,
        "王 李 张 刘 陈 杨 赵 黄 周 吴",
        "伟 芳 娜 秀英 敏 静 丽 强 磊 军 洋 勇 艳 杰 小明",
        "",
        ("欧 司 上 诸", "阳 徒 官 葛", "文 明 海 龙"),
    ),
    "devanagari": (
        0.04,
        "राहुल प्रिया अमित नेहा विकास",
        "शर्मा वर्मा सिंह गुप्ता",
        " ",
        ("का मा रा सा", "ला ना पा", "नी री जी"),
    ),
    "japanese": (0.04, "佐藤 鈴木 高橋 田中", "さくら 太郎 花子 健 ゆい", " ", ("山 川 森 林", "本 田 中", "子 郎 美")),
}
RARE = 20_000  # family names a script at most

COMPANIES = [
    "Padaria Central",
    "Oficina do Zé",
    "Estúdio Três",
    "Müller Bau",
    "Łódź Logistics",
    "Société Générale de Thé",
    "Café São Jorge",
    "ООО Ромашка",
    "شركة النور",
    "北京科技有限公司",
    "Blue Ocean",
    "Acme",
    "Ítaca Viagens",
    "Nordlys A/S",
    "Kaya İnşaat",
    "Delta Foods",
]
CITIES = [
    "São Paulo",
    "Rio de Janeiro",
    "Lisboa",
    "Ciudad de México",
    "Buenos Aires",
    "München",
    "Łódź",
    "Kraków",
    "Москва",
    "القاهرة",
    "北京",
    "東京",
    "Mumbai",
    "London",
]
NOTE_WORDS = [
    "called",
    "again",
    "on",
    "Monday",
    "wants",
    "the",
    "offer",
    "in",
    "writing",
    "asks",
    "about",
    "delivery",
    "paid",
    "late",
    "prefers",
    "WhatsApp",
    "discount",
    "contract",
    "reunião",
    "proposta",
    "orçamento",
    "ligar",
    "amanhã",
    "prazo",
    "entrega",
    "Größe",
    "Lieferung",
    "перезвонить",
    "договор",
    "العرض",
    "اتصال",
    "报价",
    "合同",
]


def family_names(script: str) -> list[str]:
    """The family names of a script, most frequent first."""
    _, _, known, _, syllables = SCRIPTS[script]
    one, two, three = (part.split() for part in syllables)
    made = ("".join(parts).capitalize() for parts in itertools.product(one, two, two, three))
    return list(dict.fromkeys([*known.split(), *itertools.islice(made, RARE)]))


def given_names(script: str) -> list[str]:
    """The given names of a script, most frequent first."""
    return SCRIPTS[script][1].split()
