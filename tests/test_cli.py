#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `nis`, from outside: python3 test_cli.py PATH_TO_NIS LIBRARY [unittest options].

LIBRARY is libnis_integrands.so.
"""

import contextlib
import csv
import ctypes
import fcntl
import glob
import gzip
import json
import math
import os
import pty
import random
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree

NIS = ""
LIBRARY = ""
SMALL = "--layers 2 --hidden-layers 1 --hidden-width 8 --bins 8 --replay 2".split()
FOREVER = ["--calls", "1e12", "--train-share", "1e-9"] + SMALL  # trains on 1000 calls
PATIENCE = 50  # seconds; only a hanging command takes that long
PULL = 3.95  # errors: beyond it with 1e-3, where they stand on the spread of 16 nets of points


def nis(*words, **more):
    if "input" not in more:
        more["stdin"] = subprocess.DEVNULL
    return subprocess.run([NIS, *map(str, words)], text=True, timeout=PATIENCE,
                          stdout=more.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                          **more)


def start(*words, **more):
    return subprocess.Popen([NIS, *map(str, words)], stdin=subprocess.DEVNULL, text=True,
                            stdout=more.pop("stdout", subprocess.PIPE),
                            stderr=more.pop("stderr", subprocess.PIPE), **more)


def part_size(path):
    """Of what is being written, 0 before it begins"""
    return sum(map(os.path.getsize, glob.glob(glob.escape(path) + ".??????.part")))


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.02)


def read_slowly(descriptor):
    """All of it, after its writer has had time to run into a full pipe"""
    time.sleep(0.5)
    text = b""
    while block := os.read(descriptor, 20000):
        text += block
        if len(text) < 500000:
            time.sleep(0.01)
    os.close(descriptor)
    return text.decode()


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def refuse_constant(word):
    raise AssertionError(f"{word} is no JSON")


def parse_json(text):
    return json.loads(text, parse_constant=refuse_constant)


def particle_rows():
    return [row["name"] for row in parse_json(nis("list", "--json").stdout) if row["lhe"]]


# ---- an independent reader of Les Houches files ------------------------------------


class Lhe:
    """Strict: one tag a line, right numbers of columns, the stated numbers of rows."""

    def __init__(self, text):
        root = ElementTree.fromstring(text)
        assert root.tag == "LesHouchesEvents" and root.get("version") == "1.0"
        assert text.startswith("<LesHouchesEvents"), "the tag must be the first line"
        assert text.endswith("</LesHouchesEvents>\n")
        assert all(re.fullmatch(r"</?\w+( [^<>]*)?>", line)
                   for line in text.splitlines() if "<" in line or ">" in line)
        assert [child.tag for child in root][:2] == ["header", "init"]
        assert all(child.tag == "event" for child in root[2:])
        self.header = root[0].text
        self.read_init(self.table(root[1]))
        self.events = [self.read_event(self.table(child)) for child in root[2:]]

    @staticmethod
    def table(element):
        """The lines but comments, which are there with channels"""
        return [line.split() for line in element.text.strip().splitlines() if line[0] != "#"]

    def read_init(self, rows):
        assert len(rows) == 2 and len(rows[0]) == 10 and len(rows[1]) == 4
        self.beams = [int(rows[0][0]), int(rows[0][1])]
        self.energies = [float(rows[0][2]), float(rows[0][3])]
        assert rows[0][4:8] == ["0"] * 4
        self.strategy, processes = int(rows[0][8]), int(rows[0][9])
        assert processes == 1
        self.xsec, self.xerr, self.xmax = map(float, rows[1][:3])
        self.process = int(rows[1][3])

    def read_event(self, rows):
        assert len(rows[0]) == 6 and int(rows[0][1]) == self.process
        assert int(rows[0][0]) == len(rows) - 1
        assert all(len(row) == 13 for row in rows[1:])
        particles = [([int(word) for word in row[:6]], [float(word) for word in row[6:]])
                     for row in rows[1:]]
        return float(rows[0][2]), [float(word) for word in rows[0][3:]], particles


def momentum(particles, status, component):
    return sum(real[component] for whole, real in particles if whole[1] == status)


# ---- usage --------------------------------------------------------------------------


class Refusals(unittest.TestCase):
    folder = None

    def refused(self, words, *parts, code=2, **more):
        done = nis(*words, cwd=self.folder, **more)
        self.assertEqual(done.returncode, code, done)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Anis: [^\n]+\n\Z")
        for part in parts:
            self.assertIn(part, done.stderr)


class Usage(Refusals):
    def shown(self, words, *parts):
        done = nis(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for part in parts:
            self.assertIn(part, done.stdout)

    def test_help(self):
        self.shown(["--help"], "list", "integrate", "events", "130")
        self.shown(["help"], "integrate")
        for command in "list", "integrate", "events", "train", "show", "matrix-element":
            self.shown(["help", command], "usage: nis " + command, "--json")
            self.shown([command, "--help"], "usage: nis " + command)
            self.shown([command, "-h"], "usage: nis " + command)
        self.shown(["integrate", "--help"], "--calls", "--learning-rate", "default 1e6",
                   "a whole number between 1 and 1024")
        self.assertNotIn("--force", nis("integrate", "--help").stdout)
        self.shown(["events", "--help"], "--output", "--calls")

    def test_version(self):
        self.assertRegex(nis("--version").stdout, r"\Anis \d+\.\d+\.\d+\n\Z")
        self.assertEqual(nis("--version").returncode, 0)

    def test_alone(self):
        done = nis()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("nis integrate NAME", done.stderr)

    def test_unknown_words(self):
        self.refused(["bogus"], "'bogus'", "list", "integrate", "events")
        self.refused(["help", "bogus"], "'bogus'", "integrate")
        self.refused(["help", "list", "more"], "'more'")
        self.refused(["--bogus"], "'--bogus'")
        self.refused(["integrate", "bogus"], "'bogus'", "camel", "gaussian")
        self.refused(["list", "bogus"], "'bogus'", "camel")
        self.refused(["integrate", "camel", "--bogus"], "'--bogus'", "--calls", "--json")
        self.refused(["integrate", "camel", "-z"], "'-z'", "--calls")
        self.refused(["list", "--calls", "3"], "'--calls'")

    def test_wrong_number_of_words(self):
        for command in "integrate", "events":
            self.refused([command], "needs the name of an integrand", "camel")
            self.refused([command, "camel", "gaussian"], "'gaussian'")
        self.refused(["list", "camel", "gaussian"], "'gaussian'")
        self.refused(["bench", "camel"], "'camel'", "takes none")
        self.refused(["integrate", "camel", "--calls"], "--calls", "whole number")
        self.refused(["integrate", "camel", "--json=1"], "--json takes no value")

    def test_whole_numbers(self):
        options = {"calls": "1 and", "threads": "1 and 1024", "layers": "1 and 64",
                   "hidden-layers": "1 and 8", "hidden-width": "1 and 1024",
                   "bins": "2 and 128", "minibatch": "64 and 1048576", "dim": "1 and 256",
                   "seed": "0 and 18446744073709551615"}
        for option, allowed in options.items():
            for text in ("x", "", "-1", "1.5", "nan", "inf", "1e400", "0x10", " 5", "5 ",
                         "18446744073709551616", "99999999999999999999999", "1e", "--"):
                with self.subTest(option=option, text=text):
                    self.refused(["integrate", "camel", f"--{option}={text}"],
                                 f"--{option} must be a whole number between {allowed}",
                                 f"got '{text}'")
        for option in "threads", "calls", "layers", "bins", "minibatch", "dim":
            self.refused(["integrate", "camel", "--" + option, "0"], option, "got '0'")
        self.refused(["integrate", "camel", "--threads", "1025"], "1024", "'1025'")

    def test_real_numbers(self):
        options = {"rel-error": ("1", "of at least 0 and below 1"),
                   "abs-error": ("-1e-9", "of at least 0"),
                   "train-share": ("0", "above 0 and below 1"),
                   "replay": ("1001", "above 0 and at most 1000"),
                   "learning-rate": ("0", "above 0 and at most 1")}
        for option, (outside, allowed) in options.items():
            for text in outside, "x", "", "-1", "nan", "inf", "1e999", "0.1x", "0x1p-3":
                with self.subTest(option=option, text=text):
                    self.refused(["integrate", "camel", f"--{option}={text}"],
                                 f"--{option} must be a number {allowed}", f"got '{text}'")
        self.refused(["integrate", "camel", "--train-share", "1"], "below 1")

    def test_words(self):
        allowed = "one of rational-quadratic,piecewise-quadratic,piecewise-linear,affine"
        for text in "", "x", "affin", "affinex", "3", "affine,", ",":
            self.refused(["integrate", "camel", "--coupling=" + text],
                         "--coupling must be " + allowed, f"got '{text}'")
        self.refused(["integrate", "camel", "--coupling"], "needs a value: " + allowed)

    def test_parameters(self):
        camel = ["integrate", "camel", "--param"]
        self.refused(camel + ["alpha"], "key=value", "'alpha'")
        self.refused(camel + ["bogus=1"], "'bogus'", "alpha")
        for text in "", "x", "nan", "-1", "1e9", "0.1x":
            self.refused(camel + ["alpha=" + text], "alpha", f"'{text}'")
        many = ["--param", "alpha=0.2"] * 65
        self.refused(["integrate", "camel"] + many, "--param", "64")
        self.refused(["integrate", "ee3j", "--param", "measure=bogus"], "jade", "durham")

    def test_dimensions_of_the_integrand(self):
        self.refused(["integrate", "ee3j", "--dim", "4"], "--dim must be 5 for ee3j", "'4'")

    def test_events(self):
        self.refused(["events", "camel", "-o", "x"], "-n N")
        self.refused(["events", "camel", "-n", "3"], "-o FILE")
        self.refused(["events", "camel", "-n", "3", "-o", ""], "--output", "empty")
        self.refused(["events", "camel", "-n", "0", "-o", "x"], "--events", "got '0'")
        self.refused(["events", "camel", "-n", "3", "-o", "p.xyz"], "p.xyz: no format",
                     ".lhe .lheh5", "--format")
        self.refused(["events", "camel", "-n", "3", "-o", "x", "--format", "root"],
                     "lhe,lhe3,lheh5,hdf5,npy,text", "'root'")
        for words in (["--tail", 0], ["--tail", 1], ["--quantile", 0], ["--quantile", 1.5],
                      ["--w-max", "biggest"], ["--event-calls", 0], ["-n", -1]):
            self.refused(["events", "camel", "-n", "3", "-o", "x", *map(str, words)], words[0][2:])
        self.refused(["events", "camel", "-n", "3", "-o", "x", "--format", "lhe"],
                     "particles")


# ---- plug-ins ------------------------------------------------------------------------

PLUGIN = r"""
#include <math.h>
#include <stddef.h>

const size_t five_dim = 5, zero_dim = 0, huge_dim = 257, three_dim = 2, three_channels = 3;

double sum(double *x, size_t dim, void *params)
{
  double s = params ? NAN : 0;
  for (size_t j = 0; j < dim; j++) s += x[j];
  return s;
}
double five(double *x, size_t dim, void *params) { return sum(x, dim, params); }
double zero(double *x, size_t dim, void *params) { return sum(x, dim, params); }
double huge(double *x, size_t dim, void *params) { return sum(x, dim, params); }
double nowhere(double *x, size_t dim, void *params) { return NAN; }
double steps(double *x, size_t dim, void *params) { return x[0] * (x[dim - 1] + 1); }
double three(double *x, size_t dim, void *params) { return steps(x, dim, params); }
double bell(double *x, size_t dim, void *params) { return exp(-x[0] * x[0] - x[1] * x[1]); }

int sums(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  for (size_t i = 0; i < n; i++) f[i] = ncomp == 1 ? sum((double *)x + i * dim, dim, params) : NAN;
  return 0;
}
int fails(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  return 7;
}
"""

# Brings its own locale, as graphical libraries do.
LOCALE = r"""
#include <locale.h>
#include <stddef.h>
#include <stdio.h>

