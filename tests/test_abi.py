#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiled callers of a released header keep working: python3 test_abi.py LIBNIS SOURCE_ROOT
[unittest options]. With --write instead of these, the list of the present header goes to standard
output: that of a release is tests/abi/VERSION, and stays as it is.

The lists hold what a caller has compiled in: sizes of structs, offsets of members, values of
constants, names of functions. Of a later header the same must be true, but structs of GROWING may
be larger, with what is new behind all that was."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

LIBRARY = ROOT = ""
HEADERS = "nis.h", "nis_events.h", "nis_histogram.h"
# Those that come with a size, and those that only the library makes
GROWING = {"nis_options", "nis_result", "nis_event_options", "nis_event_summary",
           "nis_pulled_event", "nis_progress", "nis_point_block", "nis_event_block", "nis_event",
           "nis_saved"}
SIZED = {"nis_options", "nis_result", "nis_event_options", "nis_event_summary",
         "nis_pulled_event"}


def compiler():
    return os.environ.get("CC", "cc").split()


def run(*arguments, **more):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, **more)
    if done.returncode:
        raise AssertionError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def structs(text):
    """{name: [members]} of the headers' text"""
    found = {}
    for body, name in re.findall(r"typedef struct \{(.*?)\} (\w+);", text, re.S):
        members = []
        for declaration in body.split(";"):
            for part in declaration.split(","):
                member = re.search(r"(\w+)\s*(\[[^]]*\]\s*)*$", part.strip())
                if member:
                    members.append(member[1])
        found[name] = members
    return found


def constants(text):
    """Names of the enums"""
    found = []
    for body in re.findall(r"enum \{(.*?)\}", text, re.S):
        found += [part.split("=")[0].strip() for part in body.split(",") if part.strip()]
    return found + re.findall(r"#define (NIS_MOST_\w+) ", text)


def headers():
    """Their text, without comments"""
    text = ""
    for header in HEADERS:
        with open(os.path.join(ROOT, "include", header)) as file:
            text += file.read()
    return without_comments(text)


def listing():
    """The lines of a list, of the headers as they are"""
    text = headers()
    lines = []
    for name, members in structs(text).items():
        lines.append(f'printf("size {name} %zu\\n", sizeof({name}));')
        lines += [f'printf("member {name}.{m} %zu %zu\\n", offsetof({name}, {m}), '
                  f"sizeof((({name} *)0)->{m}));" for m in members]
    lines += [f'printf("constant {name} %lld\\n", (long long)({name}));'
              for name in constants(text)]
    program = '#include "nis_histogram.h"\n#include <stdio.h>\nint main(void)\n{\n' + \
        "\n".join(lines) + "\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        source, binary = os.path.join(folder, "list.c"), os.path.join(folder, "list")
        with open(source, "w") as file:
            file.write(program)
        run(*compiler(), "-I", os.path.join(ROOT, "include"), source, "-o", binary)
        return run(binary).splitlines() + [f"function {name}" for name in mapped()]


def mapped():
    """Names that src/nis.map exports"""
    with open(os.path.join(ROOT, "src/nis.map")) as file:
        return sorted(re.findall(r"^  (nis_\w+);", file.read(), re.M))


def parse(lines):
    parts = [line.split() for line in lines]
    return {(kind, name): [int(n) for n in numbers] for kind, name, *numbers in parts}


def breaks(old, new):
    """What of an older list is no longer true; one sentence each."""
    for key, numbers in old.items():
        kind, name = key
        now = new.get(key)
        if now is None:
            yield f"{kind} {name} is gone"
        elif kind == "size" and name in GROWING:
            if now[0] < numbers[0]:
                yield f"{name} has become smaller: {now[0]} bytes, not {numbers[0]}"
        elif name.startswith("nis_saved."):
            pass  # behind those that grow: see nis_inspect_sized
        elif now != numbers:
            yield f"{kind} {name} is {now}, not {numbers}"
    for (kind, name), now in new.items():
        whole = name.split(".")[0]
        if kind == "member" and (kind, name) not in old and ("size", whole) in old:
            if whole not in GROWING or now[0] < old["size", whole][0]:
                yield f"{name} is not behind the {old['size', whole][0]} bytes of {whole}"


