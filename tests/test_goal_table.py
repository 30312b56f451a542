#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark of goals: python3 test_goal_table.py PROGRAM SCRIPT.

Tiny budgets: what is tested is that its figures are what they claim to be.
"""

import json
import os
import subprocess
import sys
import unittest

PROGRAM = SCRIPT = ""
PULL = 4.7  # errors: beyond it with 1e-3 in one of 6 runs, of 16 nets each


def table(*words):
    return subprocess.run([sys.executable, SCRIPT, "--program", PROGRAM, *words], text=True,
                          capture_output=True, timeout=200)


class Table(unittest.TestCase):
    def test_figures(self):
        done = table("--integrands", "ee3j", "--goals", "3e-2,1e-2", "--costs", "1e-3", "--seeds",
                     "3", "--most", "2e4", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["rows"]
        self.assertEqual([r["goal"] for r in rows], [3e-2, 1e-2])
        for r in rows:
            nis, vegas = r["nis"], r["vegas"]
            self.assertEqual(nis["reached"], 3)
            self.assertLess(nis["far"], PULL)
            self.assertLess(nis["rms"], PULL * r["goal"])
            self.assertLess(nis["calls"], 2500)
            self.assertLessEqual(vegas["calls"], 20000)
            for who in nis, vegas:
                self.assertGreater(who["seconds"], 1e-3 * who["calls"])
            self.assertLessEqual(r["ratios"]["calls"] * (1 - 1e-9), nis["calls"] / min(
                w["calls"] for w in (vegas, r["vegas+"]) if w) * (1 + 1e-9))

    def test_text(self):
        done = table("--integrands", "gaussian:2", "--goals", "1e-6", "--costs", "1e-7", "--seeds",
                     "2", "--most", "2e3")
        self.assertEqual(done.returncode, 0, done.stderr)
        about, names, row = done.stdout.splitlines()
        self.assertTrue(about.startswith("2 seeds"))
        self.assertIn(" - ", row)  # no such number of calls is enough

    def test_refusals(self):
        self.assertIn("between 1000 and 1e9", table("--most", "10").stderr)
        self.assertIn("below 1", table("--goals", "2").stderr)
        self.assertIn("no such integrand", table("--integrands", "nothing").stderr)


if __name__ == "__main__":
    PROGRAM, SCRIPT = (os.path.abspath(path) for path in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
