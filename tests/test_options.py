#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of options, as another language sees them, against what the headers say:
python3 test_options.py LIBNIS INCLUDE_DIR NIS [unittest options]."""

import ctypes
import math
import os
import re
import struct
import subprocess
import sys
import unittest

LIBRARY = INCLUDE = NIS = ""
WHOLE, REAL, WORD, FLAG, POINTER = range(5)
OPEN_LOW, OPEN_HIGH = 1, 2
INVALID = -1
SIZE = 1024  # bytes, more than either struct has

# In the command for plug-ins of one value, without hints
NOT_IN_COMMAND = {"ncomp", "follow", "nhints", "goal-of"}


class Row(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("offset", ctypes.c_size_t), ("size", ctypes.c_size_t),
                ("type", ctypes.c_int), ("low", ctypes.c_double), ("high", ctypes.c_double),
                ("open", ctypes.c_int), ("range", ctypes.c_char_p), ("words", ctypes.c_char_p),
                ("initial", ctypes.c_double), ("initial_text", ctypes.c_char_p),
                ("depends", ctypes.c_char_p), ("help", ctypes.c_char_p)]


def text(value):
    return value.decode() if value is not None else None


class Table:
    """One struct: its rows, and its setter."""

    def __init__(self, library, name, header, rows, setter):
        n = ctypes.c_size_t()
        rows = getattr(library, rows)
        rows.restype = ctypes.POINTER(Row)
        self.name, self.rows, self.library = name, rows(ctypes.byref(n))[:n.value], library
        self.setter, self.by_name = getattr(library, setter), {text(r.name): r for r in self.rows}
        with open(os.path.join(INCLUDE, header), encoding="utf-8") as file:
            self.header = file.read()
        self.options = ctypes.create_string_buffer(SIZE)

    def set(self, name, value):
        """The status and the sentence"""
        status = self.setter(self.options, name.encode(), value.encode())
        return status, text(self.library.nis_last_error())

    def form(self, row):
        """Of the member, for struct.pack"""
        return "d" if row.type == REAL else {4: "i", 8: "Q"}[row.size]

    def get(self, row, options=None):
        return struct.unpack_from(self.form(row), options or self.options, row.offset)[0]

    def put(self, row, value):
        struct.pack_into(self.form(row), self.options, row.offset, value)

    def fields(self):
        """Name -> what the header says about it"""
        body = re.search(r"\ntypedef struct \{\n((?:(?!\n\}).)*)\n\} %s;" % self.name,
                         self.header, re.S)[1]
        fields, names = {}, []
        for code, comment in re.findall(r"([^/]+)|/\*(.*?)\*/", body, re.S):
            if code.strip():
                names = re.findall(r"(\w+)\s*[;,]", code)
                fields.update({name: "" for name in names})
            elif comment:
                for name in names[-1:]:
                    fields[name] += " " + " ".join(comment.split())
        return fields


def setUpModule():
    global TABLES
    with open(LIBRARY, "rb") as file:
        if re.search(b"__[at]san_init", file.read()):
            raise unittest.SkipTest("Python cannot load what a sanitizer has instrumented")
    library = ctypes.CDLL(LIBRARY)
    library.nis_last_error.restype = ctypes.c_char_p
    TABLES = [Table(library, "nis_options", "nis.h", "nis_option_list", "nis_options_set"),
              Table(library, "nis_event_options", "nis_events.h", "nis_event_option_list",
                    "nis_event_options_set")]


def all_rows():
    return [(table, row, text(row.name)) for table in TABLES for row in table.rows]


def number(phrase):
    phrase = phrase.replace(",", "")
    power = re.fullmatch(r"2\^(\d+)( - 1)?", phrase)
    return float(2 ** int(power[1])) if power else float(phrase)


class Headers(unittest.TestCase):
    def test_each_member_has_a_row(self):
        for table in TABLES:
            self.assertEqual([text(row.name) for row in table.rows], list(table.fields()))
            ends = [row.offset + row.size for row in table.rows]
            self.assertTrue(all(a <= row.offset < a + 8 for a, row in zip(ends, table.rows[1:])))

    def test_ranges(self):
        for table, row, name in all_rows():
            comment = table.fields()[name]
            with self.subTest(option=name, comment=comment):
                if row.type == WHOLE and name != "seed":
                    low, high = re.search(r"\b(\S+) \.\. (2\^64 - 1|[^\s;.*]+)", comment).groups()
                    self.assertEqual((number(low), number(high.rstrip(","))), (row.low, row.high))
                elif row.type == REAL and row.high < math.inf:
                    ends = re.search(r"\bin ([\[(])([^,]+), ([^\])]+)([\])])", comment).groups()
                    self.assertEqual([number(end) for end in ends[1:3]], [row.low, row.high])
                    self.assertEqual((ends[0] == "(", ends[3] == ")"),
                                     (bool(row.open & OPEN_LOW), bool(row.open & OPEN_HIGH)))
                elif row.type == REAL:
                    self.assertEqual(number(re.search(r">= (\w+)", comment)[1]), row.low)
                elif row.type == WORD:
                    self.assertIn("one of the above", comment)
                elif row.type == FLAG:
                    self.assertIn("1: ", comment)

    def test_defaults(self):
        for table, row, name in all_rows():
            comment = table.fields()[name].replace("Default", "default")
            with self.subTest(option=name, comment=comment):
                if row.type == POINTER or name == "dim":
                    self.assertIsNone(row.initial_text)
                    continue
                after = [text(row.initial_text)]
                if name == "rel_error":
                    comment += table.fields()["abs_error"]
                if row.type == WORD:
                    after += re.findall(r"default (NIS_\w+)", comment)
                plain = comment.replace(":", "")
                said = re.search(r"default (?:for both )?([\d,.e-]+)", plain)
                if re.fullmatch(r"[\d.e-]+", after[0]):
                    self.assertEqual(number(said[1].rstrip(".,")), row.initial)
                elif len(after) == 1:
                    self.assertRegex(plain, "default (for both )?" +
                                     re.escape(after[0].replace(":", "")))

    def test_words(self):
        for table, row, name in all_rows():
            if row.type != WORD:
                continue
            kind = re.search(r"\n\s*(nis_\w+)\s+%s;" % name, table.header)[1]
            body = re.sub(r"/\*.*?\*/", "", table.header, flags=re.S)
            values = re.search(r"typedef enum \{([^}]*)\} %s;" % kind, body)[1]
            values = [value.split("=")[0].strip() for value in values.split(",") if value.strip()]
            words = text(row.words).split(",")
            self.assertEqual((len(values), row.low), (len(words), 0))
            self.assertEqual(row.high, len(words) - 1)
            for value, word in zip(values, words):
                if value != "NIS_FORMAT_BY_NAME":
                    self.assertTrue(value.lower().replace("_", "-").endswith("-" + word), value)


class Cpp(unittest.TestCase):
    def test_each_member_is_handed_on(self):
        with open(os.path.join(INCLUDE, "nis.hpp"), encoding="utf-8") as file:
            header = file.read()
        for table in TABLES:
            for name in table.by_name:
                self.assertRegex(header, rf"\b\w+\.{name} = ", table.name)


class Fortran(unittest.TestCase):
    """The module writes C's structs and numbers down once more."""

    # Each with its name in the module where that is another
    STRUCTS = {"nis_options": "plain_options", "nis_event_options": "plain_event_options",
               "nis_result": "", "nis_progress": "", "nis_point_block": "plain_point_block",
               "nis_event_block": "plain_event_block", "nis_pulled_event": "plain_pulled_event",
               "nis_particle": "", "nis_event": "", "nis_share": "", "nis_unweighting": "",
               "nis_event_summary": "", "nis_saved": "plain_saved"}
    KINDS = {"int": "c_int", "size_t": "c_size_t", "uint64_t": "c_int64_t", "double": "c_double",
             "char": "c_char"}
    FUNCTIONS = {"nis_batch_integrand", "nis_progress_callback", "nis_point_sink",
                 "nis_event_sink", "nis_particles"}

    @classmethod
    def setUpClass(cls):
        path = os.path.join(INCLUDE, "..", "src", "fortran", "nis.f90")
        with open(path, encoding="utf-8") as file:
            cls.module = re.sub(r"!.*|&\n", "", file.read())
        cls.headers = re.sub(r"/\*.*?\*/", "", "".join(table.header for table in TABLES),
                             flags=re.S)

    def kind(self, c_type, pointer):
        if pointer:
            return "c_funptr" if c_type in self.FUNCTIONS else "c_ptr"
        is_enum = re.search(r"typedef enum \{[^}]*\} %s;" % c_type, self.headers)
        return "c_int" if is_enum else self.KINDS.get(c_type, self.STRUCTS.get(c_type) or c_type)

    def c_members(self, name):
        body = re.search(r"typedef struct \{([^}]*)\} %s;" % name, self.headers)[1]
        for line in " ".join(body.split()).split(";")[:-1]:
            c_type, names = re.fullmatch(r"\s*(?:const )?(\w+)\s+(.*)", line).groups()
            for member in names.split(","):
                star, member, size = re.fullmatch(r"\s*(\*?)(\w+)(\[\w+\])?", member).groups()
                yield member, self.kind(c_type, star), (size or "")[1:-1].lower()

    def fortran_members(self, name):
        body = re.search(r"type, bind\(c\) :: %s\n(.*?)end type" % name, self.module, re.S)[1]
        for line in body.strip().split("\n"):
            kind, names = re.fullmatch(r"\s*\w+\((?:kind=)?(\w+)\) :: (.*)", line).groups()
            for member in re.sub(r" = [\w.]+", "", names).split(","):
                member, size = re.fullmatch(r"\s*(\w+)(\(\w+\))?\s*", member).groups()
                yield member, kind, (size or "")[1:-1]

    def test_structs(self):
        for name, other in self.STRUCTS.items():
            self.assertEqual(list(self.fortran_members(other or name)), list(self.c_members(name)))

    def test_numbers(self):
        given = dict(re.findall(r"\b(nis_\w+) = (-?\d+)",
                                "".join(re.findall(r"parameter, public ::.*", self.module))))
        for body in re.findall(r"enum \{([^}]*)\}", self.headers):
            value = -1
            for line in filter(None, (line.strip() for line in body.split(","))):
                name, _, number = (part.strip() for part in line.lower().partition("="))
                value = int(number) if number else value + 1
                if not re.match("nis_(option|open)_", name):  # of the table, which it leaves to C
                    self.assertEqual(given.pop(name, None), str(value), name)
        self.assertEqual(given, {})

    def test_each_member_is_handed_on(self):
        for table in TABLES:
            for row in table.rows:
                if text(row.name) != "nhints":
                    self.assertRegex(self.module, rf"\bc%{text(row.name)}\b", table.name)
                if row.type != POINTER and text(row.name) not in ("dim", "nhints"):
                    self.assertRegex(self.module, rf"\b(o|options)%{text(row.name)} = ")


