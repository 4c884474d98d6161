"""Synchronisation: what changed since a token (`pulling`), and changes that devices made (`pushing`). See docs/sync.md."""