__attribute__((constructor)) static void begin(void)
{
  if (!setlocale(LC_ALL, "de_DE.UTF-8")) fprintf(stderr, "no locale de_DE.UTF-8\n");
}
double sum(double *x, size_t dim, void *params)
{
  setlocale(LC_ALL, "de_DE.UTF-8");
  return x[0] + x[1];
}
"""


@unittest.skipUnless(shutil.which("cc"), "cc is not installed")
class Plugins(Refusals):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.path = os.path.join(folder.name, "my.so")
        with open(cls.path + ".c", "w") as file:
            file.write(PLUGIN)
        subprocess.run(["cc", "-shared", "-fPIC", cls.path + ".c", "-o", cls.path, "-lm"],
                       check=True)

    def result(self, symbol, *words, code=(0, 4)):
        done = nis("integrate", "./my.so:" + symbol, "--calls", 5000, "--json", *words, *SMALL,
                   cwd=self.folder)
        self.assertIn(done.returncode, code, done)
        return parse_json(done.stdout)

    def near(self, exact, *words):
        r = self.result(*words)
        self.assertLess(abs(r["value"] - exact), PULL * r["error"] + 1e-12, words)
        return r

    # ---- values

    def test_scalar(self):
        r = self.near(1.5, "sum", "--dim", 3)
        self.assertLessEqual(INTEGRATE_KEYS, set(r))
        self.assertEqual([r[key] for key in ("name", "dim", "parameters", "exact", "value_unit")],
                         ["./my.so:sum", 3, {}, None, ""])
        self.near(0.5, "sum", "--dim", 1)
        self.near(128, "sum", "--dim", 256)

    def test_batch(self):
        scalar = self.near(1.5, "sum", "--dim", 3)
        batch = self.near(1.5, "sums", "--dim", 3, "--batch")
        self.assertEqual(scalar["value"], batch["value"])

    def test_exported_dim(self):
        self.assertEqual(self.near(2.5, "five")["dim"], 5)
        self.assertEqual(self.near(2.5, "five", "--dim", 5)["dim"], 5)

    def test_limits(self):
        self.near(16, "sum", "--dim", 2, "--lower", 1, "--upper", 3)  # 4 of area, 4 on average
        self.near(20.25, "sum", "--dim", 2, "--lower", "1,-2", "--upper", "3,2.5e0")
        self.near(math.pi, "bell", "--dim", 2, "--lower=-inf", "--upper", "inf")
        self.near(math.pi / 2, "bell", "--dim", 2, "--lower", "-inf,0", "--upper", "inf")
        self.near(-1.5, "sum", "--dim", 1, "--lower", 2)

    def test_periodic(self):
        walls = self.near(math.pi, "bell", "--dim", 2, "--lower=-5", "--upper", 5)
        flags = [self.near(math.pi, "bell", "--dim", 2, "--lower=-5", "--upper", 5, "--periodic",
                           text) for text in ("0", "0,0", "1", "1,1", "1,0")]
        values = [r["value"] for r in flags]
        self.assertEqual(values[:2], 2 * [walls["value"]])
        self.assertEqual(values[2], values[3])
        self.assertEqual(len(set(values)), 3)

    def test_discrete(self):
        one = self.near(5, "steps", "--dim", 2, "--discrete", "0,4")  # (1 + 2 + 3 + 4) / 2
        self.assertEqual(one["channels"], [])
        self.near(100, "sum", "--dim", 2, "--discrete", 5)  # 25 pairs of 0 .. 4
        channels = self.near(5, "steps", "--dim", 2, "--channels", 4)
        self.assertEqual(len(channels["channels"]), 4)
        for k, c in enumerate(channels["channels"]):
            self.assertLess(abs(c["value"] - (k + 1) / 2), PULL * c["error"])
            self.assertTrue(0 < c["efficiency"] <= 1 and c["zero_calls"] == 0)
        self.assertEqual(sum(c["calls"] for c in channels["channels"]),
                         channels["calls"] - channels["train_calls"])
        self.assertEqual(len(self.near(3, "three")["channels"]), 3)
        text = nis("integrate", self.path + ":steps", "-d", 2, "--channels", 4, "-c", 5000, *SMALL)
        self.assertEqual(len(re.findall(r"(?m)^[0-3] +\S+ \+- \S+ +\d+ +0 +0?\.?\d+$",
                                        text.stdout)), 4, text.stdout)

    def test_text(self):
        done = nis("integrate", self.path + ":sum", "--dim", 2, "--calls", 5000, *SMALL)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"{self.path}:sum, 2 dimensions, seed 0\n", done.stdout)
        self.assertNotIn("exact value", done.stdout)

    def test_in_this_folder(self):
        done = nis("integrate", "my.so:sum", "--dim", 2, "--calls", 5000, *SMALL, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done)

    def test_explain(self):
        r = self.result("five", "--explain")
        self.assertEqual(r["settings"]["dim"]["value"], 5)

    def test_events(self):
        done = nis("events", "./my.so:sums", "--batch", "-d", 2, "--upper", "2,4", "-n", 100, "-o",
                   "-", "--periodic", "0,1", "--calls", 5000, *SMALL, cwd=self.folder)
        self.assertIn(done.returncode, (0, 4), done)
        lines = done.stdout.splitlines()
        self.assertIn("# integrand: ./my.so:sums", lines)
        self.assertRegex(done.stdout, r"(?m)^# command: nis events \S+ --events 100 --dim 2 "
                                      r"--batch .* --upper 2,4 --periodic 0,1 "
                                      r"--seed 0$")
        rows = [[float(word) for word in line.split()] for line in lines if line[0] != "#"]
        self.assertEqual(len(rows), 100)
        self.assertTrue(all(0 < x < 2 and 0 < y < 4 for x, y, _ in rows))
        self.assertGreater(max(row[1] for row in rows), 2)
        mean = sum(row[2] for row in rows) / 100
        self.assertLess(abs(mean - 24), 4)
        self.refused(["events", "./my.so:sum", "-d", 2, "-n", 1, "-o", "x.lhe"], "particles")

    def test_decimal_comma(self):
        source = os.path.join(self.folder, "locale.c")
        with open(source, "w") as file:
            file.write(LOCALE)
        subprocess.run(["cc", "-shared", "-fPIC", source, "-o", source[:-1] + "so"], check=True)
        subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", self.folder + "/de_DE.UTF-8"],
                       check=True)
        env = {**os.environ, "LOCPATH": self.folder, "LC_ALL": "de_DE.UTF-8"}
        words = ["--calls", 5000, "--dim", 2, "--train-share", "0.35", *SMALL]
        done = nis("integrate", "./locale.so:sum", "--upper", "0.5,1.5", *words, "--json",
                   cwd=self.folder, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        r = parse_json(done.stdout)
        self.assertLess(abs(r["value"] - 0.75), 6 * r["error"] + 1e-12)
        done = nis("integrate", "./locale.so:sum", *words, cwd=self.folder, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^integral +(0\.99|1\.00)\d* \+- 0\.0")
        self.assertNotRegex(done.stdout, r"\d,\d")
        done = nis("events", "./locale.so:sum", "-n", 100, "-o", "-", *words, cwd=self.folder,
                   env=env)
        self.assertEqual(done.returncode, 0, done)
        self.assertNotIn(",", re.sub(r"(?m)^# w_max: .*$", "", done.stdout))
        done = nis("integrate", "./locale.so:sum", *words, "--rel-error", "0,1", cwd=self.folder,
                   env=env)
        self.assertEqual(done.returncode, 2)

    # ---- what goes wrong

    def test_names(self):
        for name in "./my.so", "my.so", "./my.so:", ":sum", ":", "./a:b/my.so":
            self.refused(["integrate", name, "--dim", 2], "FILE.so:SYMBOL", f"'{name}'")
        self.refused(["integrate", "./my\n.so:f", "--dim", 2], "control characters")
        self.refused(["integrate", "./" + 5000 * "x" + ":f", "--dim", 2], "too long")
        self.refused(["integrate", "bogus"], "'bogus'", "camel", "FILE.so:SYMBOL")
        self.refused(["list", "./my.so:sum"], "'./my.so:sum'", "built-in")

    def test_files(self):
        self.refused(["integrate", "./none.so:f"], "./none.so", "No such file", code=1)
        self.refused(["integrate", "./my.so.c:f"], "./my.so.c", code=1)
        self.refused(["integrate", "./:f"], "plug-in", code=1)
        self.refused(["integrate", "./my.so:f", "-d", 2], "'./my.so:f'", "no symbol 'f'", code=1)

    def test_dim(self):
        self.refused(["integrate", "./my.so:sum"], "'./my.so:sum' needs --dim", "sum_dim")
        self.refused(["integrate", "./my.so:five", "-d", 4], "--dim must be 5", "'4'")
        for dim in 0, 257:
            self.refused(["integrate", "./my.so:sum", "-d", dim], "1 and 256", f"'{dim}'")
        self.refused(["integrate", "./my.so:zero"], "zero_dim", "1 and 256", "'0'", code=1)
        self.refused(["integrate", "./my.so:huge", "-d", 257], "--dim", "1 and 256")
        self.refused(["integrate", "./my.so:huge"], "huge_dim", "'257'", code=1)

    def test_options(self):
        self.refused(["integrate", "camel", "--batch"], "--batch is for plug-ins", "'camel'")
        self.refused(["integrate", "camel", "--lower", 0], "--lower is for plug-ins", "unit cube")
        self.refused(["events", "camel", "--upper", 2, "-n", 1, "-o", "x"], "--upper is for")
        self.refused(["integrate", "./my.so:five", "-p", "a=1"], "no parameters", "'a=1'")

    def test_lists_of_limits(self):
        for text in "1,2", "1,2,3,4", "1,2,", ",1,2", "1,,2", "x", "1,2,nan", "1e400", "1 ,2,3", \
                    9 * "123456789", "infinity", "0x1", ",":
            for option in "--lower", "--upper":
                self.refused(["integrate", "./my.so:sum", "-d", 3, f"{option}={text}"],
                             option + " must be one number or 3", f"'{text}'")
        self.refused(["integrate", "./my.so:sum", "-d", 3, "--lower="], "must not be empty")

    def test_lists_of_flags(self):
        for text in "2", "1,0", "1,0,1,0", "1,0,", "0.5", "x", "inf", "1,,1", "-1":
            self.refused(["integrate", "./my.so:sum", "-d", 3, f"--periodic={text}"],
                         "--periodic must be 0 or 1, or 3", f"'{text}'")
        self.refused(["integrate", "./my.so:sum", "-d", 3, "--periodic="], "must not be empty")
        self.refused(["integrate", "./my.so:bell", "-d", 1, "--upper", "inf", "--periodic", 1],
                     "coordinate 0 is periodic", "finite", "got 0 and inf")

    def test_lists_of_counts(self):
        for text in "-1", "1,0", "0.5", "129", "x", "0,0,0,2", "inf":
            self.refused(["integrate", "./my.so:sum", "-d", 3, f"--discrete={text}"],
                         "--discrete must be 0 or a whole number between 2 and 128, or 3",
                         f"'{text}'")
        self.refused(["integrate", "./my.so:sum", "-d", 3, "--discrete", "1"],
                     "discrete[0] must be 0 or between 2 and 128, got 1")
        self.refused(["integrate", "./my.so:sum", "-d", 3, "--channels", 1], "--channels must be")
        self.refused(["integrate", "ee5j", "--channels", 2], "--channels is for plug-ins")
        self.refused(["integrate", "camel", "--discrete", 2], "--discrete is for plug-ins",
                     "nis list camel")

    def test_callback(self):
        r = self.result("fails", "--batch", "--dim", 2, code=[1])
        self.assertEqual((r["status"], r["value"]), ("callback", None))
        self.assertIn("ended the run", r["message"])
        self.assertEqual(self.result("nowhere", "--dim", 2, code=[1])["status"], "bad_values")


# ---- matrix elements -----------------------------------------------------------------


class Histograms(Refusals):
    """--histogram, --histogram-file, --history"""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name

    def result(self, *words):
        done = nis(*words, "--json", *SMALL, cwd=self.folder)
        self.assertIn(done.returncode, (0, 4), done)
        return parse_json(done.stdout)

    def text(self, name):
        with open(os.path.join(self.folder, name)) as file:
            return file.read()

    def rows(self, name):
        with open(os.path.join(self.folder, name), newline="") as file:
            return list(csv.DictReader(file))

    def test_json(self):
        r = self.result("integrate", "ee3j", "--calls", 5000, "--histogram", "thrust:8:0.6:1",
                        "--histogram", "x1:3,energy1:2:0.6:1", "--histogram-file", "a.json")
        self.assertEqual((r["histogram_file"], r["histograms"]),
                         ("a.json", ["thrust", "x1,energy1"]))
        one, two = parse_json(self.text("a.json"))["histograms"]
        self.assertEqual([len(h["bins"]) for h in (one, two)], [10, 20])
        self.assertEqual(len(one["axes"][0]["edges"]), 9)
        self.assertGreaterEqual(one["nets"], 16)
        for h in one, two:
            self.assertEqual(h["points"], r["calls"] - r["train_calls"])
            total = math.fsum(b["value"] for b in h["bins"]) + h["nowhere"]["value"]
            self.assertAlmostEqual(total, h["total"]["value"], delta=1e-9 * total)
            self.assertLess(abs(total - r["value"]), PULL * r["error"])
        bins = one["bins"][1:-1]
        self.assertTrue(all(b["error"] > 0 and b["density"] * 0.05 - b["value"] < 1e-9 * b["value"]
                            for b in bins if b["entries"] > 1), bins)
        self.assertIsNone(one["bins"][0]["low"][0])

    def test_csv(self):
        self.result("integrate", "ee_mumu", "--calls", 20000, "--histogram", "cos_theta:2",
                    "--histogram", "x2:1", "--histogram-file", "b.csv")
        rows = self.rows("b.csv")
        self.assertEqual(len(rows), 5 + 4)
        self.assertEqual([row["xlow"] for row in rows[:5]], ["-inf", "-1", "0", "1", "nan"])
        self.assertEqual({row["histogram"] for row in rows}, {"cos_theta", "x2"})
        back, forward = rows[1:3]
        # (1 + c)^2 a + (1 - c)^2 b gives 7 to 1 for a, 1 to 7 for b
        ratio = float(forward["value"]) / float(back["value"])
        self.assertTrue(1 / 7 < ratio < 7)
        self.assertEqual(float(rows[0]["value"]) + float(rows[3]["value"]), 0)

    def test_edges(self):
        """Bins of any width hold what bins of equal width in their place do."""
        edges = [-0.5, 0, 0.25, 0.75, 1]
        words = ["integrate", "ee3j", "--calls", 4000, "--histogram-file", "edges.json"]
        self.result(*words, "--histogram", "x1:-.5,0,0.25,7.5e-1,+1", "--histogram", "x1:4",
                    "--histogram", "x1:0,0.5,1,x2:2", "--histogram",
                    "x2:" + ",".join(map(str, range(257))))
        mine, equal, both, many = parse_json(self.text("edges.json"))["histograms"]
        self.assertEqual(mine["axes"][0]["edges"], edges)
        self.assertEqual((many["axes"][0]["edges"][-1], both["axes"][1]["edges"]),
                         (256, [0, 0.5, 1]))
        values = [b["value"] for b in mine["bins"]]
        fine = [b["value"] for b in equal["bins"]]
        self.assertEqual(values[1], 0)
        self.assertAlmostEqual(values[2] / fine[1], 1)
        self.assertAlmostEqual(values[3] / (fine[2] + fine[3]), 1)
        self.assertAlmostEqual(sum(b["value"] for b in both["bins"]) / sum(values), 1)

    def test_the_cut_is_seen(self):
        self.result("integrate", "ee3j", "-p", "measure=durham", "-p", "ycut=0.02", "--calls", 5000,
                    "--histogram", "y23:5:0.02:0.34", "--histogram", "jade_y23:5:0.02:0.34",
                    "--histogram-file", "c.csv")
        for row in self.rows("c.csv"):
            if row["xlow"] == "-inf" or row["xhigh"] == "inf":
                self.assertEqual(float(row["value"]), 0, row)

    def test_yoda(self):
        self.result("integrate", "drell_yan", "--calls", 5000, "--histogram", "mass:4:15:415",
                    "--histogram", "mass:2:15:415,rapidity:3")
        text = self.text("drell_yan.yoda")
        one = re.search(r"BEGIN YODA_HISTO1D_V3 /nis/mass\n(.*?)END YODA_HISTO1D_V3\n", text,
                        re.S)[1]
        head, body = one.split("---\n")
        self.assertIn("Path: /nis/mass\n", head)
        self.assertIn('XLabel: "mass [GeV]"\n', head)
        lines = body.splitlines()
        self.assertEqual(lines[0], "Edges(A1): [15, 115, 215, 315, 415]")
        self.assertEqual([len(line.split("\t")) for line in lines[2:]], 6 * [5])
        two = re.search(r"BEGIN YODA_HISTO2D_V3 /nis/mass_rapidity\n(.*?)END", text, re.S)[1]
        lines = two.split("---\n")[1].splitlines()
        self.assertEqual([line[:11] for line in lines[:2]], ["Edges(A1): ", "Edges(A2): "])
        self.assertEqual([len(line.split("\t")) for line in lines[3:]], 4 * 5 * [8])

    def test_yoda_by_others(self):
        try:
            import yoda
        except ImportError:
            try:
                import babyyoda.grogu as yoda
            except ImportError:
                self.skipTest("neither yoda nor babyyoda is installed")
        self.result("integrate", "ee3j", "--calls", 5000, "--histogram", "thrust:4:0.6:1",
                    "--histogram", "x1:2,thrust:3:0.6:1", "--histogram-file", "d.yoda")
        self.result("integrate", "ee3j", "--calls", 5000, "--histogram", "thrust:4:0.6:1",
                    "--histogram", "x1:2,thrust:3:0.6:1", "--histogram-file", "d.json")
        read = yoda.read(os.path.join(self.folder, "d.yoda"))
        one, two = parse_json(self.text("d.json"))["histograms"]
        theirs = read["/nis/thrust"]
        self.assertEqual(list(theirs.xEdges()), one["axes"][0]["edges"])
        bins = list(theirs.bins(True))
        self.assertEqual(len(bins), 6)
        for bin_, ours in zip(bins, one["bins"]):
            self.assertAlmostEqual(bin_.sumW(), ours["value"], delta=1e-9 * abs(ours["value"]))
            self.assertAlmostEqual(math.sqrt(bin_.sumW2()), ours["error"],
                                   delta=1e-9 * ours["error"])
            self.assertEqual(bin_.numEntries(), ours["entries"])
        theirs = read["/nis/x1_thrust"]
        self.assertEqual(list(theirs.yEdges()), two["axes"][1]["edges"])
        self.assertEqual([b.numEntries() for b in theirs.bins(True)],
                         [b["entries"] for b in two["bins"]])

    def test_events(self):
        r = self.result("events", "ee3j", "--calls", 5000, "-n", 2000, "-o", "e.lhe", "--force",
                        "--histogram", "thrust:4:0.6:1", "--histogram-file", "e.json")
        h, = parse_json(self.text("e.json"))["histograms"]
        self.assertEqual((h["points"], h["nets"]), (2000, 0))
        total = h["total"]["value"]
        self.assertAlmostEqual(total, r["unit"] * r["sum_weights"] / 2000, delta=1e-9 * total)

    def test_parts(self):
        words = ["--from", "f.nis", "--histogram", "x1:3", "--histogram", "x1:2,x2:2"]
        self.result("train", "camel", "--calls", 4000, "-o", "f.nis")
        for name, more in ("1.yoda", ["--part", "1/2"]), ("2.yoda", ["--part", "2/2"]), \
                ("w.yoda", ["--seed", 0]):
            done = nis("integrate", *words, "--calls", 4096, *more, "--histogram-file", name,
                       cwd=self.folder)
            self.assertIn(done.returncode, (0, 4), done)
        done = nis("merge", "1.yoda", "2.yoda", "-o", "m.yoda", cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        merged, whole = (re.findall(r"(?m)^[-+.e\d]+\t.*\d$", self.text(name))
                         for name in ("m.yoda", "w.yoda"))
        self.assertEqual(len(merged), 5 + 16)
        for a, b in zip(merged, whole):
            for x, y in zip(map(float, a.split()), map(float, b.split())):
                self.assertAlmostEqual(x, y, delta=1e-8 * abs(y))
        self.refused(["merge", "1.yoda", "2.yoda", "-o", "m.yoda"], "m.yoda", code=1)
        self.refused(["merge", "1.yoda", "f.nis", "-o", "n.yoda"], "f.nis", code=1)

    @unittest.skipUnless(shutil.which("cc"), "cc is not installed")
    def test_plugin(self):
        path = os.path.join(self.folder, "mine.c")
        with open(path, "w") as file:
            file.write(OBSERVABLES)
        subprocess.run(["cc", "-shared", "-fPIC", "-I", HEADERS, path, "-o", path[:-1] + "so",
                        "-lm"], check=True)
        self.result("integrate", "./mine.so:one", "--dim", 2, "--calls", 3000, "--histogram",
                    "larger:2", "--histogram", "x2:4", "--histogram-file", "g.csv", "--lower", 0,
                    "--upper", 2)
        rows = self.rows("g.csv")
        self.assertAlmostEqual(float(rows[1]["value"]), 1, delta=0.05)  # max(x, y) < 1: a quarter
        self.assertAlmostEqual(float(rows[2]["value"]), 3, delta=0.05)
        self.assertEqual([row["xlow"] for row in rows[6:10]], ["0", "0.5", "1", "1.5"])
        self.refused(["integrate", "./mine.so:one", "--dim", 2, "--histogram", "free:3"],
                     "LOW:HIGH")
        self.refused(["integrate", "./mine.so:one", "--dim", 2, "--histogram", "no:3"],
                     "x1 .. x2, larger, free")
        self.refused(["integrate", "./mine.so:one", "--dim", 1, "--upper", "inf", "--histogram",
                      "x1:3"], "LOW:HIGH")

    def test_refusals(self):
        def refused(text, *parts):
            self.refused(["integrate", "ee3j", "--histogram", text], "--histogram", *parts)
        for text in "thrust", "thrust:", ":3", "thrust:x", "thrust:3:1", "thrust:3:0:1:2", \
                "thrust:3,x1", "thrust:3,x1:2,x2:2", "thrust:3:0:x", "thrust:3:", 99 * "a" + ":3":
            refused(text, "OBSERVABLE:BINS:LOW:HIGH")
        for text in "thrust:0.6,0.7,", "thrust:0.6,0.7:3", "thrust:,0.6", \
                "thrust:0.6,0x1", "thrust:0.6,1e999", "thrust:0.6,0.7,x1":
            refused(text, "OBSERVABLE:EDGE,EDGE")
        refused("thrust:0.6,0.8,0.8", "each edge", "0.8 behind 0.8")
        refused("thrust:0.6,-1", "each edge", "-1 behind 0.6")
        refused("thrust:" + ",".join(map(str, range(258))), "257 edges at most")
        refused("thrust:3:1:0.5", "LOW < HIGH")
        for bins in "0", "1.5", "-1", "1e7":
            refused("thrust:" + bins, "bins")
        for name in "x0", "x6", "x01", "x1x", "Thrust", "mass":
            refused(name + ":3", name, "thrust", "x1 .. x5")
        self.refused(["integrate", "ee3j", "--histogram-file", "x.csv"], "needs --histogram")
        words = ["integrate", "ee3j", "--histogram", "x1:3", "--histogram-file"]
        self.refused([*words, "x.root"], ".yoda, .csv or .json")
        self.refused([*words, "no/x.csv"], "'no'", code=1)
        self.refused(["train", "ee3j", "-o", "x.nis", "--histogram", "x1:3"], "unknown option")
        self.refused(["integrate", "ee3j", "--history", "no/x.csv"], "no/x.csv", code=1)

    def test_list(self):
        text = nis("list", "ee4j").stdout
        self.assertIn("observables: x1 .. x8\n", text)
        self.assertRegex(text, r"(?m)^    m34 +\(0 \.\. 91\.\d+ GeV\)  \w")
        rows = {row["name"]: row for row in parse_json(nis("list", "--json").stdout)}
        self.assertEqual(rows["camel"]["observables"], {})
        self.assertEqual(rows["ee3j"]["observables"]["thrust"]["high"], 1)

    def test_history(self):
        r = self.result("integrate", "camel", "--dim", 4, "--calls", 20000, "--history", "h.csv")
        rows = self.rows("h.csv")
        self.assertEqual(len(rows), len(r["history"]))
        self.assertEqual([row["phase"] for row in rows if row["round"] == "1"],
                         ["training", "integration"])
        calls = [int(row["calls"]) for row in rows]
        self.assertEqual((calls, calls[-1]), (sorted(calls), r["calls"]))
        seconds = [float(row["seconds"]) for row in rows]
        self.assertEqual(seconds, sorted(seconds))
        for row, ours in zip(rows, r["history"]):
            shares = [float(row[name]) for name in ("uniform", "flow", "twin", "map", "peaks")]
            self.assertAlmostEqual(sum(shares), 1, delta=1e-6)
            self.assertEqual(len(ours["shares"]), 5)
            self.assertEqual(row["beta"] == "", row["phase"] == "integration")
            self.assertEqual(ours["beta"] is None, row["beta"] == "")
            self.assertEqual(row["estimate"] == "", row["phase"] == "training")
            self.assertTrue(row["value"] and row["error"] and row["spread"])
        betas = [row["beta"] for row in r["history"] if row["phase"] == "training"]
        self.assertEqual((betas[0], betas[-1]), (0, 1))
        last = r["history"][-1]
        self.assertEqual([last[key] for key in ("estimate", "estimate_error", "chi2", "dof",
                                                "efficiency")],
                         [r[key] for key in ("value", "error", "chi2", "dof", "efficiency")])


OBSERVABLES = r"""
#include <nis_histogram.h>

