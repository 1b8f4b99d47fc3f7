"""A scale from zero with a few round numbers."""

from matplotlib.axes import Axes


def scale(axes: Axes, top: float, grid: str) -> None:
    """Set two to four round numbers from zero to a little above `top`."""
    highest = top * 1.06 or 1.0
    axes.set_ylim(0, highest)
    step = round_step(highest / 4)
    marks = [step * place for place in range(int(highest / step) + 1)]
    axes.set_yticks(marks, [f"{mark:,.10g}" for mark in marks])
    axes.grid(visible=True, axis="y", color=grid, linewidth=0.8)


def round_step(rough: float) -> float:
    """Return the next of 1, 2, 2.5, 5 times a power of ten."""
    power = 1.0
    while power > rough:
        power /= 10
    while power * 10 <= rough:
        power *= 10
    return next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough)