class Lists(unittest.TestCase):
    def test_all_releases_hold(self):
        folder, new = os.path.join(ROOT, "tests/abi"), parse(listing())
        releases = [name for name in os.listdir(folder) if not name.endswith(".c")]
        self.assertIn("0.2", releases)
        for release in releases:
            with self.subTest(release), open(os.path.join(folder, release)) as file:
                self.assertEqual(list(breaks(parse(file), new)), [])

    def test_breaks_are_seen(self):
        old = {("size", "nis_result"): [16], ("member", "nis_result.value"): [8, 8],
               ("size", "nis_option"): [8], ("constant", "NIS_OK"): [0]}
        self.assertEqual(list(breaks(old, old)), [])
        for change, what in (
                ({("size", "nis_result"): [8]}, "smaller"),
                ({("size", "nis_option"): [16]}, "size nis_option"),
                ({("member", "nis_result.value"): [0, 8]}, "nis_result.value"),
                ({("member", "nis_result.new"): [12, 4]}, "not behind"),
                ({("member", "nis_option.new"): [8, 8]}, "not behind"),
                ({("constant", "NIS_OK"): [1]}, "NIS_OK")):
            self.assertIn(what, "".join(breaks(old, {**old, **change})))
        self.assertIn("is gone", "".join(breaks(old, {})))
        grown = {("size", "nis_result"): [24], ("member", "nis_result.new"): [16, 8]}
        self.assertEqual(list(breaks(old, {**old, **grown})), [])

    def test_exports(self):
        lines = run("nm", "-D", "--defined-only", "--with-symbol-versions", LIBRARY).splitlines()
        names = [line.split()[-1] for line in lines if " A " not in line]
        self.assertEqual([n for n in names if not re.fullmatch(r"nis_\w+@@NIS_[\d.]+", n)], [])
        self.assertEqual(sorted(n.split("@")[0] for n in names), mapped())
        public = re.findall(r"^NIS_API[^(]*?(nis_\w+)\(", headers(), re.M)
        self.assertEqual(sorted(public + ["nis_integrate_with"]), mapped())

    def test_soname(self):
        self.assertIn("[libnis.so.1]", run("readelf", "-d", LIBRARY))


class Callers(unittest.TestCase):
    """tests/abi/caller.c with other headers, against this library"""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def call(self, change, *flags):
        for header in HEADERS:
            with open(os.path.join(ROOT, "include", header)) as file:
                text = file.read()
            with open(os.path.join(self.folder, header), "w") as file:
                file.write(change(text))
        binary = os.path.join(self.folder, "caller")
        home = os.path.dirname(os.path.realpath(LIBRARY))
        run(*compiler(), "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Werror", *flags,
            "-I", self.folder, os.path.join(ROOT, "tests/abi/caller.c"), "-o", binary,
            os.path.realpath(LIBRARY), f"-Wl,-rpath,{home}", *self.sanitizer())
        run(binary, cwd=self.folder)

    @staticmethod
    def sanitizer():
        needed = run("readelf", "-d", LIBRARY)
        return [f"-fsanitize={kind}" for kind, name in (("address", "libasan"),
                                                        ("thread", "libtsan"))
                if name in needed]

    def test_same_header(self):
        self.call(lambda text: text)

    def test_functions_without_sizes(self):
        self.call(lambda text: text, "-DNIS_PLAIN")

    def test_newer_header(self):
        def append(text):
            for name in SIZED:
                text = text.replace(f"}} {name};", f"  double newer;\n}} {name};")
            return text
        self.call(append, "-DNEWER")

    def test_older_header(self):
        """Without the latter members of each struct"""
        last = {"nis_options": "sink", "nis_result": "unseen_volume", "nis_event_options": "skip",
                "nis_event_summary": "cut", "nis_pulled_event": "outputs"}

        def cut(text):
            for name, member in last.items():
                whole = re.search(r"typedef struct \{((?:(?!typedef).)*?)\} " + name + ";", text,
                                  re.S)
                if whole:
                    body = without_comments(whole[1])
                    first = re.search(r"\n[^;\n]*\b" + member + r";", body).start()
                    text = text.replace(whole[0], f"typedef struct {{{body[:first]}\n}} {name};")
            return text
        self.call(cut)


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
        print("\n".join(listing()))
        sys.exit()
    LIBRARY, ROOT = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
