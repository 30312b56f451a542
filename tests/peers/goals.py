#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it takes to reach a relative error: nis with rel_error against GSL VEGAS and vegas+.

nis ends by itself, and is told what a call costs. VEGAS and vegas+ are given the least number of
calls, of 1e3, 2e3, 5e3, 1e4, ..., at which their true error over the seeds is within the goal:
nobody knows that beforehand, so this favours them. "rms" is nis's own true relative error over the
seeds, and "far" the largest distance from the exact value in units of its error.

Seconds are wall time on one core: that of the integrator, measured with the integrand as it is, and
calls times the cost for the rest; a call is not really made to take so long. For vegas+ they hold
the pipe through which Python calls the integrand, too.
"""
import argparse
import math

import peers

ROWS = [peers.Row("gaussian", 4), peers.Row("camel", 4), peers.Row("corner_peak", 6),
        peers.Row("ee3j", 5), peers.Row("polynomial", 18)]
GOALS = [1e-2, 1e-3, 1e-4]
COSTS = [1e-7, 1e-5, 1e-3]
MOST_CALLS = 10**7
MOST_CALLS_PLUS = 2 * 10**6

HEAD = (f"{'integrand':<12}{'d':>3} {'goal':>6} {'a call':>7} | {'nis calls':>9} {'s':>8} "
        f"{'rms':>8} {'far':>5} | {'VEGAS':>9} {'s':>8} | {'vegas+':>9} {'s':>8} | "
        f"{'calls':>6} {'s':>6} of the better one")


def ladder(most):
    """1e3, 2e3, 5e3, 1e4, ..."""
    return [step * 10**k for k in range(3, 9) for step in (1, 2, 5) if step * 10**k <= most]


def true_error(runs, exact):
    return peers.root_mean_square([run.value / exact - 1 for run in runs])


def mean(numbers):
    return sum(numbers) / len(numbers)


def least(runs_of, exact, goals, most):
    """For each goal the runs with the fewest calls whose true error is within it, or None."""
    found = {}
    for calls in ladder(most):
        if len(found) == len(goals):
            break
        runs = runs_of(calls)
        error = true_error(runs, exact)
        found |= {goal: runs for goal in goals if goal not in found and error <= goal}
    return found


def best_vegas(program, seeds):
    def runs_of(calls):
        tried = [[program.run("vegas", calls, s, *peers.vegas_options(schedule)) for s in seeds]
                 for schedule in peers.VEGAS_SCHEDULES]
        return min(tried, key=lambda runs: true_error(runs, program.exact))
    return runs_of


def best_vegas_plus(modules, program, seeds):
    def runs_of(calls):
        tried = [[peers.run_vegas_plus(modules, program, calls, s, n) for s in seeds]
                 for n in peers.VEGAS_PLUS_ITERATIONS]
        return min(tried, key=lambda runs: true_error(runs, program.exact))
    return runs_of


def spent(runs, cost):
    """Calls and seconds, means over the seeds; None where no number of calls was enough."""
    if not runs:
        return None
    calls = mean([run.calls for run in runs])
    return {"calls": calls, "seconds": mean([run.seconds for run in runs]) + calls * cost}


def measure_nis(program, goal, cost, seeds, most):
    runs = [program.run("nis", most, s, "-t", 1, "-e", goal, "-k", cost) for s in seeds]
    pulls = [(run.value - program.exact) / run.error for run in runs]
    return spent(runs, cost) | {"rms": true_error(runs, program.exact),
                                "far": max(map(abs, pulls)),
                                "reached": sum(run.error <= goal * abs(run.value) for run in runs)}


def ratio(nis, peers_spent, what):
    known = [p[what] for p in peers_spent if p]
    return nis[what] / min(known) if known else math.nan


def text(spent_by_peer):
    if not spent_by_peer:
        return f"{'-':>9} {'-':>8}"
    return f"{spent_by_peer['calls']:>9.3g} {spent_by_peer['seconds']:>8.3g}"


def print_row(program, r):
    nis, ratios = r["nis"], r["ratios"]
    print(f"{program.name:<12}{program.dim:>3} {r['goal']:>6.0e} {r['cost']:>7.0e} | "
          f"{nis['calls']:>9.3g} {nis['seconds']:>8.3g} {nis['rms']:>8.2e} {nis['far']:>5.1f} | "
          f"{text(r['vegas'])} | {text(r['vegas+'])} | "
          f"{peers.brief(ratios['calls'], 6)} {peers.brief(ratios['seconds'], 6)}", flush=True)


def table(a):
    modules, rows, seeds = peers.import_vegas(), [], range(1, a.seeds + 1)
    if not a.json:
        print(f"{a.seeds} seeds; vegas+ {'installed' if modules else 'not installed'}; one thread")
        print(HEAD, flush=True)
    for row in a.integrands:
        program = peers.Program(a.program, row)
        vegas = least(best_vegas(program, seeds), program.exact, a.goals, a.most)
        plus = least(best_vegas_plus(modules, program, seeds), program.exact, a.goals,
                     min(a.most, MOST_CALLS_PLUS)) if modules else {}
        for goal in a.goals:
            for cost in a.costs:
                others = [spent(vegas.get(goal), cost), spent(plus.get(goal), cost)]
                nis = measure_nis(program, goal, cost, seeds, a.most)
                r = {"integrand": program.name, "dim": program.dim, "goal": goal, "cost": cost,
                     "nis": nis, "vegas": others[0], "vegas+": others[1],
                     "ratios": {what: ratio(nis, others, what) for what in ("calls", "seconds")}}
                rows.append(r)
                if not a.json:
                    print_row(program, r)
    return rows


def goal_list(word):
    goals = peers.positive_list(word)
    if not all(goal < 1 for goal in goals):
        raise argparse.ArgumentTypeError(f"must be below 1, got '{word}'")
    return goals


def arguments():
    parser = argparse.ArgumentParser(prog="sh examples/goals", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--program", required=True, help=argparse.SUPPRESS)
    add("--integrands", type=peers.row_list, default=ROWS, metavar="NAMES",
        help="NAME or NAME:DIM, separated by commas")
    add("--goals", type=goal_list, default=GOALS, metavar="E,...",
        help="relative errors; default 1e-2,1e-3,1e-4")
    add("--costs", type=peers.positive_list, default=COSTS, metavar="S,...",
        help="seconds of a call; default 1e-7,1e-5,1e-3")
    add("--most", type=peers.whole_calls, default=MOST_CALLS, metavar="N",
        help="calls at hand; default 1e7, vegas+ 2e6")
    add("--seeds", type=peers.count, default=5, metavar="N", help="how many; default 5")
    add("--json", action="store_true", help="print JSON instead of the table")
    return parser.parse_args()


def main():
    a = arguments()
    return peers.report(a, table, seeds=a.seeds)


if __name__ == "__main__":
    peers.command(main)
