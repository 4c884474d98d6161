"""What titles of columns mean, in the languages that exports come in.

Titles are compared folded, with everything but letters and digits taken for a
space. A title that names several things at once (`Name` is the whole name or,
beside a first name, the last one) is settled by its neighbours in `detection`.
"""

import re

from waplus.lib.text import fold

FIRST, MIDDLE, LAST = "first_name", "middle_name", "last_name"
NAME, NICKNAME, COMPANY, EMAIL, PHONE, WHATSAPP = "name", "nickname", "company", "email", "phone", "whatsapp"
NOTE, TAGS, STAGE, IGNORE = "note", "tags", "stage", "ignore"
FIELD = "field:"
TARGETS = (NAME, FIRST, MIDDLE, LAST, NICKNAME, COMPANY, EMAIL, PHONE, WHATSAPP, NOTE, TAGS, STAGE, IGNORE)

# Titles that fit as a whole. English, Portuguese, Spanish, German, French, Italian, Dutch, Polish, Turkish, Russian,
# Arabic, Chinese, Japanese and Korean; Outlook's own titles are among them.
_WHOLE: dict[str, str] = {
    NAME: """name; full name; fullname; display name; file as; contact; contact name; customer; customer name; client;
        client name; nome completo; nome do contato; nome de exibicao; contato; cliente; nombre completo;
        nombre para mostrar; contacto; vollstandiger name; anzeigename; kontakt; kunde; kundenname; ansprechpartner;
        nom complet; nom affiche; contact nom; nome e cognome; nominativo; volledige naam; weergavenaam;
        imie i nazwisko; nazwa; ad soyad; adi soyadi; ady soyady; имя и фамилия; фио; полное имя; контакт; клиент;
        الاسم; الاسم الكامل; 姓名; 名字; 全名; 联系人; 聯絡人; 氏名; 名前; お名前; 表示名; 이름; 성명""",
    "name?": "nome; nombre; nom; naam; имя; ad; isim",
    FIRST: """first name; firstname; given name; forename; primeiro nome; prenome; nome proprio; primer nombre;
        nombre de pila; vorname; prenom; nome di battesimo; voornaam; imie; ilk ad; adi; الاسم الاول; 名; 이름 부분""",
    MIDDLE: """middle name; middlename; additional name; second name; segundo nome; nome do meio; segundo nombre;
        weitere vornamen; zweiter vorname; deuxieme prenom; secondo nome; tweede voornaam; drugie imie; ikinci ad;
        отчество; الاسم الاوسط""",
    LAST: """last name; lastname; family name; surname; sobrenome; apelido; ultimo nome; apellido; apellidos; nachname;
        familienname; zuname; nom de famille; cognome; achternaam; nazwisko; soyad; soyadi; фамилия; اسم العائلة;
        اللقب; 姓; 姓氏; 성""",
    NICKNAME: "nickname; short name; alcunha; apodo; spitzname; surnom; soprannome; bijnaam",
    COMPANY: """company; company name; organization; organisation; organization name; organization 1 name; business;
        business name; account; account name; employer; empresa; companhia; nome da empresa; organizacao; razao social;
        compania; organizacion; nombre de la empresa; firma; unternehmen; firmenname; organisationsname; societe;
        entreprise; azienda; societa; ragione sociale; bedrijf; organisatie; firma nazwa; sirket; firma adi; компания;
        организация; фирма; الشركة; شركة; 公司; 单位; 單位; 公司名称; 会社; 会社名; 회사; 회사명""",
    NOTE: """note; notes; comment; comments; remarks; description; nota; notas; observacoes; observacao; anotacoes;
        comentario; comentarios; observaciones; notizen; notiz; bemerkung; bemerkungen; kommentar; remarque; remarques;
        commentaire; commentaires; annotazioni; notatka; notatki; uwagi; not; notlar; notitie; notities; opmerkingen;
        заметки; примечание; комментарий; ملاحظات; 备注; 備註; 備考; メモ; 메모""",
    TAGS: """tag; tags; label; labels; group; groups; group membership; category; categories; list; lists; segment;
        etiqueta; etiquetas; marcador; marcadores; rotulo; rotulos; grupo; grupos; categoria; categorias; schlagwort;
        schlagworte; schlagworter; kategorie; kategorien; gruppe; gruppen; etikett; etiketten; etiquette; etiquettes;
        categorie; groupe; groupes; etichette; gruppo; grupa; kategorien und gruppen; etiket; etiketler; grup; метки;
        метка; теги; тег; группа; группы; категория; الوسوم; تصنيف; 标签; 標籤; 分组; タグ; グループ; 태그; 그룹""",
    STAGE: """stage; pipeline stage; deal stage; lifecycle stage; status; lead status; etapa; fase; estagio; estado;
        phase; etape; statut; stadio; stato; aşama; этап; статус; 阶段; 階段; ステージ; 단계""",
    WHATSAPP: "whatsapp id; whatsappid; wa id; waid; jid; chat id; whatsapp jid; lid",
    IGNORE: """e mail display name; email display name; nome para exibicao do email; e mail anzeigename""",
}
_BY_TITLE = {
    " ".join(re.sub(r"[\W_]+", " ", fold(title)).split()): target
    for target, titles in _WHOLE.items()
    for title in titles.split(";")
}
_PHONE_WORDS = re.compile(
    r"\b(phones?|telefon[eo]?s?|telephones?|tels?|mobile?s?|mobil|mobiltelefon|handy|handynummer|rufnummer|telefonnummer"
    r"|telefonnummern|celulare?s?|cell|cellphone|cellulare|movil|moviles|fone|telemovel|gsm|portable|whats ?app|zap"
    r"|numero de telefone|komorka|komorkowy|msisdn|telefoonnummer|mobiel)\b"
    r"|телефон|мобильный|هاتف|جوال|موبايل|טלפון|电话|電話|手机|手機|携帯|전화|휴대폰|โทร"
)
_EMAIL_WORDS = re.compile(
    r"\b(e ?mails?|mail|emailadresse|mailadresse|correo|correio|courriel|posta)\b|почта|بريد|邮箱|郵箱|电子邮件|電子郵件|メール|이메일|דוא"
)
# A column about a number or an address that is not one; faxes have no WhatsApp.
_BESIDE = re.compile(
    r"\b(labels?|types?|tipo|typ|fax|telefax|pager|bip|telex|tty|tdd|isdn|display name|anzeigename|angezeigter name|country|codes?|ext"
    r"|extension|ramal|durchwahl|opt|status|verified|valid|count|consent|carrier|provider|owner)\b|факс|传真|傳真"
)
# Numbers and texts that are easily taken for those of a person.
_ELSE = re.compile(
    r"\b(id|uid|uuid|nr|no|number|numero|key|date|data|fecha|datum|birthday|born|aniversario|nascimento|cumpleanos|nacimiento"
    r"|geburtstag|geburtsdatum|anniversaire|zip|cep|plz|postal|postcode|cpf|cnpj|rg|dni|nif|nit|vat|ssn|price|preco|precio"
    r"|preis|valor|amount|total|value|address|endereco|direccion|adresse|street|rua|calle|city|cidade|ciudad|ort|website"
    r"|site|url|web|photo|foto|image|gender|sexo|geschlecht|title|position|cargo|puesto|anrede|prefix|suffix|phonetic"
    r"|yomi|initials|latitude|longitude|time|hora|created|updated|modified)\b"
)


def plain_title(title: str) -> str:
    """A title for comparison: folded, words of letters and digits with single spaces."""
    return " ".join(re.sub(r"[\W_]+", " ", fold(title)).split())


def target_of(title: str) -> str:
    """What a title means by itself; `name?` for words that mean the whole name or a part of it; "" if it says nothing."""
    plain = plain_title(title)
    if found := _BY_TITLE.get(plain):
        return found
    if _BESIDE.search(plain):
        return IGNORE
    if _EMAIL_WORDS.search(plain):
        return EMAIL
    if _PHONE_WORDS.search(plain):
        return PHONE
    if _ELSE.search(plain):
        return IGNORE
    # `Organization 2 - Name`, `Company (work)`: a number or a remark behind a title that is known.
    shorter = plain_title(re.sub(r"\(.*?\)|\d+", " ", title))
    return _BY_TITLE.get(shorter, "") if shorter != plain else ""
