# SPDX-License-Identifier: GPL-3.0-or-later
"""Up to Python 3.12 the standard library has a module nis too (Sun's yellow pages, deprecated and
gone in 3.13), which comes before what is installed. nis.pth, which Python reads when it starts,
loads this, and `import nis` then finds the package that lies beside this file."""
import sys
from importlib.machinery import PathFinder
from os.path import dirname


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, [dirname(__file__)]) if name == "nis" else None


sys.meta_path.insert(0, Finder)
