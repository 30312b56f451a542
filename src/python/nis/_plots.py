# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures, where matplotlib is installed."""
import numpy as np

from ._status import Phase

MOST_COORDINATES = 6  # of a corner plot


def _pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("plots need matplotlib, which is not installed: "
                          "pip install matplotlib") from error
    return plt


def plot_result(result, axes=None):
    """The iterations of the estimate with their errors, and the mean over those so far"""
    if axes is None:
        axes = _pyplot().subplots(figsize=(6, 4))[1]
    now = [p for p in result.history if p.phase == Phase.INTEGRATING]
    number = np.arange(1, len(now) + 1)
    axes.errorbar(number, [p.value for p in now], [p.error for p in now], fmt=".", color="0.6",
                  label="iteration")
    mean, sigma = np.array([p.mean for p in now]), np.array([p.sigma for p in now])
    good = np.isfinite(sigma)
    axes.plot(number, mean, color="C0", label="mean so far")
    axes.fill_between(number[good], (mean - sigma)[good], (mean + sigma)[good], color="C0",
                      alpha=0.3)
    axes.axhline(result.value, color="C1", lw=1, label="result")
    axes.set(xlabel="iteration", ylabel="integral", title=result.rows()[0][1])
    axes.legend()
    return axes.figure


def plot_sampler(sampler, n):
    """Points of the flow in each pair of coordinates, weighted histograms of each, and |w|"""
    plt = _pyplot()
    x, _, weight = sampler.sample(n)
    shown = min(sampler.dim, MOST_COORDINATES)
    figure, grid = plt.subplots(shown, shown + 1, squeeze=False,
                                figsize=(1.8 * (shown + 1), 1.8 * shown))
    for i in range(shown):
        for j in range(shown):
            _pair(grid[i, j], x, weight, i, j)
        grid[i, shown].axis("off")
    _weights(grid[0, shown], weight)
    figure.tight_layout()
    return figure


def _pair(axes, x, weight, i, j):
    if j > i:
        axes.axis("off")
    elif j == i:
        axes.hist(x[:, i], bins=40, density=True, histtype="step", color="0.6")
        axes.hist(x[:, i], bins=40, weights=np.abs(weight), density=True, histtype="step")
        axes.set_title(f"x{i + 1}", fontsize=8)
    else:
        axes.plot(x[:, j], x[:, i], ",", alpha=0.5)
    axes.tick_params(labelsize=6)


def _weights(axes, weight):
    """In units of their mean; w_max leaves 1e-3 of the sum above it (nis_events.h)."""
    w = np.sort(np.abs(weight[weight != 0]))[::-1]
    if len(w) == 0:
        return
    above = np.cumsum(w) - w * np.arange(1, len(w) + 1)  # sum of |w| - w_max, were w_max this one
    w_max = w[np.searchsorted(above, 1e-3 * w.sum(), side="right") - 1]
    mean = w.sum() / len(weight)
    axes.axis("on")
    axes.hist(np.log10(w / mean), bins=40, histtype="step", log=True)
    axes.axvline(np.log10(w_max / mean), color="C1", lw=1)
    axes.set_title("log10 |w| / mean, w_max", fontsize=8)
    axes.tick_params(labelsize=6)
