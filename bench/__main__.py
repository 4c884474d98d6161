"""`make bench` runs every benchmark, `make bench ONLY=crm` those whose names begin with `crm`.

Each prints a table of what was measured against what, and then a line a figure:
`NAME RATIO goal GOAL ok|short`, and `goal at most GOAL` where less is better.
"""

import importlib
import pkgutil
import sys

import bench


def main() -> int:
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if is_benchmark(module.name)]
    prefixes = sys.argv[1:] or [""]
    if unknown := [prefix for prefix in prefixes if not any(name.startswith(prefix) for name in names)]:
        print(f"No benchmark is called {', '.join(unknown)}. There are: {', '.join(names)}.")
        return 2
    wanted = [name for name in names if name.startswith(tuple(prefixes))]
    for name in wanted:
        print(f"== {name}", flush=True)
        importlib.import_module(f"bench.{name}").run()
    return 0


def is_benchmark(name: str) -> bool:
    """Whether a module is a benchmark: the ones with a leading underscore and this one are not."""
    return not name.startswith("_")


if __name__ == "__main__":
    sys.exit(main())
