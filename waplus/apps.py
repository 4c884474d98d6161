from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class WaplusConfig(AppConfig):
    name = "waplus"
    default = True

    def ready(self):
        from waplus import checks, personal_data  # noqa: F401  (they register themselves)


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our own site in the place of the default one."""

    default = False
    default_site = "waplus.admin_site.StaffSite"
