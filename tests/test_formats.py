#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of events, read by programs of others: pylhe, h5py, NumPy, Pythia.

python3 test_formats.py PATH_TO_NIS [unittest options]
Without one of the readers its tests are skipped; with NIS_NEED_READERS=1 they fail then, but for
Pythia's.
"""

import importlib.util
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

NIS = ""
SMALL = "--layers 2 --hidden-layers 1 --hidden-width 8 --bins 8 --replay 2".split()
READERS = {"lhe": "pylhe", "lhe3": "pylhe", "lheh5": "h5py", "hdf5": "h5py", "npy": "numpy",
           "text": "numpy"}
ENDINGS = {"lhe": "lhe", "lhe3": "lhe", "lheh5": "lheh5", "hdf5": "h5", "npy": "npy", "text": "txt"}
PATIENCE = 100


def has(module):
    return importlib.util.find_spec(module) is not None


def need(*modules):
    """Skips what cannot be read here."""
    for module in modules:
        if not has(module) and os.environ.get("NIS_NEED_READERS") != "1":
            raise unittest.SkipTest(f"{module} is not installed")


def nis(*words, code=0, **more):
    done = subprocess.run([NIS, *map(str, words)], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=PATIENCE, **more)
    assert done.returncode == code, done
    return done


def has_hdf5():
    done = subprocess.run([NIS, "events", "camel", "-n", "1", "--calls", "100", "-o",
                           "/nonexistent/x.h5"], text=True, capture_output=True, timeout=PATIENCE)
    return "libnis_hdf5.so" not in done.stderr


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, ending):
        return os.path.join(self.folder, "events." + ending)

    def formats(self):
        for name in READERS:
            with self.subTest(format=name):
                need(READERS[name])
                if name in ("lheh5", "hdf5") and not has_hdf5():
                    self.skipTest("without HDF5")
                yield name, self.path(ENDINGS[name])
                if name in ("lhe", "lhe3", "text"):
                    yield name, self.path(ENDINGS[name] + ".gz")

    def make(self, path, *words, name="ee3j", number=3000, **more):
        return nis("events", name, "-n", number, "-o", path, "--calls", 20000, "--quiet", *words,
                   *SMALL, **more)


# ---- readers: each gives weights (summing to N times the integral) and x or momenta -----------


def read_lhe(path):
    import numpy
    import pylhe
    file = pylhe.LHEFile.fromfile(path, generator=False)
    events = list(file.events)
    momenta = [[(p.e, p.px, p.py, p.pz) for p in event.particles] for event in events]
    return file, numpy.array([e.eventinfo.weight for e in events]), numpy.array(momenta)


def read_lheh5(path):
    import h5py
    with h5py.File(path) as file:
        columns = [str(name) for name in file["events"].attrs["events"]]
        events = {name: file["events"][:, i] for i, name in enumerate(columns)}
        rows = file["particles"][:].reshape(len(events["pid"]), -1, 13)
        return file["procInfo"][0], events, rows[:, :, [9, 6, 7, 8]], rows


def read_points(name, path):
    """x, weight, log_q of a file without particles"""
    import numpy
    if name == "npy":
        rows = numpy.load(path)
        return rows["x"], rows["weight"], rows["log_q"]
    if name == "hdf5":
        import h5py
        with h5py.File(path) as file:
            return file["x"][:], file["weight"][:], file["log_q"][:]
    rows = numpy.loadtxt(path, ndmin=2)
    return rows[:, :-1], rows[:, -1], None


def count(name, path):
    if name.startswith("lhe") and name != "lheh5":
        return len(read_lhe(path)[1])
    if name == "lheh5":
        return len(read_lheh5(path)[1]["pid"])
    return len(read_points(name, path)[1])


class Content(Files):
    def test_lhe(self):
        import math
        for name in "lhe", "lhe3":
            for zipped in "", ".gz":
                need("pylhe")
                path = self.path("lhe" + zipped)
                self.make(path, "--format", name)
                file, weights, momenta = read_lhe(path)
                info, process = file.init.initInfo, file.init.procInfo[0]
                self.assertEqual(len(weights), 3000)
                self.assertEqual((info.beamA, info.beamB, info.weightingStrategy), (11, -11, -4))
                self.assertEqual((info.energyA, info.energyB), (45.594, 45.594))
                off = momenta[:, :2].sum(axis=1) - momenta[:, 2:].sum(axis=1)
                self.assertLess(abs(off).max(), 1e-12 * 91.188)
                masses = momenta[..., 0] ** 2 - (momenta[..., 1:] ** 2).sum(axis=-1)
                self.assertLess(abs(masses).max(), 1e-12 * 91.188 ** 2)
                spread = weights.std() / math.sqrt(len(weights))
                self.assertLess(abs(weights.mean() - process.xSection),
                                6 * math.hypot(spread, process.error))
                self.assertAlmostEqual(process.unitWeight, max(process.unitWeight, weights.max()))
                self.check_version(name, file, weights)

    def check_version(self, name, file, weights):
        import pylhe
        self.assertIsInstance(file, pylhe.LHEFile)
        if name == "lhe":
            return
        self.assertEqual(file.init.generators[0].name, "nis")
        events = list(file.events)
        self.assertEqual([event.weights["nominal"] for event in events], list(weights))
        trials = sum(int(event.attributes["trials"]) for event in events)
        self.assertGreater(trials, len(events))

    def test_lheh5(self):
        need("h5py", "pylhe")
        if not has_hdf5():
            self.skipTest("without HDF5")
        self.make(self.path("lhe"))
        self.make(self.path("lheh5"))
        file, _, momenta = read_lhe(self.path("lhe"))
        process, events, same, rows = read_lheh5(self.path("lheh5"))
        self.assertTrue((momenta == same).all())
        self.assertEqual(list(process[:3]), [1, 5, -1])
        self.assertEqual(process[3], file.init.procInfo[0].xSection)
        self.assertEqual(list(events["start"]), [5 * i for i in range(3000)])
        sigma = events["NOMINAL"].sum() / events["trials"].sum()
        self.assertLess(abs(sigma / process[3] - 1), 6 * (0.2 / 3000) ** 0.5)
        self.assertEqual(list(rows[0, :, 0]), [11, -11, 2, -2, 21])
        import pylhe
        again = pylhe.LHEFile.fromfile(self.path("lheh5"), generator=False)
        self.assertEqual(len(list(again.events)), 3000)

    def test_points(self):
        need("numpy")
        import numpy
        first = None
        for name, path in self.formats():
            if name.startswith("lhe") or path.endswith(".gz"):
                continue
            done = self.make(path, "--json", name="camel")
            x, weights, log_q = read_points(name, path)
            self.assertEqual((x.shape, weights.shape), ((3000, 4), (3000,)))
            import json
            report = json.loads(done.stdout)
            self.assertLess(abs(weights.mean() / report["value"] - 1), 0.02)
            self.assertAlmostEqual(weights.sum(), report["sum_weights"] * report["unit"], 6)
            first = x if first is None else first
            self.assertTrue(numpy.array_equal(x, first))
            if log_q is not None:
                self.assertTrue(numpy.isfinite(log_q).all())

    def test_metadata(self):
        need("h5py")
        if not has_hdf5():
            self.skipTest("without HDF5")
        import h5py
        self.make(self.path("h5"), "--seed", 7)
        with h5py.File(self.path("h5")) as file:
            self.assertEqual((file.attrs["seed"], file.attrs["calls"]), (7, 20000))
            self.assertIn("integrand: ee3j\n", file.attrs["header"])

    def test_threads_do_not_matter(self):
        for name, path in self.formats():
            contents = []
            for threads in 1, 2:
                self.make(path, "--format", name, "--threads", threads)
                with open(path, "rb") as file:
                    contents.append(file.read())
            self.assertEqual(*contents)


class Weights(Files):
    def test_unit_weights(self):
        need("pylhe")
        self.make(self.path("lhe"), "--unit-weights")
        file, weights, _ = read_lhe(self.path("lhe"))
        self.assertEqual(file.init.initInfo.weightingStrategy, 3)
        self.assertEqual(set(weights), {1.0})

    def test_whole_run(self):
        need("pylhe")
        self.make(self.path("lhe"), "--whole-run", "--w-max", "largest")
        file, weights, _ = read_lhe(self.path("lhe"))
        self.assertEqual(file.init.initInfo.weightingStrategy, -4)
        self.assertEqual(len(set(weights)), 1)

    def test_calls(self):
        need("h5py")
        if not has_hdf5():
            self.skipTest("without HDF5")
        self.make(self.path("lheh5"), "--event-calls", 4000, number=10 ** 9, code=3)
        _, events, _, _ = read_lheh5(self.path("lheh5"))
        self.assertEqual(events["trials"].sum(), 4000)
        self.assertLess(len(events["pid"]), 4000)


class Trouble(Files):
    """Whatever happens, what has the file's name is valid."""

    def test_full_disk(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (500000, 500000))
        for name, path in self.formats():
            done = self.make(path, "--format", name, number=200000, code=1, preexec_fn=limit)
            self.assertIn("cannot write " + path, done.stderr)
            if name in ("lheh5", "hdf5"):
                self.assertFalse(os.path.exists(path))
            else:
                events = count(name, path)
                self.assertGreater(events, 100)
                self.assertIn(f"{events} events are in it", done.stderr)
            self.assertFalse(os.path.exists(path + ".part"))

    def test_full_file_system(self):
        if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "nis",
                                           self.folder], capture_output=True).returncode:
            self.skipTest("only root may mount a small file system")
        self.addCleanup(subprocess.run, ["umount", self.folder], check=True)
        for name, path in self.formats():
            done = self.make(path, "--format", name, number=200000, code=1)
            self.assertIn("No space left on device", done.stderr)
            events = count(name, path)
            self.assertGreater(events, 100)
            self.assertIn(f"{events} events are in it", done.stderr)
            os.remove(path)

    def test_interrupt(self):
        for name, path in self.formats():
            process = subprocess.Popen(
                [NIS, "events", "ee3j", "-n", "1e12", "-o", path, "--calls", "5000", "--format",
                 name, *SMALL], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.kill)
            part = path + ".part"
            end = time.monotonic() + PATIENCE
            while not os.path.exists(part) or os.path.getsize(part) < 300000:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 130)
            self.assertIn(f"holds {count(name, path)} of 1000000000000 events", stderr)
            os.remove(path)


