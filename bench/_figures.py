"""How figures are printed."""


def figure(name: str, ratio: float, goal: float) -> None:
    """One line a figure: the measured ratio, its goal, and whether it is reached."""
    print(f"{name} {ratio:.2f} goal {goal:.2f} {'ok' if ratio >= goal else 'short'}", flush=True)
