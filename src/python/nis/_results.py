# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes back: results, samples, events, and how they show themselves."""
import html
import math
from typing import Any, List, NamedTuple, Optional, Tuple

import numpy as np

from ._status import Doubt, Phase, Status, Stop


def members(struct):
    """Name -> number, of a ctypes structure"""
    return {name: getattr(struct, name) for name, *_ in struct._fields_}


def with_error(value, error):
    """1.2346 +- 0.0012: the error with two digits, the value with as many behind the point

    >>> with_error(1.23456, 0.001234)
    '1.2346 +- 0.0012'
    >>> with_error(12345.6, 123.4)
    '12350 +- 120'
    """
    if not (math.isfinite(value) and math.isfinite(error)) or error <= 0:
        return f"{value:.10g} +- {error:.2g}"
    digits = 1 - math.floor(math.log10(error))
    if not -2 < digits < 9:
        lead = max(1, digits + math.floor(math.log10(abs(value) or error)))
        return f"{value:.{min(lead, 16)}e} +- {error:.1e}"
    return f"{round(value, digits):.{max(digits, 0)}f} +- {round(error, digits):.{max(digits, 0)}f}"


class Quantity(NamedTuple):
    """A number with its standard error"""
    value: float
    error: float

    def __float__(self):
        return float(self.value)

    def __str__(self):
        return with_error(self.value, self.error)


class Progress:
    """How far a run is: the members of nis_progress, of which `phase` is a Phase"""
    phase: Phase
    iteration: int
    finished: bool
    done: int
    total: int
    calls: int
    events: int
    value: float
    error: float
    spread: float
    mean: float
    sigma: float
    efficiency: float
    chi2: float
    dof: int
    beta: float
    share: Tuple[float, ...]
    seconds: float

    def __init__(self, struct):
        self.__dict__.update(members(struct))
        self.phase, self.finished = Phase(struct.phase), bool(struct.finished)
        self.share = tuple(struct.share)

    def __repr__(self) -> str:
        return (f"Progress({self.phase.name.lower()}, iteration {self.iteration}, "
                f"{self.done} of {self.total})")


class Result:
    """The integral and all that is known about it: the members of nis_result, under their names.

    float(r) is the value, print(r) a small table, r.plot() how it came about. Besides:

    values, errors  of all components, arrays of ncomp numbers
    covariance      of these, ncomp x ncomp; None for more than 64 without covariance=True
    doubts          why the error is not to be believed, a Doubt; 0: nothing speaks against it
    message         the sentence where status is not OK, or a warning; else ""
    history         a Progress for each iteration of trainings and estimate

    >>> import nis
    >>> r = nis.integrate(lambda x: 2 * x[:, 0], 1, calls=1000, seed=1)
    >>> r.status, abs(float(r) - 1) < 1e-3, r.doubts == 0, r.values.shape
    (<Status.OK: 0>, True, True, (1,))
    """
    status: Status
    value: float
    error: float
    chi2: float
    dof: int
    p_value: float
    calls: int
    train_calls: int
    bad_calls: int
    zero_calls: int
    ess: float
    efficiency: float
    efficiency_max: float
    efficiency_median: float
    max_weight: float
    max_weight_share: float
    khat: float
    peaks_found: int
    late_peaks: int
    search_calls: int
    seed: int
    stop: Stop
    suspect: int
    serialized: bool
    unseen_volume: float
    blurred_volume: float
    call_seconds: float
    values: np.ndarray
    errors: np.ndarray
    covariance: Optional[np.ndarray]
    doubts: Doubt
    message: str
    history: List[Progress]

    def __init__(self, struct, message="", values=None, errors=None, covariance=None, history=()):
        self.__dict__.update(members(struct))
        self.status, self.stop = Status(self.status), Stop(self.stop)
        self.serialized, self.doubts = bool(self.serialized), Doubt(self.suspect)
        self.message, self.history = message, list(history)
        self.values = np.array([self.value]) if values is None else values
        self.errors = np.array([self.error]) if errors is None else errors
        self.covariance = covariance

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        return f"<nis.Result {with_error(self.value, self.error)}, {self.status.name}>"

    def rows(self) -> list:
        """Label and text of what print shows"""
        rows = [("integral", with_error(self.value, self.error))]
        for k in range(1, len(self.values)):
            rows.append((f"component {k}", with_error(self.values[k], self.errors[k])))
        if self.value and math.isfinite(self.error / self.value):
            rows.append(("relative error", f"{abs(self.error / self.value):.2g}"))
        rows.append(("status", self.status.name + (f": {self.message}" if self.message else "")))
        rows.append(("calls", f"{self.calls:,} ({self.train_calls:,} of them training)"))
        if self.bad_calls:
            rows.append(("bad calls", f"{self.bad_calls:,} (NaN or Inf, counted as 0)"))
        if self.dof > 0:
            rows.append(("chi2 / dof", f"{self.chi2:.3g} / {self.dof} (p = {self.p_value:.2g})"))
        if self.ess > 0:
            rows.append(("effective sample", f"{self.ess:,.0f}"))
            rows.append(("unweighting", f"{self.efficiency:.3g} events a call"))
        return rows

    def __str__(self) -> str:
        return "\n".join(f"{label:<18}{text}" for label, text in self.rows())

    def _repr_html_(self):
        return "<table>" + "".join(f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
                                   f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
                                   for label, text in self.rows()) + "</table>"

    def plot(self, axes: Any = None) -> Any:
        """How the estimate came about, with matplotlib; returns the figure."""
        from ._plots import plot_result
        return plot_result(self, axes)


