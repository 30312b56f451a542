#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains nis against VEGAS, MISER and vegas+ on integrands whose value is known.

Every run of a method is a process of its own (the program `peers`), seeded, and every call of the
integrand is counted by the integrand. "rms" is that of the true relative error, value/exact - 1,
over the seeds. nis runs with its default options.
"""
import argparse
import json
import math
import statistics
import struct
import subprocess
import sys
import time
from typing import NamedTuple, Optional, Sequence

GOAL_CALLS = 10**6


class Row(NamedTuple):
    """A line of the table; goals are for a million calls, dim None is the integrand's default."""
    name: str
    dim: Optional[int] = None
    rms: Optional[float] = None
    sigma1: Optional[float] = None
    efficiency: Optional[float] = None
    settings: Sequence[str] = ()


ROWS = [
    Row("camel", 2, rms=3e-5), Row("camel", 4, rms=5e-5),
    Row("camel", 8, rms=2e-4), Row("camel", 16, rms=5e-4),
    Row("gaussian", 2, rms=1.8e-5), Row("gaussian", 4, rms=7e-5),
    Row("gaussian", 8, rms=1.1e-4), Row("gaussian", 16, rms=1.6e-4),
    Row("circles", rms=1e-4), Row("annulus", rms=1e-4), Row("box", rms=5e-5),
    Row("polynomial", 18, rms=1.4e-5), Row("polynomial", 54, rms=2.1e-5),
    Row("polynomial", 96, rms=3.8e-5),
    Row("ridge", 4, rms=1e-4), Row("three_peaks", 20, rms=8e-4),
    Row("zunis_camel", 2, sigma1=0.02), Row("slashed_circle", sigma1=0.02),
    Row("sinusoid", sigma1=0.02),
    Row("two_gaussians", 5, rms=3e-4), Row("two_gaussians", 8, rms=6e-4),
    Row("ee3j", rms=5e-5, efficiency=0.6),
    Row("shell"), Row("corner_peak"), Row("breit_wigner"), Row("twisted"), Row("chain"),
    Row("triangle"),
    Row("short_ridge"), Row("cusps"), Row("ring_line"), Row("linear_product"),
    Row("hypersphere"), Row("two_balls"),
    Row("genz_oscillatory"), Row("genz_product_peak"), Row("genz_corner_peak"),
    Row("genz_gaussian"), Row("genz_continuous"), Row("genz_discontinuous"),
    Row("drell_yan"), Row("von_mises"), Row("two_photon"),
    Row("power", 1), Row("power", 1, settings=["a=0.9"]), Row("power", 3), Row("power", 6),
    Row("log_root", 1), Row("arcsine", 1), Row("diagonal"), Row("coulomb"), Row("watson"),
    Row("ramp", 1), Row("ramp", 2), Row("ramp", 4), Row("sine", 1), Row("sine", 2),
    Row("sine", 4), Row("gaussian", 1), Row("polynomial", 2), Row("polynomial", 4),
]
QUICK_DIM = 5

# Share of the calls that trains the grid, and iterations in the warm-up and again in the result.
VEGAS_SCHEDULES = [(0.1, 5), (0.2, 5), (0.2, 10)]
VEGAS_PLUS_ITERATIONS = [10, 20]
VEGAS_PLUS_Q = 0.05  # below it its manual does not believe the error


class Missing(Exception):
    """The integrand is not in the table, or has no such dimension, or no known value."""


# ---- runs ------------------------------------------------------------------------------


class Run(NamedTuple):
    value: float
    error: float
    calls: int
    seconds: float
    points: int = 0
    efficiency: float = 0.0
    suspect: int = 0
    spread: float = 0.0
    efficiency_tail: float = 0.0


def pairs(text):
    return dict(line.split(maxsplit=1) for line in text.splitlines())


