#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The coverage benchmark: python3 test_coverage.py PROGRAM SCRIPT.

Tiny budgets: what is tested is that its figures are what they claim to be.
"""

import contextlib
import importlib.util
import io
import json
import math
import os
import subprocess
import sys
import unittest

PROGRAM = SCRIPT = ""
coverage = None


def table(*words):
    return subprocess.run([sys.executable, SCRIPT, "--program", PROGRAM, *words], text=True,
                          capture_output=True, timeout=200)


def run(value, error, suspect=0):
    return coverage.peers.Run(value, error, 100, 1.0, 50, 0.5, suspect)


class Figures(unittest.TestCase):
    """From runs made up by hand; the exact value is 2."""

    def test_pull(self):
        self.assertEqual(coverage.pull(run(2.5, 0.25), 2), 2)
        self.assertEqual(coverage.pull(run(2, 0), 2), 0)
        self.assertEqual(coverage.pull(run(1, 0), 2), -math.inf)

    def test_summary(self):
        runs = [run(2.5, 1), run(1.5, 1), run(3.5, 1), run(5, 1), run(8, 1), run(9, 1, 4),
                run(2.5, 1, 1)]
        s = coverage.summary(runs, 2)
        self.assertAlmostEqual(s["within1"], 3 / 7)
        self.assertAlmostEqual(s["within2"], 4 / 7)
        self.assertAlmostEqual(s["flagged"], 2 / 7)
        self.assertAlmostEqual(s["trusted1"], 2 / 5)
        self.assertAlmostEqual(s["trusted2"], 3 / 5)
        self.assertEqual((s["silent"], s["silent_seeds"], s["worst"]), (1, [5], 7))
        self.assertAlmostEqual(s["mean"], (0.5 - 0.5 + 1.5 + 3 + 6 + 7 + 0.5) / 7)

    def test_a_value_that_is_no_number_is_far_off(self):
        s = coverage.summary([run(math.nan, 1), run(2, math.inf)], 2)
        self.assertEqual(s["silent"], 1)

    def test_all_lost(self):
        s = coverage.summary([run(1, 0, 1)], 2)
        self.assertTrue(math.isnan(s["mean"]) and math.isnan(s["trusted1"]))
        self.assertEqual(s["silent"], 0)


class Table(unittest.TestCase):
    def test_rows(self):
        done = table("--integrands", "gaussian:2,camel:2", "--calls", "2000,4000", "--seeds", "3",
                     "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["rows"]
        self.assertEqual([(r["title"], r["dim"], r["calls"]) for r in rows],
                         [("gaussian", 2, 2000), ("camel", 2, 2000), ("gaussian", 2, 4000),
                          ("camel", 2, 4000)])
        for row in rows:
            self.assertEqual(row["nis"]["runs"], 3)
            self.assertEqual(len(row["vegas"]["suspects"]), 3)

    def test_text_and_goal(self):
        done = table("--integrands", "gaussian:2", "--calls", "4000", "--seeds", "2", "--goal",
                     "0.1")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertGreaterEqual(lines[1].count("silent"), 2)
        self.assertTrue(lines[2].startswith("gaussian"))
        self.assertIn("\nvegas: 2 runs", done.stdout)
        self.assertEqual(lines[-1].split()[0], "any")

    def test_doubts(self):
        rows = [{"nis": coverage.summary([run(2, 1), run(2, 1, 1), run(9, 1, 3), run(9, 1)], 2)}]
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            coverage.print_doubts(rows)
        self.assertIn("of 2 runs within 3 errors, and alarms of the 2 others", out.getvalue())
        self.assertIn("heavy tail    50.00 %   50.0 %", out.getvalue())
        self.assertIn("large chi2     0.00 %   50.0 %", out.getvalue())

    def test_modes_have_exact_values(self):
        for title, name, dim, settings in coverage.MODES:
            row = coverage.peers.Row(name, dim, settings=settings)
            program = coverage.peers.Program(PROGRAM, row)
            self.assertTrue(0.5 < program.exact < 1.001, title)

    def test_wrong_options(self):
        for words in (["--seeds", "0"], ["--calls", "1e4,1e5", "--seeds", "3,4,5x"],
                      ["--calls", "1e4,1e5,1e6", "--seeds", "3,4"]):
            self.assertEqual(table(*words).returncode, 2, words)
        self.assertEqual(table("--integrands", "nowhere").returncode, 1)


if __name__ == "__main__":
    PROGRAM, SCRIPT = sys.argv[1:3]
    sys.path.insert(0, os.path.dirname(SCRIPT))
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("coverage", SCRIPT)
    coverage = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(coverage)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
