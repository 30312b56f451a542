# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared library as ctypes sees it: where it is, its structs, its functions.

The structs of nis.h and nis_events.h are written down once more here, but for the two of options,
which are filled by name (_options). tests/test_python.py compares them with the headers.
"""
import ctypes
import os
import sysconfig
from ctypes import (CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_double, c_int, c_size_t,
                    c_uint64, c_void_p)
from pathlib import Path

NAME = "nis_python.so"


def _find():
    """$NIS_LIBRARY, or the copy that the wheel has brought"""
    given = os.environ.get("NIS_LIBRARY")
    if given:
        return given
    here = Path(__file__).resolve().parent
    folders = [here.parent, Path(sysconfig.get_path("platlib"))]
    for folder in folders:
        path = folder / ".nis.mesonpy.libs" / NAME
        if path.is_file():
            return str(path)
    raise ImportError(f"{NAME} is not beside the package nis in {here.parent}: install it "
                      "(pip install .), or set NIS_LIBRARY to a library that was built")


lib = ctypes.CDLL(_find())

# ---- structs -------------------------------------------------------------------------------------


class OptionRow(Structure):
    """nis_option: a member of nis_options or nis_event_options"""
    _fields_ = [("name", c_char_p), ("offset", c_size_t), ("size", c_size_t), ("type", c_int),
                ("low", c_double), ("high", c_double), ("open", c_int), ("range", c_char_p),
                ("words", c_char_p), ("initial", c_double), ("initial_text", c_char_p),
                ("depends", c_char_p), ("help", c_char_p)]


class ResultStruct(Structure):
    """nis_result"""
    _fields_ = [("status", c_int), ("value", c_double), ("error", c_double), ("chi2", c_double),
                ("dof", c_int), ("p_value", c_double), ("calls", c_uint64),
                ("train_calls", c_uint64), ("bad_calls", c_uint64), ("zero_calls", c_uint64),
                ("ess", c_double), ("efficiency", c_double), ("efficiency_max", c_double),
                ("efficiency_median", c_double), ("max_weight", c_double),
                ("max_weight_share", c_double), ("khat", c_double), ("peaks_found", c_int),
                ("late_peaks", c_int), ("search_calls", c_uint64), ("seed", c_uint64),
                ("stop", c_int), ("suspect", c_int), ("serialized", c_int),
                ("unseen_volume", c_double), ("blurred_volume", c_double),
                ("call_seconds", c_double)]


class ChannelStruct(Structure):
    """nis_channel_result"""
    _fields_ = [("value", c_double), ("error", c_double), ("calls", c_uint64),
                ("zero_calls", c_uint64), ("efficiency", c_double), ("max_weight", c_double)]

    def __repr__(self):
        return (f"<channel: {self.value:.6g} +- {self.error:.2g}, {self.calls} calls, "
                f"efficiency {self.efficiency:.3g}>")


class ProgressStruct(Structure):
    """nis_progress"""
    _fields_ = [("phase", c_int), ("iteration", c_int), ("finished", c_int), ("done", c_uint64),
                ("total", c_uint64), ("calls", c_uint64), ("events", c_uint64),
                ("value", c_double), ("error", c_double), ("spread", c_double),
                ("mean", c_double), ("sigma", c_double), ("efficiency", c_double),
                ("chi2", c_double), ("dof", c_int), ("beta", c_double), ("share", c_double * 5),
                ("seconds", c_double)]


class PointBlockStruct(Structure):
    """nis_point_block"""
    _fields_ = [("n", c_size_t), ("dim", c_size_t), ("ncomp", c_size_t), ("extra", c_size_t),
                ("x", c_void_p), ("weight", c_void_p), ("components", c_void_p),
                ("log_q", c_void_p), ("outputs", c_void_p), ("before", c_uint64),
                ("iteration", c_int), ("nets", c_int)]


class EventBlockStruct(Structure):
    """nis_event_block"""
    _fields_ = [("n", c_size_t), ("dim", c_size_t), ("x", c_void_p), ("weight", c_void_p),
                ("log_q", c_void_p), ("trials", c_void_p), ("extra", c_size_t),
                ("outputs", c_void_p), ("unit", c_double)]


class ParticleStruct(Structure):
    """nis_particle"""
    _fields_ = [("pdg", c_int), ("status", c_int), ("mother", c_int * 2), ("colour", c_int * 2),
                ("p", c_double * 4), ("mass", c_double), ("spin", c_double)]


class EventStruct(Structure):
    """An event in the Les Houches accord (nis_event), which a function `particles` fills: its
    scale in GeV, alpha_em and alpha_s there, and its legs by add(). `outputs` are those of the
    integrand (the option extra), or None."""
    _fields_ = [("nparticles", c_int), ("scale", c_double), ("alpha_em", c_double),
                ("alpha_s", c_double), ("particle", ParticleStruct * 16)]
    outputs = None

    def add(self, pdg, p, status=1, mother=(0, 0), colour=(0, 0), mass=0.0, spin=9.0):
        """A leg with p = (E, px, py, pz) in GeV; incoming ones, status -1, come first."""
        if self.nparticles == len(self.particle):
            raise ValueError(f"an event has at most {len(self.particle)} particles")
        leg = self.particle[self.nparticles]
        leg.pdg, leg.status, leg.mass, leg.spin = pdg, status, mass, spin
        leg.mother[:], leg.colour[:], leg.p[:] = mother, colour, p
        self.nparticles += 1


class ShareStruct(Structure):
    """nis_share"""
    _fields_ = [("value", c_double), ("error", c_double)]


class UnweightingStruct(Structure):
    """nis_unweighting"""
    _fields_ = [("w_max", c_double), ("efficiency", c_double), ("error", c_double)]


class EventSummaryStruct(Structure):
    """nis_event_summary"""
    _fields_ = [("status", c_int), ("events", c_uint64), ("calls", c_uint64),
                ("trials", c_uint64), ("overweights", c_uint64), ("negatives", c_uint64),
                ("sum_weights", c_double), ("sum_squares", c_double),
                ("overweight_share", c_double), ("w_max", c_double), ("unit", c_double),
                ("efficiency", ShareStruct), ("partial", ShareStruct), ("cut", ShareStruct),
                ("rules", UnweightingStruct * 4)]


class PulledEventStruct(Structure):
    """nis_pulled_event"""
    _fields_ = [("x", c_void_p), ("dim", c_size_t), ("weight", c_double), ("log_q", c_double),
                ("trials", c_uint64), ("calls", c_uint64), ("unit", c_double),
                ("w_max", c_double), ("outputs", c_void_p)]


def saved_struct(options_size):
    """nis_saved, for a caller whose nis_options has so many bytes"""
    class SavedStruct(Structure):
        _fields_ = [("name", c_char * 256), ("stored", c_uint64),
                    ("options", c_char * options_size), ("result", ResultStruct)]
    return SavedStruct


# ---- callbacks -----------------------------------------------------------------------------------

SCALAR = CFUNCTYPE(c_double, POINTER(c_double), c_size_t, c_void_p)
BATCH = CFUNCTYPE(c_int, c_size_t, c_size_t, c_void_p, c_size_t, c_void_p, c_void_p)
PROGRESS = CFUNCTYPE(c_int, POINTER(ProgressStruct), c_void_p)
POINT_SINK = CFUNCTYPE(c_int, POINTER(PointBlockStruct), c_void_p)
EVENT_SINK = CFUNCTYPE(c_int, POINTER(EventBlockStruct), c_void_p)
PARTICLES = CFUNCTYPE(c_int, c_void_p, c_size_t, POINTER(EventStruct), c_void_p)

# ---- functions -----------------------------------------------------------------------------------

# f stands for a function pointer, o for options, h for the handle; all but the first few return a
# status.
_h = _f = _o = c_void_p
_SIGNATURES = {
    "nis_create_sized": (POINTER(_h), _f, _o, c_size_t),
    "nis_load_sized": (POINTER(_h), c_char_p, _f, _o, c_size_t),
    "nis_resume_sized": (POINTER(_h), _f, _o, c_size_t),
    "nis_run_sized": (_h, POINTER(ResultStruct), c_size_t),
    "nis_train": (_h, c_uint64),
    "nis_estimate_sized": (_h, c_uint64, POINTER(ResultStruct), c_size_t),
    "nis_estimate_part_sized": (_h, c_uint64, c_int, c_int, POINTER(ResultStruct), c_size_t),
    "nis_current_sized": (_h, POINTER(ResultStruct), c_size_t),
    "nis_values": (_h, c_void_p, c_void_p),
    "nis_covariance": (_h, c_void_p),
    "nis_combine": (_h, c_void_p, POINTER(c_double), POINTER(c_double)),
    "nis_ratio": (_h, c_size_t, c_size_t, POINTER(c_double), POINTER(c_double)),
    "nis_channel_sized": (_h, c_size_t, POINTER(ChannelStruct), c_size_t),
    "nis_weights": (_h, c_size_t, c_void_p, c_void_p),
    "nis_sample": (_h, c_size_t, c_void_p, c_void_p, c_void_p),
    "nis_density": (_h, c_size_t, c_void_p, c_void_p),
    "nis_merge": (_h, _h),
    "nis_drop_estimate": (_h,),
    "nis_save": (_h, c_char_p),
    "nis_inspect_sized": (c_char_p, c_void_p, c_size_t, c_size_t),
    "nis_complete_options_sized": (_o, _o, c_size_t),
    "nis_options_set_sized": (_o, c_char_p, c_char_p, c_size_t),
    "nis_event_options_set_sized": (_o, c_char_p, c_char_p, c_size_t),
    "nis_events_sized": (_h, _o, POINTER(EventSummaryStruct), c_size_t, c_size_t),
    "nis_next_event_sized": (_h, _o, POINTER(PulledEventStruct), c_size_t, c_size_t),
    "nis_check_events_sized": (_o, c_size_t),
    "nis_merge_events": (POINTER(c_char_p), c_size_t, c_char_p, c_int),
}
for _name, _arguments in _SIGNATURES.items():
    _function = getattr(lib, _name)
    _function.argtypes, _function.restype = _arguments, c_int
lib.nis_free.argtypes, lib.nis_free.restype = (_h,), None
lib.nis_extra.argtypes, lib.nis_extra.restype = (), c_void_p
for _name, _arguments in (("nis_version", ()), ("nis_last_error", ()), ("nis_strerror", (c_int,))):
    _function = getattr(lib, _name)
    _function.argtypes, _function.restype = _arguments, c_char_p
for _name in "nis_option_list", "nis_event_option_list":
    _function = getattr(lib, _name)
    _function.argtypes, _function.restype = (POINTER(c_size_t),), POINTER(OptionRow)


def sentence_of(status):
    """Of the call that has just ended with this status: why, or a warning; "" for nothing to say"""
    sentence = lib.nis_last_error().decode(errors="replace")
    return sentence or (lib.nis_strerror(status).decode() if status != 0 else "")


def version():
    return lib.nis_version().decode()