class Program:
    """The program `peers` on one integrand."""

    def __init__(self, path, row, exact_needed=True):
        self.command = [path, "METHOD", row.name] + (["-d", str(row.dim)] if row.dim else [])
        for setting in row.settings:
            self.command += ["-p", setting]
        shown = subprocess.run(self.words("show"), text=True, capture_output=True)
        if shown.returncode:
            raise Missing(shown.stderr.strip().removeprefix("peers: ") or "peers failed")
        about = pairs(shown.stdout)
        if exact_needed and "exact" not in about:
            raise Missing("no exact value is known")
        self.name, self.dim, self.exact = row.name, int(about["dim"]), float(
            about.get("exact", "nan"))

    def words(self, method, *more):
        return [self.command[0], method, *self.command[2:], *map(str, more)]

    def run(self, method, calls, seed, *more):
        words = self.words(method, "-c", calls, "-s", seed, *more)
        told = pairs(subprocess.run(words, text=True, stdout=subprocess.PIPE, check=True).stdout)
        return Run(float(told["value"]), float(told["error"]), int(told["calls"]),
                   float(told["seconds"]), int(told["points"]), float(told["efficiency"]),
                   int(told["suspect"]), float(told["spread"]),
                   float(told["efficiency_tail"]))


def import_vegas():
    """The modules that vegas+ needs, or None."""
    try:
        import gvar
        import numpy
        import vegas
    except ImportError:
        return None
    return vegas, gvar, numpy


class Served:
    """The integrand as a function of an array of points; the program computes it."""

    def __init__(self, program, numpy):
        self.numpy, self.calls = numpy, 0
        self.child = subprocess.Popen(program.words("serve"), stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)

    def __call__(self, x):
        self.calls += len(x)
        self.child.stdin.write(struct.pack("=Q", len(x)))
        self.child.stdin.write(self.numpy.ascontiguousarray(x, dtype=float).tobytes())
        self.child.stdin.flush()
        return self.numpy.frombuffer(bytearray(self.child.stdout.read(8 * len(x))))

    def close(self):
        self.child.communicate()


def run_vegas_plus(modules, program, calls, seed, iterations):
    vegas, gvar, numpy = modules
    f = Served(program, numpy)
    gvar.ranseed(seed)
    integrator = vegas.Integrator(program.dim * [[0, 1]])
    start = time.monotonic()
    result = integrator(vegas.lbatchintegrand(f), nitn=iterations, neval=calls / iterations)
    seconds = time.monotonic() - start
    f.close()
    return Run(float(result.mean), float(result.sdev), f.calls, seconds,
               suspect=int(result.Q < VEGAS_PLUS_Q))


# ---- many runs ---------------------------------------------------------------------------


def root_mean_square(numbers):
    return math.sqrt(statistics.fmean(x * x for x in numbers))


def summary(runs, exact):
    """What the table says of some runs that differ by their seeds."""
    errors = [r.value / exact - 1 for r in runs]
    pulls = [(r.value - exact) / r.error if r.error else math.inf for r in runs]
    return {
        "rms": root_mean_square(errors),
        "quoted": root_mean_square([r.error / exact for r in runs]),
        "worst_pull": max(pulls, key=abs),
        "sigma1": root_mean_square([r.spread for r in runs]),
        "efficiency_median": statistics.mean(r.efficiency for r in runs),
        "calls": max(r.calls for r in runs),
        "seconds": statistics.mean(r.seconds for r in runs),
        "runs": [{"value": r.value, "error": r.error, "calls": r.calls, "seconds": r.seconds}
                 for r in runs],
    }


def better(candidates):
    """The summary with the smallest rms; NaN counts as the largest."""
    return min(candidates, key=lambda s: s["rms"] if s["rms"] == s["rms"] else math.inf)


def vegas_options(schedule):
    return "-w", schedule[0], "-i", schedule[1]


def best_vegas(program, calls, seeds):
    candidates = []
    for warmup, iterations in VEGAS_SCHEDULES:
        runs = [program.run("vegas", calls, s, *vegas_options((warmup, iterations)))
                for s in seeds]
        candidates.append(summary(runs, program.exact) |
                          {"schedule": f"{100 * warmup:.0f}%/{iterations}"})
    return better(candidates)


