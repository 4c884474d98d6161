"""What a WhatsApp number may send, over everything that sends (docs/budget.md)."""

from messaging.services.budget.changes import note_whatsapp_error, update_budget
from messaging.services.budget.state import BudgetNow, budget_now, budget_of_id
from messaging.services.budget.statements import is_new_sql, quiet_until_sql
from messaging.services.budget.verdicts import Hold, verdict

__all__ = [
    "BudgetNow",
    "Hold",
    "budget_now",
    "budget_of_id",
    "is_new_sql",
    "note_whatsapp_error",
    "quiet_until_sql",
    "update_budget",
    "verdict",
]
