#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of examples/docs say what is so.

python3 test_docs.py BUILD_ROOT SOURCE_ROOT [unittest options]

Comments in the pages say what is done with the block of code below them:

    <!-- file: first.c -->   it is put into the page's own folder under this name
    <!-- run -->             it is run there by sh, as if libnis were installed, and must end with 0
    <!-- run: 3 -->          ... with 3
    <!-- output -->          the last run printed this. Numbers may be others, but of each pair
                             "value +- error" both must agree within six errors; a line "..." stands
                             for any number of lines, and "..." at the end of one for its rest

Programs is all that. Text is what needs no program: links, constants and their values."""

import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = SOURCE = ""
PATIENCE = 300
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
PAIR = re.compile(rf"({NUMBER}) \+- ({NUMBER})")


def pages():
    folder = os.path.join(SOURCE, "examples/docs")
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))
            if name.endswith(".md")]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def blocks(text):
    """(kind, word, code) of the blocks with a comment before them"""
    found = re.findall(r"^<!-- (file|run|output)(?:: (\S+))? -->\n+```\w*\n(.*?)^```$", text,
                       re.M | re.S)
    marks = len(re.findall(r"^<!-- (?:file|run|output)\b", text, re.M))
    if marks != len(found):
        raise AssertionError(f"{marks} marks, but {len(found)} blocks")
    return found


def shape(line):
    return re.sub(r"\s+", " ", re.sub(NUMBER, "#", line)).strip()


def agree(shown, seen):
    for (a, da), (b, db) in zip(PAIR.findall(shown), PAIR.findall(seen)):
        if abs(float(a) - float(b)) > 6 * math.hypot(float(da), float(db)):
            return False
    return True


def same_line(shown, seen):
    start = shown.rstrip().removesuffix("...")
    equal = shape(seen).startswith(shape(start)) if start != shown else shape(seen) == shape(shown)
    return equal and agree(start, seen)


def same(shown, seen):
    """Whether these lines are those, where "..." is any number of them"""
    if not shown:
        return not seen
    if shown[0].strip() == "...":
        return any(same(shown[1:], seen[i:]) for i in range(len(seen) + 1))
    return bool(seen) and same_line(shown[0], seen[0]) and same(shown[1:], seen[1:])


def wrapper(path, command):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nexec {command} \"$@\"\n")
    os.chmod(path, 0o755)


class Programs(unittest.TestCase):
    """One test a page"""

    def setUp(self):
        if not shutil.which("pkg-config"):
            self.skipTest("pkg-config is not installed")
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        tools = os.path.join(self.folder, "tools")
        self.work = os.path.join(self.folder, "work")
        os.mkdir(tools)
        os.mkdir(self.work)
        wrapper(os.path.join(tools, "nis"), shlex.quote(os.path.join(BUILD, "src/cli/nis")))
        wrapper(os.path.join(tools, "gcc"), os.environ.get("CC", "cc"))
        libraries = [os.path.join(BUILD, name) for name in ("src", "integrands")]
        self.words = os.environ | {
            "PATH": tools + ":" + os.environ["PATH"],
            "LD_LIBRARY_PATH": ":".join(libraries),
            "PKG_CONFIG_PATH": os.path.join(BUILD, "meson-uninstalled"),
            "NIS_MODULES": os.path.join(BUILD, "src")}

    def run_block(self, code, status):
        done = subprocess.run(["sh", "-e", "-c", code], cwd=self.work, env=self.words,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, status, f"{code}\n{done.stdout}{done.stderr}")
        return done.stdout

    def follow(self, name):
        seen = ""
        for kind, word, code in blocks(read(os.path.join(SOURCE, "examples/docs", name))):
            if kind == "file":
                with open(os.path.join(self.work, word), "w", encoding="utf-8") as file:
                    file.write(code)
            elif kind == "run":
                seen = self.run_block(code, int(word or 0))
            else:
                self.assertTrue(same(code.splitlines(), seen.splitlines()),
                                f"shown:\n{code}\nseen:\n{seen}")

    def test_tutorial(self):
        self.follow("tutorial.md")

    def test_cookbook(self):
        self.follow("cookbook.md")

    def test_method(self):
        self.follow("method.md")

    def test_index(self):
        self.follow("README.md")


class Compare(unittest.TestCase):
    """What the test takes for the same"""

    def test_numbers_may_differ(self):
        self.assertTrue(same(["a 1.0 +- 0.1 x"], ["a  1.2 +- 0.05 x"]))

    def test_values_must_agree(self):
        self.assertFalse(same(["a 1.0 +- 0.1"], ["a 2.0 +- 0.1"]))

    def test_words_must_be_the_same(self):
        self.assertFalse(same(["a 1"], ["b 1"]))
        self.assertFalse(same(["a 1"], ["a 1", "more"]))

    def test_dots(self):
        self.assertTrue(same(["a", "...", "c"], ["a", "b", "b", "c"]))
        self.assertFalse(same(["...", "c"], ["a"]))
        self.assertTrue(same(["a 1 ..."], ["a 2 b"]))
        self.assertFalse(same(["a 1 ..."], ["b 2 b"]))

    def test_a_mark_needs_a_block(self):
        with self.assertRaises(AssertionError):
            blocks("<!-- run -->\ntext\n")


if __name__ == "__main__":
    BUILD, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
