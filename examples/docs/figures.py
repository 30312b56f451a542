#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of method.md, as SVG beside this file: minutes.

    ninja -C build src/cli/nis tests/peers/peers && python3 examples/docs/figures.py build

Names behind the folder of the build make only these: convergence, pulls, beta, weights."""

import csv
import json
import math
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = ""
COLOURS = "#1b6ca8", "#c8501e", "#3c8c3c", "#7d4f9e"

WEIGHTS = r"""
#include <math.h>
#include <nis.h>
#include <stdio.h>

/* The camel of two Gaussians (arXiv:2001.05486), whose integral is 0.9637 */
static double camel(double *x, size_t dim, void *params)
{
  double a = 0, b = 0;
  for (size_t j = 0; j < dim; j++) a += pow(x[j] - 1. / 3, 2), b += pow(x[j] - 2. / 3, 2);
  return 0.5 * (exp(-a / 0.04) + exp(-b / 0.04)) / pow(0.2 * sqrt(M_PI), (double)dim);
}

int main(void)
{
  enum { N = 100000 };
  static double x[4 * N], w[N];
  nis *s;
  if (nis_create(&s, camel, &(nis_options){.dim = 4})) return 1;
  for (int trained = 0; trained < 2; trained++) {
    if (trained && nis_train(s, 40000)) return 1;
    if (trained && nis_estimate(s, 2, NULL) < 0) return 1;
    if (nis_sample(s, N, x, NULL, w)) return 1;
    for (int i = 0; i < N; i++) printf("%d %.6g\n", trained, w[i] / 0.963657);
  }
  nis_free(s);
  return 0;
}
"""


class Plot:
    """Axes, linear or of powers of ten, with lines, points and steps"""

    width, height = 560, 340
    left, right, top, bottom = 66, 14, 16, 46

    def __init__(self, x, y, xlog=False, ylog=False):
        self.x, self.y, self.xlog, self.ylog = x, y, xlog, ylog
        self.items = []
        self.keys = []

    @staticmethod
    def share(value, limits, log):
        low, high = (math.log10(v) for v in limits) if log else limits
        return ((math.log10(value) if log else value) - low) / (high - low)

    def at(self, x, y):
        across, up = self.share(x, self.x[1:], self.xlog), self.share(y, self.y[1:], self.ylog)
        up = min(max(up, -0.02), 1.02)
        return (self.left + across * (self.width - self.left - self.right),
                self.height - self.bottom - up * (self.height - self.top - self.bottom))

    def path(self, points, colour, dash=""):
        words = [f"{'L' if i else 'M'}{x:.1f} {y:.1f}"
                 for i, (x, y) in enumerate(self.at(*p) for p in points)]
        lines = [" ".join(words[i:i + 7]) for i in range(0, len(words), 7)]
        style = f' stroke-dasharray="{dash}"' if dash else ""
        self.items.append(f'<path fill="none" stroke="{colour}" stroke-width="1.8"{style}\n d="'
                          + "\n".join(lines) + '"/>')

    def line(self, points, colour, name="", dash="", dots=False):
        self.path(points, colour, dash)
        for p in points if dots else []:
            x, y = self.at(*p)
            self.items.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
        if name:
            self.keys.append((name, colour, dash))

    def steps(self, edges, heights, colour, name):
        points = []
        for i, height in enumerate(heights):
            points += [(edges[i], height), (edges[i + 1], height)]
        self.line(points, colour, name)

    @staticmethod
    def ticks(low, high, log):
        if log:
            return [10.0 ** k for k in range(math.ceil(math.log10(low) - 1e-9),
                                             math.floor(math.log10(high) + 1e-9) + 1)]
        step = 10 ** math.floor(math.log10((high - low) / 4))
        step *= next(k for k in (1, 2, 5, 10) if (high - low) / (k * step) <= 6)
        return [k * step for k in range(math.ceil(low / step - 1e-9),
                                        math.floor(high / step + 1e-9) + 1)]

    @staticmethod
    def label(value, log):
        if log and not 0.01 <= value <= 100:
            power = f'<tspan dy="-5" font-size="9">{round(math.log10(value))}</tspan>'
            return f"10{power}"
        return f"{value:g}"

    def frame(self):
        out, grid = [], '<path stroke="#dddddd" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>'
        text = '<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
        (_, x0, x1), (_, y0, y1) = self.x, self.y
        for v in self.ticks(x0, x1, self.xlog):
            x, y = self.at(v, y0)
            out += [grid.format(x, y, x, self.at(v, y1)[1]),
                    text.format(x, y + 16, "middle", self.label(v, self.xlog))]
        for v in self.ticks(y0, y1, self.ylog):
            x, y = self.at(x0, v)
            out += [grid.format(x, y, self.at(x1, v)[0], y),
                    text.format(x - 6, y + 4, "end", self.label(v, self.ylog))]
        middle = self.height - self.bottom + (self.top - self.height + self.bottom) / 2
        out += [text.format((self.left + self.width - self.right) / 2, self.height - 8, "middle",
                            self.x[0]),
                f'<text transform="translate(14 {middle:.0f}) rotate(-90)"'
                f'\n text-anchor="middle">{self.y[0]}</text>']
        return out

    def legend(self, corner):
        out = []
        x = self.left + 14 if "left" in corner else self.width - self.right - 190
        y = self.top + 16 if "top" in corner else self.height - self.bottom - 17 * len(self.keys)
        for i, (name, colour, dash) in enumerate(self.keys):
            at, style = y + 17 * i, f' stroke-dasharray="{dash}"' if dash else ""
            out += [f'<path stroke="{colour}" stroke-width="2"{style}'
                    f' d="M{x} {at}L{x + 22} {at}"/>',
                    f'<text x="{x + 28}" y="{at + 4}">{name}</text>']
        return out

    def save(self, name, corner="top right"):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
                f'\n width="{self.width}" height="{self.height}"\n'
                ' font-family="sans-serif" font-size="12">\n<!-- made by figures.py -->')
        parts = [head, '<rect width="100%" height="100%" fill="#ffffff"/>', *self.frame(),
                 *self.items, *self.legend(corner), "</svg>"]
        with open(os.path.join(HERE, name + ".svg"), "w", encoding="utf-8") as file:
            file.write("\n".join(parts) + "\n")


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def peer(who, row, dim, calls, seed):
    """{word: number} of a run of tests/peers/peers"""
    program = os.path.join(BUILD, "tests/peers/peers")
    text = run(program, who, row, "-d", str(dim), "-c", str(calls), "-s", str(seed))
    return {k: float(v) for k, v in (line.split() for line in text.splitlines())}


def nis(*words):
    return run(os.path.join(BUILD, "src/cli/nis"), *words)


def exact_value(row, dim):
    return json.loads(nis("integrate", row, "--dim", str(dim), "--calls", "2000", "--quiet",
                          "--json"))["exact"]


def convergence():
    """The true error against the calls that were really made, rms over seeds"""
    row, dim, seeds = "camel", 4, range(1, 7)
    exact = exact_value(row, dim)
    plot = Plot(("calls", 700, 1.2e7), ("relative error, rms of 6 seeds", 1e-5, 1),
                True, True)
    for who, name, colour, budgets in (
            ("vegas", "GSL VEGAS", COLOURS[1], (1000, 10**4, 10**5, 10**6, 10**7)),
            ("nis", "libnis", COLOURS[0], (1000, 3000, 10**4, 3 * 10**4, 10**5, 3 * 10**5))):
        points = []
        for calls in budgets:
            runs = [peer(who, row, dim, calls, seed) for seed in seeds]
            square = sum((r["value"] / exact - 1) ** 2 for r in runs) / len(runs)
            points.append((sum(r["calls"] for r in runs) / len(runs), math.sqrt(square)))
            print(f"{name:10} {points[-1][0]:10.0f} calls  {points[-1][1]:.2e}")
        plot.line(points, colour, name, dots=True)
    spread = 2.746  # of f for uniform points (arXiv:2001.05486's camel)
    plot.line([(n, spread / math.sqrt(n)) for n in (1e3, 1e7)], "#888888", "uniform points", "5 4")
    plot.save("convergence", "bottom left")


def pulls():
    """(value - exact) / error of many seeds against the normal distribution"""
    row, dim, calls, seeds = "camel", 2, 4000, range(1, 401)
    exact, edges = exact_value(row, dim), [-4 + 0.5 * i for i in range(17)]
    plot = Plot(("(value - exact) / error", -4, 4), ("share of 400 seeds, per unit", 0, 0.6))
    for who, name, colour in (("vegas", "GSL VEGAS", COLOURS[1]), ("nis", "libnis", COLOURS[0])):
        found = [peer(who, row, dim, calls, seed) for seed in seeds]
        pull = [(r["value"] - exact) / r["error"] for r in found]
        one, two = (sum(abs(p) < k for p in pull) / len(pull) for k in (1, 2))
        error = math.sqrt(sum((r["value"] / exact - 1) ** 2 for r in found) / len(found))
        print(f"{name:10} within 1 and 2 errors: {one:.3f} {two:.3f}, largest "
              f"{max(map(abs, pull)):.1f}, rms error {error:.2e}")
        heights = [sum(low <= p < low + 0.5 for p in pull) / len(pull) / 0.5 for low in edges[:-1]]
        plot.steps(edges, heights, colour, name)
    plot.line([(x / 10, math.exp(-x * x / 200) / math.sqrt(2 * math.pi)) for x in range(-40, 41)],
              "#888888", "normal", "5 4")
    plot.save("pulls")


def beta():
    """How the target sharpens, round by round"""
    plot = Plot(("calls of the training", 0, 42000), ("beta", 0, 1.05))
    spreads = Plot(("calls of the training", 0, 42000), ("relative spread of one weight", 0.1, 100),
                   ylog=True)
    for (row, dim), colour in zip((("camel", 8), ("twisted", 0), ("chain", 0)), COLOURS):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "history.csv")
            nis("integrate", row, *(("--dim", str(dim)) if dim else ()), "--calls", "1e5",
                "--quiet", "--history", path)
            with open(path, encoding="utf-8") as file:
                rounds = [r for r in csv.DictReader(file) if r["phase"] == "training"]
        found = [(float(r["calls"]), float(r["beta"])) for r in rounds]
        dims = json.loads(nis("list", row, "--json"))
        dims = dim or dims["dim_default"]
        name = f"{row}, {dims} dimensions"
        plot.line(found, colour, name)
        spreads.line([(float(r["calls"]), float(r["spread"])) for r in rounds
                      if float(r["spread"]) > 0], colour, name)
        print(row, "beta = 1 from", next((c for c, b in found if b == 1), "never"))
    plot.save("beta", "bottom right")
    spreads.save("spread")


def weights():
    """Weights of fresh points, of uniform ones and of the trained flow"""
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "w.c"), os.path.join(folder, "w")
        with open(source, "w", encoding="utf-8") as file:
            file.write(WEIGHTS)
        library = os.path.join(os.path.abspath(BUILD), "src")
        run("cc", "-O2", source, "-I", os.path.join(HERE, "../../include"), "-o", program, "-L",
            library, "-lnis", "-lm", "-Wl,-rpath," + library)
        pairs = [line.split() for line in run(program).splitlines()]
    plot = Plot(("weight over the integral", 1e-3, 100), ("points in a bin", 1, 1e5), True, True)
    edges = [10 ** (-3 + i / 8) for i in range(41)]
    for which, name, colour in (("0", "before training", COLOURS[1]),
                                ("1", "after training", COLOURS[0])):
        w = [float(v) for k, v in pairs if k == which]
        mean = sum(w) / len(w)
        spread = math.sqrt(sum((v - mean) ** 2 for v in w) / len(w)) / mean
        print(f"{name}: spread {spread:.3f}, largest {max(w):.3g}")
        heights = [sum(a <= v < b for v in w) or 1e-9 for a, b in zip(edges, edges[1:])]
        plot.steps(edges, [max(h, 1) for h in heights], colour, f"{name}, spread {spread:.2g}")
    plot.save("weights", "top left")


def main():
    global BUILD
    BUILD = sys.argv[1]
    every = {f.__name__: f for f in (convergence, pulls, beta, weights)}
    for name in sys.argv[2:] or every:
        every[name]()


if __name__ == "__main__":
    main()
