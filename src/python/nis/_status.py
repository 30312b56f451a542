# SPDX-License-Identifier: GPL-3.0-or-later
"""What can happen: statuses, doubts, exceptions and warnings."""
import enum
import sys
import warnings


class Status(enum.IntEnum):
    """nis_status: 0 all well, above a valid result that says why it ended, below an error."""
    OK = 0
    STOPPED = 1
    GOAL_MISSED = 2
    TIME_LIMIT = 3
    SUSPECT = 4
    INVALID = -1
    NO_MEMORY = -2
    CALLBACK = -3
    BAD_VALUES = -4
    NO_EVENTS = -5
    NO_FILE = -6
    BAD_FILE = -7
    RANKS = -8


class Stop(enum.IntEnum):
    """nis_stop: what ended a run, whatever its status says"""
    CALLS = 0
    GOAL = 1
    TIME = 2
    CALLBACK = 3


class Doubt(enum.IntFlag):
    """nis_doubt: why an error bar is not to be believed"""
    HEAVY_TAIL = 1
    LARGE_CHI2 = 2
    FEW_WEIGHTS = 4
    LATE_PEAK = 8


class Phase(enum.IntEnum):
    """What a run is doing when it calls `progress`"""
    TRAINING = 0
    INTEGRATING = 1
    GENERATING = 2
    SAMPLING = 3
    WRITING = 4


class Error(Exception):
    """A negative status. `status` is a Status; `result` what was known by then, or None."""

    def __init__(self, sentence, status=Status.INVALID, result=None):
        super().__init__(sentence)
        self.status, self.result = status, result


class InvalidError(Error, ValueError):
    """An argument or an option is out of range; the sentence says what is allowed."""


class Warning(UserWarning):
    """Of a valid result that something is to be said about"""


class SuspectWarning(Warning):
    """The error is not to be believed: see result.doubts."""


class GoalMissedWarning(Warning):
    """The calls were spent before the goal was reached, or before there were enough events."""


class TimeLimitWarning(Warning):
    """max_seconds were over."""


class InterruptedWarning(Warning):
    """Ctrl-C ended the run: the result is what was known by then."""


_WARNINGS = {Status.SUSPECT: SuspectWarning, Status.GOAL_MISSED: GoalMissedWarning,
             Status.TIME_LIMIT: TimeLimitWarning, Status.OK: Warning}


def warn(sentence, category):
    """As coming from the first line that is not this package's"""
    frame, level = sys._getframe(1), 2
    while frame and frame.f_globals.get("__name__", "").split(".")[0] == __package__:
        frame, level = frame.f_back, level + 1
    warnings.warn(sentence, category, stacklevel=level)


def settle(status, sentence, result=None):
    """Raises for what is an error, warns of what is not all well."""
    if status < 0:
        kind = InvalidError if status == Status.INVALID else Error
        raise kind(sentence, Status(status), result)
    if sentence and status in _WARNINGS:
        warn(sentence, _WARNINGS[status])
