#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark of matrix elements: python3 test_matrix_elements.py PROGRAM SCRIPT.

Tiny budgets: what is tested is that its figures are what they claim to be.
"""

import json
import math
import os
import subprocess
import sys
import unittest

PROGRAM = SCRIPT = ""
PULL = 3.95  # errors: beyond it with 1e-3, where they stand on the spread of 16 nets of points


def table(*words):
    return subprocess.run([sys.executable, SCRIPT, "--program", PROGRAM, *words], text=True,
                          capture_output=True, timeout=200)


class Table(unittest.TestCase):
    def test_three_jets(self):
        done = table("--processes", "ee3j", "--energies", "91.188", "--calls", "5000", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["rows"]
        self.assertEqual([(r["measure"], r["ycut"]) for r in rows],
                         [("jade", 0.01), ("durham", 0.005)])
        jade = rows[0]
        self.assertLess(abs(jade["nis"]["value"] - 5058.203927), PULL * jade["nis"]["error"])
        for r in rows:
            nis, vegas = r["nis"], r["vegas"]
            self.assertLessEqual(max(nis["calls"], vegas["calls"]), 5000)
            self.assertAlmostEqual(r["ratio"], nis["error"] / vegas["error"])
            self.assertAlmostEqual(r["apart"], (nis["value"] - vegas["value"]) /
                                   math.hypot(nis["error"], vegas["error"]))
            self.assertAlmostEqual(r["vegas_sigma1"], vegas["error"] / vegas["value"] *
                                   math.sqrt(vegas["points"]))
            self.assertLess(abs(r["apart"]), 6)
            self.assertTrue(0 < r["cost"]["matrix_element_us"] and 0 < r["cost"]["call_us"])
            self.assertTrue(0 < r["cost"]["inside"] <= 1)

    def test_text(self):
        done = table("--processes", "ee4q", "--energies", "1000", "--calls", "2e3")
        self.assertEqual(done.returncode, 0, done.stderr)
        head, names, *rows = done.stdout.splitlines()
        self.assertTrue(head.startswith("2000 calls"))
        self.assertEqual(len(rows), 2)
        self.assertTrue(all(len(row) == len(names) for row in rows), done.stdout)

    def test_channels(self):
        done = table("--channels", "--processes", "drell_yan_channels", "--calls", "2e4", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        [r] = json.loads(done.stdout)["rows"]
        self.assertLessEqual(max(r[key]["calls"] for key in r["ratios"]), 20000)
        for key, ratio in r["ratios"].items():
            self.assertAlmostEqual(ratio, r["nis"]["error"] / r[key]["error"])
        for key in "nis", "each":
            self.assertLess(abs(r[key]["value"] - 837.397254351), PULL * r[key]["error"], key)
        self.assertLess(r["ratios"]["without"], 0.5)

    def test_channels_text(self):
        done = table("--channels", "--processes", "ee4q,signed_channels", "--calls", "2e3")
        head, names, *rows = done.stdout.splitlines()
        self.assertTrue(head.startswith("2000 calls"))
        self.assertEqual([len(row) for row in rows], 3 * [len(names)], done.stdout)

    def test_refusals(self):
        self.assertIn("between 1000 and 1e9", table("--calls", "10").stderr)
        self.assertIn("no such integrand", table("--processes", "ee9j").stderr)


if __name__ == "__main__":
    PROGRAM, SCRIPT = (os.path.abspath(path) for path in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
