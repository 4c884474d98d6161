"""How figures are printed."""


def figure(name: str, ratio: float, goal: float, *, at_most: bool = False) -> None:
    """One line a figure: the measured ratio, its goal, and whether it is reached.

    A goal is a floor: the ratio has to reach it. With `at_most` it is a ceiling
    (for costs: memory, time), which the ratio may not pass.
    """
    reached = ratio <= goal if at_most else ratio >= goal
    bound = "at most " if at_most else ""
    print(f"{name} {ratio:.2f} goal {bound}{goal:.2f} {'ok' if reached else 'short'}", flush=True)
