#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cross sections of e+ e- -> jets: nis against GSL VEGAS, on the same map and with the same calls.

sigma_1 is the relative standard deviation of one weight: of the frozen flow, and what VEGAS's
quoted error comes to, error * sqrt(points) / value. Efficiencies are those of unweighting, with
w_max that leaves 1e-3 of the weight above it, and with the median of maxima. Of three schedules
VEGAS gets that with the smallest quoted relative error. nis/VEGAS is the ratio of the quoted
errors, "true" that of the scatter over the seeds, and "apart" the difference of both values in
units of its error. us/call is the mean over random points of the cube, us/point over those inside
the cuts, and |M|^2 the matrix element alone, colours and helicities summed; one core.

--channels: what channels are worth. nis that is told of them; nis that is not ("without": the
number of the channel is a staircase in one more coordinate; drell_yan then has no maps at all);
VEGAS likewise; and VEGAS in each channel, with calls in proportion to the spread that a survey
found (Neyman), as in MadGraph; its iterations count alike and its grids are damped (alpha = 0.5),
without which it is far off where channels get few calls. Ratios are those of the errors, and of the
efficiencies, with channels over the others.
"""
import argparse
import math
import statistics

import peers

PROCESSES = ["ee4j", "ee5j"]
ENERGIES = [91.188, 1000.0]
CUTS = [("jade", 0.01), ("durham", 0.005)]
COST_CALLS = 20000

HEAD = (f"{'process':<7}{'sqrt s':>8} {'cut':<13} | {'nis / pb':>12} {'error':>9} {'s_1':>6} "
        f"{'eff':>6} {'median':>6} {'s':>6} | {'VEGAS / pb':>12} {'error':>9} {'s_1':>6} "
        f"{'s':>6} | {'nis/VEGAS':>9} {'true':>6} {'apart':>6} | "
        f"{'us/call':>7} {'/point':>7} {'|M|^2':>7}")


CHANNEL_PROCESSES = ["ee5j", "ee4qg", "drell_yan_channels"]
CHANNEL_SCHEDULES = [(0.2, 2), (0.3, 2), (0.3, 3)]  # of VEGAS: longer, as grids share the survey
PLAIN = {"drell_yan_channels": "drell_yan"}  # rows of the same value without channels
CHANNELS_HEAD = (f"{'process':<19}{'sqrt s, cut':<19} | {'nis / pb':>12} {'error':>9} {'eff':>6} "
                 f"{'s':>6} | {'without':>12} {'error':>9} {'eff':>6} {'s':>6} | "
                 f"{'VEGAS':>9} {'each':>9} | {'/without':>8} {'/VEGAS':>7} {'/each':>7} "
                 f"{'eff':>6} {'apart':>6}")


def settings(energy, cut):
    return [f"sqrts={energy:g}", f"measure={cut[0]}", f"ycut={cut[1]:g}"]


def cost(program):
    told = peers.pairs(peers.subprocess.run(program.words("cost", "-c", COST_CALLS), text=True,
                                            stdout=peers.subprocess.PIPE, check=True).stdout)
    return {key: float(value) for key, value in told.items()}


def best_vegas(program, calls, seed, method="vegas", schedules=peers.VEGAS_SCHEDULES):
    runs = [program.run(method, calls, seed, *peers.vegas_options(schedule))
            for schedule in schedules]
    return min(runs, key=lambda r: r.error / abs(r.value) if r.error > 0 else math.inf)


def together(runs):
    """Of several seeds: mean values, root mean square errors, medians of the rest"""
    rows = {key: [r._asdict()[key] for r in runs] for key in peers.Run._fields}
    middle = {key: statistics.median(values) for key, values in rows.items()}
    return middle | {"value": statistics.mean(rows["value"]),
                     "error": math.sqrt(statistics.mean(e * e for e in rows["error"])),
                     "suspect": sum(rows["suspect"]),
                     "scatter": statistics.stdev(rows["value"]) if len(runs) > 1 else math.nan}


def apart(a, b, seeds):
    return (a["value"] - b["value"]) / math.hypot(a["error"], b["error"]) * math.sqrt(seeds)


def measure(program, a):
    seeds = range(a.seed, a.seed + a.seeds)
    nis = together([program.run("nis", a.calls, s, *peers.thread_options(a.threads))
                    for s in seeds])
    vegas = together([best_vegas(program, a.calls, s) for s in seeds])
    return {"nis": nis, "vegas": vegas, "cost": cost(program),
            "vegas_sigma1": vegas["error"] * math.sqrt(vegas["points"]) / abs(vegas["value"]),
            "ratio": nis["error"] / vegas["error"], "scatter": nis["scatter"] / vegas["scatter"],
            "apart": apart(nis, vegas, a.seeds)}


def print_row(process, energy, cut, r):
    nis, vegas, c = r["nis"], r["vegas"], r["cost"]
    print(f"{process:<7}{energy:>8g} {cut[0] + ' ' + format(cut[1], 'g'):<13} | "
          f"{nis['value']:>12.6g} {nis['error']:>9.2g} {nis['spread']:>6.3g} "
          f"{nis['efficiency_tail']:>6.3f} {nis['efficiency']:>6.3f} {nis['seconds']:>6.1f} | "
          f"{vegas['value']:>12.6g} {vegas['error']:>9.2g} {r['vegas_sigma1']:>6.3g} "
          f"{vegas['seconds']:>6.1f} | {r['ratio']:>9.3g} {r['scatter']:>6.2g} "
          f"{r['apart']:>+6.2f} | "
          f"{c['call_us']:>7.2f} {c['inside_us']:>7.2f} "
          f"{c.get('matrix_element_us', math.nan):>7.2f}", flush=True)


def table(a):
    rows = []
    if not a.json:
        print(f"{a.calls} calls each, training and warm-up included; seeds {a.seed} to "
              f"{a.seed + a.seeds - 1}")
        print(HEAD, flush=True)
    for process in a.processes:
        for energy in a.energies:
            for cut in CUTS:
                row = peers.Row(process, settings=settings(energy, cut))
                result = measure(peers.Program(a.program, row, exact_needed=False), a)
                rows.append({"process": process, "sqrts": energy, "measure": cut[0],
                             "ycut": cut[1]} | result)
                if not a.json:
                    print_row(process, energy, cut, result)
    return rows


def compare_channels(a, process, words):
    row = peers.Row(process, settings=words)
    program = peers.Program(a.program, row, exact_needed=False)
    plain, method = program, "nis-cube"
    if process in PLAIN:
        plain, method = peers.Program(a.program, row._replace(name=PLAIN[process])), "nis"
    seeds, more = range(a.seed, a.seed + a.seeds), peers.thread_options(a.threads)
    r = {"nis": together([program.run("nis", a.calls, s, *more) for s in seeds]),
         "without": together([plain.run(method, a.calls, s, *more) for s in seeds]),
         "vegas": together([best_vegas(plain, a.calls, s) for s in seeds]),
         "each": together([best_vegas(program, a.calls, s, "vegas-channels", CHANNEL_SCHEDULES)
                          for s in seeds])}
    ratios = {key: r["nis"]["error"] / r[key]["error"] for key in ("without", "vegas", "each")}
    gain = r["nis"]["efficiency_tail"] / r["without"]["efficiency_tail"]
    return r | {"ratios": ratios, "efficiency": gain,
                "apart": apart(r["nis"], r["each"], a.seeds)}


def print_channels(process, words, r):
    nis, without, ratios = r["nis"], r["without"], r["ratios"]
    setting = " ".join(word.partition("=")[2] for word in words)
    print(f"{process:<19}{setting:<19} | "
          f"{nis['value']:>12.6g} {nis['error']:>9.2g} {nis['efficiency_tail']:>6.3f} "
          f"{nis['seconds']:>6.1f} | {without['value']:>12.6g} {without['error']:>9.2g} "
          f"{without['efficiency_tail']:>6.3f} {without['seconds']:>6.1f} | "
          f"{r['vegas']['error']:>9.2g} {r['each']['error']:>9.2g} | "
          f"{ratios['without']:>8.3g} {ratios['vegas']:>7.3g} {ratios['each']:>7.3g} "
          f"{r['efficiency']:>6.3g} {r['apart']:>+6.2f}", flush=True)


def channel_table(a):
    rows = []
    if not a.json:
        print(f"{a.calls} calls each, training, survey and warm-up included; seeds {a.seed} to "
              f"{a.seed + a.seeds - 1}")
        print(CHANNELS_HEAD, flush=True)
    jets = [settings(energy, cut) for energy in a.energies for cut in CUTS]
    for process in a.processes:
        for words in jets if process.startswith("ee") else [[]]:
            result = compare_channels(a, process, words)
            rows.append({"process": process, "settings": words} | result)
            if not a.json:
                print_channels(process, words, result)
    return rows


def arguments():
    parser = argparse.ArgumentParser(prog="sh examples/matrix-elements", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--program", required=True, help=argparse.SUPPRESS)
    add("--processes", type=lambda t: t.split(","), metavar="NAMES",
        help="separated by commas: ee3j, ee4j, ee5j, ee4q, ee4qg; default ee4j,ee5j, or with "
             "--channels " + ",".join(CHANNEL_PROCESSES))
    add("--channels", action="store_true", help="with and without channels instead")
    add("--energies", type=lambda t: [float(w) for w in t.split(",")], metavar="GEV,...",
        help="default 91.188,1000; with --channels 91.188")
    add("--calls", type=peers.whole_calls, default=10**6, metavar="N", help="default 1e6")
    add("--seed", type=int, default=1, metavar="S", help="default 1")
    add("--seeds", type=peers.count, default=1, metavar="N",
        help="so many from there on: root mean square errors, medians; default 1")
    add("--threads", type=peers.count, metavar="T", help="of nis; default: its own")
    add("--json", action="store_true", help="print JSON instead of the table")
    a = parser.parse_args()
    a.processes = a.processes or (CHANNEL_PROCESSES if a.channels else PROCESSES)
    a.energies = a.energies or (ENERGIES[:1] if a.channels else ENERGIES)
    return a


def main():
    a = arguments()
    return peers.report(a, channel_table if a.channels else table, calls=a.calls, seed=a.seed)


if __name__ == "__main__":
    peers.command(main)
