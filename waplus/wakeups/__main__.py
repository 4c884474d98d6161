"""`python -m waplus.wakeups`: serve the wake-up channel. It runs the system checks first, as the web process does."""

import argparse
import gc
import os
import sys

import django


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m waplus.wakeups", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    # Whatever settings the other processes have, this one has its own, smaller ones.
    os.environ["DJANGO_SETTINGS_MODULE"] = "waplus.wakeups.settings"
    django.setup()
    from django.conf import settings

    from waplus.checks import check_environment, check_production
    from waplus.wakeups.server import serve

    if refused := [*check_environment(None), *check_production(None)]:
        print("\n".join(f"{error.msg} {error.hint}" for error in refused), file=sys.stderr)  # noqa: T201 - a command
        return 1
    gc.collect()
    gc.freeze()
    return serve(options.host, options.port, settings.WAKE_UP_MAX_STREAMS)


if __name__ == "__main__":
    sys.exit(main())
