"""The sixty lists: words of one letter and of many, in every script, numbers in their spellings, filters, and both."""

import json

from bench._crm_searches import BY_NAME, LOOK, WALK, Case, Words, filtered, has, looked_up, ranked, walked


def cases_of(data) -> list[Case]:
    """All lists, for the workspace of `bench._crm_data.prepare()`."""
    known = _Known(data)
    return [*_words(), *_scripts(), *_numbers(known), *_elsewhere(known), *_filters(known), *_both(known)]


class _Known:
    """The ids of what filters speak of."""

    def __init__(self, data):
        from accounts.models import Membership
        from crm.models import Contact, CustomField, Stage, Tag

        workspace = data.workspace
        self.viewer = data.user.pk
        self.tags = dict(Tag.objects.for_workspace(workspace).values_list("position", "pk"))
        self.stages = dict(Stage.objects.for_workspace(workspace).values_list("position", "pk"))
        self.fields = dict(CustomField.objects.for_workspace(workspace).values_list("name", "pk"))
        members = Membership.objects.for_workspace(workspace).exclude(user=data.user).order_by("user_id")
        self.member = members.first().user_id
        self.options = {
            option["label"]: option["id"] for option in CustomField.objects.get(pk=self.fields["Segment"]).options
        }
        contacts = Contact.objects.for_workspace(workspace)
        self.number = contacts.filter(search_text__contains=" 5511").order_by("-pk")[5000].identities.get(kind="phone")
        self.email = contacts.exclude(email="").order_by("-pk")[7000].email