double one(double *x, size_t dim, void *params) { return 1; }

static double larger(const double *x, size_t dim, const double *outputs, size_t extra, void *params)
{
  return dim < 2 || x[0] > x[1] ? x[0] : x[1];
}

const nis_plugin_observable one_observables[] = {{"larger", "", "of two", 0, 2, larger},
                                                 {"free", NULL, NULL, 0, 0, larger}, {0}};
"""
HEADERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../include")


def square(p):
    return p[0] ** 2 - p[1] ** 2 - p[2] ** 2 - p[3] ** 2


def twice_product(p, q):
    return 2 * (p[0] * q[0] - p[1] * q[1] - p[2] * q[2] - p[3] * q[3])


def boosted(p, frame):
    """From the rest frame of `frame`."""
    mass = math.sqrt(square(frame))
    energy = sum(a * b for a, b in zip(p, frame)) / mass
    factor = (p[0] + energy) / (frame[0] + mass)
    return [energy] + [a + factor * b for a, b in zip(p[1:], frame[1:])]


def random_point(rng, n, sqrts):
    """e-, e+ and n massless momenta: isotropic ones, boosted to rest and scaled."""
    p = []
    for _ in range(n):
        q = [rng.gauss(0, 1) for _ in range(3)]
        p.append([math.sqrt(sum(x * x for x in q))] + q)
    whole = [sum(column) for column in zip(*p)]
    back = [whole[0]] + [-x for x in whole[1:]]
    scale = sqrts / math.sqrt(square(whole))
    half = sqrts / 2
    return [[half, 0, 0, half], [half, 0, 0, -half]] + [[scale * x for x in boosted(q, back)]
                                                       for q in p]


def closed_formula(p, quark, alpha_s):
    """Of e+e- -> q qbar g through photon and Z; the constants are those of electroweak.h."""
    electron, positron, q, qbar, gluon = p
    s = twice_product(electron, positron)
    alpha, g_fermi, m, width = 1 / 132.507, 1.16639e-5, 91.188, 2.441404
    m_w2 = m * m / 2 * (1 + math.sqrt(1 - 4 * math.pi * alpha / (math.sqrt(2) * g_fermi * m * m)))
    sin2 = 1 - m_w2 / m ** 2
    charge, isospin = {"u": (2 / 3, 0.5), "d": (-1 / 3, -0.5)}[quark]

    def coupling(chirality, charge, isospin):
        return (isospin * (chirality == "L") - charge * sin2) / math.sqrt(sin2 * (1 - sin2))

    def g2(i, j):
        z = s / complex(s - m * m, m * width)
        return abs(4 * math.pi * alpha * (-charge + coupling(i, -1, -0.5) *
                                          coupling(j, charge, isospin) * z)) ** 2

    same = twice_product(electron, qbar) ** 2 + twice_product(positron, q) ** 2
    opposite = twice_product(electron, q) ** 2 + twice_product(positron, qbar) ** 2
    sums = ((g2("L", "L") + g2("R", "R")) * same + (g2("L", "R") + g2("R", "L")) * opposite)
    poles = twice_product(q, gluon) * twice_product(qbar, gluon)
    return 4 * math.pi * alpha_s * 4 * 2 * sums / (s * poles)


class MatrixElement(Refusals):
    POINT = [[80, 0, 0, 80], [80, 0, 0, -80], [50, 30, 0, 40], [50, 30, 0, -40], [60, -60, 0, 0]]

    @staticmethod
    def text(points):
        return "".join(" ".join(map(repr, p)) + "\n" for point in points for p in point)

    def values(self, name, points, *words):
        done = nis("matrix-element", name, "-", *words, input=self.text(points))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"\A(\d\.\d{16}e[+-]\d\d+\n)+\Z")
        return [float(line) for line in done.stdout.splitlines()]

    def wrong(self, text, *parts, name="ee3j"):
        self.refused(["matrix-element", name, "-"], "standard input", *parts, code=1, input=text)

    # ---- values

    def test_closed_formula(self):
        rng = random.Random(1)
        points = [random_point(rng, 3, sqrts) for sqrts in (30, 91.188, 500) for _ in range(20)]
        frame = [5, 1, -2, 3]
        points += [[boosted(p, frame) for p in point] for point in points]
        for quark, alpha_s in ("u", 0.118), ("d", 0.2):
            values = self.values("ee3j", points, "-p", f"alpha_s={alpha_s}", "-p", f"quark={quark}")
            self.assertEqual(len(values), 120)
            for value, point in zip(values, points):
                self.assertAlmostEqual(value / closed_formula(point, quark, alpha_s), 1, places=8)

    def test_library(self):
        """Through the shared library, as other languages call it"""
        with open(LIBRARY, "rb") as file:
            if re.search(b"__[at]san_init", file.read()):
                self.skipTest("Python cannot load what a sanitizer has instrumented")
        library = ctypes.CDLL(LIBRARY)
        library.nis_matrix_element_make.restype = ctypes.c_void_p
        library.nis_matrix_element_value.restype = ctypes.c_double
        settings = (ctypes.c_char_p * 1)(b"quark=d")
        sentence = ctypes.create_string_buffer(256)
        rng = random.Random(2)
        for gluons in 1, 2, 3:
            name = f"ee{2 + gluons}j"
            points = [random_point(rng, 2 + gluons, 200) for _ in range(10)]
            m = ctypes.c_void_p(library.nis_matrix_element_make(
                name.encode(), settings, ctypes.c_size_t(1), sentence, ctypes.c_size_t(256)))
            self.assertEqual(library.nis_matrix_element_legs(m), 4 + gluons)
            momenta = ctypes.c_double * (4 * (4 + gluons))
            expected = [library.nis_matrix_element_value(m, momenta(*sum(point, [])))
                        for point in points]
            library.nis_matrix_element_free(m)
            self.assertEqual(self.values(name, points, "-p", "quark=d"), expected)
        self.assertFalse(library.nis_matrix_element_make(
            b"camel", None, ctypes.c_size_t(0), sentence, ctypes.c_size_t(256)))
        self.assertIn(b"'camel'", sentence.value)

    def test_files(self):
        value = self.values("ee3j", [self.POINT])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "momenta")
            with open(path, "w") as file:
                file.write("# a point\n\n" + self.text([self.POINT]).replace("\n", " \r\n") +
                           " \t\n  # and again\n" + self.text([self.POINT])[:-1])
            done = nis("matrix-element", "ee3j", path)
            self.assertEqual([float(line) for line in done.stdout.splitlines()], 2 * value)
            done = nis("matrix-element", "ee3j", path, "--json")
            self.assertEqual(parse_json(done.stdout), 2 * value)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_many(self):
        self.assertEqual(len(set(self.values("ee3j", 5000 * [self.POINT]))), 1)

    def test_cuts_do_not_matter(self):
        value = self.values("ee3j", [self.POINT])
        self.assertEqual(value, self.values("ee3j", [self.POINT], "-p", "ycut=0.3", "-p",
                                            "measure=durham", "-p", "sqrts=500"))

    # ---- what goes wrong

    def test_words(self):
        elements = "there are ee3j, ee4j, ee5j"
        self.refused(["matrix-element"], "needs the name of a matrix element", elements)
        for name in "camel", "bogus", "./my.so:f":
            self.refused(["matrix-element", name, "x"], f"unknown matrix element '{name}'",
                         elements)
        for words in ["ee3j"], ["ee3j", ""]:
            self.refused(["matrix-element", *words], "needs a FILE of momenta")
        self.refused(["matrix-element", "ee3j", "x", "y"], "unexpected argument 'y'")
        self.refused(["matrix-element", "ee3j", "x", "-p", "quark=t"], "quark", "'t'")
        self.refused(["matrix-element", "ee3j", "x", "-p", "bogus=1"], "'bogus'", "alpha_s")
        self.refused(["matrix-element", "ee3j", "x", "--calls", 5], "'--calls'", "--json")

    def test_unreadable(self):
        self.refused(["matrix-element", "ee3j", "/none/x"], "cannot read /none/x: No such", code=1)
        self.refused(["matrix-element", "ee3j", "/"], "cannot read /: Is a directory", code=1)
        self.refused(["matrix-element", "ee3j", "/dev/null"], "holds no momenta", code=1)
        for text in "", "\n", "# nothing\n":
            self.wrong(text, "holds no momenta")

    def test_lines(self):
        good = self.text([self.POINT])
        for line, part in (("80 0 0", "pz is missing"), ("80", "px is missing"),
                           ("x 0 0 80", "E must be a number, got 'x'"),
                           ("80 0 0, 80", "py must be a number, got '0,'"),
                           ("80 0 nan 80", "py must be finite, got 'nan'"),
                           ("80 -inf 0 80", "px must be finite, got '-inf'"),
                           ("80 1e999 0 80", "px must be finite, got '1e999'"),
                           ("80 0 0 80 0", "more than E px py pz: '0'"),
                           ("80 0 0 80 # e-", "more than E px py pz: '#'"),
                           ("80 0 0 80\0", "more than E px py pz"), ("\0", "E is missing"),
                           ("0 0 0 0", "E must be above 0, got 0"),
                           ("-80 0 0 80", "E must be above 0, got -80"),
                           ("80 0 0 79.999", "E^2 - p^2 must be 0 to 1e-06 E^2, got 2.5e-05 E^2"),
                           ("80 0 3 80", "E^2 - p^2"), (100 * "9", "px is missing"),
                           (100 * "a", "E must be a number, got '" + 40 * "a" + "'")):
            with self.subTest(line=line):
                self.wrong(good + "\n" + line + "\n" + good, "line 7: " + part)

    def test_points(self):
        good = self.text([self.POINT])
        self.wrong(good + "80 0 0 80\n\n", "line 7: the file ends inside a point, after 1 of 5")
        self.wrong(good, "after 5 of 6", name="ee4j")
        off = [*self.POINT[:4], [60.01, -60.01, 0, 0]]
        self.wrong(good + self.text([off]), "line 10: ", "1e-06 sqrt(s), got -0.01 0.01 0 0")
        collinear = [[80, 0, 0, 80], [80, 0, 0, -80], [40, 40, 0, 0], [80, -80, 0, 0],
                     [40, 40, 0, 0]]
        self.wrong(self.text([collinear]), "line 5: ", "not finite")
        parallel = [[80, 0, 0, 80], [80, 0, 0, 80], *3 * [[160 / 3, 0, 0, 160 / 3]]]
        self.wrong(self.text([parallel]), "line 5: ")


# ---- list ---------------------------------------------------------------------------


class List(unittest.TestCase):
    def test_text(self):
        done = nis("list")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for part in "camel", "gaussian", "ee3j", "alpha=0.2", "jade,durham", "source:", "exact:":
            self.assertIn(part, done.stdout)

    def test_one(self):
        text = nis("list", "ee3j").stdout
        for part in "unit: pb", "lhe", "ycut=0.01", "5 dimensions", "source:":
            self.assertIn(part, text)
        self.assertNotIn("camel", text)

    def test_json(self):
        rows = {row["name"]: row for row in parse_json(nis("list", "--json").stdout)}
        self.assertLessEqual({"camel", "gaussian", "ee3j"}, set(rows))
        for row in rows.values():
            self.assertLessEqual(row["dim_min"], row["dim_default"])
            self.assertLessEqual(row["dim_default"], row["dim_max"])
            self.assertTrue(row["description"] and row["source"])
        camel = rows["camel"]
        self.assertEqual(camel["parameters"]["alpha"]["default"], 0.2)
        side = 0.5 * (math.erf(1 / 0.6) + math.erf(2 / 0.6))
        self.assertAlmostEqual(camel["exact"], side ** camel["dim_default"], places=12)
        self.assertEqual(rows["ee3j"]["parameters"]["measure"]["choices"], "jade,durham")
        self.assertEqual(parse_json(nis("list", "camel", "--json").stdout), camel)
        self.assertEqual((camel["channels"], set(camel["discrete"])), (0, {0}))
        self.assertEqual((rows["ee5j"]["channels"], rows["ee5j"]["discrete"]), (3, 11 * [0] + [3]))
        self.assertIn("coordinate 11, 3 channels", nis("list", "ee5j").stdout)


# ---- integrate ------------------------------------------------------------------------

INTEGRATE_KEYS = {
    "name", "dim", "parameters", "value", "error", "relative_error", "status", "status_code",
    "message", "chi2", "dof", "p_value", "khat", "max_weight_share", "doubts", "late_peaks",
    "unseen_volume", "blurred_volume",
    "calls", "train_calls", "bad_calls", "zero_calls", "efficiency", "efficiency_max",
    "efficiency_median", "ess", "seed", "seconds", "exact", "call_seconds"}
EVENT_KEYS = {"events", "event_calls", "overweights", "overweight_share", "unit",
              "sum_weights", "output"}


class Saved(Refusals):
    """What nis train has saved, and what goes on from there"""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def json(self, *words, code=(0, 4)):
        done = nis(*words, "--json", cwd=self.folder)
        self.assertIn(done.returncode, code, done)
        return parse_json(done.stdout)

    def train(self, name, *words):
        return self.json("train", name, "-c", 4000, "-o", "trained.nis", *words, *SMALL)

    def same(self, one, other, *keys):
        for key in "value", "error", "calls", "efficiency", "name", "seed", *keys:
            self.assertEqual(one[key], other[key], key)

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def test_training_is_that_of_integrate(self):
        words = ["camel", "-d", 2, "-s", 3, "-c", 4000, "-p", "alpha=0.3", *SMALL]
        trained = self.json("train", *words, "-o", "trained.nis")
        self.same(trained, self.json("integrate", *words), "parameters", "dim")
        shown = self.json("show", "trained.nis")
        self.same({**trained, "name": "camel alpha=0.3"}, shown, "train_calls")
        text = nis("show", "trained.nis", cwd=self.folder).stdout
        for part in "camel alpha=0.3", "2 dimensions", "seed 3", "2 layers", "8 bins", "1 x 8":
            self.assertIn(part, text)

    def test_integrate_goes_on(self):
        trained = self.train("camel", "-d", 2)
        more = self.json("integrate", "--from", "trained.nis", "-c", 3000, "-o", "more.nis")
        self.assertEqual(more["train_calls"], trained["train_calls"])
        self.assertGreater(more["calls"], trained["calls"] + 2000)
        self.assertLess(abs(more["value"] - more["exact"]), PULL * more["error"])
        again = self.json("integrate", "--from", "more.nis", "-c", 3000)
        self.assertGreater(again["calls"], more["calls"] + 2000)
        self.same({**more, "name": "camel alpha=0.2"}, self.json("show", "more.nis"))

    def test_another_seed_is_independent(self):
        self.train("camel", "-d", 2)
        parts = [self.json("integrate", "--from", "trained.nis", "-c", 2000, "-s", seed)
                 for seed in (1, 1, 2)]
        self.same(parts[0], parts[1])
        self.assertNotEqual(parts[0]["value"], parts[2]["value"])
        for part in parts:
            self.assertLess(abs(part["value"] - part["exact"]), PULL * part["error"])

    def test_events(self):
        trained = self.train("ridge", "-d", 3)
        files = []
        for seed, out in (5, "a.txt"), (5, "b.txt"), (6, "c.txt"):
            r = self.json("events", "--from", "trained.nis", "-s", seed, "-n", 200, "-o", out)
            files.append(self.read(out).replace(out.encode(), b""))
            self.assertEqual([r["value"], r["events"]], [trained["value"], 200])
            self.assertLess(r["calls"] - trained["calls"], 100000)
        self.assertEqual(files[0], files[1])
        self.assertNotEqual(files[0], files[2])

    def test_other_parameters_keep_the_flow_only(self):
        self.train("camel", "-d", 2)
        other = self.json("integrate", "--from", "trained.nis", "-p", "alpha=0.25", "-c", 4000)
        self.assertEqual(other["parameters"], {"alpha": 0.25})
        self.assertLess(abs(other["value"] - other["exact"]), PULL * other["error"])
        self.refused(["events", "--from", "trained.nis", "-p", "alpha=0.25", "-n", 9, "-o", "x"],
                     "no weights seen yet", code=2)
        trained = self.json("train", "--from", "trained.nis", "-p", "alpha=0.25", "-c", 4000,
                            "-o", "other.nis")
        self.assertLess(abs(trained["value"] - trained["exact"]), PULL * trained["error"])

    def test_periodic_rows_stay_so(self):
        self.train("von_mises", "-d", 2)
        self.json("integrate", "--from", "trained.nis", "-c", 1000)

    def test_channels(self):
        trained = self.train("drell_yan_channels", "-c", 8000)
        self.assertEqual(len(trained["channels"]), 3)
        self.assertEqual(self.json("show", "trained.nis")["channels"], trained["channels"])
        more = self.json("integrate", "--from", "trained.nis", "-c", 3000, "-o", "more.nis")
        self.assertLess(abs(more["value"] - more["exact"]), PULL * more["error"])
        for before, after in zip(trained["channels"], more["channels"]):
            self.assertGreater(after["calls"], before["calls"])
        other = self.json("integrate", "--from", "trained.nis", "-c", 3000, "-s", 5, "-o", "5.nis")
        merged = self.json("merge", "more.nis", "5.nis", "-o", "all.nis")
        self.assertEqual([c["calls"] for c in merged["channels"]],
                         [a["calls"] + b["calls"]
                          for a, b in zip(more["channels"], other["channels"])])
        self.assertIn("\n2  ", nis("show", "all.nis", cwd=self.folder).stdout)
        self.refused(["integrate", "--from", "trained.nis", "-p", "zp_coupling=0", "-c", 1000],
                     "has channels = 3, options.channels is 2")

    def test_flavours(self):
        self.train("ee3j", "-p", "quark=all")
        r = self.json("integrate", "--from", "trained.nis", "-c", 3000)
        self.assertEqual((r["dim"], r["channels"]), (6, []))
        self.assertLess(abs(r["value"] - r["exact"]), PULL * r["error"])
        self.refused(["integrate", "ee3j", "-p", "quark=all", "-d", 5], "--dim must be 6 for ee3j")

    @unittest.skipUnless(shutil.which("cc"), "cc is not installed")
    def test_plugins(self):
        path = os.path.join(self.folder, "my.so")
        with open(path + ".c", "w") as file:
            file.write(PLUGIN)
        subprocess.run(["cc", "-shared", "-fPIC", path + ".c", "-o", path, "-lm"], check=True)
        for symbol in (["./my.so:sum"], ["./my.so:sums", "--batch"]):
            self.train(*symbol, "-d", 3, "--lower=-1", "--upper=2")
            r = self.json("integrate", "--from", "trained.nis", "-c", 3000)
            self.assertLess(abs(r["value"] - 40.5), PULL * r["error"] + 1e-9)
        self.train("./my.so:sum", "-d", 3, "--discrete", "0,3,0", "--channels", 2)
        r = self.json("integrate", "--from", "trained.nis", "-c", 3000)
        self.assertLess(abs(r["value"] - 12), PULL * r["error"])
        self.assertEqual(len(r["channels"]), 2)

    def test_refusals(self):
        self.train("camel", "-d", 2)
        go_on = ["integrate", "--from", "trained.nis"]
        self.refused(["train", "camel"], "-o FILE")
        self.refused(["show"], "FILE")
        self.refused(["show", "a", "b"], "one file")
        self.refused(["show", "none.nis"], "none.nis: No such file", code=1)
        self.refused(["show", "."], "Is a directory", code=1)
        self.refused([*go_on, "-d", 3], "has dim = 2, options.dim is 3")
        self.refused(["integrate", "gaussian", *go_on[1:]], "is of the integrand 'camel'")
        self.refused([*go_on, "--bins", 9], "has bins = 8, options.bins is 9")
        self.refused([*go_on, "--rel-error", "0.1"], "--rel-error has no meaning with --from")
        self.refused([*go_on, "--explain"], "--explain has no meaning with --from")
        self.refused([*go_on, "-p", "beta=3"], "'beta'")
        whole = self.read("trained.nis")
        with open(os.path.join(self.folder, "cut.nis"), "wb") as file:
            file.write(whole[:-100])
        for words in ["show", "cut.nis"], ["integrate", "--from", "cut.nis"]:
            self.refused(words, "cut.nis is cut short", code=1)

    def test_parts_of_an_estimate(self):
        self.train("camel", "-d", 2)
        whole = self.json("integrate", "--from", "trained.nis", "-c", 3000, "--part", "1/1")
        for k in 1, 2, 3:
            self.json("integrate", "--from", "trained.nis", "-c", 3000, "--part", f"{k}/3",
                      "-o", f"part{k}.nis", "-t", k)
        merged = self.json("merge", "part1.nis", "part2.nis", "part3.nis", "-o", "all.nis")
        self.same({**whole, "name": "camel alpha=0.2", "efficiency": merged["efficiency"]}, merged)
        self.assertEqual(merged, {**self.json("show", "all.nis"), "file": "all.nis"})

    def test_jobs_are_merged(self):
        self.train("camel", "-d", 2)
        for seed in 1, 2, 3:
            one = self.json("integrate", "--from", "trained.nis", "-c", 3000, "-s", seed,
                            "-o", f"job{seed}.nis")
        jobs = [f"job{seed}.nis" for seed in (1, 2, 3)]
        merged = self.json("merge", *jobs, "-o", "all.nis")
        self.assertLess(abs(merged["value"] - one["exact"]), PULL * merged["error"])
        self.assertLess(merged["error"], one["error"])
        self.refused(["merge", *jobs, "job2.nis", "-o", "x"], "job2.nis: points ",
                     "of seed 2 are in both estimates")
        self.refused(["merge", "trained.nis", "none.nis", "-o", "x"], "none.nis", code=1)
        self.refused(["merge", "trained.nis"], "-o FILE")
        self.refused(["merge", "-o", "x"], "FILEs")
        self.train("camel", "-d", 2, "-s", 7)
        self.refused(["merge", "job1.nis", "trained.nis", "-o", "x"], "the flows differ")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "x")))

    def events_of(self, name):
        lines = self.read(name).decode().splitlines()
        return [line for line in lines if not line.startswith("#")]

    def test_parts_of_events(self):
        self.train("ridge", "-d", 3)
        words = ["events", "--from", "trained.nis", "-s", 4, "--event-calls", 1001]
        self.json(*words, "-o", "whole.txt")
        parts = []
        for k in range(1, 8):
            self.json(*words, "--part", f"{k}/7", "-o", f"{k}.txt")
            parts += self.events_of(f"{k}.txt")
        self.assertEqual(parts, self.events_of("whole.txt"))
        self.assertGreater(len(parts), 100)

    def text_of(self, name):
        data = self.read(name)
        return (gzip.decompress(data) if name.endswith(".gz") else data).decode()

    def jobs(self, name, ending, seeds=(1, 2, 3), *words):
        self.train(*name.split())
        files = [f"job{seed}.{ending}" for seed in seeds]
        return files, [self.json("events", "--from", "trained.nis", "-s", seed, "-n", 100, "-o",
                                 file, *words) for seed, file in zip(seeds, files)]

    def merge(self, *words):
        done = nis("merge", *words, cwd=self.folder)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_text_events_are_merged(self):
        for ending in "txt", "txt.gz":
            files, _ = self.jobs("ridge -d 3", ending)
            self.merge(*files, "-o", "all." + ending)
            texts = [self.text_of(file).splitlines() for file in files]
            whole = self.text_of("all." + ending).splitlines()
            self.assertEqual([line for line in whole if line[0] != "#"],
                             [line for text in texts for line in text if line[0] != "#"])
            self.assertEqual(whole[-1], "# end of 300 events")
            self.assertIn("# seed: 1 2 3", whole)
            self.assertEqual(len(whole), 300 + sum(line[0] == "#" for line in texts[0]))
            for file in *files, "all." + ending:
                os.remove(os.path.join(self.folder, file))

    def test_les_houches_events_are_merged(self):
        for ending, words in (("lhe", []), ("lhe.gz", []), ("lhe", ["--format", "lhe3"]),
                              ("lhe.gz", ["--unit-weights"])):
            files, jobs = self.jobs("ee3j", ending, (1, 2, 3), "--force", *words)
            self.merge(*files, "-o", "all." + ending, "--force")
            texts = [self.text_of(file) for file in files]
            whole = self.text_of("all." + ending)
            root = ElementTree.fromstring(whole)
            events = re.findall(r"<event.*?</event>\n", whole, re.S)
            self.assertEqual(len(root.findall("event")), 300)
            self.assertEqual(events, [event for text in texts for event in
                                      re.findall(r"<event.*?</event>\n", text, re.S)])
            process = [text.split("<init>")[1].split("\n")[2].split() for text in (*texts, whole)]
            self.assertEqual({tuple(p[:2] + p[3:]) for p in process},
                             {tuple(process[0][:2] + process[0][3:])})
            self.assertEqual(float(process[3][2]), max(float(p[2]) for p in process[:3]))
            self.assertEqual(float(process[3][0]), jobs[0]["value"])

    def test_numpy_events_are_merged(self):
        files, _ = self.jobs("ridge -d 3", "npy")
        self.merge(*files, "-o", "all.npy")
        whole, parts = self.read("all.npy"), [self.read(file) for file in files]
        self.assertEqual(whole[256:], b"".join(part[256:] for part in parts))
        self.assertEqual(whole[:256].rstrip(),
                         parts[0][:256].replace(b"(100,)", b"(300,)").rstrip())
        self.assertEqual(len(whole), 256 + 300 * 5 * 8)

    def test_events_that_are_not_merged(self):
        files, _ = self.jobs("ridge -d 3", "txt")
        shutil.copy(os.path.join(self.folder, files[0]), os.path.join(self.folder, "copy.txt"))
        self.refused(["merge", *files, "copy.txt", "-o", "x.txt"],
                     "job1.txt and copy.txt hold the same events")
        self.refused(["merge", *files, "-o", files[0]], "exists already", code=1)
        self.refused(["merge", files[0], "trained.nis", "-o", "x.txt"],
                     "trained.nis is no file of events", code=1)
        with open(os.path.join(self.folder, "cut.txt"), "wb") as file:
            file.write(self.read(files[1])[:-30])
        self.refused(["merge", files[0], "cut.txt", "-o", "x.txt"], "cut.txt is cut short", code=1)
        others, _ = self.jobs("ridge -d 3 -s 9", "npy")
        self.refused(["merge", files[0], others[0], "-o", "x.txt"], "of different kinds")
        others, _ = self.jobs("ridge -d 3 -s 9", "txt", (5, 6))
        self.refused(["merge", files[0], others[0], "-o", "x.txt"], "are not of one estimate")
        self.assertEqual(glob.glob(os.path.join(self.folder, "x.*")), [])

    @unittest.skipUnless(shutil.which("cc"), "cc is not installed")
    def test_a_killed_run_goes_on(self):
        path = os.path.join(self.folder, "my.so")
        with open(path + ".c", "w") as file:
            file.write("""#include <math.h>