@unittest.skipUnless(has("pythia8mc"), "Pythia is not installed")
class Pythia(Files):
    def setUp(self):
        super().setUp()
        # Pythia's tables lie beside the module when that was put into a folder of its own.
        folder = os.path.dirname(importlib.util.find_spec("pythia8mc").origin)
        tables = os.path.join(folder, "share", "Pythia8", "xmldoc")
        if os.path.isdir(tables):
            os.environ["PYTHIA8DATA"] = tables

    def shower(self, path):
        import pythia8mc
        pythia = pythia8mc.Pythia("", False)
        for line in ("Beams:frameType = 4", "Beams:LHEF = " + path, "Print:quiet = on"):
            pythia.readString(line)
        self.assertTrue(pythia.init())
        self.assertEqual([pythia.next() for _ in range(1000)], [True] * 1000)
        self.assertFalse(pythia.next())
        info = pythia.infoPython()
        self.assertTrue(info.atEndOfFile())
        return info.sigmaGen() * 1e9

    def test_showers(self):
        need("pylhe")
        for words in ([], ["--format", "lhe3"], ["--unit-weights"],
                      ["--format", "lhe3", "--whole-run", "--w-max", "largest"]):
            for ending in "lhe", "lhe.gz":
                with self.subTest(words=words, ending=ending):
                    self.make(self.path(ending), *words, number=1000)
                    file, weights, _ = read_lhe(self.path(ending))
                    one = file.init.initInfo.weightingStrategy == 3
                    sigma = file.init.procInfo[0].xSection if one else weights.mean()
                    self.assertAlmostEqual(self.shower(self.path(ending)), sigma, 3)

    def test_showers_of_other_processes(self):
        need("pylhe")
        for name, *words in (["ee4j"], ["ee5j"], ["ee4q"], ["ee4q", "-p", "quark2=u"], ["ee4qg"],
                             ["ee4qg", "-p", "quark=s", "-p", "quark2=s"], ["ee_mumu"]):
            with self.subTest(name=name, words=words):
                self.make(self.path("lhe"), *words, name=name, number=1000)
                _, weights, _ = read_lhe(self.path("lhe"))
                self.assertAlmostEqual(self.shower(self.path("lhe")) / weights.mean(), 1, 6)


if __name__ == "__main__":
    NIS = sys.argv.pop(1)
    unittest.main(verbosity=2)
