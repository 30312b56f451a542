#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs under mpirun have the bits of one process for any number of ranks and threads, survive ranks
that are slow, and end where one dies.

usage: test_mpi.py MPIRUN PROGRAM THROWS NIS MODULES [CLASS ...]
MODULES is where libnis_mpi of this MPI is.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

MPIRUN, PROGRAM, THROWS, NIS, MODULES = sys.argv[1:6]


def environment(**more):
    return {**os.environ, "NIS_MODULES": MODULES, "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
            "OMPI_MCA_btl_base_warn_component_unused": "0",
            "HYDRA_LAUNCHER": "fork", **more}


def command(ranks, *words):
    return [MPIRUN, "-n", str(ranks), *map(str, words)]


def run(ranks, *words, **more):
    return subprocess.run(command(ranks, *words), env=environment(**more), capture_output=True,
                          text=True, timeout=240, stdin=subprocess.DEVNULL)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def lines(self, ranks, *words, **more):
        done = run(ranks, *words, **more)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stdout.splitlines()


class Library(Case):
    def test_same_bits(self):
        for what, kinds in ("run", "22 31 41"), ("steps", "32"):
            alone = self.lines(1, PROGRAM, what)[0]
            for ranks, threads in kinds.split():
                with self.subTest(what=what, ranks=ranks, threads=threads):
                    self.assertEqual(self.lines(ranks, PROGRAM, what, THREADS=threads)[0], alone)

    def test_a_slow_rank_does_little(self):
        alone = self.lines(1, PROGRAM, "run")[0]
        bits, calls = self.lines(3, PROGRAM, "run", "slow")
        calls = [int(n) for n in calls.split()]
        self.assertEqual(bits, alone)
        self.assertLess(calls[1], 0.25 * sum(calls), calls)
        self.assertGreater(calls[1], 0)

    def test_an_exception_of_one_rank(self):
        self.assertEqual(sorted(self.lines(3, THROWS)),
                         ["0 -3 0 nothing", "1 0 0 thrown by rank 1", "2 -3 0 nothing"])

    def test_a_dead_rank_and_fewer_go_on(self):
        alone = self.lines(1, PROGRAM, "run")[0]
        checkpoint = self.folder / "run.nis"
        done = run(3, PROGRAM, "resume", checkpoint, "die")
        self.assertNotEqual(done.returncode, 0)
        self.assertTrue(checkpoint.exists())
        bits, calls = self.lines(2, PROGRAM, "resume", checkpoint)
        self.assertEqual(bits, alone)
        self.assertLess(sum(int(n) for n in calls.split()), 5900, "nothing was kept")


class Command(Case):
    ROW = ["integrate", "camel", "--dim", "3", "--calls", "2e4", "--seed", "5"]

    def result(self, ranks, *words, **more):
        done = run(ranks, NIS, *words, "--json", **more)
        self.assertIn(done.returncode, (0, 4), done.stderr)
        return json.loads(done.stdout)

    def test_rank_0_prints(self):
        alone = self.result(1, *self.ROW)
        for ranks in 2, 3:
            shared = self.result(ranks, *self.ROW)
            for name in "value", "error", "calls", "efficiency":
                self.assertEqual(shared[name], alone[name])
            self.assertEqual(shared["ranks"], ranks)

    def test_events(self):
        files = []
        for ranks in 1, 3:
            path = self.folder / f"{ranks}.lhe"
            done = run(ranks, NIS, "events", "ee3j", "--calls", "1e4", "-n", "200", "-o", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            text = path.read_text()
            files.append(text[text.index("<event>"):])
        self.assertEqual(files[0], files[1])

    def test_train_and_goal(self):
        saved = []
        for ranks in 1, 2:
            path = self.folder / f"{ranks}.nis"
            done = run(ranks, NIS, "train", "camel", "--dim", "2", "--calls", "1e4", "--threads",
                       "1", "-o", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            saved.append(path.read_bytes())
        self.assertEqual(saved[0], saved[1])
        more = self.result(2, "integrate", "--from", path, "--calls", "1e4")
        self.assertEqual(more["value"],
                         self.result(1, "integrate", "--from", path, "--calls", "1e4")["value"])

    def test_wrong_usage_is_said_once(self):
        done = run(3, NIS, "integrate", "camel", "--dim", "99999")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr.count("nis: "), 1, done.stderr)

    def test_other_commands_print_once(self):
        done = run(3, NIS, "list")
        self.assertEqual(done.stdout.count("camel"), run(1, NIS, "list").stdout.count("camel"))

    def test_without_the_library(self):
        done = run(2, NIS, *self.ROW, NIS_MODULES="/nowhere", NIS_MPI="0")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_dead_rank(self):
        """Rank 0 says so, and what the next command has to do."""
        checkpoint = self.folder / "run.nis"
        process = subprocess.Popen(
            command(3, NIS, "integrate", "camel", "--dim", "4", "--calls", "1e9", "--checkpoint",
                    checkpoint),
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL)
        time.sleep(3)
        ranks = subprocess.run(["pgrep", "-f", f"^{NIS} .*{checkpoint}"], capture_output=True,
                               text=True, check=True).stdout.split()
        os.kill(int(ranks[-1]), signal.SIGKILL)
        said = process.communicate(timeout=60)[1]
        self.assertNotEqual(process.returncode, 0)
        if "openmpi" in MPIRUN:  # MPICH's kills the others at once
            self.assertIn("told to end by mpirun", said)
            self.assertIn(f"goes on from {checkpoint}", said)

    def test_interrupt(self):
        """A signal to mpirun ends all, and soon."""
        process = subprocess.Popen(
            command(2, NIS, "integrate", "camel", "--dim", "4", "--calls", "1e9"),
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL)
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertIsNotNone(process.returncode)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[6:])
