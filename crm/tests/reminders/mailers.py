"""Mail servers of a test: one that answers what it is told to, by way of Django's own backends."""

from django.core.mail.backends.locmem import EmailBackend

# What the server does with the next messages, in order: an exception to raise, or nothing to take them.
answers: list = []


class Unreachable(EmailBackend):
    """A mail server that is away."""

    def open(self):
        raise ConnectionRefusedError(111, "Connection refused")


class Answering(EmailBackend):
    """A mail server that refuses, hangs up or takes messages as `answers` says; "taken, then silent" does both."""

    def send_messages(self, messages):
        answer = answers.pop(0) if answers else None
        if isinstance(answer, tuple):
            super().send_messages(messages)
            raise answer[0]
        if answer is not None:
            raise answer
        return super().send_messages(messages)
