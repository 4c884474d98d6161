"""Lists of numbers that are taken over to the do-not-contact list, in the background (docs/suppression.md)."""
