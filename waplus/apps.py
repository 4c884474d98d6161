from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.module_loading import autodiscover_modules


class WaplusConfig(AppConfig):
    name = "waplus"
    default = True

    def ready(self):
        from waplus import checks  # noqa: F401  (registers itself)

        # Every app that brings models brings their declarations with them.
        autodiscover_modules("personal_data")


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our own site in the place of the default one."""

    default = False
    default_site = "waplus.admin_site.StaffSite"