def _words() -> list[Case]:
    """Frequent, rare and missing words, of one letter and more."""
    return [
        ranked("a", Words("a"), WALK),
        ranked("q", Words("q"), WALK),
        ranked("x", Words("x"), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked("ma", Words("ma"), WALK),
        ranked("qz", Words("qz"), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked("q8", Words("q8"), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked("mar", Words("mar"), WALK),
        ranked("silva", Words("silva"), WALK),
        ranked("maria", Words("maria"), WALK),
        ranked("silva maria", Words("silva", "maria"), WALK),
        ranked("ozdemir", Words("ozdemir"), WALK),
        ranked("baroseto", Words("baroseto"), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked("q8f14e45", Words("q8f14e45"), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked("nobodyiscalledthis", Words("nobodyiscalledthis"), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked("maria baroseto", Words("maria", "baroseto"), LOOK, (LOOK, 1), (LOOK, 1)),
        ranked("person777@example.com", Words("person777@example.com"), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked("acme", Words("acme"), WALK),
    ]


def _scripts() -> list[Case]:
    """Accents, and scripts that are not Latin."""
    return [
        ranked("JOSÉ", Words("jose"), WALK),
        ranked("Łódź Logistics", Words("lodz", "logistics"), WALK),
        ranked("محمد", Words("محمد"), WALK),
        ranked("王小明", Words("王小明"), WALK),
        ranked("明", Words("明"), WALK),
        ranked("欧阳", Words("欧阳"), WALK),
        ranked("Иванов", Words("иванов"), WALK),
        ranked("щеголев", Words("щеголев"), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked("राहुल", Words("राहुल"), WALK),
    ]


def _numbers(known: _Known) -> list[Case]:
    """Whole numbers in several spellings, and parts of them."""
    digits = known.number.value.lstrip("+")
    key, last = known.number.match_key, digits[-8:]
    spelled = f"+55 (11) {digits[4:-4]}-{digits[-4:]}"
    return [
        ranked(spelled, Words(digits, key=key), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked(f"00{key}", Words(key), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked(f"{last[:4]} {last[4:]}", Words(last), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked(last[-5:], Words(last[-5:]), LOOK, (LOOK, 0), (LOOK, 0)),
        ranked("5511", Words("5511"), WALK),
        ranked("7", Words("7", tags={0: [known.tags[7]]}), WALK),
        ranked("99999999999", Words("99999999999"), LOOK, (LOOK, 0), (LOOK, 0)),
    ]


def _elsewhere(known: _Known) -> list[Case]:
    """Words of notes, fields and tags."""
    return [
        ranked("discount", Words("discount"), LOOK, (LOOK, 0), (WALK, 0)),
        ranked("报价", Words("报价"), LOOK, (LOOK, 0), (WALK, 0)),
        ranked("kraków", Words("krakow"), LOOK, (WALK, 0)),
        ranked("são paulo", Words("sao", "paulo"), LOOK, (WALK, 1)),
        ranked("maria discount", Words("maria", "discount"), LOOK, (LOOK, 1), (WALK, 1)),
        ranked("lisboa wholesale", Words("lisboa", "wholesale"), LOOK, (WALK, 0)),
        ranked("silva munchen contract", Words("silva", "munchen", "contract"), LOOK, (LOOK, 1), (LOOK, 2)),
        ranked("tag 30", Words("tag", "30", tags={0: list(known.tags.values()), 1: [known.tags[30]]}), WALK),
        ranked("maria tag", Words("maria", "tag", tags={1: list(known.tags.values())}), WALK),
    ]


def _filters(known: _Known) -> list[Case]:
    """Tags, fields, owners, chats; with and, or, not; by name."""
    rare, frequent, city, revenue = known.tags[30], known.tags[2], known.fields["City"], known.fields["Revenue"]
    worn = has("crm_contacttag", "x.tag_id = %(tag)s")
    other = has("crm_contacttag", "x.tag_id = %(other)s")
    wearers = "SELECT x.contact_id AS id FROM crm_contacttag x WHERE x.workspace_id = %(w)s AND x.tag_id = %(tag)s"
    value = "x.field_id = %(field)s AND x.text = %(city)s"
    holders = "SELECT x.contact_id AS id FROM crm_fieldvalue x WHERE x.workspace_id = %(w)s AND x.field_id = %(revenue)s AND x.number IS NOT NULL AND "
    values = {
        "tag": rare,
        "other": frequent,
        "field": city,
        "city": "lodz",
        "revenue": revenue,
        "owner": known.member,
        "stage": known.stages[2],
        "me": known.viewer,
    }
    tag = lambda pk: {"tag": {"any": [str(pk)]}}  # noqa: E731
    in_city = {"field": {"id": str(city), "is": "Łódź"}}
    more = {"field": {"id": str(revenue), "more": 99_990}}
    exact = {"field": {"id": str(revenue), "is": 12345}}
    gmail = {"email": {"is": known.email}}
    unread = has("crm_chat", "x.unread_count > 0")
    return [
        filtered(tag(frequent), walked(other), values, "tag, frequent"),
        filtered(tag(rare), walked(worn), values, "tag, rarest"),
        filtered({"tag": {"all": [str(rare), str(known.tags[29])]}}, looked_up(wearers, has("crm_contacttag", "x.tag_id = %(t29)s")), {**values, "t29": known.tags[29]}, "tags, both of two"),
        filtered({"not": tag(frequent)}, walked(f"NOT {other}"), values, "not a tag"),
        filtered(in_city, walked(has("crm_fieldvalue", value)), values, "field is a city"),
        filtered(exact, looked_up(holders + "x.number = 12345"), values, "field is a number"),
        filtered(more, looked_up(holders + "x.number > 99990"), values, "field more than"),
        filtered({"and": [tag(rare), in_city]}, looked_up(wearers, has("crm_fieldvalue", value)), values, "tag and field"),
        filtered({"or": [exact, gmail]}, looked_up(f"{holders} x.number = 12345 UNION SELECT c.id FROM crm_contact c WHERE c.workspace_id = %(w)s AND c.deleted_at IS NULL AND c.merged_into_id IS NULL AND c.email <> '' AND lower(c.email) = %(email)s"), {**values, "email": known.email}, "field or e-mail address"),
        filtered({"and": [more, {"not": tag(frequent)}]}, looked_up(holders + "x.number > 99990", f"NOT {other}"), values, "field and not tag"),
        filtered({"and": [{"owner": str(known.member)}, {"stage": str(known.stages[2])}]}, walked("c.owner_id IS NOT NULL AND c.owner_id = %(owner)s AND c.stage_id = %(stage)s"), values, "owner and stage"),
        filtered({"and": [{"unread": True}, {"owner": "me"}]}, walked(f"c.owner_id IS NOT NULL AND c.owner_id = %(me)s AND {unread}"), values, "unread and mine"),
        filtered({"or": [tag(rare), {"awaiting_reply": True}]}, walked(f"({worn} OR {has('crm_chat', 'x.awaiting_reply')})"), values, "tag or awaiting reply"),
        filtered({"number": {"contains": "4321987"}}, looked_up("SELECT c.id FROM crm_contact c WHERE c.workspace_id = %(w)s AND c.deleted_at IS NULL AND c.merged_into_id IS NULL AND c.search_text LIKE '%%4321987%%'", has("crm_contactidentity", "x.kind IN ('phone', 'c_us') AND x.value LIKE '%%4321987%%'")), values, "number contains"),
    ]  # fmt: skip


def _both(known: _Known) -> list[Case]:
    """Words and a filter."""
    rare, city = known.tags[30], known.fields["City"]
    worn = has("crm_contacttag", "x.tag_id = %(tag)s")
    wearers = "SELECT x.contact_id AS id FROM crm_contacttag x WHERE x.workspace_id = %(w)s AND x.tag_id = %(tag)s"
    tagged = json.dumps({"tag": {"any": [str(rare)]}})
    found = []
    for q, words, own, fields, notes in (
        ("maria", Words("maria"), LOOK, (), ()),
        ("discount", Words("discount"), LOOK, (LOOK, 0), (LOOK, 0)),
    ):
        case = ranked(q, words, own, fields, notes, also=worn, ids=wearers, filter=tagged)
        found.append(Case(f"{q}, rarest tag", case.params, case.by_hand, {**case.values, "tag": rare}))
    in_city = has("crm_fieldvalue", "x.field_id = %(field)s AND x.text = 'lodz'")
    case = ranked(
        "silva",
        Words("silva"),
        WALK,
        also=f"NOT {in_city}",
        filter=json.dumps({"not": {"field": {"id": str(city), "is": "Łódź"}}}),
    )
    found.append(Case("silva, not in a city", case.params, case.by_hand, {**case.values, "field": city}))
    plain = Words("baroseto")
    found.append(
        Case(
            "baroseto, by name",
            {"q": "baroseto", "sort": "name"},
            looked_up(f"{plain.texts(0)} UNION {plain.holders(0)} UNION {plain.noters(0)}", "true", BY_NAME),
            plain.values,
        )
    )
    return found  # fmt: skip
