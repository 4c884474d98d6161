"""`python -m waplus.local`: see `--help`."""

import argparse
import signal
import sys

from waplus.local.health import Health
from waplus.local.machine import MachineError
from waplus.local.product import play_demo, run
from waplus.local.throwaway import run_with_postgres


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m waplus.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("run", help="start PostgreSQL, web, worker, beat and wake-ups, and keep them running")
    commands.add_parser("demo", help="play the demo against the running server")
    with_postgres = commands.add_parser("with-postgres", help="run a command with a database of its own")
    with_postgres.add_argument("--keep", action="store_true", help="leave the database's folder behind, stopped")
    with_postgres.add_argument("words", nargs=argparse.REMAINDER, metavar="-- command")
    health = commands.add_parser("health", help="ask a server how it is; code 0 if the answer is 200")
    health.add_argument("url", nargs="?", default="http://127.0.0.1:8000/health/live")
    options = parser.parse_args(arguments)
    # A polite end from the start on: the blocks that tidy up run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if options.command == "run":
            return run()
        if options.command == "demo":
            play_demo()
        if options.command == "health":
            health = Health(options.url)
            fine = health()
            print(health.last)
            return 0 if fine else 1
        words = options.words[1:] if options.words[:1] == ["--"] else options.words
        if not words:
            parser.error("with-postgres needs a command after --")
        return run_with_postgres(words, keep=options.keep)
    except MachineError as error:
        print(error, file=sys.stderr)
    except PermissionError as error:
        what = error.filename or "A file"
        print(f"{what} belongs to another user ({error.strerror}). Start as that user, or delete it.", file=sys.stderr)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 1


if __name__ == "__main__":
    sys.exit(main())
