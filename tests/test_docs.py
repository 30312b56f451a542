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
        compiler, *words = shlex.split(os.environ.get("CC", "cc"))
        # by its path: a wrapper must not find itself
        wrapper(os.path.join(tools, "gcc"), shlex.join([shutil.which(compiler), *words]))
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


# Files of the method whose constants method.md has, all of them but sizes of blocks in memory
METHOD = ["src/flow", "src/mixture", "src/training", "src/estimation", "src/api/goal.c",
          "src/api/options.h", "src/api/settings.c"]
SIZES = {"MOST_THREADS", "MOST_REPLAY", "MOST_SOBOL_DIM", "COMPONENT_BLOCK", "LEAST_DOUBLED",
         "NIS_STOP_LEFT", "MOST_TIMED", "MOST_WITH_COMPONENTS", "SINGLES", "SAMPLE",
         "PARAMETER_SLICE", "FLOWS", "ROWS", "MIXTURE_BLOCK", "BLOCK", "ARRAYS",
         "GRADIENT_CHUNKS", "GUIDE", "SURVEYED", "LEARNERS", "REHEARSALS", "CHUNKS"}


def split(text, between=","):
    """At commas outside of brackets"""
    parts, depth = [""], 0
    for c in text:
        depth += (c in "{[(") - (c in "}])")
        if c == between and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return parts


def constants(text):
    """{name: value} of the constants that have a number in a C source"""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    found = re.findall(r"^#define (\w+) ([\d.e+-]+)$", text, re.M)
    bodies = re.findall(r"^\s*(?:static )?const (?:double|float) (\w[^;*]*);", text, re.M)
    bodies += re.findall(r"\benum \w*\s*\{([^}]*)\}", text)
    for body in bodies:
        found += [part.split("=", 1) for part in split(body) if "=" in part]
    return {re.sub(r"\[.*", "", name).strip(): plain(value) for name, value in found
            if re.match(r"\s*[-{]?[\d\[{.]", value) and plain(value) != "{0}"}


def plain(value):
    value = re.sub(r"\[CHANNEL_\w+\] = ", "", re.sub(r"\s+", " ", value.strip()))
    return re.sub(r"(?<=[\d.])f\b", "", value)


def described():
    """{file: {name: value}} of method.md"""
    text = read(os.path.join(SOURCE, "examples/docs/method.md"))
    parts = re.split(r"^### `(src/\S+)`$", text, flags=re.M)
    return {path: {name: plain(value) for name, value in
                   re.findall(r"^\* `(\w+)` = (.*?):\s", body, re.M | re.S)}
            for path, body in zip(parts[1::2], parts[2::2])}


def method_files():
    for place in METHOD:
        path = os.path.join(SOURCE, place)
        if os.path.isdir(path):
            yield from (f"{place}/{name}" for name in sorted(os.listdir(path)))
        else:
            yield place


class Text(unittest.TestCase):
    def test_constants_have_the_values_of_the_source(self):
        pages_say = described()
        self.assertGreater(len(pages_say), 20)
        for path, named in pages_say.items():
            source = constants(read(os.path.join(SOURCE, path)))
            for name, value in named.items():
                self.assertEqual(source.get(name), value, f"{name} in {path}")

    def test_no_constant_is_missing(self):
        pages_say = described()
        for path in method_files():
            missing = (set(constants(read(os.path.join(SOURCE, path)))) - SIZES
                       - set(pages_say.get(path, {})))
            self.assertEqual(missing, set(), path)

    def test_links(self):
        for page in pages():
            text = read(page)
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                path, _, anchor = target.partition("#")
                if re.match(r"\w+:", target):
                    continue
                there = os.path.join(os.path.dirname(page), path) if path else page
                self.assertTrue(os.path.exists(there), f"{target} in {page}")
                if anchor:
                    heads = re.findall(r"^#+ (.*)$", read(there), re.M)
                    names = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in heads]
                    self.assertIn(anchor, names, f"{target} in {page}")

    def test_files_that_are_named(self):
        for page in pages():
            for name in re.findall(r"`((?:src|include|examples|integrands|tests)/[\w./-]+)`",
                                   read(page)):
                self.assertTrue(os.path.exists(os.path.join(SOURCE, name)), f"{name} in {page}")

    def test_short_lines(self):
        folder = os.path.join(SOURCE, "examples/docs")
        for name in os.listdir(folder):
            if not name.endswith((".md", ".svg", ".py")):
                continue
            for line in read(os.path.join(folder, name)).splitlines():
                self.assertLessEqual(len(line.encode()), 100, f"{name}: {line}")


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