#include <stddef.h>
double slow(double *x, size_t dim, void *params)
{
  double s = 0;
  for (int i = 0; i < 4000; i++) s += sin(i * x[0]) * x[dim - 1];
  return 2 + s * 1e-4;
}
""")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", path + ".c", "-o", path, "-lm"],
                       check=True)
        words = ["integrate", "./my.so:slow", "-d", 2, "-c", 20000, "--json", *SMALL]
        checkpointed = [*words, "--checkpoint", "point", "--checkpoint-seconds", 0.01]
        undisturbed = self.json(*words)
        point = os.path.join(self.folder, "point")
        for delay in 0.1, 0.2, 0.4:
            process = start(*checkpointed, cwd=self.folder)
            time.sleep(delay)
            process.kill()
            process.communicate()
        self.assertGreater(os.path.getsize(point), 10000)
        self.same(self.json(*checkpointed, "-t", 1), undisturbed)
        self.same(self.json(*checkpointed), undisturbed)
        self.refused([*checkpointed, "--bins", 9], "has bins = 8, options.bins is 9")
        self.refused([*checkpointed, "--max-seconds", 9], "max_seconds")

    def test_refused_parts(self):
        self.train("camel", "-d", 2)
        for text in "0/3", "4/3", "1", "1/", "/3", "1/3x", "x", "1/10000000", "-1/3":
            self.refused(["integrate", "--from", "trained.nis", "--part=" + text],
                         "--part must be K/N", f"'{text}'")
        self.refused(["integrate", "camel", "--part", "1/2"], "--part needs --from")
        self.refused(["integrate", "--from", "trained.nis", "-c", 1000, "--part", "9/99"],
                     "has no point")
        self.refused(["events", "--from", "trained.nis", "-n", 9, "-o", "x", "--part", "1/2"],
                     "--event-calls")

    def test_a_file_that_cannot_be_written(self):
        self.train("camel", "-d", 2)
        before = self.read("trained.nis")
        done = nis("integrate", "--from", "trained.nis", "-o", "no/folder.nis", cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no/folder.nis: No such file", done.stderr)
        self.assertIn("integral", done.stdout)  # which is not lost
        self.assertEqual(self.read("trained.nis"), before)


class Integrate(unittest.TestCase):
    def result(self, *words, code=(0, 4)):  # so few calls may make the error doubtful
        done = nis("integrate", *words, "--json", *SMALL)
        self.assertIn(done.returncode, code, done)
        result = parse_json(done.stdout)
        self.assertLessEqual(INTEGRATE_KEYS, set(result))
        return result

    def test_json(self):
        r = self.result("camel", "--dim", 3, "--calls", "1e4", "--seed", 7,
                        "--param", "alpha=0.3")
        self.assertEqual([r[key] for key in ("name", "dim", "parameters", "seed", "status")],
                         ["camel", 3, {"alpha": 0.3}, 7, "ok"])
        self.assertEqual((r["status_code"], r["message"], r["bad_calls"]), (0, "", 0))
        self.assertEqual((r["calls"], r["train_calls"]), (10000, 4112))  # 23 nets of 256
        self.assertLess(abs(r["value"] - r["exact"]), PULL * r["error"])
        self.assertAlmostEqual(r["relative_error"], r["error"] / r["value"], places=12)
        self.assertGreater(r["dof"], 0)
        self.assertTrue(0 < r["efficiency_max"] <= r["efficiency"] <= 1)
        self.assertTrue(0 < r["ess"] <= 6000)

    def test_every_row(self):
        for row in parse_json(nis("list", "--json").stdout):
            with self.subTest(row=row["name"]):
                r = self.result(row["name"], "--calls", 5000)
                self.assertEqual(r["exact"], row["exact"])
                self.assertEqual(r["value_unit"], row["unit"])

    def test_choice_parameter(self):
        r = self.result("ee3j", "--calls", 5000, "--param", "measure=durham",
                        "-p", "ycut=0.05", "-p", "ycut=0.02")
        self.assertEqual((r["parameters"]["measure"], r["parameters"]["ycut"]), ("durham", 0.02))
        self.assertGreater(r["zero_calls"], 0)

    def test_large_seed(self):
        seed = 2 ** 64 - 1
        self.assertEqual(self.result("camel", "--calls", 2000, "--seed", seed)["seed"], seed)

    def test_options_reach_the_library(self):
        base = self.result("camel", "--calls", 5000)["value"]
        for option, value in (("seed", 1), ("train-share", 0.5), ("minibatch", 128),
                              ("learning-rate", 1e-4)):
            with self.subTest(option=option):
                r = self.result("camel", "--calls", 5000, "--" + option, value)
                self.assertNotEqual(r["value"], base)
        for option, value in (("layers", 3), ("hidden-layers", 2), ("hidden-width", 9),
                              ("bins", 5), ("replay", 4)):
            with self.subTest(option=option):  # the last one given counts
                done = nis("integrate", "camel", "--calls", 5000, *SMALL, "--" + option, value,
                           "--json")
                self.assertNotEqual(parse_json(done.stdout)["value"], base)

    def test_couplings(self):
        names = ["rational-quadratic", "piecewise-quadratic", "piecewise-linear", "affine"]
        values = [self.result("camel", "--calls", 5000, "--coupling", name)["value"]
                  for name in names]
        self.assertEqual(values[0], self.result("camel", "--calls", 5000)["value"])
        self.assertEqual(len(set(values)), 4)
        for command in "integrate", "events", "bench":
            self.assertIn("one of " + ",".join(names), nis(command, "--help").stdout)
        for name in names[1:]:
            header = nis("events", "camel", "--calls", 2000, "-n", 1, "-o", "-", "--coupling", name,
                         *SMALL).stdout
            self.assertRegex(header, rf"(?m)^# command: .* --coupling {name} ")

    def test_help_knows_the_defaults(self):
        text = nis("integrate", "--help").stdout
        small = {"hidden-layers": 1, "hidden-width": 8, "bins": 8, "replay": 2,
                 "minibatch": 256, "train-share": 0.3, "learning-rate": 0.01}
        for option in small.keys() - {"replay", "minibatch"}:  # theirs depend on the calls
            default = re.search(rf"--{option} .*default (\S+?)(,|$)", text, re.M)[1]
            rest = [f"--{key}={value}" for key, value in small.items() if key != option]
            values = [parse_json(nis("integrate", "camel", "--calls", 4000, "--layers", 2, "--json",
                                     *rest, *more).stdout)["value"]
                      for more in ([], ["--" + option, default])]
            self.assertEqual(*values, option)

    def test_threads_do_not_matter(self):
        one, two = (self.result("camel", "--calls", 2e4, "--threads", t) for t in (1, 2))
        for row in one, two, *one["history"], *two["history"]:
            row["seconds"] = 0
        self.assertEqual(one, two)

    def test_text(self):
        done = nis("integrate", "ee3j", "--calls", 10000, "--seed", 3, *SMALL)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        table, report = done.stdout.split("\n\n")
        self.assertRegex(table, r"(?m)^phase +it +calls +value \+- error +spread$")
        self.assertRegex(table, r"(?m)^training +1 +\d+ +\d+ \+- \d+ +[\d.]+$")
        self.assertRegex(table, r"(?m)^integration +23 +10000 ")
        self.assertRegex(report, r"(?m)^integral +\d+\.\d+ \+- \d+\.\d+ pb$")
        self.assertRegex(report, r"(?m)^exact value +5058\.\d+ +\(pull [+-]\d+\.\d\d\)$")
        self.assertRegex(report, r"(?m)^chi2 / dof +[\d.]+ / 22 +\(p = [\d.e-]+\)$")
        self.assertRegex(report, r"(?m)^calls +10000 +\(training 4112, integration 5888\)$")
        for label in "relative error", "effective sample", "unweighting eff.", "zero calls", "time":
            self.assertRegex(report, rf"(?m)^{re.escape(label)} +[\d.e-]+")
        self.assertNotIn("bad calls", report)

    def test_quiet(self):
        done = nis("integrate", "camel", "--calls", 5000, "-q", *SMALL)
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("phase", done.stdout)
        self.assertTrue(done.stdout.startswith("integrand"))

    def test_goals(self):
        r = self.result("camel", "--calls", 20000, "--rel-error", 0.5)
        self.assertLess(r["calls"], 20000)
        self.assertEqual(r["status"], "ok")
        r = self.result("camel", "--calls", 20000, "--abs-error", 0.5)
        self.assertLess(r["calls"], 20000)
        r = self.result("camel", "--calls", 5000, "--rel-error", 1e-9, code=[3])
        self.assertEqual((r["status"], r["status_code"], r["calls"]), ("goal_missed", 2, 5000))
        self.assertTrue(r["message"])
        done = nis("integrate", "camel", "--calls", 5000, "--rel-error", 1e-9, *SMALL)
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"\Anis: .+\n\Z")
        self.assertRegex(done.stdout, r"(?m)^integral ")


    def test_doubts(self):
        r = self.result("chain", "--calls", 3000, code=[4])  # 16 dimensions: it is not found
        self.assertEqual((r["status"], r["status_code"]), ("suspect", 4))
        self.assertEqual(set(r["doubts"]), {"heavy_tail", "large_chi2", "few_weights", "late_peak"})
        self.assertGreater(sum(r["doubts"].values()), 0)
        done = nis("integrate", "chain", "--calls", 3000, *SMALL)
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr, r"\Anis: the error .*give more calls")
        fine = self.result("camel", "--calls", 20000, code=[0])
        self.assertEqual(sum(fine["doubts"].values()), 0)

    def test_time_limit(self):
        r = self.result("camel", "--calls", "1e12", "--max-seconds", 1, code=[3])
        self.assertEqual((r["status"], r["status_code"]), ("time_limit", 3))
        self.assertLess(r["calls"], 1e12)
        self.assertGreater(r["ess"], 0)
        r = self.result("camel", "--calls", 5000, "--max-seconds", 1000, code=[0, 4])
        self.assertEqual(r["calls"], 5000)

    def test_points_and_signs(self):
        base = self.result("camel", "--calls", 20000, "--dim", 2)
        nets = self.result("camel", "--calls", 20000, "--dim", 2, "--points", "nets")
        random = self.result("camel", "--calls", 20000, "--dim", 2, "--points", "random")
        self.assertEqual(base["value"], nets["value"])
        self.assertLess(nets["error"], random["error"])
        self.result("camel", "--calls", 2000, "--signs", "together")
        for option, words in (("points", "default,random,nets"), ("signs", "apart,together")):
            done = nis("integrate", "camel", "--" + option, "odd")
            self.assertEqual(done.returncode, 2)
            self.assertIn("one of " + words, done.stderr)

    def test_infinite_limit_of_time_is_none(self):
        self.assertEqual(self.result("camel", "--calls", 2000, "--max-seconds", 0)["calls"], 2000)
        self.assertEqual(nis("integrate", "camel", "--max-seconds", -1).returncode, 2)


# ---- events ---------------------------------------------------------------------------


class Events(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(folder.name, "out.lhe")

    def make(self, *words, code=0, output=None):
        if words[0] not in particle_rows():
            self.path = os.path.join(self.folder, "out.txt")
        done = nis("events", *words, "-o", output or self.path, "--force", *SMALL)
        self.assertEqual(done.returncode, code, done)
        return done

    def read(self):
        with open(self.path, encoding="ascii") as file:
            return file.read()

    def check_physics(self, lhe):
        for weight, (scale, alpha_em, alpha_s), particles in lhe.events:
            total = sum(lhe.energies)
            self.assertGreater(abs(weight), 0)
            self.assertTrue(scale > 0 and 0 < alpha_em < 0.02 and 0 < alpha_s <= 1)
            for k in range(4):
                off = momentum(particles, -1, k) - momentum(particles, 1, k)
                self.assertLess(abs(off), 1e-10 * total)
            for whole, (px, py, pz, e, m, lifetime, spin) in particles:
                self.assertLess(abs(e * e - px * px - py * py - pz * pz - m * m), 1e-9 * total ** 2)
                self.assertEqual((lifetime, spin), (0, 9))
                self.assertEqual(whole[2:4], [0, 0] if whole[1] == -1 else [1, 2])
            self.check_colours(particles)

    def check_colours(self, particles):
        lines = {}
        for whole, _ in particles:
            for place in (4, 5):
                if whole[place]:
                    end = place if whole[1] > 0 else 9 - place
                    lines.setdefault(whole[place], []).append(end)
            if whole[1] > 0 and abs(whole[0]) <= 6:  # quarks end a line on their own side
                self.assertEqual(bool(whole[4]), whole[0] > 0)
                self.assertEqual(bool(whole[5]), whole[0] < 0)
        self.assertTrue(all(sorted(ends) == [4, 5] for ends in lines.values()), lines)

    def test_les_houches(self):
        for name in particle_rows():
            with self.subTest(row=name):
                done = self.make(name, "-n", 2000, "--calls", 20000, "--seed", 3, "--json")
                report, lhe = parse_json(done.stdout), Lhe(self.read())
                self.assertLessEqual(INTEGRATE_KEYS | EVENT_KEYS, set(report))
                self.assertEqual((report["events"], report["output"]), (2000, self.path))
                self.assertEqual(len(lhe.events), 2000)
                self.assertEqual(lhe.strategy, -4)
                self.assertEqual((lhe.xsec, lhe.xerr), (report["value"], report["error"]))
                for part in "nis ", name, "seed: 3", "--calls 20000":
                    self.assertIn(part, lhe.header)
                self.check_weights(lhe, report)
                self.check_beams(lhe)
                self.check_physics(lhe)

    def check_weights(self, lhe, report):
        weights = [event[0] for event in lhe.events]
        mean = sum(weights) / len(weights)
        # overweight events make the mean of the weights fluctuate too
        error = math.hypot(lhe.xerr, statistics.stdev(weights) / math.sqrt(len(weights)))
        self.assertLess(abs(mean - lhe.xsec), PULL * error)
        if report["exact"] is not None:
            self.assertLess(abs(mean - report["exact"]), PULL * error)
        self.assertAlmostEqual(mean, report["unit"] * report["sum_weights"] / 2000,
                               delta=1e-9 * mean)
        over = sum(weight > (1 + 1e-12) * report["unit"] for weight in weights)
        self.assertEqual(over, report["overweights"])
        self.assertGreaterEqual(lhe.xmax, report["unit"])

    def check_beams(self, lhe):
        for _, _, particles in lhe.events:
            for beam in 0, 1:
                whole, real = particles[beam]
                self.assertEqual(whole[:2], [lhe.beams[beam], -1])
                self.assertEqual(real[3], lhe.energies[beam])
                self.assertGreater(real[2] * (1 - 2 * beam), 0)

    def test_text(self):
        self.make("camel", "-n", 1000, "--calls", 10000, "--dim", 3, "--param", "alpha=0.3")
        lines = self.read().splitlines()
        header = dict(line[2:].split(": ", 1) for line in lines if ": " in line)
        for key in ("generator", "integrand", "parameters", "seed", "integral", "unit", "columns",
                    "w_max", "command"):
            self.assertIn(key, header)
        self.assertEqual(header["columns"], "x1 x2 x3 weight")
        self.assertEqual(header["parameters"], "alpha=0.3")
        rows = [[float(word) for word in line.split()] for line in lines if line[0] != "#"]
        self.assertEqual(lines[-1], "# end of 1000 events")
        self.assertEqual({len(row) for row in rows}, {4})
        self.assertEqual(len(rows), 1000)
        self.assertTrue(all(0 < x < 1 for row in rows for x in row[:3]))
        self.assertTrue(all(row[3] >= float(header["unit"]) for row in rows))
        value, error = map(float, header["integral"].split(" +- "))
        mean = sum(row[3] for row in rows) / 1000
        self.assertLess(abs(mean - value), 5 * error)

    def test_text_of_particles(self):
        self.make("ee3j", "-n", 10, "--calls", 5000, "--format", "text")
        self.assertIn("# columns: x1 x2 x3 x4 x5 weight\n", self.read())

    def test_same_integral_as_integrate(self):
        done = nis("integrate", "ee3j", "--calls", 7777, "--seed", 5, "--json", *SMALL)
        integral = parse_json(done.stdout)
        report = parse_json(self.make("ee3j", "-n", 10, "--calls", 7777, "--seed", 5,
                                      "--json").stdout)
        for key in INTEGRATE_KEYS - {"seconds"}:
            self.assertEqual(report[key], integral[key], key)

    def test_same_goal_as_integrate(self):
        goal = ["ee3j", "--calls", 20000, "--rel-error", 0.01, "--call-seconds", 1e-6, "--json"]
        integral = parse_json(nis("integrate", *goal, *SMALL).stdout)
        report = parse_json(self.make(*goal, "-n", 10).stdout)
        self.assertLess(report["calls"], 20000)
        for key in INTEGRATE_KEYS - {"seconds"}:
            self.assertEqual(report[key], integral[key], key)

    def test_doubtful_integral_still_gives_events(self):
        done = self.make("twisted", "-n", 3, "--calls", 2000, "--json", code=4)
        self.assertEqual(parse_json(done.stdout)["status"], "suspect")
        self.assertEqual(parse_json(done.stdout)["events"], 3)

    def test_missed_goal_still_gives_events(self):
        done = self.make("ee3j", "-n", 10, "--calls", 5000, "--rel-error", 1e-9, "--json", code=3)
        self.assertEqual(parse_json(done.stdout)["status"], "goal_missed")
        self.assertEqual(len(Lhe(self.read()).events), 10)

    def test_threads_do_not_matter(self):
        texts = []
        for threads in 1, 2:
            self.make("ee3j", "-n", 500, "--calls", 10000, "--threads", threads)
            texts.append(self.read())
        self.assertEqual(*texts)

    def test_standard_output(self):
        self.make("ee3j", "-n", 50, "--calls", 5000)
        done = self.make("ee3j", "-n", 50, "--calls", 5000, output="-")
        self.assertEqual(done.stdout, self.read())
        self.assertRegex(done.stderr, r"(?m)^events +50 in ")
        self.assertRegex(done.stderr, r"(?m)^integration ")
        done = self.make("ee3j", "-n", 50, "--calls", 5000, "--json", output="-")
        self.assertEqual(done.stdout, self.read())
        self.assertEqual(parse_json(done.stderr)["events"], 50)

    def test_report(self):
        text = self.make("ee3j", "-n", 50, "--calls", 5000).stdout
        self.assertRegex(text, rf"(?m)^events +50 in {re.escape(self.path)}$")
        for label in ("rate", "calls for them", "event efficiency", "partial efficiency",
                      "cut efficiency", "overweights", "unit weight"):
            self.assertRegex(text, rf"(?m)^{label} +[\d.]+")

    def test_odd_file_names(self):
        name = os.fsencode(self.folder) + b'/a "b"\\\n\xc3\xa4\xff.txt'
        done = subprocess.run([NIS, "events", "camel", "-n", "5", "--calls", "2000", "--json",
                               "-o", name, *SMALL], capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0)
        output = parse_json(done.stdout.decode("utf-8"))["output"]
        self.assertTrue(output.endswith('/a "b"\\\n\xe4\xff.txt'), output)

    # ---- files that are there

    def test_refuses_to_overwrite(self):
        for name in "out.lhe", "out.txt", "out.npy", "out.lhe.gz":
            path = os.path.join(self.folder, name)
            with open(path, "w") as file:
                file.write("precious")
            done = nis("events", "ee3j", "-n", 5, "-o", path, *FOREVER)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, r"\Anis: cannot write \S+: it exists already; [^\n]+\n\Z")
            self.assertIn("--force", done.stderr)
            with open(path) as file:
                self.assertEqual(file.read(), "precious")
            os.chmod(path, 0o600)
            for force in "--force", "-f":
                done = nis("events", "ee3j", "-n", 5, "-o", path, force, "--calls", 2000, *SMALL)
                self.assertEqual(done.returncode, 0, done)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            os.remove(path)
        self.assertEqual(os.listdir(self.folder), [])

    def test_force_is_not_of_the_events(self):
        self.make("ee3j", "-n", 5, "--calls", 2000)
        self.assertNotIn("force", self.read())

    def test_taken_meanwhile(self):
        process = start("events", "ee3j", "-n", 200000, "-o", self.path, "--calls", 5000, "--quiet",
                        *SMALL)
        self.addCleanup(process.kill)
        wait_until(lambda: part_size(self.path) > 0)
        with open(self.path, "w") as file:
            file.write("precious")
        stdout, stderr = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertNotRegex(stdout, r"(?m)^events ")
        where = re.search(r"File exists; the complete file is (\S+)\n", stderr)[1]
        self.assertEqual(self.read(), "precious")
        with open(where) as file:
            self.assertEqual(file.read().count("<event>"), 200000)

    def test_hand_over_by_descriptor(self):
        with open(self.path, "w") as file:
            file.write("before\n")
            file.flush()
            done = nis("events", "camel", "-n", 5, "-o", "/dev/stdout", "--calls", 2000, *SMALL,
                       stdout=file)
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(self.read().startswith("before\n# generator: "))
        self.assertTrue(self.read().endswith("# end of 5 events\n"))

    # ---- when the file cannot be written

    def test_no_place_for_the_whole_run(self):
        done = nis("events", "ee3j", "-n", 5, "-o", self.path, "--whole-run", *FOREVER,
                   env={**os.environ, "TMPDIR": "/nonexistent"})
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("temporary file in /nonexistent: No such file", done.stderr)

    def test_reader_that_leaves(self):
        read, write = os.pipe()
        process = start("events", "ee3j", "-n", "1e12", "-o", "-", "--calls", 5000, *SMALL,
                        stdout=write)
        self.addCleanup(process.kill)
        os.close(write)
        os.read(read, 10)
        os.close(read)
        _, stderr = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertIn("nis: cannot write standard output: Broken pipe\n", stderr)
        self.assertRegex(stderr, r"(?m)^integral ")  # is not lost

    def test_reader_of_the_report_that_leaves(self):
        read, write = os.pipe()
        os.close(read)
        done = nis("events", "ee3j", "-n", 50, "-o", self.path, "--calls", 5000, *SMALL,
                   stdout=write)
        os.close(write)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(Lhe(self.read()).events), 50)

    def test_closed_standard_output(self):
        done = nis("events", "ee3j", "-n", 50, "-o", self.path, "--calls", 5000, *SMALL,
                   stdout=None, preexec_fn=lambda: os.close(1))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(Lhe(self.read()).events), 50)
        for words in ["-o", "-"], ["-o", "/dev/stdout"]:
            done = nis("events", "ee3j", "-n", 50, *words, *FOREVER, stdout=None,
                       preexec_fn=lambda: os.close(1))
            self.assertEqual(done.returncode, 1)
            self.assertIn("Bad file descriptor", done.stderr)

    def test_slow_reader(self):
        self.make("ee3j", "-n", 4000, "--calls", 5000)
        read, write = os.pipe()
        os.set_blocking(write, False)
        process = start("events", "ee3j", "-n", 4000, "-o", "-", "--calls", 5000, *SMALL,
                        stdout=write)
        self.addCleanup(process.kill)
        os.close(write)
        text = read_slowly(read)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(text, self.read())

    def test_fifo(self):
        self.make("ee3j", "-n", 4000, "--calls", 5000)
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)
        for early in True, False:
            process = start("events", "ee3j", "-n", 4000, "-o", pipe, "--calls", 5000, "--quiet",
                            "--format", "lhe", *SMALL)
            self.addCleanup(process.kill)
            if not early:
                time.sleep(1)
            self.assertEqual(read_slowly(os.open(pipe, os.O_RDONLY)), self.read())
            process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 0)

    def test_fifo_without_reader(self):
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
            process = start("events", "ee3j", "-n", 5, "-o", pipe, "--calls", 40000, "--json",
                            *SMALL)
            self.addCleanup(process.kill)
            wait_until(lambda: cpu_seconds(process) > 0.01)
            time.sleep(0.5)
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 130, stderr)
            self.assertEqual(parse_json(stdout)["events"], 0)

    def test_fifo_whose_reader_is_stuck(self):
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        process = start("events", "ee3j", "-n", "1e12", "-o", pipe, "--calls", 2000, *SMALL)
        self.addCleanup(process.kill)
        wait_until(lambda: os.path.exists(f"/proc/{process.pid}/stat") and
                   fcntl.ioctl(reader, 0x541B, b"\0" * 4) >= (4096).to_bytes(4, sys.byteorder))
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)

    def test_no_particles(self):
        for name in "x.lhe", "x.lhe.gz", "x.lheh5":
            done = self.make("camel", "-n", 5, *FOREVER, output=f"{self.folder}/{name}", code=2)
            self.assertIn("particles", done.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_not_compressed(self):
        done = self.make("camel", "-n", 5, *FOREVER, output=f"{self.folder}/x.npy.gz", code=2)
        self.assertIn("NPY is not compressed", done.stderr)

    def test_not_for_pipes(self):
        done = self.make("camel", "-n", 5, *FOREVER, "--format", "npy", output="-", code=2)
        self.assertIn("NPY needs a file", done.stderr)

    def test_nothing(self):
        done = self.make("gaussian", "-n", 5, "--calls", 100, "--dim", 256, "--param",
                         "alpha=0.05", code=1)
        self.assertIn("the integrand was 0", done.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_unwritable_at_once(self):
        for path in self.folder, self.folder + "/none/x", "/dev/null/x":
            done = self.make("camel", "-n", 5, *FOREVER, output=path, code=1)
            self.assertRegex(done.stderr, r"\Anis: cannot write .+: .+\n\Z")
            self.assertEqual(done.stdout, "")

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_write_protected(self):
        with open(self.path, "w") as file:
            file.write("precious")
        os.chmod(self.path, 0o444)
        self.make("camel", "-n", 5, *FOREVER, code=1)
        self.assertEqual(self.read(), "precious")

    def test_full_device(self):
        done = self.make("ee3j", "-n", 500, "--calls", 5000, output="/dev/full", code=1)
        self.assertIn("nis: cannot write /dev/full: No space left on device\n", done.stderr)
        self.assertNotRegex(done.stdout, r"(?m)^events ")
        self.assertRegex(done.stdout, r"(?m)^integral ")

    def test_full_disk(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        with open(self.path, "w") as file:
            file.write("precious")
        done = nis("events", "ee3j", "-n", 500, "--calls", 5000, "-o", self.path, "--force", *SMALL,
                   preexec_fn=limit)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"nis: cannot write {self.path}: File too large\n", done.stderr)
        self.assertEqual(os.listdir(self.folder), ["out.lhe"])
        self.assertEqual(self.read(), "precious")

    def test_symbolic_link(self):
        link = self.path + ".link"
        os.symlink(self.path, link)
        open(self.path, "w").close()
        self.make("ee3j", "-n", 5, "--calls", 2000, "--format", "text", output=link)
        self.assertTrue(os.path.islink(link))
        self.assertIn("# end of 5 events\n", self.read())

    # ---- Ctrl-C

    def stop_events(self, *words, number=signal.SIGINT):
        process = start("events", "ee3j", "-n", "1e12", "-o", self.path, "--calls", 5000,
                        *SMALL, *words)
        self.addCleanup(process.kill)
        wait_until(lambda: part_size(self.path) > 100000)
        self.assertFalse(os.path.exists(self.path))
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130, stderr)
        self.assertEqual(os.listdir(self.folder), ["out.lhe"])
        return stdout, stderr

    def test_interrupt(self):
        stdout, stderr = self.stop_events()
        lhe = Lhe(self.read())
        self.check_physics(lhe)
        said = re.search(r"nis: stopped: \S+ holds (\d+) of 1000000000000 events\n", stderr)
        self.assertEqual(int(said[1]), len(lhe.events))
        self.assertRegex(stdout, rf"(?m)^events +{said[1]} in ")

    def test_terminate_text(self):
        stdout, _ = self.stop_events("--json", "--format", "text", number=signal.SIGTERM)
        report = parse_json(stdout)
        self.assertEqual((report["status"], report["status_code"]), ("stopped", 1))
        lines = self.read().splitlines()
        self.assertEqual(lines[-1], f"# end of {report['events']} events")
        self.assertEqual(sum(line[0] != "#" for line in lines), report["events"])

    def test_hangup(self):
        """A terminal that closes sends it more than once."""
        process = start("events", "ee3j", "-n", "1e12", "-o", self.path, "--calls", 5000, *SMALL)
        self.addCleanup(process.kill)
        wait_until(lambda: part_size(self.path) > 100000)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.01)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(os.listdir(self.folder), ["out.lhe"])
        self.check_physics(Lhe(self.read()))

    def test_terminate_twice_at_once(self):
        """as timeout(1) does"""
        process = start("events", "ee3j", "-n", "1e12", "-o", self.path, "--calls", 5000, *SMALL)
        self.addCleanup(process.kill)
        wait_until(lambda: part_size(self.path) > 100000)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(os.listdir(self.folder), ["out.lhe"])
        Lhe(self.read())

    def test_ignored_signals_stay_ignored(self):
        ignored = signal.SIGINT, signal.SIGHUP

        def ignore():
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
        process = start("events", "ee3j", "-n", "1e12", "-o", self.path, "--calls", 5000, *SMALL,
                        preexec_fn=ignore)
        self.addCleanup(process.kill)
        wait_until(lambda: part_size(self.path) > 100000)
        for number in ignored:
            process.send_signal(number)
        before = part_size(self.path)
        wait_until(lambda: part_size(self.path) > before + 100000)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        Lhe(self.read())

    def test_interrupt_before_events(self):
        process = start("events", "ee3j", "-n", 5, "-o", self.path, "--json", *FOREVER)
        self.addCleanup(process.kill)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        self.assertIn("before the first event", stderr)
        report = parse_json(stdout)
        self.assertEqual((report["status"], report["events"], report["unit"]),
                         ("stopped", 0, None))
        self.assertEqual(os.listdir(self.folder), [])

    def test_second_interrupt_kills(self):
        process = start("events", "ee3j", "-n", "1e12", "-o", "-", "--calls", 5000, *SMALL)
        self.addCleanup(process.kill)
        self.assertTrue(process.stdout.readline())
        time.sleep(0.3)  # now the pipe is full and the command blocked
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=PATIENCE), -signal.SIGINT)
        process.stdout.close()
        process.stderr.close()


# ---- terminals, interrupts, full disks ---------------------------------------------------


def on_terminal(*words):
    """Runs with stderr on a terminal; what came there, stdout, exit code."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        raise unittest.SkipTest(f"no terminal to be had here: {error}")
    process = start(*words, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while block := os.read(ours, 4096):
            seen += block
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    stdout, _ = process.communicate(timeout=PATIENCE)
    return seen.decode(), stdout, process.returncode


class Surroundings(unittest.TestCase):
    def test_live_line(self):
        seen, stdout, code = on_terminal("integrate", "camel", "--calls", 20000, *SMALL)
        self.assertEqual(code, 0)
        self.assertRegex(seen, r"\rtraining +\d+ %  \d+ calls  \S+ calls/s  ETA \S+ s +")
        self.assertRegex(seen, r"\r +\r\Z", "not erased")
        self.assertNotIn("\n", seen)
        self.assertNotIn("\r", stdout)
        self.assertRegex(stdout, r"(?m)^integral ")

    def test_no_live_line(self):
        for option in "--quiet", "--json":
            seen, _, code = on_terminal("integrate", "camel", "--calls", 5000, option, *SMALL)
            self.assertEqual((seen, code), ("", 0))
        self.assertEqual(nis("integrate", "camel", "--calls", 5000, *SMALL).stderr, "")

    def stop(self, *words):
        process = start("integrate", "camel", *words)
        self.addCleanup(process.kill)
        line = process.stdout.readline() + process.stdout.readline()
        self.assertIn("training", line)
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        self.assertRegex(stderr, r"\Anis: stopped after \d+ calls\n\Z")
        return stdout

    def test_interrupt(self):
        stdout = self.stop(*FOREVER)
        self.assertRegex(stdout, r"(?m)^integral +0\.\d+ \+- 0\.\d+$")
        calls = re.search(r"(?m)^calls +(\d+) +\(training (\d+), integration (\d+)\)$", stdout)
        self.assertEqual(int(calls[1]), int(calls[2]) + int(calls[3]))
        self.assertGreater(int(calls[3]), 0)

    def test_interrupt_in_training(self):
        stdout = self.stop("--calls", "1e7", "--train-share", "0.9")
        self.assertRegex(stdout, r"(?m)^integral +0\.\d+ \+- 0\.\d+$")
        self.assertNotRegex(stdout, r"(?m)^unweighting eff")

    def test_interrupt_json(self):
        process = start("integrate", "camel", "--json", "--calls", "1e7", "--train-share", "0.9")
        self.addCleanup(process.kill)
        wait_until(lambda: cpu_seconds(process) > 0.7)  # a busy machine may need longer for it
        process.send_signal(signal.SIGTERM)
        stdout, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        report = parse_json(stdout)
        self.assertEqual((report["status"], report["efficiency"]), ("stopped", None))
        self.assertLess(abs(report["value"] - report["exact"]), 7 * report["error"])

    def test_full_standard_output(self):
        for words in (["list"], ["list", "--json"], ["--help"], ["help", "events"], ["--version"],
                      ["integrate", "camel", "--calls", 2000] + SMALL,
                      ["integrate", "camel", "--calls", 2000, "--json"] + SMALL,
                      ["events", "ee3j", "-n", 9, "-o", "-", "--calls", 2000] + SMALL):
            with self.subTest(words=words), open("/dev/full", "w") as full:
                done = nis(*words, stdout=full)
                self.assertEqual(done.returncode, 1)
                self.assertIn("standard output: No space left on device", done.stderr)

    def test_slow_reader(self):
        """Of a non-blocking pipe, as some parents have it"""
        text = nis("list", "--json").stdout
        read, write = os.pipe()
        os.set_blocking(write, False)
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        process = start("list", "--json", stdout=write)
        os.close(write)
        self.assertEqual(read_slowly(read), text)
        self.assertEqual(process.communicate(timeout=PATIENCE)[1], "")
        self.assertEqual(process.returncode, 0)

    def test_slow_writer(self):
        momenta = MatrixElement.text([MatrixElement.POINT])
        read, write = os.pipe()
        os.set_blocking(read, False)
        process = subprocess.Popen([NIS, "matrix-element", "ee3j", "-"], stdin=read, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.close(read)
        time.sleep(0.3)
        for half in momenta[:40], momenta[40:]:
            os.write(write, half.encode())
            time.sleep(0.3)
        os.close(write)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, stderr), (0, ""))
        self.assertEqual(stdout, nis("matrix-element", "ee3j", "-", input=momenta).stdout)

    def test_closed_standard_output(self):
        done = nis("--version", stdout=None, preexec_fn=lambda: os.close(1))
        self.assertEqual(done.returncode, 1)


