#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call of the integrand costs from Python: NIS_LIBRARY=LIBNIS PYTHONPATH=src/python:...

Nanoseconds of processor time for a point, by the difference between drawing points with weights
and without, on one thread. All rows but the first are of the same function, x0 x1 x2 x3. "alone"
is NumPy's own time for it, on arrays of as many points; a Python callback costs that, what the
library does with each value (the first row), and Python's part.
"""
import argparse
import ctypes
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import numpy as np

import nis

SOURCE = """#include <stddef.h>
double product(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return x[0] * x[1] * x[2] * x[3];
}
"""
DIM = 4


def product(x):
    return x[:, 0] * x[:, 1] * x[:, 2] * x[:, 3]


def least(times):
    """The median of the smaller half: others use this machine too."""
    times = sorted(times)
    return statistics.median(times[:(len(times) + 1) // 2])


def seconds(function, *arguments, **options):
    start = time.thread_time()
    function(*arguments, **options)
    return time.thread_time() - start


def cost(f, points, repeats, **options):
    """ns of f and what surrounds it for a point"""
    with nis.Sampler(f, DIM, threads=1, **options) as sampler:
        sampler.sample(points)
        pairs = [(seconds(sampler.sample, points), seconds(sampler.sample, points, weights=False))
                 for _ in range(repeats)]
    return 1e9 * (least(a for a, _ in pairs) - least(b for _, b in pairs)) / points


def alone(f, batch, points, repeats):
    x = np.random.default_rng(1).random((batch, DIM))
    calls = max(1, points // batch)

    def loop():
        for _ in range(calls):
            f(x)
    return 1e9 * least(seconds(loop) for _ in range(repeats)) / (calls * batch)


def compiled(folder):
    compiler = shutil.which(os.environ.get("CC", "cc"))
    source, library = os.path.join(folder, "f.c"), os.path.join(folder, "f.so")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE)
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
    return ctypes.CDLL(library).product


def of_numba():
    try:
        import numba
    except ImportError:
        return None
    return numba.cfunc(nis.scalar_signature)(lambda x, dim, params: x[0] * x[1] * x[2] * x[3])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=lambda text: int(float(text)), default=1 << 19)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--batches", default="256,1024,4096,16384,65536")
    given = parser.parse_args()
    of = given.points, given.repeats
    with tempfile.TemporaryDirectory() as folder:
        c = cost(nis.compiled(compiled(folder)), *of)
    print(f"{'C, one point a call':<34}{c:8.1f} ns a point")
    numba = of_numba()
    if numba is not None:
        print(f"{'numba.cfunc, one point a call':<34}{cost(numba, *of):8.1f}")
    for batch in map(int, given.batches.split(",")):
        own, whole = alone(product, batch, *of), cost(product, *of, batch_points=batch)
        print(f"{f'Python, {batch} points a call':<34}{whole:8.1f}  NumPy alone {own:.1f}, "
              f"above it {whole - own:.1f}, above C and it {whole - own - c:.1f}")
    one = cost(lambda x: x[0] * x[1] * x[2] * x[3], max(1, given.points // 64),
               given.repeats, batch=False)
    print(f"{'Python, batch=False':<34}{one:8.1f}")


if __name__ == "__main__":
    main()
