"""The wake-up channel: a process of its own that tells open extensions "something changed, pull".

It holds thousands of idle streams, which threads of a web process could not.
`docs/wakeups.md` is the protocol, ADR 11 the reasons.
"""
