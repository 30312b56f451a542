#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What more calls do to a run of nis: relative error, spread sigma_1 of one weight, unweighting
efficiency (1e-3 of the weight above w_max), khat of the largest weights, doubts and seconds. A flow
that learnt its points by heart would have heavier weights with more calls. Medians over the seeds.
"""
import argparse
import json
import math
import statistics
import subprocess
import sys

import peers

ROWS = ["ee4q", "ee5j", "drell_yan", "corner_peak", "two_photon"]
CALLS = [100_000, 400_000, 1_600_000]
PARAMETERS = {"ee4q": ["ycut=0.01"], "ee5j": ["ycut=0.01"]}


def run(program, name, calls, seed):
    words = [program, "integrate", name, "--calls", str(calls), "--seed", str(seed), "--json"]
    for parameter in PARAMETERS.get(name, []):
        words += ["--param", parameter]
    told = json.loads(subprocess.run(words, text=True, stdout=subprocess.PIPE, check=False).stdout)
    points = told["calls"] - told["train_calls"]
    return {"error": told["relative_error"], "efficiency": told["efficiency"],
            "sigma_1": math.sqrt(max(points / told["ess"] - 1, 0)), "khat": told["khat"],
            "suspect": told["status"] == "suspect", "seconds": told["seconds"]}


def arguments():
    parser = argparse.ArgumentParser(prog="sh examples/growth", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--program", required=True, help=argparse.SUPPRESS)
    add("--integrands", type=lambda t: t.split(","), default=ROWS, metavar="NAMES",
        help="default " + ",".join(ROWS))
    add("--seeds", type=peers.count, default=1, metavar="N", help="default 1")
    return parser.parse_args()


def main():
    a = arguments()
    print(f"{'integrand':<12}{'calls':>9}{'error':>10}{'sigma_1':>9}{'efficiency':>12}{'khat':>7}"
          f"{'suspect':>9}{'s':>8}")
    for name in a.integrands:
        for calls in CALLS:
            runs = [run(a.program, name, calls, seed) for seed in range(1, a.seeds + 1)]
            middle = {key: statistics.median(r[key] for r in runs) for key in runs[0]}
            print(f"{name:<12}{calls:>9}{middle['error']:>10.2g}{middle['sigma_1']:>9.3g}"
                  f"{middle['efficiency']:>12.3f}{middle['khat']:>7.2f}"
                  f"{sum(r['suspect'] for r in runs):>6}/{a.seeds}{middle['seconds']:>8.1f}",
                  flush=True)
    return 0


if __name__ == "__main__":
    peers.command(main)
