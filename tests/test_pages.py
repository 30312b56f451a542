#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual pages: python3 test_pages.py NIS SOURCE_ROOT [unittest options]."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

NIS = ROOT = ""
HEADERS = "nis.h", "nis_events.h", "nis_histogram.h"


def run(*words, **more):
    return subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE, timeout=50,
                          **more).stdout


def make(*words):
    return run(sys.executable, os.path.join(ROOT, "src/share/pages.py"), *words,
               env={**os.environ, "SOURCE_DATE_EPOCH": "86400"})


def path_of(header):
    return os.path.join(ROOT, "include", header)


def plain(source):
    """Its words, without what man(7) needs"""
    text = re.sub(r"^\.(B|BR|SS|SH|TH) ", "", source, flags=re.M).replace('"', "")
    for code, letter in ((r"\-", "-"), (r"\(aq", "'"), (r"\(dq", ""), (r"\&", ""), (r"\(ha", "^"),
                         (r"\(ga", "`"), (r"\(ti", "~"), (r"\e", "\\")):
        text = text.replace(code, letter)
    return " ".join(re.sub(r"^\.[A-Z\\].*$", "", text, flags=re.M).split())


class Pages(unittest.TestCase):
    def test_command(self):
        source = make("nis", NIS)
        text, told = plain(source), json.loads(run(NIS, "help", "--json"))
        self.assertTrue(source.split("\n")[1].startswith('.TH NIS 1 1970-01-02 "libnis '))
        for command in told["commands"]:
            self.assertIn(command["usage"], text)
            self.assertIn(command["summary"], text)
            self.assertIn(" ".join((command["note"] or "").replace('"', "").split()), text)
        for option in told["options"]:
            letter = f"-{option['letter']}, " if option["letter"] else ""
            argument = f" {option['argument']}" if option["argument"] else ""
            self.assertIn(f"{letter}--{option['name']}{argument} {option['help']}", text)
            self.assertIn(option["range"] or "", text)
        for code, meaning in told["exit_codes"].items():
            self.assertIn(f" {code} {meaning}", text)

    def test_headers(self):
        """All that a header declares, and every word of its comments"""
        for name in HEADERS:
            with open(path_of(name), encoding="utf-8") as file:
                header = file.read()
            text = plain(make("header", path_of(name), "1.2.3")).replace(" ", "")
            functions = re.findall(r"^NIS_API ([^;]*;)", header, re.M)
            self.assertGreater(len(functions), 5)
            for declared in functions + re.findall(r"^\} (nis_\w+;)", header, re.M):
                self.assertIn(re.sub(r"\s", "", declared), text)
            body = header.split("#ifndef NIS_PLAIN")[0].split("#ifdef __cplusplus\n}")[0]
            for comment in re.findall(r"/\*(?! SPDX)(.*?)\*/", body, re.S):
                said = re.sub(r"^ *\*(?= |$)|^ -+ | -+ $|\s|\"", "", comment, flags=re.M)
                self.assertIn(said, text)

    def test_form(self):
        """Without a warning of groff or mandoc, where these are"""
        checks = {"groff": ["-ww", "-man", "-Tutf8", "-z"],
                  "mandoc": ["-T", "lint", "-W", "warning"]}
        for source in make("nis", NIS), *(make("header", path_of(h), "1.2.3") for h in HEADERS):
            self.assertTrue(source.isascii())
            for program, words in checks.items():
                if shutil.which(program):
                    done = subprocess.run([program, *words], input=source, text=True, check=False,
                                          capture_output=True, timeout=50)
                    self.assertEqual((done.stdout + done.stderr, done.returncode), ("", 0))


if __name__ == "__main__":
    NIS, ROOT = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
    unittest.main()
