# SPDX-License-Identifier: GPL-3.0-or-later
"""Neural importance-sampling Monte Carlo integration: libnis from Python.

    import nis
    r = nis.integrate(f, 4, calls=1e6, seed=7)      # f of an (n, 4) array gives n values
    print(r)                                        # r.value, r.error, r.status ...

    s = nis.Sampler(f, 4)                           # step by step
    s.train(1e5); s.estimate(1e5); s.events(1000); s.save("f.nis")

Names and meanings are those of nis.h and nis_events.h, which say more. help(nis.integrate) has the
options, help(nis.Sampler) all that a sampler does, help(nis.compiled) functions outside of Python.
"""
from ._integrand import Compiled, compiled, numba_signature as _numba_signature, vectorize
from ._library import EventStruct, version as _version
from ._results import (Event, EventBlock, Events, EventSummary, PointBlock, Progress, Quantity,
                       Result, Samples, Saved)
from ._sampler import Sampler, explain, inspect, integrate, merge_events
from ._status import (Doubt, Error, GoalMissedWarning, InterruptedWarning, InvalidError, Phase,
                      Status, Stop, SuspectWarning, TimeLimitWarning, Warning)

__version__ = _version()

__all__ = ["integrate", "Sampler", "compiled", "vectorize", "explain", "inspect", "merge_events",
           "Result", "Progress", "Quantity", "Samples", "PointBlock", "Event", "Events",
           "EventBlock", "EventSummary", "EventStruct", "Saved", "Compiled", "Status", "Stop",
           "Doubt", "Phase", "Error", "InvalidError", "Warning", "SuspectWarning",
           "GoalMissedWarning", "TimeLimitWarning", "InterruptedWarning"]


def __getattr__(name):
    """scalar_signature and batch_signature, for numba.cfunc, where numba is"""
    if name in ("scalar_signature", "batch_signature"):
        return _numba_signature(name == "batch_signature")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
