# SPDX-License-Identifier: GPL-3.0-or-later
"""What an integrand may be: a Python function of many points, of one, or a compiled function."""
import ctypes
import functools
from typing import Any, Callable, Optional

import numpy as np

from . import _library as c
from ._calls import expected
from ._status import settle

# Points in one call: so many that Python's part of it, some microseconds, is little for each, and
# so few that they stay in the cache. See examples/callback-cost.
BATCH_POINTS = 4096
VECTORIZE_POINTS = 64  # of a function of one point, which takes a microsecond at least


class vectorize:
    """A function of one point, made into one of many. As a decorator:

    >>> import nis
    >>> @nis.vectorize
    ... def f(x):
    ...     return 3 * x[0] ** 2 if x[1] < 0.5 else 0.0
    >>> r = nis.integrate(f, 2, calls=10000)
    >>> abs(r.value - 0.5) < 5 * r.error
    True

    integrate(f, ..., batch=False) does the same. Each point costs what Python takes for f, a
    microsecond or so beside it.
    """

    def __init__(self, f: Callable[[np.ndarray], Any]) -> None:
        functools.update_wrapper(self, f)
        self.f = f

    def __call__(self, x: Any) -> Any:
        x = np.asarray(x)
        return self.f(x) if x.ndim == 1 else np.array([self.f(point) for point in x])

    def __reduce__(self):
        return (vectorize, (self.f,)) if self._stands_alone() else self.__qualname__

    def _stands_alone(self):
        """A decorated function is what its module has under that name, and pickled by it."""
        module = __import__("sys").modules.get(getattr(self, "__module__", None))
        return getattr(module, getattr(self, "__qualname__", ""), None) is not self


class Compiled:
    """A function outside of Python; made by compiled()"""

    def __init__(self, address, batch, params, ncomp, kept):
        self.address, self.batch, self.params, self.ncomp = address, batch, params, ncomp
        self._kept = kept

    def __reduce__(self):
        raise TypeError("the address of a compiled function means nothing to another process: "
                        "use save, and Sampler.load with the function that is there")


def compiled(function: Any, *, batch: Optional[bool] = None, params: Any = None,
             ncomp: Optional[int] = None) -> Compiled:
    """An integrand in C, Fortran, numba ..., which all threads call, without Python.

    `function` is a ctypes function, a numba.cfunc, a scipy.LowLevelCallable, a cffi function
    pointer, or the address of one as a number. It has one of the two shapes of nis.h:

        double f(double *x, size_t dim, void *params);
        int f(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params);

    batch   True for the second of these; where the number of arguments is known that tells
    params  handed to it: a NumPy array, a ctypes object or an address; it is kept, not copied
    ncomp   values at each point, of the second shape

    integrate and Sampler take all but plain numbers as they are. With serial=True it is called by
    one thread only.

    >>> import ctypes, nis
    >>> kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.POINTER(ctypes.c_double), ctypes.c_size_t,
    ...                         ctypes.c_void_p)
    >>> f = kind(lambda x, dim, params: x[0] + x[1])        # stands for a compiled one
    >>> round(nis.integrate(nis.compiled(f), 2, calls=2000, threads=1).value, 2)
    1.0
    """
    address, arity, user_data = _look_into(function)
    if batch is None:
        batch = arity == 6
    elif arity is not None and arity != (6 if batch else 3):
        settle(-1, f"a compiled integrand with batch={batch} has {6 if batch else 3} arguments, "
                   f"this one has {arity}")
    if ncomp is not None and not batch:
        settle(-1, "ncomp is for compiled integrands of the second shape, batch=True")
    kept = params if params is not None else user_data
    return Compiled(address, batch, _address_of(kept), ncomp, (function, kept))


def is_compiled(f):
    return (isinstance(f, (Compiled, ctypes._CFuncPtr)) or _is_low_level(f) or _is_cfunc(f) or
            _is_cffi(f))


def _is_low_level(f):
    return type(f).__name__ == "LowLevelCallable" and isinstance(f, tuple)


def _is_cfunc(f):
    return hasattr(f, "address") and hasattr(f, "ctypes") and hasattr(f, "native_name")


def _is_cffi(f):
    return type(f).__module__ == "_cffi_backend"


