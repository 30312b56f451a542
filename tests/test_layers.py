#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fails when a file of src/ or integrands/ includes one that is not below it.

usage: test_layers.py [root of the source tree]
"""
import re
import sys
from pathlib import Path

# Bottom to top: each module, and those it stands on. It may include these and all below them.
LAYERS = {
    "kernels": "",
    "error": "",
    "memory": "",
    "streams": "",
    "parallel": "",
    "domain": "error memory",
    "sobol": "kernels error memory streams",
    "monitor": "error",
    "coupling": "kernels",
    "flow": "coupling error memory streams",
    "integrand": "error memory parallel domain monitor",
    "settings": "error parallel domain sobol",
    "peaks": "error memory",
    "sampler": "flow integrand peaks sobol",
    "tail": "error memory",
    "weights": "error memory",
    "tally": "error memory tail weights",
    "trust": "error tail",
    "replay": "sampler",
    "loss": "",
    "gradient": "replay loss",
    "search": "replay",
    "shares": "sampler",
    "control": "sampler",
    "optimizer": "gradient",
    "train": "replay optimizer search shares control tally",
    "pace": "error sampler",
    "components": "error memory",
    "estimate": "sampler control tally components memory",
    "spool": "error",
    "unweight": "sampler weights spool",
    "formats": "error memory parallel weights",
    "generate": "tally unweight formats",
    "nis": "train estimate generate settings trust pace",
    "bench": "nis",
}

# Rooms with doors: what their files may include besides their own.
DOORS = {
    "src/cli": {"include/nis.h", "integrands/integrands.h", "src/bench/bench.h"},
    "src/peers": {"include/nis.h", "integrands/integrands.h", "src/bench/clock.h"},
    "integrands": {"include/nis.h"},
    "integrands/physics": {"include/nis.h", "integrands/integrands.h", "integrands/splitmix.h"},
}

# Where a name in quotes is looked for after the file's own folder.
PATH = ["include", "integrands", "integrands/physics", "src"]

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
OPENMP = re.compile(r"^\s*#\s*(pragma\s+omp\b|include\s*[<\"]omp\.h)", re.MULTILINE)
OPENMP_FILE = "src/parallel.c"


def below():
    """Module -> all modules that it may include."""
    reach = {}
    for name, direct in LAYERS.items():
        reach[name] = {name}.union(*(reach[other] for other in direct.split()))
    return reach


def module(path):
    """Module of a file in src/: its folder there, or its name."""
    parts = Path(path).parts
    return parts[1] if len(parts) > 2 else Path(path).stem


def complaint(path, target, reach):
    """Why the file must not include the target, or None. Both are relative to the root."""
    room = str(Path(path).parent)
    if target is None:
        return "not found in the source tree"
    if room in DOORS:
        own = str(Path(target).parent) == room
        return None if own or target in DOORS[room] else f"{room} must not see it"
    if target == "include/nis.h":
        return "kernels must not see it" if module(path) == "kernels" else None
    if not target.startswith("src/") or target.startswith(("src/cli", "src/peers")):
        return "the library must not see it"
    for name in (module(path), module(target)):
        if name not in reach:
            return f"{name} has no place in the layers of this test"
    if module(target) in reach[module(path)]:
        return None
    return f"{module(target)} is not below {module(path)}"


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
    return found


def check_the_check(reach):
    """Edges of which it is known whether they may be there."""
    wrong = [
        ("src/flow.c", "src/nis.c"), ("src/flow.c", "src/integrand.h"),
        ("src/train.c", "src/estimate.h"), ("src/unweight.c", "src/train.h"),
        ("src/kernels/net.c", "src/error.h"), ("src/coupling.h", "src/flow.h"),
        ("src/kernels/net.c", "include/nis.h"), ("src/cli/main.c", "src/error.h"),
        ("integrands/camel.c", "src/memory.h"), ("src/tally.c", "src/sampler.h"),
        ("src/flow.c", "integrands/integrands.h"), ("src/nis.c", "src/cli/json.h"),
        ("src/unknown.c", "src/error.h"), ("src/flow.c", None),
        ("integrands/camel.c", "integrands/physics/event.h"),
        ("src/peers/methods.c", "src/train.h"), ("src/nis.c", "src/peers/peers.h"),
    ]
    right = [
        ("src/flow.c", "src/kernels/kernels.h"), ("src/train.c", "src/domain.h"),
        ("src/kernels/net.c", "src/kernels/isa.h"), ("src/nis.c", "src/streams.h"),
        ("src/cli/main.c", "src/cli/run.h"), ("src/cli/main.c", "include/nis.h"),
        ("integrands/camel.c", "integrands/gaussian.h"), ("src/error.h", "include/nis.h"),
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
    if len(paths) < 30:
        complaints.append(f"only {len(paths)} files under {root}: wrong folder?")
    print("\n".join(complaints) or f"{len(paths)} files, all in their layers")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
