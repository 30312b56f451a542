#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison with VEGAS, MISER and vegas+: python3 test_peers.py PROGRAM SCRIPT.

Tiny budgets: what is tested is that its figures are what they claim to be.
"""

import array
import importlib.util
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

PROGRAM = SCRIPT = ""
peers = None
METHODS = ["nis", "vegas", "miser"]
GAUSSIAN_2D = math.erf(2.5) ** 2  # width 0.2, as the table has it
PULL = 3.95  # errors: beyond it with 1e-3, where they stand on the spread of 16 nets of points


def table(*words, **environment):
    return subprocess.run([sys.executable, SCRIPT, "--program", PROGRAM, *words], text=True,
                          capture_output=True, timeout=200, env=os.environ | environment)


def load(path):
    spec = importlib.util.spec_from_file_location("peers", path)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


def program(name="gaussian", dim=2):
    return peers.Program(PROGRAM, peers.Row(name, dim))


class Figures(unittest.TestCase):
    """From runs made up by hand."""

    def test_summary(self):
        runs = [peers.Run(2.2, 0.1, 90, 1.0, 25, 0.25, 0, 3.0),
                peers.Run(1.8, 0.4, 100, 2.0, 25, 0.75, 0, 4.0),
                peers.Run(1.4, 0.4, 80, 6.0, 25, 0.5, 0, 5.0)]
        s = peers.summary(runs, 2.0)
        self.assertAlmostEqual(s["rms"], math.sqrt((0.01 + 0.01 + 0.09) / 3))
        self.assertAlmostEqual(s["quoted"], math.sqrt((0.0025 + 0.04 + 0.04) / 3))
        self.assertAlmostEqual(s["worst_pull"], 2.0)
        self.assertAlmostEqual(s["sigma1"], math.sqrt((9 + 16 + 25) / 3))
        self.assertAlmostEqual(s["efficiency_median"], 0.5)
        self.assertEqual((s["calls"], s["seconds"]), (100, 3.0))
        mirrored = peers.summary([r._replace(value=-r.value) for r in runs], -2.0)
        self.assertAlmostEqual(mirrored["rms"], s["rms"])
        self.assertAlmostEqual(mirrored["worst_pull"], -2.0)

    def test_better_is_smaller_and_never_nan(self):
        a, b, nan = {"rms": 0.2}, {"rms": 0.1}, {"rms": math.nan}
        self.assertIs(peers.better([nan, a, b, nan]), b)

    def test_goals(self):
        row = peers.Row("x", 2, rms=1e-4, efficiency=0.6)
        nis = {"rms": 2e-4, "sigma1": 0.1, "efficiency_median": 0.8}
        over = [round(o, 6) for _, o in peers.judge(row, 10**6, nis)]
        self.assertEqual(over, [2.0, 0.75])
        self.assertEqual(round(peers.judge(peers.Row("x", sigma1=0.02), 10**6, nis)[0][1], 6), 5)
        self.assertEqual(peers.judge(row, 10**5, nis), [])

    def test_ratio(self):
        self.assertAlmostEqual(peers.ratio({"rms": 1e-4}, {"rms": 4e-4}), 0.25)
        self.assertTrue(math.isnan(peers.ratio({"rms": 1e-4}, None)))


class Methods(unittest.TestCase):
    """Single runs of the program."""

    def test_calls_are_within_the_budget_and_mostly_spent(self):
        for calls in (1000, 10000):
            for method in METHODS:
                for dim in (2, 5):
                    with self.subTest(method=method, calls=calls, dim=dim):
                        run = program("camel", dim).run(method, calls, 3)
                        self.assertLessEqual(run.calls, calls)
                        self.assertGreater(run.calls, 0.8 * calls)
        self.assertEqual(program().run("nis", 1234, 1).calls, 1234)

    def test_time_agrees_with_the_counted_calls(self):
        for method in METHODS:
            with self.subTest(method=method):
                run = program().run(method, 300, 1, "-t", 1, "-f", 1e-3)
                self.assertGreaterEqual(run.seconds, run.calls * 1e-3)
                self.assertLess(run.seconds, run.calls * 3e-3 + 2)

    def test_every_schedule_keeps_to_the_budget(self):
        for schedule in peers.VEGAS_SCHEDULES:
            run = program("camel", 4).run("vegas", 20000, 1, *peers.vegas_options(schedule))
            self.assertLessEqual(run.calls, 20000, schedule)
            self.assertGreater(run.points, 0.6 * run.calls, schedule)
            self.assertLess(run.points, run.calls, schedule)

    def test_vegas_averages_all_iterations_of_its_result(self):
        """On an integrand that is nearly flat: no grid to learn, so two are worth two."""
        def error(calls, iterations):
            return peers.root_mean_square(
                program().run("vegas", calls, s, "-p", "alpha=1", "-w", 0, "-i", iterations).error
                for s in range(1, 9))
        self.assertLess(abs(error(20000, 2) / error(10000, 1) - math.sqrt(0.5)), 0.1)

    def test_points_are_those_of_the_result(self):
        run = program().run("nis", 10000, 1)
        self.assertGreater(run.points, 1000)
        self.assertLess(run.points, 9000)

    def test_values_are_right_and_seeded(self):
        for method in METHODS:
            with self.subTest(method=method):
                one, again, other = (program().run(method, 10000, s) for s in (1, 1, 2))
                self.assertEqual(one[:3], again[:3])
                self.assertNotEqual(one.value, other.value)
                self.assertLess(abs(one.value - GAUSSIAN_2D), PULL * one.error)
                self.assertLess(one.error, 0.02)

    def test_exact_value(self):
        self.assertAlmostEqual(program().exact, GAUSSIAN_2D, places=14)

    def test_usage(self):
        for words in (["nis"], ["magic", "camel"], ["nis", "camel", "-c", "x"],
                      ["nis", "camel", "-w", "1"], ["nis", "camel", "-p", "size=1"],
                      ["nis", "camel", "-i", "0"], ["nis", "camel", "more"]):
            self.assertEqual(subprocess.run([PROGRAM, *words], capture_output=True).returncode, 2,
                             words)


# ---- vegas+ without vegas+ -----------------------------------------------------------


class Points(list):
    def tobytes(self):
        return array.array("d", (c for point in self for c in point)).tobytes()


def flat_integrator(box):
    """Plain Monte Carlo in place of vegas.Integrator."""
    def integrate(f, nitn, neval):
        rows = Points([random.random() for _ in box] for _ in range(int(neval)))
        values = [v for _ in range(nitn) for v in f(rows)]
        integrate.values = values
        return types.SimpleNamespace(mean=sum(values) / len(values), sdev=0.5, Q=0.5)
    return integrate


class VegasPlus(unittest.TestCase):
    def stub(self):
        fake_numpy = types.SimpleNamespace(ascontiguousarray=lambda x, dtype: x,
                                           frombuffer=lambda text: array.array("d", bytes(text)))
        return (types.SimpleNamespace(Integrator=flat_integrator, lbatchintegrand=lambda f: f),
                types.SimpleNamespace(ranseed=random.seed), fake_numpy)

    def test_served_values_and_their_count(self):
        f = peers.Served(program(), self.stub()[2])
        points = Points([[0.5, 0.5], [0.3, 0.6], [0.01, 0.99]])
        wanted = [math.exp(-sum((c - 0.5) ** 2 for c in x) / 0.04) / (0.04 * math.pi)
                  for x in points]
        for got, right in zip([*f(points), *f(points)], wanted + wanted, strict=True):
            self.assertAlmostEqual(got / right, 1, places=12)
        f.close()
        self.assertEqual((f.calls, f.child.returncode), (6, 0))

    def test_run(self):
        run = peers.run_vegas_plus(self.stub(), program(), 20000, 1, 10)
        self.assertEqual((run.calls, run.error), (20000, 0.5))
        self.assertLess(abs(run.value - GAUSSIAN_2D), 0.1)

    @unittest.skipUnless(importlib.util.find_spec("vegas"), "vegas is not installed")
    def test_the_real_one(self):
        for iterations in peers.VEGAS_PLUS_ITERATIONS:
            one, again = (peers.run_vegas_plus(peers.import_vegas(), program(), 10000, 1,
                                               iterations) for _ in range(2))
            self.assertEqual(one[:3], again[:3])
            self.assertLessEqual(one.calls, 10000)
            self.assertGreater(one.calls, 8000)
            self.assertLess(abs(one.value - GAUSSIAN_2D), PULL * one.error)


# ---- the whole command -----------------------------------------------------------------


class Command(unittest.TestCase):
    def test_json_figures_follow_from_its_runs(self):
        done = table("--quick", "--calls", "3000", "--integrands", "gaussian:2", "--json",
                     "--threads", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        row, = json.loads(done.stdout)["rows"]
        for method in METHODS:
            runs = row[method]["runs"]
            squares = [(r["value"] / GAUSSIAN_2D - 1) ** 2 for r in runs]
            self.assertEqual(len({r["value"] for r in runs}), 3)
            self.assertAlmostEqual(row[method]["rms"], math.sqrt(sum(squares) / 3), places=12)
            self.assertLessEqual(max(r["calls"] for r in runs), 3000)
        for peer in ("vegas", "miser"):
            self.assertAlmostEqual(row["ratios"][peer], row["nis"]["rms"] / row[peer]["rms"])
        single = program().run("nis", 3000, 2, "-t", 1)
        self.assertEqual(row["nis"]["runs"][1]["value"], single.value)

    def test_the_best_schedule_is_shown(self):
        p = program()
        shown = peers.best_vegas(p, 2000, [1, 2])
        all_of_them = [peers.summary([p.run("vegas", 2000, s, *peers.vegas_options(schedule))
                                      for s in (1, 2)], p.exact)["rms"]
                       for schedule in peers.VEGAS_SCHEDULES]
        self.assertEqual(shown["rms"], min(all_of_them))

    def test_table_says_what_is_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "vegas.py").write_text("raise ImportError")
            done = table("--quick", "--seeds", "1", "--calls", "1000,2000", "--integrands",
                         "camel:2,nowhere,ee3j:4", PYTHONPATH=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [line for line in done.stdout.splitlines() if line.startswith("camel")]
        self.assertEqual([line.split()[1:3] for line in lines], [["2", "1000"], ["2", "2000"]])
        self.assertTrue(all("not installed" in line for line in lines))
        self.assertIn("skipped nowhere", done.stderr)
        self.assertIn("skipped ee3j d = 4", done.stderr)

    def test_nothing_to_run_and_wrong_options_fail(self):
        self.assertEqual(table("--integrands", "nowhere").returncode, 1)
        for words in (["--calls", "1"], ["--calls", "nan"], ["--seeds", "0"], ["--wall", "0"],
                      ["--integrands", "camel:x"]):
            self.assertEqual(table(*words).returncode, 2, words)

    def test_equal_wall_time(self):
        done = table("--time", "--integrands", "gaussian:2", "--wall", "0.5", "--spin", "1e-3",
                     "--seeds", "1", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["rows"]
        self.assertEqual([row["calls"] for row in rows], [50, 166, 500])
        for row in rows:
            self.assertGreaterEqual(row["nis"]["seconds"], 1e-3 * row["calls"])
            self.assertLessEqual(row["vegas"]["given"] * 1e-3, row["nis"]["seconds"])
            self.assertGreaterEqual(row["vegas"]["seconds"], 1e-3 * row["vegas"]["calls"])


if __name__ == "__main__":
    PROGRAM, SCRIPT = sys.argv[1:3]
    peers = load(SCRIPT)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
