#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plug-ins of examples/plugin are built and integrate to what they should.

python3 test_plugins.py PATH_TO_NIS EXAMPLES_PLUGIN [unittest options]
Without make or a compiler the tests are skipped; with NIS_NEED_READERS=1 they fail then.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

NIS = ""
EXAMPLES = ""
PATIENCE = 100


def need(*programs):
    """Skips what cannot be built here."""
    for program in programs:
        if not shutil.which(program) and os.environ.get("NIS_NEED_READERS") != "1":
            raise unittest.SkipTest(f"{program} is not installed")


class Plugins(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(EXAMPLES, self.folder, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("*.so", "*.mod"))

    def run_here(self, *words):
        done = subprocess.run(words, cwd=self.folder, text=True, capture_output=True,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def check(self, symbol, exact, dim, *words):
        include = os.path.abspath(os.path.join(EXAMPLES, "../../include"))
        self.run_here("make", symbol + ".so", "CPPFLAGS=-I" + include)
        text = self.run_here(NIS, "integrate", f"./{symbol}.so:{symbol}", "--calls", "5e4",
                             "--seed", "1", "--effort", "0.3", "--json", *words)
        result = json.loads(text)
        self.assertEqual((result["name"], result["dim"]), (f"./{symbol}.so:{symbol}", dim))
        self.assertLess(abs(result["value"] - exact), 5 * result["error"])
        self.assertLess(result["error"], 0.01 * exact)

    def test_c(self):
        need("make", "cc")
        self.check("gaussian", math.sqrt((2 * math.pi) ** 3 / 4), 3, "--lower=-inf", "--upper",
                   "inf")

    def test_batch(self):
        need("make", "cc")
        self.check("simplex", 1 / 120, 4, "--batch", "--dim", "4")

    def test_what_it_may_call(self):
        """The command has these functions, a plug-in need not be linked with the library."""
        need("cc")
        with open(os.path.join(self.folder, "calls.c"), "w") as file:
            file.write("#include <stddef.h>\n"
                       "double *nis_extra(void); int nis_thread(void); void nis_refuse(void);\n"
                       "double calls(double *x, size_t dim, void *params)\n"
                       "{\n"
                       "  if (nis_thread() < 0 || dim == 0 || params) nis_refuse();\n"
                       "  nis_extra()[1] = x[0];\n"
                       "  return x[0];\n"
                       "}\n")
        self.run_here("cc", "-shared", "-fPIC", "calls.c", "-o", "calls.so")
        text = self.run_here(NIS, "events", "./calls.so:calls", "--dim", "2", "--extra", "2", "-n",
                             "100", "--calls", "2000", "-o", "calls.txt")
        self.assertIn("100", text)
        with open(os.path.join(self.folder, "calls.txt")) as file:
            rows = [[float(n) for n in line.split()] for line in file if line[0] != "#"]
        self.assertEqual(len(rows), 100)
        for row in rows:
            self.assertEqual((row[-2], row[-1]), (0, row[0]))

    def test_fortran(self):
        need("make", "gfortran")
        exact = (math.atan(3 / 0.05) + math.atan(1 / 0.05)) ** 2
        self.check("resonance", exact, 2, "--upper", "4")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: test_plugins.py PATH_TO_NIS EXAMPLES_PLUGIN [unittest options]")
    NIS = os.path.abspath(sys.argv.pop(1))
    EXAMPLES = os.path.abspath(sys.argv.pop(1))
    os.environ["OMP_NUM_THREADS"] = "1"
    unittest.main()
