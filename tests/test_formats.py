#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of events, read by programs of others: pylhe, h5py, NumPy, Pythia.

python3 test_formats.py PATH_TO_NIS WRITE_HEADERS [unittest options]
WRITE_HEADERS is the program of write_headers.c. Without one of the readers its tests are skipped;
with NIS_NEED_READERS=1 they fail then, but for Pythia's.
"""

import glob
import importlib.util
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree

NIS = ""
HEADERS = ""
SMALL = "--layers 2 --hidden-layers 1 --hidden-width 8 --bins 8 --replay 2".split()
READERS = {"lhe": "pylhe", "lhe3": "pylhe", "lheh5": "h5py", "hdf5": "h5py", "npy": "numpy",
           "text": "numpy"}
ENDINGS = {"lhe": "lhe", "lhe3": "lhe", "lheh5": "lheh5", "hdf5": "h5", "npy": "npy", "text": "txt"}
PATIENCE = 100
PULL = 3.95  # errors: beyond it with 1e-3, where they stand on the spread of 16 nets of points


def parts(path):
    """What is being written, or was when its writer was killed"""
    return glob.glob(glob.escape(path) + ".??????.part")


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
        return nis("events", name, "-n", number, "-o", path, "--force", "--calls", 20000, "--quiet",
                   *words, *SMALL, **more)


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


def read_outputs(name, path, extra):
    import numpy
    if name == "npy":
        return numpy.load(path)["outputs"]
    if name == "hdf5":
        import h5py
        with h5py.File(path) as file:
            return file["outputs"][:]
    return numpy.loadtxt(path, ndmin=2)[:, -extra:]


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
                                PULL * math.hypot(spread, process.error))
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
        self.assertLess(abs(sigma / process[3] - 1), PULL * (0.2 / 3000) ** 0.5)
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

    def test_outputs(self):
        need("numpy")
        for name, path in self.formats():
            if name.startswith("lhe") or path.endswith(".gz"):
                continue
            self.make(path, "--extra", 3, name="camel")
            outputs = read_outputs(name, path, 3)
            self.assertEqual(outputs.shape, (3000, 3))
            self.assertFalse(outputs.any())  # of an integrand that gives none

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
            self.assertEqual(parts(path), [])

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
            end = time.monotonic() + PATIENCE
            while not parts(path) or os.path.getsize(parts(path)[0]) < 300000:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 130)
            self.assertIn(f"holds {count(name, path)} of 1000000000000 events", stderr)
            os.remove(path)


    def test_kill(self):
        """What a killed process leaves is there to be read, and in nobody's way."""
        for name, path in self.formats():
            if path.endswith(".gz"):
                continue
            process = subprocess.Popen(
                [NIS, "events", "ee3j", "-n", "1e12", "-o", path, "--calls", "5000", "--format",
                 name, *SMALL], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(process.kill)
            end = time.monotonic() + PATIENCE
            while not parts(path) or os.path.getsize(parts(path)[0]) < 1000000:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)
            process.kill()
            process.wait()
            left, = parts(path)
            self.assertFalse(os.path.exists(path))
            if name == "text":  # its last line may be cut
                with open(left, "rb+") as file:
                    file.truncate(file.read().rindex(b"\n") + 1)
            events = count(name, left)
            self.assertGreater(events, 100)
            if name == "npy":  # all but what was on its way
                self.assertLess(os.path.getsize(left) - 256 - 56 * events, 56 * 20000)
            self.make(path, "--format", name, number=100)
            self.assertEqual(count(name, path), 100)
            self.assertEqual(parts(path), [left])
            os.remove(path)
            os.remove(left)

    def test_two_writers(self):
        for name, path in self.formats():
            numbers = 20000, 30000, 40000
            processes = [subprocess.Popen(
                [NIS, "events", "ee3j", "-n", str(n), "-o", path, "--calls", "5000", "--format",
                 name, "--quiet", "--force", *SMALL], stdout=subprocess.DEVNULL) for n in numbers]
            self.assertEqual([process.wait(PATIENCE) for process in processes], [0, 0, 0])
            self.assertIn(count(name, path), numbers)
            self.assertEqual(parts(path), [])
            os.remove(path)


class Headers(Files):
    """Whatever the header of nis_event_options holds, every format can be read."""

    def write(self, *headers):
        paths = []
        for i, header in enumerate(headers):
            paths.append(os.path.join(self.folder, str(i)))
            with open(paths[-1], "wb") as file:
                file.write(header)
        subprocess.run([HEADERS, *paths], check=True, timeout=PATIENCE)
        return paths

    def check(self, path):
        """Reads the files; the lines that the header became"""
        for ending in ".lhe", ".3.lhe":
            with open(path + ending, "rb") as file:
                text = file.read()
            root = ElementTree.fromstring(text)
            self.assertEqual([child.tag for child in root], ["header", "init"] + 3 * ["event"])
            self.assertEqual(len(root[0]), 0 if ending == ".lhe" else 2)
            self.assertEqual(text.count(b"<event"), 3)
            if ending == ".lhe":
                lines = root[0].text.split("\n")
                self.assertEqual(root[0].text.splitlines(), lines[:-1])
        with open(path + ".txt", encoding="utf-8", newline="") as file:
            text = file.read()
        self.assertEqual(len([line for line in text.splitlines() if line[0] != "#"]), 3)
        if has("h5py") and os.path.exists(path + ".h5"):
            import h5py
            with h5py.File(path + ".h5") as file:
                self.assertEqual(file.attrs["header"].splitlines()[7:], lines[8:-1])
        return lines[8:-1]

    def test_text(self):
        plain = "process: e\u207be\u207a \u2192 \u00fc\t\U0001f600\nx: 2"
        path, = self.write(plain.encode())
        self.assertEqual(self.check(path), plain.split("\n"))

    def test_markup(self):
        lines = ["]]>", "<!-- -- -->", "</header>", "<event>", "&amp; &bogus; <![CDATA[",
                 "<?xml ?>"]
        path, = self.write("\r\n".join(lines).encode())
        self.assertEqual(self.check(path), lines)

    def test_bytes(self):
        path, *others = self.write(b"a\x01b\x1b[31m\x7f \xff\xc3( \xc0\x80 \xed\xa0\x80 "
                                   b"\xc2\x85 \xef\xbf\xbf",
                                   *(b"a" + bytes([i]) + b"b" for i in range(1, 256)))
        self.assertEqual(self.check(path), [
            r"a\x01b\x1b[31m\x7f \xff\xc3( \xc0\x80 \xed\xa0\x80 \xc2\x85 \xef\xbf\xbf"])
        for path in others:
            self.check(path)

    def test_fuzz(self):
        rng = random.Random(1)
        pieces = [b"<", b">", b"&", b"]]>", b"--", b"\r", b"\n", b"\r\n", b"</header>", b"#", b'"',
                  b"'", "\u2028".encode(), "\ufffe".encode(), "\u0085".encode(),
                  "\U0010ffff".encode(),
                  b"\xf4\x90\x80\x80", b"\xed\xbf\xbf", b"\xe2\x80", b"\\x41", b"%s%n", b"\xf8\x88"]
        headers = [b"".join(rng.choice(pieces) if rng.random() < 0.5
                            else bytes([rng.randrange(1, 256)])
                            for _ in range(rng.randrange(60))) for _ in range(300)]
        for path in self.write(*headers):
            with self.subTest(path=path):
                self.check(path)


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
    NIS = os.path.abspath(sys.argv.pop(1))
    HEADERS = os.path.abspath(sys.argv.pop(1))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # & in scripts has it ignored
    unittest.main(verbosity=2)