class Samples(NamedTuple):
    """Points drawn from the flow; weight is None where it was not asked for"""
    x: np.ndarray
    log_q: np.ndarray
    weight: Optional[np.ndarray]


class PointBlock(NamedTuple):
    """n points of an estimate, as a sink gets them (nis_point_block); the arrays are copies.

    The mean over all points of weight times an observable estimates the integral of f times it.
    """
    x: np.ndarray
    weight: np.ndarray
    components: np.ndarray
    log_q: np.ndarray
    outputs: np.ndarray
    before: int
    iteration: int
    nets: bool

    @property
    def n(self) -> int:
        return len(self.weight)


class EventBlock(NamedTuple):
    """n events, as a sink gets them (nis_event_block); the arrays are copies."""
    x: np.ndarray
    weight: np.ndarray
    log_q: np.ndarray
    trials: np.ndarray
    outputs: np.ndarray
    unit: float

    @property
    def n(self) -> int:
        return len(self.weight)


class Event(NamedTuple):
    """One event of an event_stream"""
    x: np.ndarray
    weight: float
    log_q: float
    trials: int
    outputs: Optional[np.ndarray] = None


class EventSummary:
    """The members of nis_event_summary; efficiency, partial and cut are Quantities.

    The mean of unit * weight over the events estimates the integral.
    """
    status: Status
    message: str
    events: int
    calls: int
    trials: int
    overweights: int
    negatives: int
    sum_weights: float
    sum_squares: float
    overweight_share: float
    w_max: float
    unit: float
    efficiency: Quantity
    partial: Quantity
    cut: Quantity
    rules: dict

    def __init__(self, struct, message, rules):
        self.__dict__.update(members(struct))
        self.status, self.message = Status(struct.status), message
        for name in "efficiency", "partial", "cut":
            share = getattr(struct, name)
            setattr(self, name, Quantity(share.value, share.error))
        self.rules = {rule: members(row) for rule, row in zip(rules, struct.rules)}

    def __repr__(self) -> str:
        return (f"<nis.EventSummary {self.events} events of {self.trials} points, "
                f"{self.status.name}>")


class Events(NamedTuple):
    """Unweighted events and their summary; empty arrays where a file or a sink took them"""
    x: np.ndarray
    weight: np.ndarray
    log_q: np.ndarray
    trials: np.ndarray
    outputs: np.ndarray
    summary: EventSummary

    def __repr__(self) -> str:
        return f"<nis.Events {len(self.weight)} here, {self.summary!r}>"


class Saved(NamedTuple):
    """What is in a file of Sampler.save"""
    name: str
    stored: int
    options: dict
    result: Result
