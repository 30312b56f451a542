#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fails when a file of src/ or integrands/ includes one that is not below it, or when Fortran's
module calls what the public headers do not have.

usage: test_layers.py [root of the source tree]
"""
import re
import sys
from pathlib import Path

# Bottom to top: each room of src/, and those it stands on. It may include these and all below them.
# training, estimation and events do not see each other.
ROOMS = {
    "base": "",
    "kernels": "",
    "numerics": "base kernels",
    "flow": "base kernels numerics",
    "mixture": "flow",
    "integrand": "base",
    "sampler": "mixture integrand",
    "training": "sampler",
    "estimation": "sampler",
    "events": "sampler",
    "histogram": "base numerics",
    "api": "training estimation events",
    "hdf5": "events",  # a module, which the library loads and does not know
}

# Rooms with doors: what their files may include besides their own.
PUBLIC = {"include/nis.h", "include/nis_events.h", "include/nis_gsl.h",
          "include/nis_histogram.h"}
DOORS = {
    "src/cli": PUBLIC | {"integrands/integrands.h", "src/cli/bench/bench.h"},
    "src/cli/bench": {"include/nis.h", "*"},
    "src/fortran": PUBLIC,
    "src/mpi": PUBLIC | {"include/nis_mpi.h"},
    "integrands": PUBLIC,
    "integrands/physics": PUBLIC | {"integrands/integrands.h", "integrands/splitmix.h"},
}

# Where a name in quotes is looked for after the file's own folder.
PATH = ["include", "integrands", "integrands/physics", "src"]

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
OPENMP = re.compile(r"^\s*#\s*(pragma\s+omp\b|include\s*[<\"]omp\.h)", re.MULTILINE)
OPENMP_FILE = "src/base/team.c"
HDF5 = re.compile(r"^\s*#\s*include\s*<(hdf5|H5\w+)\.h>", re.MULTILINE)

# Fortran's module is over the public headers, which it cannot include: what it binds is there.
BINDS = re.compile(r"bind\(c, *name='(\w+)'\)", re.IGNORECASE)
USES = re.compile(r"^\s*use\b(?!\s*,\s*intrinsic)[^\n]*", re.MULTILINE | re.IGNORECASE)
LIBC = {"strlen"}


def below():
    """Room -> all rooms that it may include."""
    reach = {}
    for name, direct in ROOMS.items():
        reach[name] = {name}.union(*(reach[other] for other in direct.split()))
    return reach


def room_of(path):
    """src/ROOM/... -> ROOM"""
    parts = Path(path).parts
    return parts[1] if len(parts) > 2 else "src"


def complaint(path, target, reach):
    """Why the file must not include the target, or None. Both are relative to the root."""
    folder = str(Path(path).parent)
    if target is None:
        return "not found in the source tree"
    if folder in DOORS:
        own = str(Path(target).parent) == folder or "*" in DOORS[folder]
        return None if own or target in DOORS[folder] else f"{folder} must not see it"
    if target in PUBLIC:
        return "kernels must not see it" if room_of(path) == "kernels" else None
    for name in (path, target):
        if not name.startswith("src/") or room_of(name) not in reach:
            return f"{name} is in none of the library's rooms"
    if room_of(target) in reach[room_of(path)]:
        return None
    return f"{room_of(target)} is not below {room_of(path)}"


def resolve(root, path, name):
    for folder in [root / Path(path).parent] + [root / p for p in PATH]:
        target = (folder / name).resolve()
        if target.is_file():
            return str(target.relative_to(root))
    return None


def check_file(root, path, reach):
    text = (root / path).read_text()
    found = []
    for name in INCLUDE.findall(text):
        why = complaint(path, resolve(root, path, name), reach)
        if why:
            found.append(f'{path} includes "{name}": {why}')
    if OPENMP.search(text) and path != OPENMP_FILE:
        found.append(f"{path} uses OpenMP; only {OPENMP_FILE} does")
    if HDF5.search(text) and room_of(path) != "hdf5":
        found.append(f"{path} uses HDF5; only src/hdf5 does")
    return found


def check_fortran(root, path):
    """Complaints about a Fortran file of src/"""
    text = (root / path).read_text()
    public = "".join((root / header).read_text() for header in sorted(PUBLIC))
    names = sorted(set(BINDS.findall(text)) - LIBC)
    found = [f"{path} binds {name}, which is in no public header" for name in names
             if not re.search(rf"^NIS_API .*\b{name}\(", public, re.MULTILINE)]
    found += [f"{path}: `{use.strip()}` is of no intrinsic module" for use in USES.findall(text)]
    if "src/fortran/" not in path or not names:
        found.append(f"{path}: Fortran is for src/fortran, over the public headers")
    return found


def check_the_check(reach):
    """Edges of which it is known whether they may be there."""
    wrong = [
        ("src/flow/flow.c", "src/api/nis.c"), ("src/flow/flow.c", "src/integrand/integrand.h"),
        ("src/training/train.c", "src/estimation/estimate.h"),
        ("src/fortran/glue.c", "src/api/handle.h"), ("src/api/nis.c", "src/fortran/glue.h"),
        ("src/events/unweight.c", "src/training/train.h"),
        ("src/estimation/tally.c", "src/events/spool.h"),
        ("src/kernels/net.c", "src/base/error.h"), ("src/base/monitor.h", "src/flow/flow.h"),
        ("src/kernels/net.c", "include/nis.h"), ("src/cli/main.c", "src/base/error.h"),
        ("integrands/camel.c", "src/base/memory.h"),
        ("src/flow/flow.c", "integrands/integrands.h"), ("src/api/nis.c", "src/cli/json.h"),
        ("src/unknown.c", "src/base/error.h"), ("src/flow/flow.c", "src/unknown.h"),
        ("src/attic/old.c", "src/base/error.h"), ("src/flow/flow.c", None),
        ("integrands/camel.c", "integrands/physics/event.h"),
        ("src/events/formats/event_file.c", "src/hdf5/disk.h"),
        ("src/api/nis.c", "src/hdf5/disk.h"),
        ("src/cli/main.c", "src/training/train.h"), ("src/mixture/peaks.c", "src/sampler/points.h"),
    ]
    right = [
        ("src/flow/flow.c", "src/kernels/kernels.h"),
        ("src/training/train.c", "src/integrand/domain.h"),
        ("src/kernels/net.c", "src/kernels/isa.h"), ("src/api/nis.c", "src/base/streams.h"),
        ("src/cli/main.c", "src/cli/run.h"), ("src/cli/main.c", "include/nis.h"),
        ("src/cli/bench/flow_bench.c", "src/training/train.h"),
        ("src/hdf5/hdf5.c", "src/events/formats/module.h"),
        ("src/events/formats/lhe.c", "src/numerics/weights.h"),
        ("src/fortran/glue.c", "include/nis_events.h"),
        ("integrands/camel.c", "integrands/gaussian.h"), ("src/base/error.h", "include/nis.h"),
    ]
    assert all(complaint(*edge, reach) for edge in wrong)
    assert not any(complaint(*edge, reach) for edge in right)
    assert OPENMP.search("x;\n  #pragma omp parallel") and OPENMP.search("#include <omp.h>")


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    reach = below()
    check_the_check(reach)
    paths = [str(p.relative_to(root)) for folder in ("src", "integrands")
             for p in sorted((root / folder).rglob("*.[ch]"))]
    complaints = [line for path in paths for line in check_file(root, path, reach)]
    fortran = [str(p.relative_to(root)) for p in sorted((root / "src").rglob("*.f90"))]
    complaints += [line for path in fortran for line in check_fortran(root, path)]
    paths += fortran
    if len(paths) < 30:
        complaints.append(f"only {len(paths)} files under {root}: wrong folder?")
    print("\n".join(complaints) or f"{len(paths)} files, all in their layers")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