class ByName(unittest.TestCase):
    def setUp(self):
        for table in TABLES:
            ctypes.memset(table.options, 0, SIZE)

    def accepted(self, table, row, value, stored):
        self.assertEqual(table.set(text(row.name), value), (0, ""), value)
        self.assertEqual(table.get(row), stored, value)

    def refused(self, table, row, value, *parts):
        before = table.options.raw
        status, sentence = table.set(text(row.name), value)
        self.assertEqual(status, INVALID, (text(row.name), value))
        for part in (text(row.name), text(row.range), value[:60], *parts):
            self.assertIn(part, sentence)
        self.assertEqual(table.options.raw, before)

    def test_whole_numbers(self):
        for table, row, name in all_rows():
            if row.type not in (WHOLE, FLAG):
                continue
            high = min(int(row.high), 2 ** 64 - 1)
            self.accepted(table, row, str(int(row.low)), int(row.low))
            self.accepted(table, row, str(high), high)
            if row.type == WHOLE and row.low <= 100 <= row.high:
                self.accepted(table, row, "1e2", 100)
            for value in (str(int(row.low) - 1), str(high + 1), "", "x", "1.5", "1e99", "0x1",
                          "inf", " 1"):
                self.refused(table, row, value)

    def test_real_numbers(self):
        for table, row, name in all_rows():
            if row.type != REAL:
                continue
            low, high = row.low, min(row.high, 1e300)
            middle = low + (high - low) / 3
            self.accepted(table, row, repr(middle), middle)
            for end, is_open in (low, row.open & OPEN_LOW), (high, row.open & OPEN_HIGH):
                if is_open:
                    self.refused(table, row, repr(end))
                else:
                    self.accepted(table, row, repr(end), end)
            self.refused(table, row, "-1e-300")
            for value in "", "nan", "inf", "1e999", "0.1x", "0x1p-3":
                self.refused(table, row, value)
            if math.isfinite(row.high):
                self.refused(table, row, repr(row.high * 1.001))

    def test_words(self):
        for table, row, name in all_rows():
            if row.type != WORD:
                continue
            words = text(row.words).split(",")
            for i, word in enumerate(words):
                self.accepted(table, row, word, i)
                self.refused(table, row, word + "x")
            for value in "", ",", "0", ",".join(words[:2]), words[0][:-1]:
                self.refused(table, row, value)

    def test_other_names(self):
        for table in TABLES:
            for name in "", "bins ", "Bins", "x" * 1000:
                status, sentence = table.set(name, "1")
                self.assertEqual(status, INVALID)
                for row in table.rows:
                    self.assertEqual(row.type != POINTER,
                                     f" {text(row.name)}," in sentence + ",", sentence)
            for row in table.rows:
                if row.type == POINTER:
                    status, sentence = table.set(text(row.name), "1")
                    self.assertEqual((status, "pointer" in sentence), (INVALID, True))
            for missing in range(3):
                words = [table.options, b"calls", b"1"]
                words[missing] = None
                self.assertEqual(table.setter(*words), INVALID)
            self.assertEqual(table.options.raw, bytes(SIZE))


