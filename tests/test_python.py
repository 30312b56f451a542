#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python package nis on the library that was built:
NIS_LIBRARY=LIBNIS PYTHONPATH=src/python python3 test_python.py CC INCLUDE_DIR [unittest options].
"""
import contextlib
import ctypes
import doctest
import gc
import importlib
import io
import inspect
import itertools
import json
import math
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import unittest
import warnings
import weakref

SKIPPED = 77  # what meson takes for it

try:
    import numpy as np
except ImportError:
    print("NumPy is missing")
    sys.exit(SKIPPED)
with open(os.environ["NIS_LIBRARY"], "rb") as _file:
    if re.search(b"__[at]san_init", _file.read()):
        print("Python cannot load what a sanitizer has instrumented")
        sys.exit(SKIPPED)

import nis  # noqa: E402
from nis import _library  # noqa: E402

CC = INCLUDE = ""


def peak(x):
    return np.exp(-((x - 0.4) ** 2).sum(axis=1) / 0.02)


def two(x):
    return np.stack([x[:, 0], 2 * x[:, 0]], axis=1)


@nis.vectorize
def decorated(x):
    return x[0]


def needs(module):
    try:
        return importlib.import_module(module)
    except ImportError:
        raise unittest.SkipTest(f"{module} is missing") from None


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory()) \
            if hasattr(self, "enterContext") else self._folder()

    def _folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def near(self, result, exact, sigmas=5):
        self.assertLess(abs(result.value - exact), sigmas * result.error + 1e-12)

    @contextlib.contextmanager
    def silent(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield


class Headers(Case):
    STRUCTS = {"nis_option": "OptionRow", "nis_result": "ResultStruct",
               "nis_progress": "ProgressStruct", "nis_point_block": "PointBlockStruct",
               "nis_event_block": "EventBlockStruct", "nis_particle": "ParticleStruct",
               "nis_event": "EventStruct", "nis_share": "ShareStruct",
               "nis_unweighting": "UnweightingStruct", "nis_event_summary": "EventSummaryStruct",
               "nis_pulled_event": "PulledEventStruct", "nis_channel_result": "ChannelStruct"}

    def compiled(self, text):
        """What a C program with this in main prints"""
        with open(self.path("layout.c"), "w", encoding="utf-8") as file:
            file.write('#include <nis_events.h>\n#include <stddef.h>\n#include <stdio.h>\n'
                       "#define MEMBER(s, m) printf(\"%s.%s %zu %zu\\n\", #s, #m, offsetof(s, m), "
                       "sizeof((s *)0)->m)\n#define WHOLE(s) printf(\"%s %zu\\n\", #s, sizeof(s))\n"
                       f"int main(void) {{\n{text} return 0; }}\n")
        subprocess.run([*CC.split(), "-I", INCLUDE, self.path("layout.c"), "-o",
                        self.path("layout")], check=True)
        return subprocess.run([self.path("layout")], check=True, stdout=subprocess.PIPE,
                              universal_newlines=True).stdout

    def test_structs(self):
        program, expected = "", ""
        for name, kind in self.STRUCTS.items():
            struct = getattr(_library, kind)
            program += f"WHOLE({name});\n"
            expected += f"{name} {ctypes.sizeof(struct)}\n"
            for member, *_ in struct._fields_:
                field = getattr(struct, member)
                program += f"MEMBER({name}, {member});\n"
                expected += f"{name}.{member} {field.offset} {field.size}\n"
        self.assertEqual(self.compiled(program), expected)

    def test_options_and_saved(self):
        from nis._options import EVENTS, RUN
        saved = _library.saved_struct(RUN.size)
        self.assertEqual(
            self.compiled("WHOLE(nis_options); WHOLE(nis_event_options); WHOLE(nis_saved);\n"
                          "MEMBER(nis_saved, options); MEMBER(nis_saved, result);\n"),
            f"nis_options {RUN.size}\nnis_event_options {EVENTS.size}\n"
            f"nis_saved {ctypes.sizeof(saved)}\n"
            f"nis_saved.options {saved.options.offset} {RUN.size}\n"
            f"nis_saved.result {saved.result.offset} {saved.result.size}\n")

    def test_enums(self):
        text = ""
        for header in "nis.h", "nis_events.h":
            with open(os.path.join(INCLUDE, header), encoding="utf-8") as file:
                text += re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        for kind, prefix in ((nis.Status, "NIS_"), (nis.Doubt, "NIS_"), (nis.Stop, "NIS_STOP_"),
                             (nis.Phase, "NIS_")):
            names = [prefix + member.name for member in kind]
            body = re.search(r"enum \{([^}]*\b%s\b[^}]*)\}" % names[-1], text)[1]
            self.assertEqual(re.findall(r"NIS_\w+", body), names)
            program = "".join(f'printf("%d ", {name});' for name in names)
            self.assertEqual(self.compiled(program).split(), [str(int(m)) for m in kind])

    def test_annotations_are_the_members(self):
        for public, struct in ((nis.Result, _library.ResultStruct),
                               (nis.Progress, _library.ProgressStruct),
                               (nis.EventSummary, _library.EventSummaryStruct)):
            members = {name for name, *_ in struct._fields_}
            self.assertLessEqual(members, set(public.__annotations__))


class Integrate(Case):
    def test_value(self):
        with self.silent():
            r = nis.integrate(peak, 3, calls=10000, seed=3)
        self.near(r, (math.sqrt(0.02 * math.pi)) ** 3)
        self.assertLess(r.error, 1e-3 * r.value)
        self.assertEqual((r.status, r.stop, r.doubts, r.seed), (0, 0, 0, 3))
        self.assertLessEqual(r.calls, 10000)

    def test_limits_and_dim(self):
        with self.silent():
            for options in ({"limits": [(0, 2), (1, 4)]}, {"lower": [0, 1], "upper": [2, 4]},
                            {"dim": 2, "lower": np.array([0, 1]), "upper": [2, 4]}):
                r = nis.integrate(lambda x: x[:, 0] * x[:, 1], calls=2000, **options)
                self.near(r, 15)
            r = nis.integrate(lambda x: np.ones(len(x)), 3, lower=-1, upper=1, calls=1000)
            self.near(r, 8)
            gauss = nis.integrate(lambda x: np.exp(-x[:, 0] ** 2 / 2), limits=[(-np.inf, np.inf)],
                                  calls=5000)
            self.near(gauss, math.sqrt(2 * math.pi))
            half = nis.integrate(lambda x: np.exp(-x[:, 0]), 1, upper=math.inf, calls=5000)
            self.near(half, 1)

    def test_dim_is_missing(self):
        for options in ({}, {"upper": 2}):
            with self.assertRaisesRegex(TypeError, "dim is missing"):
                nis.integrate(peak, **options)
        with self.assertRaisesRegex(TypeError, "either"):
            nis.integrate(peak, limits=[(0, 1)], upper=3)
        with self.assertRaisesRegex(ValueError, "lower must be 3 numbers"):
            nis.integrate(peak, 3, lower=[0, 1])

    def test_probe(self):
        for dim in 1, 2, 3:
            for lower, upper in ((None, None), (-math.inf, math.inf), (0, math.inf),
                                 (-math.inf, 1), (2, 1)):
                seen = []
                f = lambda x: seen.append(x) or np.zeros((len(x), 3))
                with nis.Sampler(f, dim, lower=lower, upper=upper) as s:
                    self.assertEqual(s.ncomp, 3)
                (x,) = seen
                self.assertNotEqual(len(x), dim)
                low, high = sorted((0 if lower is None else lower, 1 if upper is None else upper))
                self.assertTrue(((x > low) & (x < high)).all())
        seen = []
        nis.Sampler(lambda x: seen.append(x), 2, ncomp=1)
        self.assertEqual(seen, [])

    def test_shapes_that_are_wrong(self):
        for f in (lambda x: 1.0, lambda x: x[0], lambda x: x[:, :, None], lambda x: x[:-1, 0]):
            with self.assertRaisesRegex(ValueError, "batch=False"):
                nis.integrate(f, 4, calls=1000)
        f = lambda x: x[:, 0] if len(x) < 4 else x[1:, 0]
        with self.assertRaisesRegex(ValueError, r"returned an array of shape \(\d+,\) for \d+ "):
            nis.integrate(f, 4, calls=1000)
        with self.assertRaises(TypeError):
            nis.integrate(lambda x: x[:, 0] * 1j, 4, calls=1000)
        with self.assertRaisesRegex(TypeError, "nis.compiled"):
            nis.integrate(17, 4)

    def test_kinds_of_numbers(self):
        for f in (lambda x: np.ones(len(x), int), lambda x: np.ones(len(x), bool),
                  lambda x: [1] * len(x), lambda x: np.ones((len(x), 1), np.float32)):
            self.assertEqual(nis.integrate(f, 2, calls=1000).value, 1)

    def test_single_points(self):
        whole = nis.integrate(lambda x: x[:, 0] * x[:, 1], 2, calls=2000, seed=1)
        f = lambda x: float(x[0] * x[1])
        for r in (nis.integrate(f, 2, calls=2000, seed=1, batch=False),
                  nis.integrate(nis.vectorize(f), 2, calls=2000, seed=1)):
            self.assertEqual((r.value, r.error), (whole.value, whole.error))
        r = nis.integrate(lambda x: [x[0], x[1] ** 2], 2, calls=2000, batch=False)
        self.assertEqual(r.values.shape, (2,))
        self.assertEqual(decorated(np.array([0.5, 1])), 0.5)
        self.assertEqual(decorated.__name__, "decorated")

    def test_components(self):
        r = nis.integrate(two, 1, calls=3000)
        self.assertEqual(r.values.shape, (2,))
        self.assertAlmostEqual(r.values[1], 2 * r.values[0], 12)
        self.assertTrue(np.allclose(np.diag(r.covariance), r.errors ** 2))
        many = lambda x: np.repeat(x, 70, axis=1)
        self.assertIsNone(nis.integrate(many, 1, calls=1000).covariance)
        self.assertEqual(nis.integrate(many, 1, calls=1000, covariance=True).covariance.shape,
                         (70, 70))

    def test_own_x(self):
        """What f keeps of its points, or does to them, is its own affair."""
        kept = []

        def f(x):
            kept.append(x)
            x += 100
            return x[:, 0] - 100
        self.near(nis.integrate(f, 2, calls=1000), 0.5)
        self.assertTrue(all(((x > 100) & (x < 101)).all() for x in kept))

    def test_bits(self):
        values = {nis.integrate(peak, 3, calls=5000, seed=2, threads=threads, **more).value
                  for threads in (1, 2) for more in ({}, {"batch_points": 100}, {"serial": False})}
        self.assertEqual(len(values), 1)

    def test_threads(self):
        names = set()

        def f(x):
            names.add(threading.get_ident())
            return peak(x)
        nis.integrate(f, 3, calls=5000, threads=4)
        self.assertEqual(names, {threading.get_ident()})
        nis.integrate(f, 3, calls=8000, threads=4, serial=False, batch_points=16)
        self.assertGreater(len(names), 1)


class OptionNames(Case):
    def test_unknown(self):
        for name, near in ("rel_eror", "rel_error"), ("call", "calls"), ("uper", "upper"):
            with self.assertRaisesRegex(TypeError, f"no option '{name}': did you mean .*{near}"):
                nis.integrate(peak, 3, **{name: 1})
        for name in "dim_", "batch_params", "sink_params", "nhints", "zzzzz":
            with self.assertRaisesRegex(TypeError, "no option"):
                nis.integrate(peak, 3, **{name: 1})
        with self.assertRaisesRegex(TypeError, "functools.partial"):
            nis.integrate(peak, 3, params=1)

    def test_out_of_range(self):
        for name, value in (("bins", 1), ("calls", 0), ("rel_error", -1), ("rel_error", 2),
                            ("points", "nest"), ("calls", 1.5), ("effort", math.nan),
                            ("effort", math.inf), ("seed", -1), ("serial", 2), ("loss", "")):
            with self.assertRaisesRegex(nis.InvalidError, name) as caught:
                nis.integrate(peak, 3, **{name: value})
            self.assertEqual(caught.exception.status, nis.Status.INVALID)
            self.assertIsInstance(caught.exception, ValueError)
        for dim in 0, 257, -1:
            with self.assertRaisesRegex(nis.InvalidError, "dim"):
                nis.integrate(peak, dim)

    def test_each_kind(self):
        r = nis.integrate(peak, 3, calls=1e4, seed=2 ** 64 - 1, points="random",
                          coupling="piecewise-linear", train_share=0.25,
                          periodic=[0, 1, 0], hints=[[0.4, 0.4, 0.4]],
                          name="peak", threads=np.int64(1), call_seconds=math.inf, rel_error=None)
        self.assertEqual(r.seed, 2 ** 64 - 1)
        self.assertLess(r.train_calls, 4000)
        complete = nis.explain(3, coupling="affine", serial=True, calls=2e5)
        self.assertEqual((complete["coupling"], complete["serial"], complete["calls"]),
                         ("affine", True, 200000))
        self.assertEqual(complete["hidden_width"], 32)

    def test_discrete(self):
        def three(x):  # of each value its own integral: 0.5, 1, 1.5
            return (1 + np.array([0, 1, 2])[x[:, 1].astype(int)]) * x[:, 0]
        r = nis.integrate(three, 2, discrete=[0, 3], calls=5000)
        self.assertLess(abs(r.value - 3), 5 * r.error + 0.01)
        with nis.Sampler(three, 2, channels=3, calls=5000) as s:
            s.run()
            self.assertLess(abs(s.channel(1).value - 1), 0.1)
            with self.assertRaisesRegex(nis.InvalidError, "channel must be"):
                s.channel(3)

    def test_help(self):
        for name in nis.explain(2):
            if name not in ("dim", "nhints"):
                self.assertIn(f"    {name}: ", nis.integrate.__doc__)


class Results(Case):
    def test_shows_itself(self):
        r = nis.integrate(peak, 3, calls=5000, seed=1)
        self.assertEqual(float(r), r.value)
        self.assertRegex(repr(r), r"\A<nis.Result 0.015\d+ \+- 0.0\d+, OK>\Z")
        for part in "integral", "relative error", "calls", "OK":
            self.assertIn(part, str(r))
        self.assertTrue(r._repr_html_().startswith("<table><tr><th"))
        self.assertEqual(r.status.name, "OK")
        again = pickle.loads(pickle.dumps(r))
        self.assertEqual((again.value, str(again)), (r.value, str(r)))
        self.assertTrue(any(p.phase == nis.Phase.INTEGRATING for p in r.history))

    def test_numbers(self):
        from nis._results import with_error
        for value, error, text in ((0.123456, 0.00012, "0.12346 +- 0.00012"),
                                   (-98765, 120, "-98760 +- 120"), (1.0, 0.0, "1 +- 0"),
                                   (1e-12, 1e-14, "1.000e-12 +- 1.0e-14"),
                                   (math.nan, math.nan, "nan +- nan"),
                                   (3e9, 2e7, "3.000e+09 +- 2.0e+07"), (0.0, 0.1, "0.00 +- 0.10")):
            self.assertEqual(with_error(value, error), text)

    def test_plots(self):
        needs("matplotlib").use("Agg")
        with nis.Sampler(peak, 3, calls=3000) as s:
            r = s.run()
            r.plot().savefig(self.path("r.png"))
            s.plot(500).savefig(self.path("s.png"))
        self.assertGreater(os.path.getsize(self.path("s.png")), 1000)

    def test_without_matplotlib(self):
        r = nis.integrate(peak, 3, calls=1000)
        hidden = {"matplotlib": None, "matplotlib.pyplot": None}
        with unittest.mock.patch.dict(sys.modules, hidden):
            with self.assertRaisesRegex(ImportError, "pip install matplotlib"):
                r.plot()


class Trouble(Case):
    def test_exceptions_come_out(self):
        bad = []

        def f(x):
            if len(bad) == 1 and len(x) > 2:
                raise KeyError("mine")
            return x[:, 0]
        with nis.Sampler(f, 3, calls=3000) as s:
            bad.append(1)
            try:
                s.run()
            except KeyError as exception:
                self.assertEqual(traceback.extract_tb(exception.__traceback__)[-1].name, "f")
                self.assertEqual(exception.args, ("mine",))
            else:
                self.fail("it was lost")
            bad.clear()
            self.near(s.run(), 0.5)

    def test_out_of_other_threads(self):
        def f(x):
            if threading.get_ident() != main:
                raise KeyError("mine")
            return peak(x)
        main = threading.get_ident()
        with self.assertRaisesRegex(KeyError, "mine"):
            nis.integrate(f, 3, calls=20000, threads=4, serial=False, batch_points=16)

    def test_out_of_others(self):
        def stop(_):
            raise LookupError("mine")
        with self.assertRaisesRegex(LookupError, "mine"):
            nis.integrate(peak, 3, progress=stop)
        with nis.Sampler(peak, 3, calls=3000) as s:
            s.run()
            with self.assertRaisesRegex(LookupError, "mine"):
                s.events(10, sink=stop)
            self.assertEqual(len(s.events(10).weight), 10)

    def test_inside_of_itself(self):
        with nis.Sampler(lambda x: s.current() or x[:, 0], 2, ncomp=1) as s:
            with self.assertRaisesRegex(RuntimeError, "at work"):
                s.run()

    def test_in_one_another(self):
        inner = lambda y: nis.integrate(lambda x: x[:, 0] * y, 1, calls=64).value
        self.near(nis.integrate(lambda x: inner(x[0]), 1, calls=100, batch=False), 0.25)

    def test_bad_values(self):
        f = lambda x: np.where(x[:, 0] < 0.5, np.nan, 1.0)
        with self.assertRaisesRegex(nis.Error, "not finite") as caught:
            nis.integrate(f, 2, calls=5000)
        self.assertEqual(caught.exception.status, nis.Status.BAD_VALUES)
        self.assertNotIsInstance(caught.exception, ValueError)
        self.assertGreater(caught.exception.result.bad_calls, 1000)
        few = lambda x: np.where(x[:, 0] < 0.01, np.nan, 1.0)
        with self.assertWarnsRegex(nis.Warning, "not finite"):
            self.assertEqual(nis.integrate(few, 2, calls=5000).status, nis.Status.OK)

    def test_warnings(self):
        for category, options in ((nis.GoalMissedWarning, {"rel_error": 1e-9, "calls": 3000}),
                                  (nis.TimeLimitWarning, {"max_seconds": 0.3, "calls": 1e9})):
            with self.assertWarns(category) as caught:
                r = nis.integrate(peak, 3, **options)
            self.assertEqual(os.path.basename(caught.filename), "test_python.py")
            self.assertEqual(str(caught.warning), r.message)
            self.assertTrue(issubclass(category, nis.Warning))
        with self.assertWarns(nis.SuspectWarning):
            r = nis.integrate(lambda x: (x[:, 0] < 1e-3) * 1.0, 1, calls=300, points="random")
        self.assertTrue(r.doubts & nis.Doubt.FEW_WEIGHTS)

    def test_closed(self):
        s = nis.Sampler(peak, 3)
        s.close()
        s.close()
        self.assertIsNone(s.handle)
        with self.assertRaisesRegex(nis.Error, "closed"):
            s.run()
        other = nis.Sampler(peak, 3)
        with self.assertRaisesRegex(nis.Error, "closed"):
            other.merge(s)

    def test_goes_with_its_object(self):
        s = nis.Sampler(peak, 3)
        gone = weakref.ref(s)
        del s
        gc.collect()
        self.assertIsNone(gone())


class Interrupts(Case):
    """Ctrl-C in the integrand, in the library (seen in progress), before and in the estimate"""

    def interrupting(self, at):
        calls = itertools.count()

        def f(x):
            if next(calls) == at:
                signal.raise_signal(signal.SIGINT)
                self.fail("not reached")
            return peak(x)
        return f

    def test_in_the_integrand(self):
        with nis.Sampler(self.interrupting(3), 3, ncomp=1, batch_points=64) as s:
            with self.assertRaises(KeyboardInterrupt):
                s.train(5000)
            s.train(2000)
            self.near(s.estimate(2000), 0.0157, 10)

    def test_in_the_integrand_of_the_estimate(self):
        with nis.Sampler(self.interrupting(40), 3, ncomp=1, points="random",
                         batch_points=100) as s:
            with self.assertWarnsRegex(nis.InterruptedWarning, "interrupted"):
                r = s.estimate(1e6)
            self.assertEqual(r.status, nis.Status.STOPPED)
            self.assertGreater(r.calls, 1000)
            self.assertGreater(r.value, 0)
            self.assertGreater(s.estimate(2000).calls, r.calls)

    def test_in_the_library(self):
        for phase, error in (nis.Phase.TRAINING, True), (nis.Phase.INTEGRATING, False):
            seen = []

            def look(now):
                if now.phase == phase and now.iteration == 3 and not seen:
                    seen.append(now)
                    os.kill(os.getpid(), signal.SIGINT)
            with nis.Sampler(peak, 3, calls=20000, progress=look) as s:
                if error:
                    with self.assertRaises(KeyboardInterrupt):
                        s.run()
                else:
                    with self.assertWarns(nis.InterruptedWarning):
                        self.assertEqual(s.run().status, nis.Status.STOPPED)
            self.assertEqual(len(seen), 1)
            self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)

    def test_in_a_long_pass(self):
        """From another thread, at any moment: it is never lost"""
        for delay in 0.01, 0.05, 0.2, 0.5:
            with nis.Sampler(peak, 3, calls=1e8) as s:
                timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
                timer.start()
                with self.assertRaises(KeyboardInterrupt):
                    s.run()
                    s.run()
                timer.join()

    def test_in_one_another(self):
        """Both end."""
        def inner(_):
            look = lambda now: now.iteration == 2 and os.kill(os.getpid(), signal.SIGINT)
            with nis.Sampler(peak, 3, progress=look) as s:
                s.estimate(10000)
            self.fail("not reached")
        with self.assertRaises(KeyboardInterrupt):
            nis.integrate(inner, 1, batch=False, ncomp=1, calls=1000)

    def test_own_handler_stays(self):
        heard = []
        before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
        self.addCleanup(signal.signal, signal.SIGINT, before)
        with nis.Sampler(lambda x: os.kill(os.getpid(), signal.SIGINT) or x[:, 0], 2,
                         ncomp=1) as s:
            s.estimate(1000)
        self.assertTrue(heard)


class Stepwise(Case):
    def sampler(self, **options):
        options = {"seed": 5, **options}
        s = nis.Sampler(peak, 3, **options)
        self.addCleanup(s.close)
        s.train(4000)
        return s

    def test_estimates(self):
        s = self.sampler()
        a, b = s.estimate(3000), s.estimate(1e4)
        self.assertLess(b.error, a.error)
        self.assertEqual(s.current().value, b.value)
        s.drop_estimate()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", nis.SuspectWarning)
            self.assertTrue(math.isfinite(s.current().value))
        for calls in -1, 1.5, 0:
            with self.assertRaises(nis.InvalidError):
                s.estimate(calls)
        self.assertEqual((s.dim, s.ncomp), (3, 1))
        self.assertIn("peak, dim 3", repr(s))

    def test_parts(self):
        whole = self.sampler().estimate(6000)
        one, other = self.sampler(), self.sampler()
        one.estimate_part(6000, 1, 2)
        other.estimate_part(6000, 2, 2)
        one.merge(other)
        r = one.current()
        self.assertEqual((r.value, r.error), (whole.value, whole.error))

    def test_points(self):
        s = self.sampler()
        x, log_q, weight = s.sample(1000)
        self.assertEqual(np.abs(s.density(x) - log_q).max(), 0)
        self.assertTrue(np.allclose(weight, peak(x) / np.exp(log_q)))
        self.assertIsNone(s.sample(10, weights=False).weight)
        self.assertEqual(s.density(x[0]), log_q[0])
        for shape in (10, 2), (2,), (2, 2, 3):
            with self.assertRaises(ValueError):
                s.density(np.full(shape, 0.5))

    def test_components(self):
        with nis.Sampler(two, 1, calls=3000) as s:
            r = s.run()
            ratio = s.ratio(1, 0)
            self.assertAlmostEqual(float(ratio), 2)
            self.assertLess(ratio.error, 1e-9)
            self.assertAlmostEqual(s.combine([2, -1]).value, 0)
            self.assertAlmostEqual(s.combine([1, 0]).error, r.error)
            with self.assertRaisesRegex(ValueError, "2 numbers"):
                s.combine([1])
            with self.assertRaises(ValueError):
                s.ratio(0, 7)

    def test_files(self):
        s = self.sampler(name="peak width=0.1")
        r = s.estimate(3000)
        s.save(self.path("s.nis"))
        saved = nis.inspect(self.path("s.nis"))
        self.assertEqual((saved.name, saved.result.value), ("peak width=0.1", r.value))
        self.assertEqual((saved.options["dim"], saved.options["seed"]), (3, 5))
        after = s.estimate(3000)
        with nis.Sampler.load(self.path("s.nis"), peak) as same:
            self.assertEqual(same.current().value, r.value)
            self.assertEqual(same.estimate(3000).value, after.value)
        with nis.Sampler.load(self.path("s.nis"), peak, seed=9) as other:
            other.drop_estimate()
            self.assertNotEqual(other.estimate(3000).value, r.value)
            other.merge(s)
        for path, status in (("none.nis", nis.Status.NO_FILE), ("bad.nis", nis.Status.BAD_FILE)):
            if path == "bad.nis":
                with open(self.path(path), "w", encoding="utf-8") as file:
                    file.write("x" * 1000)
            for function in nis.inspect, lambda p: nis.Sampler.load(p, peak):
                with self.assertRaises(nis.Error) as caught:
                    function(self.path(path))
                self.assertEqual(caught.exception.status, status)

    def test_pickle(self):
        s = self.sampler()
        s.estimate(3000)
        copy = pickle.loads(pickle.dumps(s))
        self.assertEqual(copy.estimate(1000).value, s.estimate(1000).value)
        many = pickle.loads(pickle.dumps(nis.Sampler(two, 1)))
        self.assertEqual(many.ncomp, 2)
        single = pickle.loads(pickle.dumps(nis.Sampler(decorated, 2)))
        self.near(single.estimate(1000), 0.5)

    def test_resume(self):
        options = {"calls": 3000, "checkpoint": self.path("point")}
        first = nis.Sampler(peak, 3, **options)
        r = first.run()
        first.close()
        calls = []
        again = nis.Sampler.resume(lambda x: calls.append(1) or peak(x), 3, ncomp=1, **options)
        self.assertEqual(again.run().value, r.value)
        self.assertEqual(calls, [])

    def test_progress(self):
        seen = []
        r = nis.integrate(peak, 3, calls=5000, progress=seen.append)
        self.assertEqual({p.phase for p in seen}, {nis.Phase.TRAINING, nis.Phase.INTEGRATING})
        self.assertEqual(seen[-1].calls, r.calls)
        with self.silent():
            s = nis.Sampler(peak, 3, calls=5000,
                            progress=lambda now: now.phase == nis.Phase.INTEGRATING)
            self.assertEqual(s.run().status, nis.Status.STOPPED)

    def test_bars(self):
        for hidden in ({"tqdm": None, "tqdm.auto": None}, {}):
            err = io.StringIO()
            with contextlib.redirect_stderr(err), unittest.mock.patch.dict(sys.modules, hidden):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    nis.integrate(peak, 3, calls=5000, progress=True)
            self.assertIn("integrating", err.getvalue())
            self.assertTrue(err.getvalue().endswith("\n"))

    def test_sink(self):
        """The points of the estimate, with their weights"""
        blocks = []
        r = nis.integrate(peak, 3, calls=5000, sink=blocks.append)
        x = np.concatenate([b.x for b in blocks])
        weight = np.concatenate([b.weight for b in blocks])
        self.assertEqual((blocks[0].before, blocks[0].iteration), (0, 0))
        self.assertEqual(len(x), r.calls - r.train_calls)
        self.assertTrue(np.allclose(peak(x) / np.exp(np.concatenate([b.log_q for b in blocks])),
                                    weight))
        self.assertAlmostEqual(weight.mean(), r.value, delta=5 * r.error)
        self.assertEqual(blocks[0].components.shape, (blocks[0].n, 1))


    def test_sink_that_stops(self):
        with self.silent():
            r = nis.integrate(peak, 3, calls=20000, sink=lambda block: True)
        self.assertEqual(r.status, nis.Status.STOPPED)

        def fail(block):
            raise LookupError("mine")
        with self.assertRaisesRegex(LookupError, "mine"):
            nis.integrate(peak, 3, calls=20000, sink=fail)

    def test_outputs(self):
        """Columns behind the values go to sink, particles and events with their points."""
        f = lambda x: np.column_stack([x[:, 0], x[:, 0] ** 2, x[:, 1] + 5, x[:, 2] - 5])
        blocks, seen = [], []
        with nis.Sampler(f, 3, extra=2, calls=5000, sink=blocks.append) as s:
            self.assertEqual(s.ncomp, 2)
            s.run()
            e = s.events(50)
            event = next(s.event_stream())

            def legs(x, event):
                seen.append((x, event.outputs))
                event.add(-11, (1, 0, 0, 1), status=-1)
                event.add(11, (1, 0, 0, -1), status=-1)
                event.add(22, (2, 0, 0, 0))
            s.events(5, path=self.path("e.lhe"), particles=legs)
            s.save(self.path("s.nis"))
        with nis.Sampler.load(self.path("s.nis"), f) as same:
            self.assertEqual(same.ncomp, 2)
            self.assertEqual(same.events(5).outputs.shape, (5, 2))
        pairs = [(b.x, b.outputs) for b in blocks] + [(e.x, e.outputs)]
        pairs += [(x[None], outputs[None]) for x, outputs in [*seen, (event.x, event.outputs)]]
        for x, outputs in pairs:
            self.assertEqual(np.abs(outputs - (x[:, 1:] + [5, -5])).max(), 0)
        self.assertEqual(blocks[0].components.shape, (blocks[0].n, 2))
        self.assertGreaterEqual(len(seen), 5)


class SomeEvents(Case):
    def setUp(self):
        super().setUp()
        self.s = nis.Sampler(peak, 3, calls=5000, seed=4)
        self.addCleanup(self.s.close)
        self.r = self.s.run()

    def test_arrays(self):
        e = self.s.events(1000)
        self.assertEqual((e.x.shape, e.weight.shape, e.trials.dtype), ((1000, 3), (1000,), "u8"))
        self.assertEqual(e.summary.events, 1000)
        self.assertEqual(e.trials.sum(), e.summary.trials)
        self.assertLess(abs(e.x.mean() - 0.4), 0.02)
        self.assertGreater(e.summary.efficiency.value, 0.1)
        self.assertEqual(list(e.summary.rules), ["tail", "largest", "quantile", "median"])
        some = self.s.events(calls=1000, w_max="largest", unit_weights=True)
        self.assertEqual(set(some.weight), {1.0})
        with self.assertWarns(nis.GoalMissedWarning):
            self.assertLess(len(self.s.events(10 ** 6, calls=100).weight), 101)
        with self.assertRaises(nis.InvalidError):
            self.s.events()
        with self.assertRaisesRegex(TypeError, "w_max"):
            self.s.events(10, wmax="tail")

    def test_stream(self):
        twin = nis.Sampler(peak, 3, calls=5000, seed=4)
        twin.run()
        e = twin.events(50)
        for i, event in enumerate(itertools.islice(self.s.event_stream(), 50)):
            self.assertEqual(list(event.x), list(e.x[i]))
            self.assertEqual((event.weight, event.trials), (e.weight[i], e.trials[i]))
        with nis.Sampler(lambda x: 1.0 * (x[:, 0] < 1e-4), 1, ncomp=1, seed=1) as s:
            with self.assertWarns(nis.SuspectWarning):
                s.estimate(10 ** 5)
            with self.assertWarns(nis.GoalMissedWarning):
                self.assertLess(len(list(itertools.islice(s.event_stream(calls=1), 1000))), 1000)

    def test_files(self):
        path = self.path("e.npy")
        e = self.s.events(100, path=path, header="run: 7\n")
        self.assertEqual(len(e.weight), 0)
        self.assertEqual(np.load(path).shape[0], 100)
        with self.assertRaises(nis.Error) as caught:
            self.s.events(100, path=path)
        self.assertEqual(caught.exception.status, nis.Status.NO_FILE)
        self.s.events(100, path=path, force=True, sink=lambda block: None)
        other = nis.Sampler(peak, 3, calls=5000, seed=4)
        other.run()
        paths = [self.path("a.txt"), self.path("b.txt")]
        other.events(calls=500, path=paths[0])
        other.events(calls=500, path=paths[1])
        nis.merge_events(paths, self.path("all.txt"))

    def test_particles(self):
        def decay(x, event):
            event.scale, event.alpha_em, event.alpha_s = 91.2, 1 / 128, 0.118
            event.add(-11, (45.6, 0, 0, 45.6), status=-1)
            event.add(11, (45.6, 0, 0, -45.6), status=-1)
            event.add(13, (45.6, 45.6, 0, 0), mother=(1, 2))
            event.add(-13, (45.6, -45.6, 0, 0), mother=(1, 2))
        self.s.events(20, path=self.path("e.lhe"), particles=decay)
        with open(self.path("e.lhe"), encoding="utf-8") as file:
            self.assertEqual(file.read().count("<event>"), 20)
        with self.assertRaisesRegex(ValueError, "16"):
            self.s.events(20, path=self.path("f.lhe"),
                          particles=lambda x, event: [event.add(1, (1, 0, 0, 1))
                                                      for _ in range(17)])


class CompiledFunctions(Case):
    SOURCE = """#include <math.h>
        #include <stddef.h>
        double one(double *x, size_t dim, void *params)
        {
          double width = params ? *(double *)params : 1;
          return exp(-x[0] / width) + 0 * dim;
        }
        int many(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
        {
          for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < ncomp; c++) f[i * ncomp + c] = (double)(c + 1) * x[i * dim];
          return params != NULL;
        }
        """

    def setUp(self):
        super().setUp()
        with open(self.path("f.c"), "w", encoding="utf-8") as file:
            file.write(self.SOURCE)
        subprocess.run([*CC.split(), "-shared", "-fPIC", self.path("f.c"), "-o",
                        self.path("f.so"), "-lm"], check=True)
        self.lib = ctypes.CDLL(self.path("f.so"))

    def exact(self, width):
        return width * (1 - math.exp(-1 / width))

    def test_ctypes(self):
        with self.silent():
            self.near(nis.integrate(self.lib.one, 2, calls=5000), self.exact(1))
            width = ctypes.c_double(0.2)
            self.near(nis.integrate(self.lib.one, 2, params=width, calls=5000), self.exact(0.2))
            f = nis.compiled(self.lib.one, params=np.array([0.3]))
            self.near(nis.integrate(f, 2, calls=5000), self.exact(0.3))
            r = nis.integrate(nis.compiled(self.lib.many, batch=True, ncomp=3), 2, calls=3000)
            self.assertTrue(np.allclose(r.values, [0.5, 1, 1.5], rtol=0.01))
            r = nis.integrate(nis.compiled(self.lib.many, batch=True), 2, ncomp=2, calls=3000)
            self.assertEqual(len(r.values), 2)
            address = ctypes.cast(self.lib.one, ctypes.c_void_p).value
            self.near(nis.integrate(nis.compiled(address), 2, calls=5000), self.exact(1))

    def test_arguments_tell(self):
        d, p = ctypes.c_size_t, ctypes.c_void_p
        self.lib.many.argtypes = [d, d, p, d, p, p]
        self.near(nis.integrate(self.lib.many, 2, calls=3000), 0.5)
        with self.assertRaisesRegex(ValueError, "6"):
            nis.compiled(self.lib.many, batch=False)
        with self.assertRaisesRegex(ValueError, "ncomp"):
            nis.compiled(self.lib.one, ncomp=2)

    def test_refusal(self):
        f = nis.compiled(self.lib.many, batch=True, params=ctypes.c_int())
        with self.assertRaises(nis.Error) as caught:
            nis.integrate(f, 2, calls=3000)
        self.assertEqual(caught.exception.status, nis.Status.CALLBACK)
        with self.assertRaisesRegex(TypeError, "another process"):
            pickle.dumps(nis.Sampler(nis.compiled(self.lib.one), 2))

    def test_python_goes_on(self):
        """Other threads of Python run while the library does."""
        ticks, over = [], threading.Event()

        def tick():
            while not over.wait(0.001):
                ticks.append(1)
        other = threading.Thread(target=tick)
        other.start()
        nis.integrate(self.lib.one, 4, calls=10000)
        over.set()
        other.join()
        self.assertGreater(len(ticks), 20)

    def test_numba(self):
        numba = needs("numba")

        @numba.cfunc(nis.scalar_signature)
        def one(x, dim, params):
            return math.exp(-x[0])

        @numba.cfunc(nis.batch_signature)
        def many(n, dim, x, ncomp, f, params):
            for i in range(n):
                for c in range(ncomp):
                    f[i * ncomp + c] = (c + 1) * x[i * dim]
            return 0
        with self.silent():
            self.near(nis.integrate(one, 2, calls=3000), self.exact(1))
            self.assertEqual(len(nis.integrate(many, 2, ncomp=2, calls=3000).values), 2)

    def test_scipy(self):
        scipy = needs("scipy")
        self.lib.one.restype = ctypes.c_double
        self.lib.one.argtypes = [ctypes.POINTER(ctypes.c_double), ctypes.c_size_t, ctypes.c_void_p]
        width = ctypes.c_double(0.2)
        width_pointer = ctypes.cast(ctypes.byref(width), ctypes.c_void_p)
        f = scipy.LowLevelCallable(self.lib.one, width_pointer)
        self.near(nis.integrate(f, 2, calls=5000), self.exact(0.2))
        new = ctypes.pythonapi.PyCapsule_New
        new.restype = ctypes.py_object
        new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        signature = b"double (double *, size_t, void *)"  # as Cython makes them
        capsule = new(ctypes.cast(self.lib.one, ctypes.c_void_p), signature, None)
        f = scipy.LowLevelCallable(capsule, width_pointer)
        self.near(nis.integrate(f, 2, calls=5000), self.exact(0.2))

    def test_cffi(self):
        ffi = needs("cffi").FFI()
        ffi.cdef("double one(double *x, size_t dim, void *params);")
        lib = ffi.dlopen(self.path("f.so"))
        f = ffi.addressof(lib, "one")
        self.near(nis.integrate(f, 2, calls=5000), self.exact(1))
        width = ffi.new("double *", 0.2)
        self.near(nis.integrate(f, 2, params=width, calls=5000), self.exact(0.2))


class Documentation(Case):
    def test_examples(self):
        for name in "_integrand", "_results", "_sampler":
            found = doctest.testmod(importlib.import_module(f"nis.{name}"))
            self.assertEqual(found.failed, 0)
            self.assertGreater(found.attempted, 0)

    def test_all_is_explained(self):
        for name in nis.__all__:
            thing = getattr(nis, name)
            self.assertTrue(thing.__doc__, name)
            for member, function in inspect.getmembers(thing, inspect.isfunction):
                if not member.startswith("_") and function.__module__.startswith("nis"):
                    self.assertTrue(function.__doc__, f"{name}.{member}")
        self.assertRegex(nis.__version__, r"\A\d+\.\d+\.\d+\Z")


class Programs(Case):
    """What the tree has of them; the long suite runs these."""

    def test_readme(self):
        """Its first program is examples/first.py, and runs."""
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        with open(os.path.join(root, "README.md"), encoding="utf-8") as file:
            program = re.search(r"^```python\n(.*?)^```$", file.read(), re.M | re.S)[1]
        with open(os.path.join(root, "examples/first.py"), encoding="utf-8") as file:
            self.assertEqual(program, file.read())
        printed = subprocess.run([sys.executable, "-c", program], check=True,
                                 stdout=subprocess.PIPE, universal_newlines=True).stdout
        self.assertRegex(printed, r"\A0\.0442\d\d \+- 0\.0000\d\d \n\Z")

    def test_benchmark(self):
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        program = os.path.join(root, "src/python/benchmarks/callback_cost.py")
        printed = subprocess.run(
            [sys.executable, program, "--points", "4096", "--repeats", "2", "--batches", "512"],
            check=True, stdout=subprocess.PIPE, universal_newlines=True,
            env={**os.environ, "CC": CC.split()[-1]}).stdout
        for line in "C, one point a call", "Python, 512 points a call", "Python, batch=False":
            self.assertIn(line, printed)

    def test_notebook(self):
        needs("matplotlib").use("Agg")
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        with open(os.path.join(root, "examples/two-peaks.ipynb"), encoding="utf-8") as file:
            cells = json.load(file)["cells"]
        code = "".join("".join(cell["source"]) + "\n" for cell in cells
                       if cell["cell_type"] == "code")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            names = {}
            exec(code.replace("calls=1e5", "calls=1e4"), names)
        self.assertEqual(names["r"].status, nis.Status.OK)


if __name__ == "__main__":
    import unittest.mock
    CC, INCLUDE = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
