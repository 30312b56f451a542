# SPDX-License-Identifier: GPL-3.0-or-later
"""integrate and Sampler: nis.h's nis_integrate and its handle."""
import ctypes
import os
import tempfile
import weakref
from typing import Any, Callable, Iterator, Optional, Sequence, Tuple, Union

import numpy as np

from . import _library as c
from ._calls import Calls, array_at
from ._integrand import Integrand, compiled, is_compiled, vectorize
from ._library import lib, sentence_of
from ._options import EVENTS, POINTER, RUN, Options, decode, dim_of, limits_of
from ._progress import bar
from ._results import (Event, EventBlock, Events, EventSummary, PointBlock, Progress, Quantity,
                       Result, Samples, Saved)
from ._status import InterruptedWarning, Status, settle, warn

# Options that are not numbers or words, and have a form of their own in Python
ARRAYS_AND_TEXTS = ("lower", "upper", "periodic", "discrete", "scales", "hints", "name",
                    "checkpoint")
OWN = "nhints", "dim"  # which follow from others

Path = Union[str, "os.PathLike[str]"]
Number = Union[int, float]  # of calls and events, for 1e6
Limits = Sequence[Tuple[float, float]]
Told = Union[bool, Callable[[Progress], Any], None]  # progress
Sink = Optional[Callable[[PointBlock], Any]]


def whole(number, what):
    """A number of calls or events, which may be written 1e6"""
    if not (number >= 0 and number == int(number) and number < 2 ** 64):
        settle(Status.INVALID, f"{what} must be a whole number of at least 0, got {number}")
    return int(number)


class _Watch:
    """What progress calls tell during one call: the history, and the user's function or bar"""

    def __init__(self, progress):
        self.user = bar() if progress is True else progress or None
        self.history = []

    def see(self, struct):
        if not struct.finished and self.user is None:
            return False
        now = Progress(struct)
        if now.finished:
            self.history.append(now)
        return self.user(now) if self.user else False

    def close(self):
        if hasattr(self.user, "close"):
            self.user.close()


def _point_block(b):
    return PointBlock(array_at(b.x, b.n, b.dim), array_at(b.weight, b.n),
                      array_at(b.components, b.n, b.ncomp), array_at(b.log_q, b.n),
                      array_at(b.outputs, b.n, b.extra), b.before, b.iteration,
                      bool(b.nets))


def _event_block(b):
    return EventBlock(array_at(b.x, b.n, b.dim), array_at(b.weight, b.n), array_at(b.log_q, b.n),
                      array_at(b.trials, b.n, kind=np.uint64),
                      array_at(b.outputs, b.n, b.extra), b.unit)


def _discrete(dim, discrete, channels):
    """Which coordinates are: the last one too where it counts channels"""
    flags = np.zeros(dim, bool)
    if discrete is not None and np.shape(discrete) == (dim,):
        flags |= np.asarray(discrete) != 0
    flags[-1:] |= bool(channels)
    return flags