class Report(Refusals):
    """--report: the page is read as XML, which is stricter than HTML"""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name

    def run_it(self, *words, code=(0, 4), small=True):
        """The page, and the text of --json"""
        done = nis(*words, "--json", "--report", "r.html", *(SMALL if small else []),
                   cwd=self.folder)
        self.assertIn(done.returncode, code, done.stderr)
        return self.page(), done.stdout

    def page(self):
        with open(os.path.join(self.folder, "r.html"), encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(glob.glob(os.path.join(self.folder, "*.part")), [])
        self.assertTrue(text.startswith("<!DOCTYPE html>\n<html lang="), text[:60])
        self.assertNotRegex(text, r"(?i)https?:|<(script|link|img|iframe)|url\(|@import|src=")
        self.assertNotRegex(text, r"\b(nan|inf)\b[^<]*\"")  # in no attribute, so in no drawing
        page = ElementTree.fromstring(text)
        self.check_words(page)
        return page

    def check_words(self, page):
        """What is drawn is said too."""
        for figure in page.iter("figure"):
            self.assertEqual(figure[-1].tag, "figcaption")
            self.assertTrue(figure[-1].text.endswith("."), figure[-1].text)
        for svg in page.iter("svg"):
            self.assertEqual((svg.get("role"), svg[0].tag), ("img", "title"))
            self.assertTrue(svg[0].text)
        for table in page.iter("table"):
            columns = table.findall("thead/tr/th[@scope='col']")
            for row in table.findall("tbody/tr"):
                self.assertEqual(len(row), len(columns))
                self.assertEqual((row[0].tag, row[0].get("scope")), ("th", "row"))

    def titles(self, page):
        return [svg[0].text for svg in page.iter("svg")]

    def same_numbers(self, page, text):
        self.assertEqual(page.find(".//pre[@id='json']").text, text)
        words = set(re.findall(r"-?\d[-+.\de]*", text))
        shown = [data.get("value") for data in page.iter("data")]
        self.assertGreater(len(shown), 5)
        self.assertLessEqual(set(shown), words)

    def paragraph(self, page, kind):
        return [p.text for p in page.findall(f".//p[@class='{kind}']")]

    def test_integrate(self):
        words = ["integrate", "ee4q", "-c", 4000, "-s", 3]
        page, text = self.run_it(*words, "--histogram", "thrust:5:0.6:1", "--histogram",
                                 "x1:3,x2:2", "--histogram-file", "h.json")
        self.same_numbers(page, text)
        r = parse_json(text)
        titles = self.titles(page)
        for title in ("Convergence: the estimate against calls", "Where the calls went",
                      "Shares of the channels", "Distribution of the weights", "thrust", "x1,x2",
                       *(f"Density of coordinate {j}" for j in range(1, 10))):
            self.assertIn(title, titles)
        planes = [re.fullmatch(r"f / q in coordinates (\d) and (\d)", title) for title in titles]
        planes = [tuple(map(int, plane.groups())) for plane in planes if plane]
        self.assertTrue(planes and all(i < j for i, j in planes), planes)
        value, error = page.findall(".//p[@class='result']/data")
        self.assertEqual((float(value.get("value")), float(error.get("value"))),
                         (r["value"], r["error"]))
        with open(os.path.join(self.folder, "h.json")) as file:
            with_page = file.read()
        alone = parse_json(nis(*words, "--json", *SMALL).stdout)
        for key in INTEGRATE_KEYS - {"seconds", "message"}:
            self.assertEqual(alone[key], r[key], key)
        nis(*words, *SMALL, "--histogram", "thrust:5:0.6:1", "--histogram", "x1:3,x2:2",
            "--histogram-file", "h.json", cwd=self.folder)
        with open(os.path.join(self.folder, "h.json")) as file:
            self.assertEqual(file.read(), with_page)

    def test_options_and_command(self):
        page, text = self.run_it("integrate", "camel", "-p", "alpha=0.3", "-c", 3000, "-s", 5)
        some, everything = ({row[0].text: row[1].text for row in table.findall("tbody/tr")}
                            for table in page.findall(".//table")
                            if table.findtext("thead/tr/th") == "option")
        self.assertEqual(some, {"calls": "3000", "seed": "5", "layers": "2", "replay": "2",
                                "hidden-layers": "1", "hidden-width": "8"})
        self.assertLessEqual(set(some.items()), set(everything.items()))
        self.assertEqual((everything["bins"], everything["loss"]), ("8", "default"))
        command = page.find(".//pre[@class='command']").text
        self.assertRegex(command, r"\Anis integrate camel .*--seed 5 --param alpha=0.3\Z")
        again = nis(*command.split()[1:], "--json")
        self.assertEqual(parse_json(again.stdout)["value"], parse_json(text)["value"])

    def test_goal(self):
        page, _ = self.run_it("integrate", "camel", "--rel-error", 0.01, code=(0, 3, 4))
        command = page.find(".//pre[@class='command']").text
        self.assertRegex(command, r" --call-seconds 1e-\d+")

    def test_doubts(self):
        page, text = self.run_it("integrate", "camel", "-c", 20, code=[4])
        r = parse_json(text)
        self.assertEqual(self.paragraph(page, "bad")[0], r["message"])
        self.assertEqual(self.paragraph(page, "good"), [])
        verdicts = {row[0].text: row[3].text for row in page.findall(".//tbody/tr")
                    if len(row) == 4}
        self.assertEqual(verdicts["weights that are not 0"], "doubt")
        self.assertEqual(verdicts["peaks that turned up after the training"], "ok")
        page, _ = self.run_it("integrate", "gaussian", "-d", 1, "-c", 4000, code=[0])
        self.assertEqual(self.paragraph(page, "good"), ["Nothing speaks against this error."])
        self.assertNotIn("f / q", " ".join(self.titles(page)))

    def test_events(self):
        page, text = self.run_it("events", "ee3j", "-c", 3000, "-n", 200, "-o", "e.lhe", "-f")
        self.same_numbers(page, text)
        self.assertIn("Distribution of the weights", self.titles(page))
        rules = [row for row in page.findall(".//tbody/tr") if row[0].text in tuple("ABCD")]
        self.assertEqual(len(rules), 4)

    def test_saved(self):
        trained = nis("train", "ee4q", "-c", 3000, "-o", "t.nis", "--report", "r.html", "-q",
                      *SMALL, cwd=self.folder)
        self.assertIn(trained.returncode, (0, 4), trained)
        self.assertIn("Convergence: the estimate against calls", self.titles(self.page()))
        page, text = self.run_it("show", "t.nis", small=False)
        shown = {data.get("value") for data in page.iter("data")}
        self.assertEqual(page.find(".//pre[@id='json']").text, text)
        for key in "value", "error":
            self.assertIn(float(parse_json(text)[key]), [float(word) for word in shown])
        self.assertEqual(self.titles(page).count("Density of coordinate 9"), 1)
        self.assertIn("Distribution of the weights", self.titles(page))
        page, text = self.run_it("events", "--from", "t.nis", "-n", 100, "-o", "e.lhe", "-f",
                                 small=False)
        self.same_numbers(page, text)
        self.assertIn("Density of coordinate 1", self.titles(page))
        page, text = self.run_it("integrate", "--from", "t.nis", "-c", 3000, "-s", 9, small=False)
        self.same_numbers(page, text)
        self.assertRegex(page.find(".//pre[@class='command']").text, " --seed 9 --from t.nis\\Z")

    def test_names(self):
        odd = "p<&>\"'\xe9\x80.so"
        path = os.path.join(self.folder, "plain.so")
        with open(path + ".c", "w") as file:
            file.write("#include <math.h>\n#include <stddef.h>\n"
                       "double f(double *x, size_t n, void *p) { (void)n, (void)p; "
                       "return fabs(x[0]) < 0.01 ? NAN "
                       ": 1 / (1 + x[0] * x[0]) / (1 + x[1] * x[1]); }\n"
                       "double none(double *x, size_t n, void *p) { (void)x, (void)n, (void)p; "
                       "return 0; }\n")
        subprocess.run(["cc", "-shared", "-fPIC", path + ".c", "-o", path], check=True)
        os.rename(path, os.path.join(self.folder, odd))
        page, text = self.run_it("integrate", f"./{odd}:f", "-d", 2, "-c", 3000, "--lower=-inf",
                                 "--upper", "inf", "--periodic", 0)
        self.assertEqual(page.find("body/header/h1").text, f"./{odd}:f")
        self.same_numbers(page, text)
        quoted = odd.replace("'", "'\\''")
        self.assertIn(f"nis integrate './{quoted}:f' ", page.find(".//pre[@class='command']").text)
        page, text = self.run_it("integrate", f"./{odd}:none", "-d", 2, "-c", 2000, code=[4])
        self.assertIn("was 0 at all", self.paragraph(page, "bad")[0])

    def test_refusals(self):
        camel = ["integrate", "camel", "-c", "1e12"]
        self.refused([*camel, "--report", "r.htm"], "--report must end in .html, got 'r.htm'")
        self.refused([*camel, "--report", "-"], "--report must end in .html, got '-'")
        self.refused([*camel, "--report", "none/r.html"], "no report can be written in 'none'",
                     code=1)
        os.mkdir(os.path.join(self.folder, "folder.html"))
        self.refused([*camel, "--report", "folder.html"], "'folder.html': it is a folder", code=1)
        self.refused(["show", "none.nis", "--report", "none/r.html"], "'none'", code=1)
        self.refused(["list", "--report", "r.html"], "unknown option '--report'")

    def test_a_full_disk(self):
        """An old page stays, and the exit code says so."""
        place = os.path.join(self.folder, "old.html")
        with open(place, "w") as file:
            file.write("old")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        done = nis("integrate", "camel", "-c", 2000, "--report", place, *SMALL, preexec_fn=limit)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"cannot write '{place}': File too large", done.stderr)
        self.assertIn("integral", done.stdout)
        with open(place) as file:
            self.assertEqual(file.read(), "old")
        self.assertEqual(glob.glob(place + ".*"), [])

    def test_links_and_modes(self):
        place, link = (os.path.join(self.folder, name) for name in ("m.html", "link.html"))
        os.symlink("m.html", link)
        open(place, "w").close()
        os.chmod(place, 0o640)
        nis("integrate", "camel", "-c", 2000, "--report", link, *SMALL)
        self.assertTrue(os.path.islink(link))
        self.assertGreater(os.path.getsize(place), 1000)
        self.assertEqual(os.stat(place).st_mode & 0o777, 0o640)
        new = os.path.join(self.folder, "new.html")
        nis("integrate", "camel", "-c", 2000, "--report", new, *SMALL,
            preexec_fn=lambda: os.umask(0o027))
        self.assertEqual(os.stat(new).st_mode & 0o777, 0o640)
