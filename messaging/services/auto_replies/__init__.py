"""Automatic replies: rules compiled once (`compiled`), what is decided on a message (`judging`), and its doing (`deciding`)."""
