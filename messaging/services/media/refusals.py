"""Why a file is not taken."""


class NotTaken(ValueError):
    """The bytes are no file that is taken; the message is a sentence for people."""


TRUNCATED = "This file is damaged or was not uploaded whole."