class Compare(Refusals):
    @classmethod
    def setUpClass(cls):
        if "built without" in nis("compare", "a", "b").stderr:
            raise unittest.SkipTest("nis was built without cJSON")
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for name, words in (("a", ["-s", 1]), ("b", ["-s", 2, "--coupling", "affine"]),
                            ("c", ["-s", 1, "--coupling", "affine", "-p", "zp_width=2"])):
            done = nis("integrate", "drell_yan_channels", "--calls", 4000, *words, *SMALL, "--json")
            cls.write(name, done.stdout)

    @classmethod
    def write(cls, name, text):
        with open(os.path.join(cls.folder, name + ".json"), "w", encoding="utf-8") as file:
            file.write(text)

    def compare(self, *words, code=0, **more):
        done = nis("compare", *(f"{w}.json" if re.fullmatch("[a-g]", str(w)) else w for w in words),
                   cwd=self.folder, **more)
        self.assertEqual((done.returncode, done.stderr), (code, ""))
        return done.stdout

    def result(self, name):
        with open(os.path.join(self.folder, name + ".json"), encoding="utf-8") as file:
            return json.load(file)

    def change(self, name, **members):
        self.write(name, json.dumps({**self.result("a"), **members}))

    def test_json(self):
        a, b = self.result("a"), self.result("b")
        told = parse_json(self.compare("a", "b", "--json"))
        self.assertTrue(told["agree"])
        self.assertIsNone(told["files"][0]["pull"])
        for told_part, one, other in [(told["files"][1], b, a), *zip(
                told["files"][1]["channels"], b["channels"], a["channels"])]:
            pull = (one["value"] - other["value"]) / math.hypot(one["error"], other["error"])
            self.assertAlmostEqual(told_part["pull"], pull)
            self.assertEqual([told_part[key] for key in ("value", "error", "calls", "efficiency")],
                             [one[key] for key in ("value", "error", "calls", "efficiency")])
        self.assertEqual(told["files"][1]["seconds"], b["seconds"])
        self.assertEqual(told["differ"], {"seed": [1, 2], "coupling": [None, "affine"]})
        told = parse_json(self.compare("a", "b", "c", "--pull", "1e9", "--json"))
        self.assertEqual(told["differ"]["param zp_width"], [0.5, 0.5, 2])

    def test_text(self):
        shown = self.compare("a", "b")
        self.assertRegex(shown,
                         r"(?m)^a\.json +[\d.]+ \+- [\d.]+ +- +- +\d+ +0\.\d+ +[\d.e-]+$")
        self.assertRegex(shown, r"(?m)^channel 2 +value \+- error")
        self.assertRegex(shown, r"(?m)^  seed +1 +2 *$")
        self.assertRegex(shown, r"(?m)^  coupling +- +affine *$")
        self.assertRegex(shown, r"all are within 5 errors of the first\n\Z")
        self.assertEqual(self.compare("a", "-", input=json.dumps(self.result("b"))),
                         shown.replace("b.json", "-     "))

    def test_agreement(self):
        a = self.result("a")
        self.change("d", value=a["value"] + 6 * a["error"])  # a pull of 4.2
        self.compare("a", "d")
        self.assertIn("not all are within 4", self.compare("a", "d", "--pull", 4, code=1))
        self.change("d", value=a["value"] - 8 * a["error"])
        self.compare("a", "a", "d", code=1)
        self.compare("a", "d", "--pull", "1e9")
        channels = a["channels"]
        channels[1]["value"] += 8 * channels[1]["error"]
        self.change("d", channels=channels)
        self.assertFalse(parse_json(self.compare("a", "d", "--json", code=1))["agree"])
        self.change("d", channels=channels[:2])
        self.assertNotIn("channel", self.compare("a", "d"))

    def test_all_settings(self):
        for name, words in ("e", ["--bins", 4]), ("f", []):
            self.write(name, nis("integrate", "camel", "--calls", 2000, "--replay", 2, *words,
                                 "--explain", "--json").stdout)
        self.assertEqual(parse_json(self.compare("e", "f", "--json"))["differ"], {"bins": [4, 8]})

    def test_refusals(self):
        def refused(text, *parts):
            self.write("g", text)
            self.refused(["compare", "a.json", "g.json"], *parts)
        refused("", "cannot read 'g.json'")
        refused('{"value": 1,\n"error":}', "'g.json' is no JSON", "line 2")
        refused('{"value": 1, "error": 1} {}', "no JSON")
        refused("[1]", "'g.json' is no result of 'nis integrate --json'")
        refused('{"Value": 1, "error": 1}', "no result")
        refused('{"value": null, "error": null}', "no value with an error")
        refused('{"value": "1", "error": 1}', "no value with an error")
        refused("[" * 100000, "no JSON")
        self.refused(["compare", "a.json", "none.json"], "none.json", "No such")
        self.refused(["compare", "a.json"], "two FILEs")
        for text in "0", "-1", "x", "nan":
            self.refused(["compare", "a", "b", "--pull", text], "--pull", "above 0", text)


