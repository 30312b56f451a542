#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDF5 is a module: who needs it, where it is found, and what is said where it is not.

python3 test_modules.py LIBNIS NIS MODULE OTHER_LIBRARY MODULE_DIR [unittest options]
MODULE may be missing; OTHER_LIBRARY is a shared object that is none; MODULE_DIR is where modules
are installed, and must not have one.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

LIBNIS = NIS = MODULE = OTHER = MODULE_DIR = ""
FORMAT_HDF5 = 4

LOAD = """
import ctypes, sys
nis = ctypes.CDLL(sys.argv[1])
nis.nis_last_error.restype = ctypes.c_char_p
before = "hdf5_serial" in open("/proc/self/maps").read()
print(int(before), nis.nis_check_format(%d), nis.nis_last_error().decode())
""" % FORMAT_HDF5


def environment(**more):
    """Ours, without NIS_MODULES; where the library has a sanitizer, Python gets it first."""
    words = {k: v for k, v in os.environ.items() if k != "NIS_MODULES"}
    done = subprocess.run(["ldd", LIBNIS], capture_output=True, text=True, check=True)
    runtimes = re.findall(r"=> (\S*lib[a-z]+san\.so\S*)", done.stdout)
    if runtimes:
        words |= {"LD_PRELOAD": " ".join(runtimes), "ASAN_OPTIONS": "detect_leaks=0"}
    return words | more


class Modules(unittest.TestCase):
    def setUp(self):
        if os.path.exists(os.path.join(MODULE_DIR, "libnis_hdf5.so")):
            self.skipTest("a module is installed in " + MODULE_DIR)
        top = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, top)
        self.folder = os.path.join(top, "lib")
        os.mkdir(self.folder)
        self.library = shutil.copy(os.path.realpath(LIBNIS), os.path.join(self.folder, "libnis.so"))

    def status(self, modules=None):
        """Is HDF5 loaded without being asked for? Can it be? What is said?"""
        words = environment(NIS_MODULES=modules) if modules else environment()
        done = subprocess.run([sys.executable, "-c", LOAD, self.library], env=words,
                              capture_output=True, text=True, timeout=60, check=True)
        before, status, *sentence = done.stdout.split(maxsplit=2)
        self.assertEqual(before, "0")
        return int(status), sentence[0] if sentence else ""

    def copy(self, what, folder=None):
        shutil.copy(what, os.path.join(folder or self.folder, "libnis_hdf5.so"))

    def need_module(self):
        if not os.path.exists(MODULE):
            self.skipTest("built without HDF5")

    def test_nobody_is_linked_to_hdf5(self):
        for path in LIBNIS, NIS:
            done = subprocess.run(["ldd", path], capture_output=True, text=True, check=True)
            self.assertNotIn("hdf5", done.stdout)

    def test_missing(self):
        status, sentence = self.status()
        self.assertEqual(status, -1)
        for word in "libnis_hdf5.so", "libhdf5-dev", self.folder, MODULE_DIR, "NIS_MODULES":
            self.assertIn(word, sentence)

    def test_beside_the_library(self):
        self.need_module()
        self.copy(MODULE)
        self.assertEqual(self.status(), (0, ""))

    def test_where_the_environment_says(self):
        self.need_module()
        elsewhere = os.path.join(self.folder, "modules")
        os.mkdir(elsewhere)
        self.copy(MODULE, elsewhere)
        self.assertEqual(self.status(elsewhere), (0, ""))
        self.assertEqual(self.status("/nonexistent")[0], -1)

    def test_no_module(self):
        with open(os.path.join(self.folder, "libnis_hdf5.so"), "w") as file:
            file.write("not an object")
        status, sentence = self.status()
        self.assertEqual(status, -1)
        self.assertIn("cannot load " + self.folder, sentence)

    def test_another_library(self):
        self.copy(OTHER)
        status, sentence = self.status()
        self.assertEqual(status, -1)
        self.assertIn("is not of this libnis", sentence)

    def test_list_names_what_is_there(self):
        program = shutil.copy(NIS, os.path.join(self.folder, "nis"))

        def formats():
            done = subprocess.run([program, "list", "ee3j"], env=environment(), capture_output=True,
                                  text=True, check=True, timeout=60)
            return done.stdout
        text = formats()
        self.assertIn("events: lhe, lhe3, npy, text\n", text)
        self.assertIn("without hdf5 and lheh5: ", text)
        self.need_module()
        self.copy(MODULE)
        text = formats()
        self.assertIn("events: lhe, lhe3, lheh5, hdf5, npy, text\n", text)
        self.assertNotIn("without", text)


if __name__ == "__main__":
    LIBNIS, NIS, MODULE, OTHER, MODULE_DIR = sys.argv[1:6]
    del sys.argv[1:6]
    unittest.main(verbosity=2)
