#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time of runs of one thread a rank against the number of ranks, the messages between these, and a
model with four numbers that are fitted to it:

    T(n) = C f / n + W (1 - s + s / n) + G L log2(n) + B / b

C calls of f seconds; W seconds of the library's own work, which is what one rank takes above C f, a
part s of which the ranks share; G gathers of latency L, and B bytes that all get, b a second. The
rest of W is repeated by all. Then the same for many ranks of fast networks.

usage: scaling.py PROGRAM [--quick]
"""
import math
import os
import subprocess
import sys

import numpy as np

PROGRAM = sys.argv[1]
QUICK = "--quick" in sys.argv
NETWORK = {"latency": 5e-6, "bandwidth": 10e9}  # of a cluster: a hop, and a rank's bytes a second

ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1"}


class Run:
    """One run: what was asked for, and what rank 0 printed."""

    def __init__(self, ranks, f, calls, how, what):
        words = ["mpirun", "-n", ranks, PROGRAM, f * 1e6, calls, how, what]
        line = subprocess.run(list(map(str, words)), env=ENVIRONMENT, check=True, text=True,
                              stdout=subprocess.PIPE).stdout.split()
        self.ranks, self.f, self.calls, self.how, self.what = ranks, f, calls, how, what
        self.seconds = float(line[3])
        self.claims, self.gathers, self.sent, self.received = map(int, line[4:8])
        self.waited, self.bits = float(line[8]), line[9]
        self.alone = self  # the run of one rank that it is compared with


def measure(what, how, calls_of, counts, weak=False):
    runs = []
    for f, calls in calls_of:
        alone = None
        for n in counts:
            run = Run(n, f, calls * n if weak else calls, how, what)
            alone = alone or run
            run.alone = alone
            if not weak and run.bits != alone.bits:
                sys.exit(f"{n} ranks have other bits than one")
            runs.append(run)
    return runs


def efficiency(run):
    work = run.calls / run.alone.calls
    return run.alone.seconds * work / (run.ranks * run.seconds)


def own_work(run):
    return max(run.alone.seconds - run.alone.calls * run.f, 0)


def fit(runs):
    """s, L and 1/b that leave the least relative squares, none below 0"""
    rows, right = [], []
    for r in runs:
        if r.ranks == 1:
            continue
        w, n = own_work(r), r.ranks
        rows.append(np.array([-w * (1 - 1 / n), r.gathers * math.log2(n), r.received]) / r.seconds)
        right.append((r.seconds - r.calls * r.f / n - w) / r.seconds)
    rows, right = np.array(rows), np.array(right)
    best, least = np.zeros(3), math.inf
    for used in ([0, 1, 2], [0, 1], [0, 2], [1, 2], [0], [1], [2]):
        x = np.zeros(3)
        x[used] = np.linalg.lstsq(rows[:, used], right, rcond=None)[0]
        squares = ((rows @ x - right) ** 2).sum()
        if (x >= 0).all() and x[0] <= 1 and squares < least:
            best, least = x, squares
    return tuple(best)


def model(run, s, latency, seconds_a_byte):
    n = run.ranks
    return (run.calls * run.f / n + own_work(run) * (1 - s + s / n)
            + run.gathers * latency * math.log2(n) + run.received * seconds_a_byte)


def table(title, runs, numbers=None):
    print(f"\n{title}\n")
    print("f       calls    ranks  seconds  efficiency  model  chunks  gathers  MB to each  waited")
    for r in runs:
        modelled = f"{model(r, *numbers):7.2f}" if numbers and r.ranks > 1 else "      -"
        print(f"{r.f * 1e6:6g}u {r.calls:8d} {r.ranks:6d} {r.seconds:8.2f} {efficiency(r):10.2f} "
              f"{modelled} {r.claims:7d} {r.gathers:8d} {r.received / 1e6:11.1f} {r.waited:7.2f}")


def extrapolate(what, runs, s):
    """From the run of two ranks with the most calls: own work and messages grow with calls."""
    base = max((r for r in runs if r.ranks == 2), key=lambda r: r.calls)
    own = own_work(base) / base.calls
    print(f"\n{what}, on a network of {NETWORK['latency'] * 1e6:g} us a hop and "
          f"{NETWORK['bandwidth'] / 1e9:g} GB/s, 1e4 calls for each rank; own work of "
          f"{own * 1e6:.2g} us a call, {100 * s:.0f} % shared\n")
    print("ranks " + "".join(f"{f * 1e3:>9g} ms" for f in (1e-4, 1e-3, 1e-2, 1e-1)))
    for n in (2, 8, 32, 128, 512, 2048, 10000):
        line = f"{n:5d} "
        for f in (1e-4, 1e-3, 1e-2, 1e-1):
            calls = 1e4 * n
            # a slice keeps each rank in work for some chunks: gathers do not grow with ranks
            gathers = base.gathers * 1e4 / base.calls * 2
            seconds = (calls * f / n + own * calls * (1 - s + s / n)
                       + gathers * NETWORK["latency"] * math.log2(n)
                       + base.received * calls / base.calls / NETWORK["bandwidth"])
            line += f"{1e4 * (f + own) / seconds:12.3f}"
        print(line)


def main():
    k = 0.2 if QUICK else 1
    strong = [(1e-6, int(2e5 * k)), (1e-4, int(2e4 * k)), (1e-3, int(1e4 * k)),
              (1e-2, int(1e3 * k))]
    runs = measure("run", "burn", strong, (1, 2))
    numbers = fit(runs)
    print(f"shared {numbers[0]:.2f}, latency {numbers[1] * 1e6:.0f} us, "
          f"{1e-9 / numbers[2] if numbers[2] else math.inf:.1f} GB/s")
    table("Strong: training and estimate, a busy core each", runs, numbers)
    table("Four ranks, whose f waits and needs no core",
          measure("run", "sleep", strong[1:], (1, 2, 4)), numbers)
    table("Weak: as many calls more as ranks",
          measure("run", "burn", strong[1:], (1, 2), weak=True))
    estimates = measure("estimate", "burn", [(0, int(2e6 * k)), (1e-6, int(1e6 * k)),
                                             (1e-4, int(4e4 * k)), (1e-3, int(1e4 * k))], (1, 2))
    of_estimates = fit(estimates)
    table("Estimate alone", estimates, of_estimates)
    extrapolate("Training and estimate", runs, numbers[0])
    extrapolate("Estimate alone", estimates, of_estimates[0])


main()
