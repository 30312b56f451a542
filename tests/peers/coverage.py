#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are the error bars of nis true? Many seeds on integrands whose value is known.

A pull is (value - exact) / error. Of all runs: the mean and the standard deviation of the pulls,
and the shares within 1 and 2 errors, which should be 68.3 % and 95.4 %. "flag" is the share of
runs that say themselves that their error is not to be believed (NIS_SUSPECT); "|1" and "|2" are the
shares within 1 and 2 errors of the others, and "silent" counts those of them that are more than 5
errors off. VEGAS is GSL's: 10 % of the calls warm up its grid, then 5 iterations; its flag is
GSL's own advice, |chi2/dof - 1| > 0.5. vegas+, if it is installed, has 10 iterations, and its flag
is its manual's, Q < 0.05.

Below the table, for each doubt of nis: the share of the runs with a pull within 3 that have it
(false alarms), and of the others (detection).
"""
import argparse
import concurrent.futures
import json
import math
import os
import statistics
import sys

import peers

QUICK = "camel:2,gaussian:4,circles,ridge:4,three_peaks:20,ee3j"
MODES = [
    ("narrow", "two_gaussians", 8, ["w1=0.04", "w2=0.04", "c1=0.65", "c2=0.35"]),
    ("very narrow", "two_gaussians", 8, ["w1=0.025", "w2=0.025", "c1=0.65", "c2=0.35"]),
    ("beside a broad one", "two_gaussians", 8, []),
    ("far apart", "two_gaussians", 8, ["w1=0.1", "w2=0.1", "c1=0.9", "c2=0.1"]),
    ("1 % of the other", "two_gaussians", 8,
     ["w1=0.1", "w2=0.1", "c1=0.75", "c2=0.25", "share=0.01"]),
    ("heavy tails", "two_resonances", 8, []),
    ("heavy tails, 1 %", "two_resonances", 8, ["share=0.01"]),
]
DOUBTS = {"heavy tail": 1, "large chi2": 2, "few weights": 4, "late peak": 8, "any": 15}
RIGHT = 3  # errors, within which an alarm is a false one
VEGAS_PLUS_ITERATIONS = 10
FAR = 5  # errors: one true run in two million


def pull(run, exact):
    off = run.value - exact
    if run.error > 0:
        return off / run.error
    return 0.0 if abs(off) <= 1e-12 * abs(exact) else math.copysign(math.inf, off)


def within(pulls, errors):
    return sum(abs(p) < errors for p in pulls) / len(pulls) if pulls else math.nan


def summary(runs, exact):
    pulls = [pull(r, exact) for r in runs]
    trusted = [p for p, r in zip(pulls, runs) if not r.suspect]
    usual = [p for p in pulls if abs(p) < 1e3]
    return {
        "runs": len(runs), "mean": statistics.fmean(usual) if usual else math.nan,
        "width": statistics.pstdev(usual) if usual else math.nan,
        "within1": within(pulls, 1), "within2": within(pulls, 2),
        "flagged": 1 - len(trusted) / len(runs),
        "trusted1": within(trusted, 1), "trusted2": within(trusted, 2),
        "silent": sum(not abs(p) <= FAR for p in trusted),
        "worst": max(pulls, key=abs),
        "suspects": [r.suspect for r in runs],
        "right": [abs(p) <= RIGHT for p in pulls],
        "silent_seeds": [i + 1 for i, (p, r) in enumerate(zip(pulls, runs))
                         if not r.suspect and not abs(p) <= FAR],
    }


def measure(pool, program, calls, seeds, goal, modules):
    """All methods with the seeds 1, 2, ..., as many at a time as the pool has threads."""
    options = ("-t", 1, "-e", goal)
    seeds = range(1, seeds + 1)
    runs = {method: pool.map(lambda seed, m=method: program.run(m, calls, seed, *options), seeds)
            for method in ("nis", "vegas")}
    if modules:
        runs["vegas+"] = (peers.run_vegas_plus(modules, program, calls, seed,
                                               VEGAS_PLUS_ITERATIONS) for seed in seeds)
    return {method: summary(list(r), program.exact) for method, r in runs.items()}


# ---- the table ------------------------------------------------------------------------------

COLUMNS = (f"{'mean':>6} {'width':>6} {'in 1':>5} {'in 2':>5} {'flag':>5} {'|1':>5} {'|2':>5} "
           f"{'silent':>6}")
ABOUT = f"{'integrand':<24}{'d':>3} {'calls':>7} {'seeds':>5}"
METHODS = {"nis": "nis", "vegas": "GSL VEGAS", "vegas+": "vegas+"}


def percent(share):
    return f"{100 * share:5.1f}" if share == share else "    -"


def cells(s):
    shares = " ".join(percent(s[k]) for k in ("within1", "within2", "flagged", "trusted1",
                                              "trusted2"))
    return f"{s['mean']:>+6.2f} {s['width']:>6.2f} {shares} {s['silent']:>6}"


def print_row(title, program, calls, seeds, result):
    print(" | ".join([f"{title:<24}{program.dim:>3} {calls:>7} {seeds:>5}"] +
                     [cells(s) for s in result.values()]), flush=True)


def print_head(methods):
    print(" | ".join([" " * len(ABOUT)] + [f"{METHODS[m]:<{len(COLUMNS)}}" for m in methods]))
    print(" | ".join([ABOUT] + len(methods) * [COLUMNS]), flush=True)


def print_total(rows):
    runs = sum(r["nis"]["runs"] for r in rows)
    for method in (m for m in METHODS if m in rows[0]):
        silent = sum(r[method]["silent"] for r in rows)
        mean = {k: sum(r[method][k] * r[method]["runs"] for r in rows) / runs
                for k in ("within1", "within2", "flagged")}
        print(f"{method}: {runs} runs, {percent(mean['within1'])} % within 1 error, "
              f"{percent(mean['within2'])} % within 2, {percent(mean['flagged'])} % flagged, "
              f"{silent} more than {FAR} errors off without a flag")


def share(doubt, suspects):
    return sum(1 for s in suspects if s & doubt) / len(suspects) if suspects else math.nan


def print_doubts(rows):
    told = [(s, right) for r in rows for s, right in zip(r["nis"]["suspects"], r["nis"]["right"])]
    right, wrong = ([s for s, r in told if r == kind] for kind in (True, False))
    print(f"doubts: false alarms of {len(right)} runs within {RIGHT} errors, and alarms of the "
          f"{len(wrong)} others")
    for name, doubt in DOUBTS.items():
        print(f"  {name:<12} {100 * share(doubt, right):6.2f} % {100 * share(doubt, wrong):6.1f} %")


def plans(a):
    """(title, program, calls, seeds) of every line."""
    rows = [(r.name, r) for r in a.rows]
    out = [(title, row, calls, seeds) for calls, seeds in zip(a.calls, a.seeds)
           for title, row in rows]
    for title, name, dim, settings in MODES if a.modes else []:
        out.append((title, peers.Row(name, dim, settings=settings), a.mode_calls, a.mode_seeds))
    return out


def table(a):
    out, modules = [], peers.import_vegas()
    if not a.json:
        print_head([m for m in METHODS if m != "vegas+" or modules])
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for title, row, calls, seeds in plans(a):
            try:
                program = peers.Program(a.program, row)
            except peers.Missing as why:
                print(f"skipped {title}: {why}", file=sys.stderr)
                continue
            result = measure(pool, program, calls, seeds, a.goal, modules)
            out.append({"title": title, "dim": program.dim, "calls": calls,
                        "exact": program.exact} | result)
            if not a.json:
                print_row(title, program, calls, seeds, result)
    return out


# ---- the command -------------------------------------------------------------------------------


def counts(text):
    return [peers.count(word) for word in text.split(",")]


def arguments():
    parser = argparse.ArgumentParser(prog="sh examples/coverage", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--program", required=True, help=argparse.SUPPRESS)
    add("--quick", action="store_true", help="a few integrands, 40 seeds, 1e4 calls, no modes")
    add("--integrands", type=peers.row_list, metavar="NAMES",
        help="NAME or NAME:DIM, separated by commas; default: the whole list and the modes")
    add("--calls", type=peers.number_list, metavar="N,...", help="default 1e4,1e5")
    add("--seeds", type=counts, metavar="N,...", help="for each of them; default 300,100")
    add("--modes", action="store_true", help="only the integrands with two peaks, 8 dimensions")
    add("--mode-calls", type=lambda t: peers.number_list(t)[0], default=10**5, metavar="N")
    add("--mode-seeds", type=peers.count, default=100, metavar="N")
    add("--goal", type=float, default=0, metavar="E",
        help="nis stops at this relative error, if the calls allow")
    add("--jobs", type=peers.count, default=os.cpu_count(), metavar="J",
        help="runs at a time, of one thread each; default: one for each core")
    add("--json", action="store_true", help="print JSON instead of the table")
    return settle(parser, parser.parse_args())


def settle(parser, a):
    """Fills what was left open."""
    whole = not (a.quick or a.integrands or a.modes)
    a.rows = a.integrands or ([] if a.modes else peers.row_list(QUICK) if a.quick else peers.ROWS)
    a.modes = a.modes or whole
    a.calls = a.calls or ([10**4] if a.quick else [10**4, 10**5])
    a.seeds = a.seeds or ([40] if a.quick else [300, 100])
    if len(a.seeds) == 1:
        a.seeds = a.seeds * len(a.calls)
    if len(a.seeds) < len(a.calls):
        parser.error(f"{len(a.calls)} numbers of calls need one number of seeds, or as many")
    return a


def main():
    a = arguments()
    rows = table(a)
    if not rows:
        return 1
    if a.json:
        print(json.dumps({"rows": peers.finite(rows)}, indent=1))
    else:
        print_total(rows)
        print_doubts(rows)
    return 0


if __name__ == "__main__":
    peers.command(main)
