# SPDX-License-Identifier: GPL-3.0-or-later
"""progress=True: a bar of tqdm where that is installed, else a line of text."""
import sys

from ._results import with_error


def _describe(now):
    name = now.phase.name.lower()
    known = f" {with_error(now.mean, now.sigma)}" if now.sigma > 0 else ""
    return name, known


class TextBar:
    """One line on stderr, written over and over"""

    def __init__(self):
        self._width = 0

    def __call__(self, now):
        name, known = _describe(now)
        share = f"{100 * now.done // now.total:3d} %" if now.total else f"{now.done}"
        line = f"{name:<12}{share}{known}"
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def close(self):
        if self._width:
            sys.stderr.write("\n")
        self._width = 0


class TqdmBar:
    """A bar for each phase"""

    def __init__(self, tqdm):
        self._tqdm = tqdm
        self._bar = self._phase = None

    def __call__(self, now):
        name, known = _describe(now)
        if now.phase != self._phase:
            self.close()
            self._phase = now.phase
            self._bar = self._tqdm(total=now.total or None, desc=name, unit_scale=True)
        self._bar.total = now.total or None
        self._bar.set_postfix_str(known.strip(), refresh=False)
        self._bar.update(now.done - self._bar.n)

    def close(self):
        if self._bar is not None:
            self._bar.close()
        self._bar = self._phase = None


def bar():
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return TextBar()
    return TqdmBar(tqdm)