def best_vegas_plus(modules, program, calls, seeds):
    if modules is None:
        return None
    return better([summary([run_vegas_plus(modules, program, calls, s, n) for s in seeds],
                           program.exact) | {"schedule": f"nitn {n}"}
                   for n in VEGAS_PLUS_ITERATIONS])


def thread_options(threads):
    return ("-t", threads) if threads else ()


def measure(program, calls, seeds, threads, modules):
    nis = [program.run("nis", calls, s, *thread_options(threads)) for s in seeds]
    return {
        "nis": summary(nis, program.exact),
        "vegas": best_vegas(program, calls, seeds),
        "miser": summary([program.run("miser", calls, s) for s in seeds], program.exact),
        "vegas+": best_vegas_plus(modules, program, calls, seeds),
    }


def judge(row, calls, nis):
    """(goal, measured / goal) of each goal that the row has at this number of calls; 1 is met."""
    if calls != GOAL_CALLS:
        return []
    goals = []
    if row.rms:
        goals.append((f"{row.rms:.1e}", nis["rms"] / row.rms))
    if row.sigma1:
        goals.append((f"s1 {row.sigma1:g}", nis["sigma1"] / row.sigma1))
    if row.efficiency:
        measured = nis["efficiency_median"]
        goals.append((f"eff {row.efficiency:g}",
                      row.efficiency / measured if measured else math.inf))
    return goals


# ---- the table ---------------------------------------------------------------------------

HEAD = (f"{'integrand':<15}{'d':>3} {'calls':>8} | {'goal':>8} {'nis rms':>8} {'/goal':>6} "
        f"{'quoted':>8} {'pull':>6} {'sigma_1':>8} {'eff':>5} {'counted':>8} {'s/run':>7} | "
        f"{'VEGAS':>8} {'sched.':>7} {'MISER':>8} {'vegas+':>13} | "
        f"{'nis/VEGAS':>9} {'/MISER':>7} {'/vegas+':>7}")


def ratio(nis, peer):
    return nis["rms"] / peer["rms"] if peer and peer["rms"] else math.nan


def brief(number, width):
    return f"{number:>{width}.3g}" if number == number else f"{'-':>{width}}"


def signed(pull):
    return f"{pull:>+6.1f}" if abs(pull) < 1000 else f"{pull:>+6.0e}"


def print_row(program, calls, result, goals):
    nis, vegas, miser, plus = (result[k] for k in ("nis", "vegas", "miser", "vegas+"))
    goal, over = goals[0] if goals else ("-", math.nan)
    told = f"{plus['rms']:.2e}" if plus else "not installed"
    print(f"{program.name:<15}{program.dim:>3} {calls:>8} | {goal:>8} {nis['rms']:>8.2e} "
          f"{brief(over, 6)} {nis['quoted']:>8.2e} {signed(nis['worst_pull'])} "
          f"{nis['sigma1']:>8.3g} "
          f"{nis['efficiency_median']:>5.2f} {nis['calls']:>8} {nis['seconds']:>7.2f} | "
          f"{vegas['rms']:>8.2e} {vegas['schedule']:>7} {miser['rms']:>8.2e} {told:>13} | "
          f"{brief(ratio(nis, vegas), 9)} {brief(ratio(nis, miser), 7)} "
          f"{brief(ratio(nis, plus), 7)}",
          flush=True)


def print_head(a, modules):
    print(f"rms of the true relative error over {a.seeds} seeds; all calls counted; nis with its "
          f"default options; ratios below 1: nis is better")
    print("VEGAS: the best of warm-up share/iterations " +
          ", ".join(f"{100 * w:.0f}%/{n}" for w, n in VEGAS_SCHEDULES) +
          "; vegas+: " + ("the better of nitn 10 and 20" if modules else "not installed"))
    print(HEAD, flush=True)


