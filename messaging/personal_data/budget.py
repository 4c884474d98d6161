"""The data map of budgets: how a number is used, and nobody's name."""

from waplus.lib.personal_data import CLIENT_ID, WORKSPACE, Correct, PersonalData, declare, technical

_SETTINGS = (
    *("spacing_seconds", "jitter_seconds", "max_per_hour", "max_per_day", "max_new_per_day", "quiet_from"),
    *("quiet_until", "zone", "warm_up_from", "warm_up_start", "warm_up_days", "min_reply_percent"),
)


@declare
class SendingBudgetData(PersonalData):
    model = "messaging.SendingBudget"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        "whatsapp_account": technical("Tells whose budget it is."),
        **dict.fromkeys(_SETTINGS, technical("Limits what the number sends.", correct=Correct.BY_PERSON)),
        **dict.fromkeys(
            ("cold_paused_until", "cold_pause_code", "cold_pauses"),
            technical("Lets messages to new contacts rest after WhatsApp refused something."),
        ),
        **dict.fromkeys(("created_at", "updated_at"), technical("Tells since when it holds.")),
    }
