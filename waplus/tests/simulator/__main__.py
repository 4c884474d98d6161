"""`python -m waplus.tests.simulator`: the large run, with the table of points and counts. It takes about ten minutes."""

import sys
import tempfile
from pathlib import Path

from waplus.tests.simulator.run import Outcome, run
from waplus.tests.simulator.wishes import Size

LARGE = Size(numbers=50, instances=4, chats=20, messages=10, browsers=20, seconds=240)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="waplus-simulator-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        outcome = run(LARGE, Path(folder), quota=3, patience=1500, say=lambda line: print(line, flush=True))
    print_outcome(outcome)
    return 1 if any(outcome.verdict.wrong.values()) or outcome.refused else 0


def print_outcome(outcome: Outcome) -> None:
    print(f"\n{'times':>6}  point")
    for name, count in sorted(outcome.points.items()):
        print(f"{count:>6}  {name}")
    print(f"{sum(outcome.points.values()):>6}  in all, within {outcome.seconds:.0f} s\n")
    for end, count in outcome.verdict.ends.most_common():
        print(f"{count:>6}  {end}")
    print()
    for line in outcome.verdict.lines():
        print(line)
    for kind, sentences in outcome.verdict.wrong.items():
        for sentence in sentences[:10]:
            print(f"  {kind}: {sentence}")
    for sentence in outcome.refused[:10]:
        print(f"  refused: {sentence}")


if __name__ == "__main__":
    sys.exit(main())