def _look_into(f):
    """(address, number of arguments or None, params or None)"""
    if isinstance(f, int):
        return f, None, None
    if isinstance(f, ctypes._CFuncPtr):
        arity = None if f.argtypes is None else len(f.argtypes)
        return ctypes.cast(f, ctypes.c_void_p).value, arity, None
    if _is_cfunc(f):
        return f.address, len(f.ctypes.argtypes), None
    if _is_low_level(f):
        return (*_look_into(f.function)[:2], f.user_data)
    if _is_capsule(f):
        return _open_capsule(f)
    if _is_cffi(f):
        ffi = __import__("cffi").FFI()
        kind = ffi.typeof(f)
        arity = len(kind.args) if kind.kind == "function" else None
        return int(ffi.cast("uintptr_t", f)), arity, None
    raise TypeError(f"not a compiled function that is known here: {type(f).__name__}")


def _is_capsule(f):
    return type(f).__name__ == "PyCapsule"


def _open_capsule(f):
    """Cython's, in a LowLevelCallable: its name is the signature"""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    name = api.PyCapsule_GetName(f)
    return api.PyCapsule_GetPointer(f, name), name.count(b",") + 1, None


def _address_of(params):
    if params is None or isinstance(params, int):
        return params
    if isinstance(params, np.ndarray):
        return params.ctypes.data
    if _is_cffi(params):
        return int(__import__("cffi").FFI().cast("uintptr_t", params))
    if isinstance(params, ctypes.c_void_p):
        return params.value
    if isinstance(params, ctypes._Pointer):
        return ctypes.cast(params, ctypes.c_void_p).value
    return ctypes.addressof(params)


def numba_signature(batch):
    """For numba.cfunc: nis.scalar_signature and nis.batch_signature, made when asked for"""
    from numba import types
    array = types.CPointer(types.double)
    if batch:
        return types.int32(types.uintp, types.uintp, array, types.uintp, array, types.voidptr)
    return types.double(array, types.uintp, types.voidptr)


class Integrand:
    """How the library is to call f: what of nis_options that settles"""

    def __init__(self, f, batch, ncomp, calls):
        self.f, self.is_batch, self.ncomp = f, batch, ncomp
        self.scalar = self.batch = self.params = self.function = None
        self.batch_points = self.serial = None
        if is_compiled(f):
            self._take_compiled(f if isinstance(f, Compiled) else compiled(f))
        elif callable(f):
            self.function = f if batch else vectorize(f)
            one = isinstance(self.function, vectorize)
            self.batch_points = VECTORIZE_POINTS if one else BATCH_POINTS
            self.serial = True
            self.batch = calls.batch(self.function)
        else:
            raise TypeError("the integrand must be a function; for the address of a compiled one "
                            f"there is nis.compiled, got {type(f).__name__}")

    def _take_compiled(self, f):
        self.params = f.params
        if self.ncomp is None:
            self.ncomp = f.ncomp
        if f.batch:
            self.batch = f.address
        else:
            self.scalar = f.address

    def find_ncomp(self, dim, lower, upper, extra, discrete):
        """Where nobody has said it, from what f returns at two points (three in two dimensions);
        coordinates that are discrete are 0 there."""
        if self.ncomp is not None or self.function is None:
            return
        n = 2 if dim != 2 else 3  # never dim, for what takes x[0] for a coordinate
        x = points_inside(n, dim, lower, upper)
        x[:, discrete] = 0
        shape = np.shape(self._probe(x))
        if shape == (n,):
            shape = (n, 1)
        if len(shape) != 2 or shape[0] != n or shape[1] <= extra:
            raise ValueError(
                f"the integrand returned an array of shape {shape} for {n} points, x of shape "
                f"({n}, {dim}); {expected(n, 1 + extra)} was due. One that takes a single point, "
                "x of shape (dim,), needs batch=False or @nis.vectorize")
        self.ncomp = shape[1] - extra

    def _probe(self, x):
        try:
            return self.function(x)
        except Exception as exception:
            if self.is_batch and hasattr(exception, "add_note"):
                exception.add_note(f"(the integrand was called with x of shape {x.shape}; one that "
                                   "takes a single point needs batch=False or @nis.vectorize)")
            raise


def points_inside(n, dim, lower, upper):
    """n points of the domain, mapped as nis.h does"""
    u = 0.1 + 0.8 * np.modf(0.7548776662 * np.arange(1, n + 1)[:, None] +
                            0.5698402910 * np.arange(1, dim + 1))[0]
    a = np.broadcast_to(np.asarray(0.0 if lower is None else lower, float), dim)
    b = np.broadcast_to(np.asarray(1.0 if upper is None else upper, float), dim)
    with np.errstate(all="ignore"):
        both = np.isinf(a) & np.isinf(b)
        return np.where(both, np.tan(np.pi * (u - 0.5)),
                        np.where(np.isinf(b), a + u / (1 - u),
                                 np.where(np.isinf(a), b - (1 - u) / u, a + u * (b - a))))
