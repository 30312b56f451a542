# SPDX-License-Identifier: GPL-3.0-or-later
"""Python's functions that the library calls for one handle: their exceptions, and Ctrl-C.

An exception ends the run, waits here while the library comes to its end, and is then raised again.

Ctrl-C while one of these functions runs is a KeyboardInterrupt in it, as always. While the library
itself runs it is a mark, which the next progress call (ten a second) sees: an exception would be
lost there, before the function that is called has come to its `try`.
"""
import ctypes
import math
import signal
import threading

import numpy as np

from . import _library as c

_running = []  # of the main thread: Calls, the innermost last


def _on_interrupt(signum, frame):
    calls = _running[-1] if _running else None
    if calls is None or calls.inside:
        signal.default_int_handler(signum, frame)
    calls.interrupted = True


def view_at(address, *shape, kind=np.float64):
    """The library's numbers, which are there during the call only"""
    size = math.prod(shape)
    if size == 0 or not address:
        return np.empty(shape, kind)
    return np.ndarray(shape, kind, (ctypes.c_char * (8 * size)).from_address(address))


def array_at(address, *shape, kind=np.float64):
    return view_at(address, *shape, kind=kind).copy()


class Calls:
    """What became of the functions during one call of the library, used as a context"""

    def __init__(self):
        self.exception = None
        self.interrupted = False
        self.interrupt = None  # the KeyboardInterrupt, where a function has raised it
        self.nested = False  # in a function of another handle, which Ctrl-C is to end as well
        self.inside = False  # one of the user's functions
        self._before = None  # the handler of SIGINT
        self._busy = False

    def __enter__(self):
        if self._busy:
            raise RuntimeError("this sampler is at work already: it is not to be used by its own "
                               "integrand, nor by two threads at once")
        self._busy = True
        self.exception = self.interrupt = None
        self.interrupted = self.inside = False
        if threading.current_thread() is threading.main_thread():
            self.nested = bool(_running)
            _running.append(self)
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                self._before = signal.signal(signal.SIGINT, _on_interrupt)
        return self

    def __exit__(self, *_):
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
        if _running and _running[-1] is self:
            _running.pop()
        self._busy = False

    def failed(self, exception):
        """Keeps the first exception; the status that ends the run."""
        self.inside = False
        if self.exception is None:
            self.exception = exception
        return 1

    def take_exception(self):
        """Raises what a function has raised; Ctrl-C is left to the caller, who may have a result.
        """
        exception, self.exception = self.exception, None
        if isinstance(exception, KeyboardInterrupt):
            self.interrupted, self.interrupt = True, exception
        elif exception is not None:
            try:
                raise exception
            finally:
                del exception

    # ---- the functions, as C calls them

    def batch(self, function):
        def call(n, dim, x, width, f, _):
            try:
                self.inside = True
                values = function(array_at(x, n, dim))
                store(values, view_at(f, n, width))
                self.inside = False
                return 0
            except BaseException as exception:
                return self.failed(exception)
        return c.BATCH(call)

    def progress(self, see):
        """see(Progress struct) may return something true to stop."""
        def call(now, _):
            try:
                stop = see(now.contents)
                return int(bool(stop) or self.interrupted)
            except BaseException as exception:
                return self.failed(exception)
        return c.PROGRESS(call)

    def sink(self, kind, take):
        """take(block struct) may return something true to stop."""
        def call(block, _):
            try:
                self.inside = True
                stop = take(block.contents)
                self.inside = False
                return int(bool(stop))
            except BaseException as exception:
                return self.failed(exception)
        return kind(call)

    def particles(self, fill, extra):
        """fill(x, event)"""
        def call(x, dim, event, _):
            try:
                self.inside = True
                outputs = array_at(c.lib.nis_extra(), extra) if extra else None
                record = event.contents
                record.outputs = outputs
                fill(array_at(x, dim), record)
                self.inside = False
                return 0
            except BaseException as exception:
                return self.failed(exception)
        return c.PARTICLES(call)


def store(values, out):
    """What f has returned, (n,) or (n, width), into the library's array"""
    values = np.asarray(values)
    if values.shape == out.shape[:1]:
        values = values.reshape(-1, 1)
    if values.shape != out.shape:
        raise ValueError(f"the integrand returned an array of shape {values.shape} for "
                         f"{out.shape[0]} points, where {expected(*out.shape)} was due")
    np.copyto(out, values, casting="same_kind")


def expected(n, width):
    return f"({n},)" if width == 1 else f"({n}, {width})"
