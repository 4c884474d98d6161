"""`manage.py start_sync_over`: for what cannot be recognised from inside, see docs/deploying.md."""

from django.core.management.base import BaseCommand

from crm.services.sync.epoch import begin_epoch, present_epoch


class Command(BaseCommand):
    help = (
        "Let every device synchronise from the start. Needed after the disks of the database server were set back "
        "to an earlier state; a restored dump, a fail-over and a move are recognised without it."
    )

    def handle(self, *args, **options):
        begin_epoch(instead_of=present_epoch())
        self.stdout.write("Every device starts over at its next pull.")