def print_verdict(verdicts):
    met = sum(over <= 1 for _, _, over in verdicts)
    if verdicts:
        print(f"goals met: {met} of {len(verdicts)}")
    for name, goal, over in verdicts:
        if not over <= 1:
            print(f"  missed: {name}, {goal}, by a factor of {over:.2f}")


def compare(a, programs):
    modules, out, verdicts = import_vegas(), [], []
    if not a.json:
        print_head(a, modules)
    for row, program in programs:
        for calls in a.calls:
            result = measure(program, calls, range(1, a.seeds + 1), a.threads, modules)
            goals = judge(row, calls, result["nis"])
            verdicts += [(f"{program.name} d = {program.dim}", *goal) for goal in goals]
            out.append({"integrand": program.name, "dim": program.dim, "calls": calls,
                        "exact": program.exact, "goals": dict(goals)} | result |
                       {"ratios": {k: ratio(result["nis"], result[k])
                                   for k in ("vegas", "miser", "vegas+")}})
            if not a.json:
                print_row(program, calls, result, goals)
    if not a.json:
        print_verdict(verdicts)
    return out


# ---- error against wall time ---------------------------------------------------------------


def vegas_calls_in(program, seconds, spin):
    """How many calls VEGAS makes in this time; its own share is measured on a short run."""
    trial = program.run("vegas", 10**5, 0)
    return max(20, int(seconds / (trial.seconds / trial.calls + spin)))


def race(program, calls, spin, seeds, threads):
    """nis with so many calls; then VEGAS with as many as fit in the same wall time."""
    options = ("-f", spin)
    nis = summary([program.run("nis", calls, s, *options, *thread_options(threads))
                   for s in seeds], program.exact)
    given = vegas_calls_in(program, nis["seconds"], spin)
    candidates = [summary([program.run("vegas", given, s, *vegas_options(v)) for s in seeds],
                          program.exact) | {"schedule": v} for v in VEGAS_SCHEDULES]
    vegas = better(candidates)
    timed = program.run("vegas", given, seeds[0], *options, *vegas_options(vegas["schedule"]))
    return {"nis": nis, "vegas": vegas | {"given": given, "seconds": timed.seconds}}


def print_race(program, spin, calls, r):
    nis, vegas = r["nis"], r["vegas"]
    print(f"{program.name:<15}{program.dim:>3} {1e6 * spin:>8.0f} | {calls:>8} "
          f"{nis['seconds']:>7.2f} {nis['rms']:>8.2e} {signed(nis['worst_pull'])} | "
          f"{vegas['calls']:>9} {vegas['seconds']:>7.2f} {vegas['rms']:>8.2e} "
          f"{signed(vegas['worst_pull'])} | {brief(ratio(nis, vegas), 9)}", flush=True)