class Completion(Refusals):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for shell in "bash", "zsh":
            with open(os.path.join(cls.folder, shell), "w", encoding="utf-8") as file:
                file.write(nis("completion", shell).stdout)

    def completed(self, line):
        """What bash is offered where the line ends; blanks and = are between its words"""
        words = re.split(r" +|(?<=[^ ])(?==)|(?<==)(?=[^ ])", line)
        done = subprocess.run(
            ["bash", "-c", '. ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nis; '
             'printf "%s\\n" "${COMPREPLY[@]}"', "bash", *words],
            cwd=self.folder, text=True, check=True, capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash(self):
        for line, words in (
                ("nis integ", ["integrate"]), ("nis integrate --rel", ["--rel-error"]),
                ("nis integrate cam", ["camel"]), ("nis help mer", ["merge"]),
                ("nis events ee4q", ["ee4q", "ee4qg"]), ("nis integrate camel --calls ", []),
                ("nis integrate camel --coupling aff", ["affine"]),
                ("nis integrate camel --coupling=aff", ["affine"]),
                ("nis integrate --signs=", ["apart", "together"]),
                ("nis integrate camel -p ", ["alpha="]), ("nis integrate ee3j -p ycut=", []),
                ("nis integrate ee3j --histogram thr", ["thrust:"]),
                ("nis train camel -o z", ["zsh"]), ("nis compare b", ["bash"]),
                ("nis completion ", ["bash", "zsh"]), ("nis list ./", []), ("nis bench ", [])):
            self.assertEqual(self.completed(line), words, line)
        usage = nis("help").stdout
        self.assertEqual(set(self.completed("nis ")),
                         set(re.findall(r"(?m)^  nis ([a-z]\S+)", usage)))
        for command in "integrate", "events", "matrix-element", "bench", "compare":
            options = re.findall(r"^  (?:-., |    )(--\S+)", nis("help", command).stdout, re.M)
            offered = [o for o in self.completed(f"nis {command} --") if o.startswith("--")]
            self.assertEqual(offered, options)
        rows = [row["name"] for row in parse_json(nis("list", "--json").stdout)]
        self.assertEqual(self.completed("nis list "), rows)

    def test_tab(self):
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(self.folder)
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"],
                       {**os.environ, "PS1": "ready>", "TERM": "dumb", "INPUTRC": "/dev/null"})
        self.addCleanup(os.close, terminal)
        self.addCleanup(os.waitpid, process, 0)
        self.addCleanup(os.kill, process, signal.SIGKILL)
        seen = b""
        for typed, shown in ((b". ./bash; echo load''ed\n", b"\nloaded"),
                             (b"nis integ\tcam\t--rel\t", b"nis integrate camel --rel-error ")):
            os.write(terminal, typed)
            end = time.monotonic() + PATIENCE
            while shown not in seen:
                self.assertLess(time.monotonic(), end, seen)
                seen += os.read(terminal, 4096)

    def test_zsh(self):
        with open(os.path.join(self.folder, "zsh"), encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(text.startswith("#compdef nis\n"))
        for option in re.findall(r" (--[\w-]+)", nis("help", "events").stdout):
            self.assertIn(option, text)
        if not shutil.which("zsh"):
            self.skipTest("there is no zsh")
        done = subprocess.run(["zsh", "-f", "-n", "zsh"], cwd=self.folder, capture_output=True,
                              check=False, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_refusals(self):
        self.refused(["completion"], "bash or zsh")
        self.refused(["completion", "fish"], "bash or zsh", "fish")
        self.refused(["completion", "bash", "zsh"], "unexpected", "zsh")


class Pictures(unittest.TestCase):
    """Under a report, where standard output is a terminal"""

    BLOCKS = "▁▂▃▄▅▆▇█"

    def seen(self, *words, **environment):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        surroundings = {name: value for name, value in os.environ.items()
                        if name not in ("LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR")}
        process = start(*words, *SMALL, stdout=theirs, env={
            **surroundings, "TERM": "xterm", "LANG": "en_US.UTF-8", **environment})
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # how a terminal ends
            while block := os.read(ours, 65536):
                text += block
        process.communicate(timeout=PATIENCE)
        self.assertIn(process.returncode, (0, 4))
        return text.decode().replace("\r\n", "\n")

    def pictures(self, text):
        """The rows of the weights, and the line of the error"""
        weights = re.search(r"^weights .{13}(.*\n)(.{21}.*\n)(.{21}.*\n)\(log scale\) +1 (.*\n)"
                            r" +(?:▲ w_max = (\S+)|w_max = (\S+) ▲)\n"
                            r" +(\S+) ─+ \|w\| / mean ─+ (\S+)\n", text, re.M)
        error = re.search(r"^error, by calls      (.*)\n +(\S+) \.\. (\S+), log scale", text, re.M)
        self.assertTrue(weights and error, text)
        w_max, low, high = (float(weights[i]) for i in (5 if weights[5] else 6, 7, 8))
        self.assertTrue(low < w_max <= 1.05 * high, text)
        return weights[4].strip("\n"), error[1], float(error[2]), float(error[3])

    def test_integrate(self):
        text = self.seen("integrate", "camel", "--calls", 10000)
        row, line, largest, least = self.pictures(text)
        self.assertTrue(set(row) <= set(self.BLOCKS + " ") and "█" in row and len(row) <= 48)
        self.assertTrue(set(line) <= set(self.BLOCKS + " │") and len(line) == 48)
        self.assertTrue(line[-1] in "▁▂▃" and line.count("│") == 1, line)
        self.assertIn("█", line)
        error = float(re.search(r"^integral .* \+- (\S+)", text, re.M)[1])
        self.assertTrue(0.9 * least < error < largest, (least, error, largest))
        self.assertNotIn("\033", text)
        self.assertTrue(all(len(line) <= 100 for line in text.splitlines()))
        self.assertEqual(re.sub(r"(?m)^time .*", "", text), re.sub(
            r"(?m)^time .*", "", self.seen("integrate", "camel", "--calls", 10000, NO_COLOR="1")))

    def test_other_commands(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "f.nis")
            self.pictures(self.seen("train", "camel", "--calls", 5000, "-o", path))
            self.pictures(self.seen("events", "camel", "--calls", 5000, "-n", 50, "--w-max",
                                    "largest", "-o", os.path.join(folder, "e.txt")))
            done = nis("integrate", "--from", path, "--calls", 5000)
            self.assertNotIn("▁", done.stdout)

    def test_none(self):
        plain = "integrate", "camel", "--calls", 2000
        for more, words in (({"TERM": "dumb"}, ()), ({"TERM": ""}, ()), ({"LANG": "C"}, ()),
                            ({"LC_ALL": "C"}, ()), ({}, ["-q"]), ({}, ["--json"])):
            text = self.seen(*plain, *words, **more)
            self.assertTrue(text.isascii() and "error, by calls" not in text, (more, words))
        piped = nis(*plain, *SMALL, env={**os.environ, "TERM": "xterm", "LANG": "C.UTF-8"})
        self.assertTrue(piped.stdout.isascii() and "error, by calls" not in piped.stdout)


class Bench(unittest.TestCase):
    """Its figures are of this machine; that it has them, and that shares are shares, is tested."""

    def test_quick(self):
        done = subprocess.run([NIS, "bench", "--quick", "--json"], text=True, timeout=500,
                              stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = parse_json(done.stdout)
        for bench in report, *report["default_nets"]:
            for figure in "train_points_per_s", "sample_points_per_s", "density_points_per_s":
                self.assertGreater(bench[figure], 0)
            self.assertAlmostEqual(sum(bench["time_stages"].values()), 1)
            self.assertLess(sum(bench["time_shares"].values()), 1)

    def test_unknown_kernels(self):
        done = nis("integrate", "camel", "--calls", 1000, env=os.environ | {"NIS_KERNELS": "mmx"})
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "NIS_KERNELS must be one of .*baseline.*, got 'mmx'")

if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: test_cli.py PATH_TO_NIS LIBRARY [unittest options]")
    NIS = os.path.abspath(sys.argv.pop(1))
    LIBRARY = os.path.abspath(sys.argv.pop(1))
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup, and & in scripts, have them ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["OMP_NUM_THREADS"] = "1"  # spinning threads on a busy machine cost seconds
    unittest.main()