class Sampler:
    """A flow, its integrand and the running estimate: nis.h's handle.

    f, dim and the options are those of integrate(). A sampler is not to be used from two threads
    at once. It frees itself; close() or a `with` do so at once.

    >>> import nis
    >>> with nis.Sampler(lambda x: x[:, 0] * x[:, 1], 2, seed=1) as s:
    ...     s.train(2000)
    ...     r = s.estimate(2000)
    ...     p = s.sample(3)
    >>> abs(r.value - 0.25) < 5 * r.error, p.x.shape, p.weight.shape
    (True, (3, 2), (3,))
    """

    def __init__(self, f: Any, dim: Optional[int] = None, *, batch: bool = True,
                 limits: Optional[Limits] = None, progress: Told = None, sink: Sink = None,
                 **options: Any) -> None:
        self._make(lib.nis_create_sized, (), f, dim, batch, limits, progress, sink, options)

    @classmethod
    def load(cls, path: Path, f: Any, *, batch: bool = True, progress: Told = None,
             sink: Sink = None, **options: Any) -> "Sampler":
        """Goes on as the sampler that was saved in the file would have, to the bit (nis_load)."""
        saved = inspect(path)
        options.setdefault("ncomp", saved.options["ncomp"])
        self = cls.__new__(cls)
        self._make(lib.nis_load_sized, (os.fsencode(path),), f, saved.options["dim"], batch, None,
                   progress, sink, options, extra=saved.options["extra"])
        return self

    @classmethod
    def resume(cls, f: Any, dim: Optional[int] = None, *, batch: bool = True,
               limits: Optional[Limits] = None, progress: Told = None, sink: Sink = None,
               **options: Any) -> "Sampler":
        """Goes on from the file of the option checkpoint after a run was killed, or begins one: the
        same program again, with this in place of Sampler(...). See nis_resume."""
        self = cls.__new__(cls)
        self._make(lib.nis_resume_sized, (), f, dim, batch, limits, progress, sink, options)
        return self

    def _make(self, create, before, f, dim, batch, limits, progress, sink, options, extra=None):
        given = dict(options)
        params = given.pop("params", None)
        RUN.check_names(given, ARRAYS_AND_TEXTS, OWN)
        if params is not None:
            if not is_compiled(f):
                raise TypeError("params are for compiled functions; a Python function brings its "
                                "own along (functools.partial, or a function inside of another)")
            f = compiled(f, params=params)
        lower, upper = limits_of(limits, given.pop("lower", None), given.pop("upper", None))
        dim = dim_of(dim, lower, upper)
        self._calls, self._watch = Calls(), _Watch(progress)
        integrand = Integrand(f, batch, given.get("ncomp"), self._calls)
        c_options = Options(RUN)
        c_options.set(dim=dim)
        self._dim = c_options.table.get(c_options.buffer, "dim")
        c_options.array("lower", lower, (self._dim,))
        c_options.array("upper", upper, (self._dim,))
        self._extra = int(given.get("extra") or extra or 0)
        integrand.find_ncomp(self._dim, lower, upper, self._extra,
                             _discrete(self._dim, given.get("discrete"), given.get("channels")))
        self._ncomp = int(integrand.ncomp or 1)
        self._set(c_options, given, integrand)
        kept = self._attach(c_options, integrand, sink)
        handle = ctypes.c_void_p()
        scalar = ctypes.cast(integrand.scalar, ctypes.c_void_p) if integrand.scalar else None
        status = create(ctypes.byref(handle), *before, scalar, c_options.buffer, c_options.size)
        settle(status, sentence_of(status))
        self._handle = handle
        self._f, self._batch, self._options = f, batch, options
        self._covariance = self._ncomp <= 64 or bool(given.get("covariance"))
        self._free = weakref.finalize(self, _free, handle, kept)

    def _set(self, c_options, given, integrand):
        """The options, and what the integrand says about some of them"""
        for name, value in (("batch_points", integrand.batch_points), ("serial", integrand.serial),
                            ("ncomp", integrand.ncomp)):
            if given.get(name) is None:
                given[name] = value
        for name in "periodic", "discrete":
            c_options.array(name, given.pop(name, None), (self._dim,), np.intc)
        c_options.array("scales", given.pop("scales", None), (self._ncomp,))
        hints = given.pop("hints", None)
        if hints is not None and len(hints):
            hints = np.atleast_2d(hints)
            c_options.array("hints", hints, (len(hints), self._dim))
            c_options.set(nhints=len(hints))
        for name in "name", "checkpoint":
            c_options.text(name, given.pop(name, None))
        c_options.set(**given)

    def _attach(self, c_options, integrand, sink):
        """The functions; what has to live as long as the handle"""
        pointers = {"params": integrand.params, "batch": integrand.batch,
                    "progress": self._calls.progress(self._watch.see)}
        if sink is not None:
            pointers["sink"] = self._calls.sink(c.POINT_SINK, lambda b: sink(_point_block(b)))
        for name, target in pointers.items():
            c_options.point(name, target)
        return [self._calls, self._watch, integrand, pointers]

    # ---- calls of the library

    def _call(self, function, *arguments):
        """Its status and sentence, once what the functions have raised is raised"""
        if not self._free.alive:
            settle(Status.INVALID, "this sampler has been closed")
        with self._calls:
            self._watch.history = []
            status = function(self._handle, *arguments)
            sentence = sentence_of(status)
        self._watch.close()
        self._calls.take_exception()
        return status, sentence

    def _do(self, function, *arguments):
        """For what has no result of its own"""
        status, sentence = self._call(function, *arguments)
        self._raise_interrupt()
        settle(status, sentence)

    def _raise_interrupt(self):
        if self._calls.interrupted:
            raise self._calls.interrupt or KeyboardInterrupt()

    def _result(self, function, *arguments):
        struct = c.ResultStruct()
        status, sentence = self._call(function, *arguments, struct, ctypes.sizeof(struct))
        if self._calls.interrupted:
            if not struct.calls > struct.train_calls or self._calls.nested:
                self._raise_interrupt()  # there is no estimate, or somebody else is asked
            sentence = f"interrupted after {struct.calls} calls"
            struct.status = status = Status.STOPPED
            warn(sentence + ": the result is what was known by then", InterruptedWarning)
        result = self._describe(struct, sentence)
        settle(status, sentence, result)
        return result

    def _describe(self, struct, sentence):
        values, errors = np.empty((2, self._ncomp))
        if lib.nis_values(self._handle, values.ctypes.data, errors.ctypes.data) < 0:
            values = errors = None
        covariance = np.empty((self._ncomp, self._ncomp)) if self._covariance else None
        if self._covariance and lib.nis_covariance(self._handle, covariance.ctypes.data) < 0:
            covariance = None
        return Result(struct, sentence, values, errors, covariance, self._watch.history)

    def run(self) -> Result:
        """Trains on a share of the option calls and integrates with the rest, or until the goal
        (rel_error, abs_error) is reached. Returns a Result."""
        return self._result(lib.nis_run_sized)

    def train(self, calls: Number) -> None:
        """Trains the flow on `calls` more calls; earlier estimates are dropped."""
        self._do(lib.nis_train, whole(calls, "calls"))

    def estimate(self, calls: Number) -> Result:
        """Integrates with the frozen flow: `calls` more points join the estimate. A Result."""
        return self._result(lib.nis_estimate_sized, whole(calls, "calls"))

    def estimate_part(self, calls: Number, part: int, parts: int) -> Result:
        """Part number `part` of 1 .. parts of the estimate that estimate(calls) would make: merged
        in their order they have its value and error, to the bit."""
        return self._result(lib.nis_estimate_part_sized, whole(calls, "calls"), part, parts)

    def current(self) -> Result:
        """The Result of the estimate so far, without a call"""
        return self._result(lib.nis_current_sized)

    def drop_estimate(self) -> None:
        """The next estimate begins anew, on points that none before had."""
        self._do(lib.nis_drop_estimate)

    def merge(self, other: "Sampler") -> None:
        """The estimate of another sampler with the same flow joins this one."""
        if not other._free.alive:
            settle(Status.INVALID, "the other sampler has been closed")
        self._do(lib.nis_merge, other._handle)

    def _quantity(self, function, *arguments):
        value, error = ctypes.c_double(), ctypes.c_double()
        self._do(function, *arguments, value, error)
        return Quantity(value.value, error.value)

    def ratio(self, i: int, j: int) -> Quantity:
        """value_i / value_j of the components, with the error that their covariance gives"""
        return self._quantity(lib.nis_ratio, i, j)

    def channel(self, number: int) -> "c.ChannelStruct":
        """What a channel has of the estimate, a value of the last coordinate with the option
        channels: value, error, calls, zero_calls, efficiency, max_weight

        >>> import nis
        >>> with nis.Sampler(lambda x: x[:, 0] * (1 + x[:, 1]), 2, channels=2, calls=2000) as s:
        ...     r = s.run()
        ...     parts = [s.channel(k).value for k in range(2)]
        >>> [round(part, 1) for part in parts]
        [0.5, 1.0]
        """
        result = c.ChannelStruct()
        self._do(lib.nis_channel_sized, whole(number, "number"), result,
                 ctypes.sizeof(c.ChannelStruct))
        return result

    def weights(self, edges: Sequence[float]) -> "np.ndarray":
        """How many weights of the estimate have |w| / mean |w| below edges[0], zeros included,
        between two edges, and from the last one on

        >>> import nis
        >>> with nis.Sampler(lambda x: x[:, 0] > 0.25, 1, calls=2000) as s:
        ...     r = s.estimate(1024)
        ...     counts = s.weights([0.5, 2])
        >>> [int(n) for n in counts]
        [256, 768, 0]
        """
        held = np.ascontiguousarray(edges, float).ravel()
        counts = np.zeros(len(held) + 1, np.uint64)
        self._do(lib.nis_weights, len(held), held.ctypes.data, counts.ctypes.data)
        return counts

    def combine(self, coefficients: Sequence[float]) -> Quantity:
        """sum_c coefficients[c] value_c, with the error that the covariance gives

        >>> import nis, numpy as np
        >>> f = lambda x: np.stack([x[:, 0], 1 - x[:, 0]], axis=1)
        >>> with nis.Sampler(f, 1, calls=2000) as s:
        ...     r = s.run()
        ...     total = s.combine([1, 1])
        >>> abs(total.value - 1) < 1e-3, total.error < r.error
        (True, True)
        """
        held = np.ascontiguousarray(coefficients, float)
        if held.shape != (self._ncomp,):
            settle(Status.INVALID, f"coefficients must be {self._ncomp} numbers, got shape "
                                   f"{held.shape}")
        return self._quantity(lib.nis_combine, held.ctypes.data)

    # ---- points

    def sample(self, n: Number, weights: bool = True) -> Samples:
        """n points of the flow: Samples(x, log_q, weight), log_q per unit of the domain's volume,
        weight = f / q. Without weights f is not called."""
        n = whole(n, "n")
        x, log_q = np.empty((n, self._dim)), np.empty(n)
        weight = np.empty(n) if weights else None
        self._do(lib.nis_sample, n, x.ctypes.data, log_q.ctypes.data,
                 weight.ctypes.data if weights else None)
        return Samples(x, log_q, weight)

    def density(self, x: Any) -> Any:
        """log q at points x, (n, dim) or (dim,), strictly inside the domain"""
        given = np.asarray(x, float)
        points = np.ascontiguousarray(given.reshape(-1, self._dim) if given.ndim < 2 else given)
        if points.ndim != 2 or points.shape[1] != self._dim:
            settle(Status.INVALID, f"points of density must have shape (n, {self._dim}), got "
                                   f"{given.shape}")
        log_q = np.empty(len(points))
        self._do(lib.nis_density, len(points), points.ctypes.data, log_q.ctypes.data)
        return float(log_q[0]) if given.ndim == 1 and given.shape == (self._dim,) else log_q

    # ---- events

    def events(self, events: Optional[Number] = None, *, calls: Optional[Number] = None,
               path: Optional[Path] = None, sink: Optional[Callable[[EventBlock], Any]] = None,
               particles: Optional[Callable[[np.ndarray, c.EventStruct], Any]] = None,
               header: Optional[str] = None, **options: Any) -> Events:
        """Unweighted events of the estimate: so many of them, or those that `calls` points give.

        They are arrays of the Events that are returned, or go into the file `path` (.lhe, .npy,
        .txt ..., see nis_events.h), or to sink(EventBlock), which may return something true to end
        the run. particles(x, event) fills an event with legs for the Les Houches formats. The other
        options are those of nis_event_options: w_max, tail, quantile, whole_run, unit_weights,
        format, force, skip.

        >>> import nis
        >>> with nis.Sampler(lambda x: x[:, 0], 1, calls=2000) as s:
        ...     r = s.run()
        ...     e = s.events(100)
        >>> e.x.shape, e.summary.events
        ((100, 1), 100)
        """
        blocks = []
        if sink is None and path is None:
            sink = blocks.append
        c_options = self._event_options(events=events, calls=calls, **options)
        c_options.text("path", path)
        c_options.text("header", header)
        if sink is not None:
            c_options.point("sink", self._calls.sink(c.EVENT_SINK, lambda b: sink(_event_block(b))))
        if particles is not None:
            c_options.point("particles", self._calls.particles(particles, self._extra))
        struct = c.EventSummaryStruct()
        status, sentence = self._call(lib.nis_events_sized, c_options.buffer, struct,
                                      c_options.size, ctypes.sizeof(struct))
        if self._calls.interrupted:
            if not struct.events or self._calls.nested:
                self._raise_interrupt()
            struct.status = status = Status.STOPPED
            sentence = f"interrupted after {struct.events} events"
            warn(sentence, InterruptedWarning)
        summary = EventSummary(struct, sentence, decode(EVENTS.rows["w_max"].words).split(","))
        settle(status, sentence, summary)
        return Events(*self._joined(blocks), summary)

    def _joined(self, blocks):
        if blocks:
            return [np.concatenate(arrays) for arrays in zip(*(b[:-1] for b in blocks))]  # no unit
        return [np.empty((0, self._dim)), np.empty(0), np.empty(0), np.empty(0, np.uint64),
                np.empty((0, self._extra))]

    @staticmethod
    def _event_options(**options):
        EVENTS.check_names(options, ())
        c_options = Options(EVENTS)
        c_options.set(**options)
        return c_options

    def event_stream(self, **options: Any) -> Iterator[Event]:
        """Yields one Event after the other, those that events() would give, for as long as they are
        asked for. Of the options, w_max, tail, quantile, unit_weights and calls count, the last for
        each event: the stream ends where they give none.

        >>> import itertools, nis
        >>> with nis.Sampler(lambda x: x[:, 0], 1, calls=2000) as s:
        ...     r = s.run()
        ...     some = [e.weight for e in itertools.islice(s.event_stream(), 5)]
        >>> len(some)
        5
        """
        c_options = self._event_options(**options)
        struct = c.PulledEventStruct()
        while True:
            status, sentence = self._call(lib.nis_next_event_sized, c_options.buffer, struct,
                                          c_options.size, ctypes.sizeof(struct))
            self._raise_interrupt()
            settle(status, sentence)
            if not struct.x:
                return
            outputs = array_at(struct.outputs, self._extra) if struct.outputs else None
            yield Event(array_at(struct.x, self._dim), struct.weight, struct.log_q,
                        struct.trials, outputs)

    # ---- files

    def save(self, path: Path) -> None:
        """All about this sampler into one file, which load() and the command nis read"""
        self._do(lib.nis_save, os.fsencode(path))

    def __reduce__(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sampler.nis")
            self.save(path)
            with open(path, "rb") as file:
                content = file.read()
        options = {name: self._options[name] for name in ("serial", "batch_points")
                   if name in self._options}
        return _unpickle, (type(self), content, self._f, self._batch, options)

    # ---- the rest

    @property
    def dim(self) -> int:
        """Dimensions"""
        return self._dim

    @property
    def ncomp(self) -> int:
        """Values at each point"""
        return self._ncomp

    @property
    def handle(self) -> Optional[int]:
        """The address of C's handle, which is still this sampler's; None when that is closed"""
        return self._handle.value if self._free.alive else None

    def plot(self, n: int = 2000) -> Any:
        """Where the flow puts its points, and their weights, with matplotlib: n points are drawn,
        and f is called there. Returns the figure."""
        from ._plots import plot_sampler
        return plot_sampler(self, n)

    def close(self) -> None:
        """Frees all of it; further use is an error."""
        self._free()

    def __enter__(self) -> "Sampler":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self):
        name = getattr(self._f, "__name__", type(self._f).__name__)
        closed = "" if self._free.alive else ", closed"
        return f"<nis.Sampler of {name}, dim {self._dim}, ncomp {self._ncomp}{closed}>"