def race_calls(a, spin):
    """As many calls as the wall time allows, a third and a tenth of it; a million at most."""
    most = min(GOAL_CALLS, int(a.wall / spin))
    return [max(10, most // part) for part in (10, 3, 1)]


def races(a, programs):
    out = []
    if not a.json:
        print(f"error against wall time, training included; {a.seeds} seeds; nis on "
              f"{a.threads} thread(s), VEGAS on its one\n"
              f"{'integrand':<15}{'d':>3} {'f / us':>8} | {'nis calls':>8} {'s':>6} {'rms':>8} "
              f"{'pull':>6} | {'VEGAS':>9} {'s':>7} {'rms':>8} {'pull':>6} | {'nis/VEGAS':>9}")
    for _, program in programs:
        for spin in a.spin:
            for calls in race_calls(a, spin):
                r = race(program, calls, spin, range(1, a.seeds + 1), a.threads)
                out.append({"integrand": program.name, "dim": program.dim, "calls": calls,
                            "exact": program.exact, "seconds_per_call": spin} | r)
                if not a.json:
                    print_race(program, spin, calls, r)
    return out


# ---- the command -----------------------------------------------------------------------------


def number_list(text):
    numbers = [float(word) for word in text.split(",")]
    if not all(100 <= n <= 1e9 for n in numbers):
        raise argparse.ArgumentTypeError(f"calls must be between 100 and 1e9, got '{text}'")
    return [int(n) for n in numbers]


def whole_calls(text):
    number = float(text)
    if not 1000 <= number <= 1e9:
        raise argparse.ArgumentTypeError(f"must be between 1000 and 1e9, got '{text}'")
    return int(number)


def positive(text):
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got '{text}'")
    return number


def positive_list(text):
    return [positive(word) for word in text.split(",")]


def count(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, got '{text}'")
    return int(text)


def chosen(word):
    """Rows for "camel" (all of them) or "camel:4"."""
    name, _, dim = word.partition(":")
    if dim:
        rows = [r for r in ROWS if (r.name, str(r.dim)) == (name, dim)]
        return rows or [Row(name, count(dim))]
    return [r for r in ROWS if r.name == name] or [Row(name)]


def row_list(text):
    return [row for word in text.split(",") for row in chosen(word)]


def arguments():
    parser = argparse.ArgumentParser(prog="sh examples/peers", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--program", required=True, help=argparse.SUPPRESS)
    add("--quick", action="store_true", help="3 seeds, 1e5 calls, 5 dimensions at most")
    add("--integrands", type=row_list, metavar="NAMES",
        help="NAME or NAME:DIM, separated by commas; default: the whole list")
    add("--calls", type=number_list, metavar="N,...",
        help="budgets, separated by commas; default 1e5,1e6")
    add("--seeds", type=count, metavar="N", help="how many; default 10, with --time 3")
    add("--threads", type=count, metavar="T", help="of nis; default: its own, with --time 1")
    add("--json", action="store_true", help="print JSON, with every run, instead of the table")
    add("--time", action="store_true", help="error against wall time instead, nis and VEGAS")
    add("--wall", type=positive, default=10, metavar="S",
        help="--time: seconds in f of the longest run")
    add("--spin", type=positive_list, metavar="S,...", default=[1e-6, 1e-4, 1e-2],
        help="--time: seconds of one call, separated by commas; default 1e-6,1e-4,1e-2")
    return settle(parser.parse_args())


def settle(a):
    """Fills what was left open."""
    a.calls = a.calls or ([10**5] if a.quick else [10**5, 10**6])
    a.seeds = a.seeds or (3 if a.quick or a.time else 10)
    a.threads = a.threads or (1 if a.time else None)
    a.rows = a.integrands or (row_list("camel:4,ee3j") if a.time else ROWS)
    return a


def find_programs(a):
    """(row, program) of what can be run; a line on stderr for each that cannot."""
    found = []
    for row in a.rows:
        try:
            program = Program(a.program, row)
        except Missing as why:
            print(f"skipped {row.name}{f' d = {row.dim}' if row.dim else ''}: {why}",
                  file=sys.stderr)
            continue
        if not a.quick or a.integrands or program.dim <= QUICK_DIM:
            found.append((row, program))
    return found


def finite(tree):
    """JSON has no NaN."""
    if isinstance(tree, dict):
        return {key: finite(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [finite(value) for value in tree]
    return tree if not isinstance(tree, float) or math.isfinite(tree) else None


def main():
    a = arguments()
    programs = find_programs(a)
    if not programs:
        return 1
    rows = races(a, programs) if a.time else compare(a, programs)
    if a.json:
        print(json.dumps({"seeds": a.seeds, "threads": a.threads, "rows": finite(rows)}, indent=1))
    return 0


def report(a, table, **about):
    """Prints what table(a) returns as JSON, where that is asked for; the exit status."""
    try:
        rows = table(a)
    except Missing as why:
        print(f"failed: {why}", file=sys.stderr)
        return 1
    if a.json:
        print(json.dumps(about | {"rows": finite(rows)}, indent=1))
    return 0


def command(main):
    """Runs it and exits as a command does."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"failed: {' '.join(error.cmd)}")


if __name__ == "__main__":
    command(main)
