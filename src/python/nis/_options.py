# SPDX-License-Identifier: GPL-3.0-or-later
"""Options by name, from the tables of the library: new ones need no line here."""
import ctypes
import difflib
import math
import numbers
import os
import struct

import numpy as np

from ._library import lib, sentence_of
from ._status import settle

WHOLE, REAL, WORD, FLAG, POINTER = range(5)


def decode(text):
    return text.decode() if text is not None else None


class Table:
    """The rows of one struct of options"""

    def __init__(self, rows, setter):
        n = ctypes.c_size_t()
        self.rows = {decode(row.name): row for row in rows(ctypes.byref(n))[:n.value]}
        end = max(row.offset + row.size for row in self.rows.values())
        self.size = (end + 7) // 8 * 8
        self._setter = setter

    def check_names(self, names, own, without=()):
        """TypeError for a name that is neither in the table nor one of Python's `own`"""
        known = [name for name, row in self.rows.items()
                 if row.type != POINTER and name not in without] + list(own)
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, 3, 0.6)
                hint = f": did you mean {' or '.join(near)}?" if near else ""
                raise TypeError(f"there is no option {name!r}{hint}")

    def put(self, options, name, value):
        """A number, a word or a flag into the buffer `options`; None asks for the default."""
        row = self.rows[name]
        if value is None:
            return
        if row.type == REAL and isinstance(value, numbers.Real) and math.isinf(value):
            struct.pack_into("d", options, row.offset, value)
            return
        status = self._setter(options, name.encode(), _text(value).encode(), self.size)
        settle(status, sentence_of(status))

    def point(self, options, name, address):
        struct.pack_into("P", options, self.rows[name].offset, address or 0)

    def get(self, options, name):
        """Python's value of a member that is not a pointer"""
        row = self.rows[name]
        form = "d" if row.type == REAL else {4: "i", 8: "Q"}[row.size]
        value = struct.unpack_from(form, options, row.offset)[0]
        if row.type == WORD:
            return decode(row.words).split(",")[value]
        return bool(value) if row.type == FLAG else value

    def describe(self):
        """A line for each option that is a number or a word: name, range, default, meaning"""
        lines = []
        for name, row in self.rows.items():
            if row.type == POINTER:
                continue
            default = decode(row.initial_text)
            lines.append(f"    {name}: {decode(row.help)}; {decode(row.range)}" +
                         (f"; default {default}" if default else ""))
        return "\n".join(lines)


def _text(value):
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, numbers.Real) and float(value).is_integer():
        return str(int(value))  # 1e6 calls
    return repr(float(value)) if isinstance(value, numbers.Real) else str(value)


RUN = Table(lib.nis_option_list, lib.nis_options_set_sized)
EVENTS = Table(lib.nis_event_option_list, lib.nis_event_options_set_sized)


class Options:
    """A buffer that is a nis_options or a nis_event_options, and what its pointers lead to"""

    def __init__(self, table):
        self.table = table
        self.size = table.size
        self.buffer = ctypes.create_string_buffer(table.size)
        self._kept = []

    def set(self, **given):
        for name, value in given.items():
            self.table.put(self.buffer, name, value)

    def point(self, name, target):
        """A ctypes function or an address; None for NULL"""
        self._kept.append(target)
        address = target if isinstance(target, int) or target is None else \
            ctypes.cast(target, ctypes.c_void_p).value
        self.table.point(self.buffer, name, address)

    def array(self, name, values, shape, kind=np.float64):
        """Numbers of that shape, or one for all of them; nothing for None"""
        if values is None:
            return
        try:
            held = np.ascontiguousarray(np.broadcast_to(np.asarray(values, kind), shape))
        except ValueError:
            want = " x ".join(str(n) for n in shape)
            settle(-1, f"{name} must be {want} numbers, or one for all, got shape "
                       f"{np.shape(values)}")
        self._kept.append(held)
        self.table.point(self.buffer, name, held.ctypes.data)

    def text(self, name, value):
        if value is None:
            return
        held = ctypes.create_string_buffer(os.fsencode(value))
        self._kept.append(held)
        self.table.point(self.buffer, name, ctypes.addressof(held))


def limits_of(limits, lower, upper):
    """The two of them, from one list of pairs or as they are given"""
    if limits is None:
        return lower, upper
    if lower is not None or upper is not None:
        raise TypeError("give either limits or lower and upper")
    pairs = np.asarray(limits, float)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        settle(-1, f"limits must be a pair for each coordinate, got shape {pairs.shape}")
    return pairs[:, 0], pairs[:, 1]


def dim_of(dim, lower, upper):
    """The number of dimensions, where it was not given from the length of a limit"""
    if dim is not None:
        return dim
    for limit in lower, upper:
        if limit is not None and np.ndim(limit) == 1:
            return len(limit)
    raise TypeError("dim is missing: a number, or limits for each coordinate")
