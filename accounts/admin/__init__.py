"""The admin of people, workspaces, plans, extension instances and events."""

from accounts.admin import events, instances, people, plans, workspaces

__all__ = ["events", "instances", "people", "plans", "workspaces"]