def _free(handle, kept):
    """kept: what the handle needs up to now"""
    lib.nis_free(handle)


def _unpickle(cls, content, f, batch, options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sampler.nis")
        with open(path, "wb") as file:
            file.write(content)
        return cls.load(path, f, batch=batch, **options)


def integrate(f: Any, dim: Optional[int] = None, *, batch: bool = True,
              limits: Optional[Limits] = None, progress: Told = None, sink: Sink = None,
              **options: Any) -> Result:
    """The integral of f over a box of `dim` dimensions: a Result.

    f takes an array x of shape (n, dim), n points, and returns n values, or (n, ncomp) for several
    integrals at once. How many is found by a call with two points (three where dim is 2) before the
    run, or said by ncomp=. With batch=False, or @nis.vectorize, f takes one point and returns a
    number. Compiled functions see compiled().

    The limits are 0 and 1, or lower= and upper= (numbers, or one for each coordinate; -inf and inf
    are limits too), or limits=[(a, b), ...]; where they tell dim it may be left out.

    progress  True: a bar (of tqdm where it is installed); or a function of a Progress, which may
              return something true to end the run
    sink      a function of a PointBlock: takes the points of the estimate with their weights, for
              histograms; it may return something true to end the run

    f is called by this thread only, while the flow's own work is done by all; with serial=False it
    is called by all of them, one at a time where Python has its lock. It gets 4096 points at once,
    or with batch=False 64 between two looks at clock and progress; batch_points=, for functions
    that take long, is another number. What f raises ends the run
    and comes out as it is. Ctrl-C ends it with a Result of what is known, or with
    KeyboardInterrupt where the estimate has not begun.

    Errors are Error, for options InvalidError (a ValueError); a goal that was missed, a time limit
    and an error bar that is not to be believed are warnings, GoalMissedWarning, TimeLimitWarning,
    SuspectWarning.

    >>> import nis, numpy as np
    >>> r = nis.integrate(lambda x: np.exp(-x.sum(axis=1)), 3, calls=5000, seed=7)
    >>> print(f"{r.value:.3f}")
    0.253

    Options, by their names in nis.h; hints, periodic, discrete and scales are arrays, name and
    checkpoint texts:

"""
    with Sampler(f, dim, batch=batch, limits=limits, progress=progress, sink=sink,
                 **options) as sampler:
        return sampler.run()


if integrate.__doc__:  # not with python -OO
    integrate.__doc__ += RUN.describe() + "\n"


def explain(dim: int, **options: Any) -> dict:
    """The options with every default filled in, as a run would use them: name -> value

    >>> import nis
    >>> nis.explain(8, calls=1e5)["layers"]
    6
    """
    RUN.check_names(options, (), OWN)
    given, complete = Options(RUN), Options(RUN)
    given.set(dim=dim, **options)
    status = lib.nis_complete_options_sized(given.buffer, complete.buffer, given.size)
    settle(status, sentence_of(status))
    return _as_dict(complete.buffer)


def _as_dict(buffer):
    return {name: RUN.get(buffer, name) for name, row in RUN.rows.items() if row.type != POINTER}


def inspect(path: Path) -> Saved:
    """What is in a file of Sampler.save: Saved(name, stored, options, result)"""
    struct = c.saved_struct(RUN.size)()
    status = lib.nis_inspect_sized(os.fsencode(path), ctypes.addressof(struct), RUN.size,
                                   ctypes.sizeof(c.ResultStruct))
    settle(status, sentence_of(status))
    start = type(struct).options.offset
    options = ctypes.string_at(ctypes.addressof(struct) + start, RUN.size)
    return Saved(struct.name.decode(errors="replace"), struct.stored, _as_dict(options),
                 Result(struct.result))


def merge_events(paths: Sequence[Path], path: Path, force: bool = False) -> None:
    """Puts files of events of one estimate one behind the other (nis_merge_events)."""
    held = (ctypes.c_char_p * len(paths))(*map(os.fsencode, paths))
    status = lib.nis_merge_events(held, len(paths), os.fsencode(path), force)
    settle(status, sentence_of(status))