class InTheStruct(unittest.TestCase):
    """What the rows say of ranges and defaults is what the library does."""

    def setUp(self):
        self.table = TABLES[0]
        ctypes.memset(self.table.options, 0, SIZE)
        self.complete = ctypes.create_string_buffer(SIZE)

    def resolve(self, **options):
        for name, value in {"dim": 4, **options}.items():
            self.table.put(self.table.by_name[name], value)
        status = self.table.library.nis_complete_options(self.table.options, self.complete)
        return status, text(self.table.library.nis_last_error())

    def completed(self, name, **options):
        ctypes.memset(self.table.options, 0, SIZE)
        self.assertEqual(self.resolve(**options), (0, ""))
        return self.table.get(self.table.by_name[name], self.complete)

    def test_out_of_range(self):
        for row in self.table.rows:
            if row.type == POINTER:
                continue
            outside = [row.high * 2 + 1] if row.high < 2.0 ** 31 else []
            outside += [-1] if self.table.form(row) in "di" else []
            outside += [2 ** 62 + 1] if row.high == 2.0 ** 62 else []
            outside += [math.nan] if row.type == REAL else []
            for value in outside:
                self.setUp()
                value = value if row.type == REAL else int(value)
                status, sentence = self.resolve(**{text(row.name): value})
                self.assertEqual(status, INVALID, text(row.name))
                self.assertRegex(sentence, r"\A%s must be .*, got " % text(row.name))

    def test_plain_defaults(self):
        for row in self.table.rows:
            if row.type != POINTER and row.initial != 0:
                self.assertEqual(self.completed(text(row.name)), row.initial)

    def steps(self, name, by):
        """Reads "A, B from X, C from Y dimensions on"."""
        steps = re.findall(r"(\d[\d.e-]*)(?: from (\d[\d.e-]*))?",
                           text(self.table.by_name[name].initial_text))
        return [float(value) for value, bound in steps if not bound or by >= float(bound)][-1]

    def test_steps(self):
        for dim in 1, 2, 3, 5, 6, 12, 13, 47, 48, 256:
            for name in "hidden_width", "learning_rate":
                self.assertEqual(self.completed(name, dim=dim), self.steps(name, dim))
        for calls in 100, 19999, 20000, 199999, 200000, 10 ** 7:
            self.assertEqual(self.completed("minibatch", calls=2 * calls, train_share=0.5),
                             self.steps("minibatch", calls))

    def test_what_a_default_depends_on(self):
        """Other values of these change it, and these are options."""
        start = {"dim": 4, "calls": 10 ** 5}
        other = {"effort": 2.5, "dim": 100, "calls": 10 ** 7, "train_share": 0.001, "layers": 60,
                 "bins": 100, "hidden_layers": 7, "hidden_width": 500, "rel_error": 0.1,
                 "abs_error": 0.1, "max_seconds": 1.0}
        for row in self.table.rows:
            option = text(row.name)
            start["layers"] = 40 if option == "replay" else 0  # a large net
            for name in filter(None, (text(row.depends) or "").split(",")):
                changed = {**start, name: other[name]}
                self.assertNotEqual(self.completed(option, **start),
                                    self.completed(option, **changed), (option, name))


class Command(unittest.TestCase):
    def test_all_are_in_the_help(self):
        shown = " ".join(subprocess.run([NIS, "events", "--help"], check=True, text=True,
                                        stdout=subprocess.PIPE).stdout.split())
        for table, row, name in all_rows():
            event_calls = table is TABLES[1] and name == "calls"
            name = "event-calls" if event_calls else name.replace("_", "-")
            if row.type != POINTER and name not in NOT_IN_COMMAND:
                self.assertIn(f" --{name} ", shown)
                if row.type != FLAG:
                    self.assertIn(text(row.range), shown)
                    self.assertIn(text(row.initial_text) or "", shown)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("usage: test_options.py LIBNIS INCLUDE_DIR NIS [unittest options]")
    LIBRARY, INCLUDE, NIS = (os.path.abspath(sys.argv.pop(1)) for _ in range(3))
    unittest.main()
