#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manual pages: python3 pages.py nis PATH_TO_NIS, or python3 pages.py header HEADER VERSION.

nis(1) is what `nis help --json` says, out of the command's tables; the pages of section 3 are the
comments and declarations of a public header. What is made goes to standard output, for man(7) as
groff and mandoc know it. The date is that of SOURCE_DATE_EPOCH, or today."""

import datetime
import itertools
import json
import os
import re
import subprocess
import sys
import textwrap
import time

WIDTH = 78  # of the lines of text

MANUAL = {"nis": "neural importance sampling Monte Carlo integration",
          "nis.h": "neural importance sampling for expensive integrands",
          "nis_events.h": "unweighted events of an estimate of nis.h",
          "nis_histogram.h": "histograms of the points and events of nis.h"}

ENVIRONMENT = (
    ("OMP_NUM_THREADS", "threads to work with, where --threads does not say it"),
    ("NIS_MODULES", "the folder of libnis_hdf5.so and libnis_mpi.so, before that of libnis"),
    ("NIS_MPI", "0: each process that mpirun starts works alone"),
    ("NIS_KERNELS", "baseline, avx2 or avx512: the instructions to work with; default the fastest"),
    ("TMPDIR", "where --whole-run keeps its temporary file; default /var/tmp"),
    ("TERM, LC_ALL, LC_CTYPE, LANG",
     "a report ends with pictures in Unicode blocks where standard output is a terminal, TERM is "
     "not dumb, and the locale is of UTF-8. There is no colour, with or without NO_COLOR."))

EXAMPLES = ("nis integrate camel --dim 8 --calls 1e6",
            "nis integrate camel --rel-error 1e-3 --explain",
            "nis integrate ./my.so:f --dim 5", "nis events ee3j -n 10000 -o events.lhe",
            "nis train ee3j --calls 1e6 -o ee3j.nis",
            "nis events --from ee3j.nis --seed 7 -n 10000 -o job7.lhe.gz")


# ---- man(7) ------------------------------------------------------------------------


def escape(text):
    """What is typed is what is seen, also where it is copied: hyphens, dots at the start."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti").replace("`", "\\(ga")
    return "\\&" + text if text.startswith(".") else text


def filled(text):
    """Lines of running text"""
    lines, line = [], ""
    for word in escape(" ".join(text.split())).split(" "):
        if line and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = ""
        word = "\\&" + word if not line and word.startswith(".") else word
        line = f"{line} {word}" if line else word
    return lines + [line] if line else lines


def verbatim(lines):
    return [".PP", ".EX", *map(escape, lines), ".EE"]


def bold(text):
    """Lines of code, broken where they are long"""
    lines = textwrap.wrap(" ".join(text.split()), WIDTH - 8, subsequent_indent="    ",
                          break_long_words=False, break_on_hyphens=False)
    return ['.B "' + escape(line).replace('"', "\\(dq") + '"' for line in lines]


def indented(lines):
    return [".RS 4", *lines, ".RE"] if lines else []


def items(pairs):
    """Things with what is said of them; those without it share that of the next."""
    lines, tag = [], ".TP"
    for thing, said in pairs:
        lines += [tag, *bold(thing)[:1], *filled(said)]
        tag = ".TP" if said else ".TQ"
    return lines


def paragraph(lines):
    """Running text with code in between, or words with their meaning in a second column"""
    column = re.compile(r"(NIS_\w+) {2,}(.*)")
    if column.match(lines[0]):
        pairs = []
        for line in lines:
            word = column.match(line)
            if word:
                pairs.append([word[1], word[2]])
            else:
                pairs[-1][1] += " " + line
        return items(pairs)
    made = []
    for is_code, group in itertools.groupby(lines, lambda line: line.startswith("    ")):
        group = list(group)
        made += verbatim([line[4:] for line in group]) if is_code \
            else [".PP", *filled(" ".join(group))]
    return made


def prose(text):
    blocks = [block.split("\n") for block in re.split(r"\n[ \n]*\n", text.strip("\n"))]
    return [line for block in blocks if block != [""] for line in paragraph(block)]


def page(name, section, version, lines):
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    day = datetime.datetime.fromtimestamp(float(epoch or time.time()), datetime.timezone.utc)
    kind = "User Commands" if section == 1 else "Library Functions"
    head = ['.\\" Made by src/share/pages.py',
            f'.TH {name.upper()} {section} {day:%Y-%m-%d} "libnis {version}" "{kind}"',
            ".SH NAME", f"{name} \\- {MANUAL[name]}"]
    # A heading is a paragraph's beginning
    text = re.sub(r"^(\.S[HS] .*|\.RS.*)\n\.PP$", r"\1", "\n".join(head + lines), flags=re.M)
    return text + "\n"


# ---- nis(1) ------------------------------------------------------------------------


def option_items(option):
    argument = f" {option['argument']}" if option["argument"] else ""
    letter = f"-{option['letter']}, " if option["letter"] else ""
    said = [option["help"]]
    if option["default"]:
        said.append(f"default {option['default']}")
    text = "; ".join(said)
    if option["range"]:
        text += f" ({option['range']})"
    return f"{letter}--{option['name']}{argument}", f"{text}. For {', '.join(option['commands'])}."


def command_page(told):
    lines = [".SH SYNOPSIS", ".nf"]
    for command in told["commands"]:
        lines += bold(command["usage"])
    lines += [".fi", ".SH DESCRIPTION", *filled(
        "A normalizing flow is trained on the points that an integrand is called at, and then "
        "frozen; fresh points give the integral with its error, and unweighted events.")]
    notes = {}
    for command in told["commands"]:
        lines += [".TP", *bold("nis " + command["name"]), *filled(command["summary"] + ".")]
        if command["note"]:
            notes.setdefault(command["note"], []).append(command["name"])
    for note, commands in notes.items():
        indent = re.sub(r"^  (?=\S)", "    ", note, flags=re.M)
        lines += [f".SS \"{', '.join('nis ' + escape(name) for name in commands)}\"",
                  *prose(indent)]
    lines += [".SH OPTIONS", *items(map(option_items, told["options"])),
              ".SH EXIT STATUS", *items(told["exit_codes"].items()),
              ".SH ENVIRONMENT", *items(ENVIRONMENT),
              ".SH EXAMPLES", *verbatim(EXAMPLES)[1:],
              ".SH SEE ALSO", ".BR nis.h (3),", ".BR nis_events.h (3),",
              ".BR nis_histogram.h (3)"]
    return page("nis", 1, told["version"], lines)


# ---- nis.h(3) ----------------------------------------------------------------------

COMMENT = r"/\*.*?\*/"


def text_of(comment):
    """Without the stars"""
    return re.sub(r"^ *\* ?", "", comment[2:-2].removeprefix(" ").rstrip(" *\n"), flags=re.M)


def declarations(header):
    """(kind, text): "section", "comment", "code", "more" code directly below another, and a comment
    "behind" code, in its line"""
    token = re.compile(
        rf"(?P<gap>\s*)(?:(?P<comment>{COMMENT})|(?P<directive>#(?:[^\n]*\\\n)*[^\n]*)|"
        rf"(?P<c>extern \"C\" \{{)|(?P<code>(?:{COMMENT}|\{{(?:{COMMENT}|[^{{}}])*\}}|[^;{{}}])*?"
        r"(?:;|(?<=\})(?=\n\n))))", re.S)
    place = header.index("#ifndef")
    before = None
    while True:
        found = token.match(header, place)
        if not found or found["directive"] in ("#ifndef NIS_PLAIN",) \
                or header.startswith("\n#ifdef __cplusplus\n}", found.end("gap") - 1):
            return
        place, tight = found.end(), "\n\n" not in found["gap"]
        define = re.fullmatch(rf"#define (NIS_MOST_\w+ \w+)\s*({COMMENT})?",
                              found["directive"] or "")
        if found["comment"]:
            section = re.fullmatch(r"/\* -+ (.*?) -+ \*/", found["comment"])
            behind = before == "code" and "\n" not in found["gap"]
            before = "section" if section else "comment"
            yield ("section", section[1]) if section else \
                ("behind" if behind else "comment", text_of(found["comment"]))
        elif found["code"] or define:
            yield "more" if before == "code" and tight else "code", \
                "#define " + define[1] if define else found["code"]
            if define and define[2]:
                yield "behind", text_of(define[2])
            before = "code"


def members(body, end):
    """(declaration, what its comment says) of a struct or an enum; a comment with a line of its own
    is about what comes next."""
    pairs, ahead, own_line = [], "", True
    for part in re.findall(rf"{COMMENT}|(?:(?!/\*).)+", body, re.S):
        if not part.startswith("/*"):
            own_line = not part.rpartition("\n")[2].strip()
            for declaration in filter(str.strip, part.split(end)):
                pairs.append([declaration + (end if end == ";" else ""), ahead])
                ahead = ""
        elif own_line:
            ahead = text_of(part)
        else:
            pairs[-1][1] += text_of(part)
    return pairs


def code_lines(code):
    """A declaration, and the members that have comments"""
    whole = re.fullmatch(r"((?:typedef )?(struct|enum)) \{(.*)\}( ?\w*;)", code, re.S)
    plain = " ".join(re.sub(COMMENT, "", code, flags=re.S).replace("NIS_API ", "").split())
    if not whole or "/*" not in code:
        return bold(plain.split(" {")[0] + ";" if plain.startswith("static") else plain), []
    return bold(f"{whole[1]} {{ ... }}{whole[4]}"), \
        items(members(whole[3], ";" if whole[2] == "struct" else ","))


def header_page(name, version, header):
    lines = [".SH SYNOPSIS", f".B #include <{name}>", ".PP", *filled(
        "Compile and link with $(pkg-config --cflags --libs nis)."), ".SH DESCRIPTION",
        *prose(text_of(re.search(r"\n(/\*\n.*?\*/)", header, re.S)[1]))]
    comment, code, about = "", [], []

    def flush():
        nonlocal comment, code, about
        said = prose(comment)
        lines.extend([".PP", ".nf", *code, ".fi", *indented(said + about)] if code else said)
        comment, code, about = "", [], []
    for kind, text in declarations(header):
        if kind == "section":
            flush()
            lines.append(f".SS {escape(text)}")
        elif kind == "comment":
            flush()
            comment = text
        elif kind == "behind":
            about += [".PP", *filled(text)]
        else:
            if kind == "code" and code:
                flush()
            declared, told = code_lines(text)
            code += declared
            about += told
    flush()
    others = sorted({"nis.h", "nis_events.h", "nis_histogram.h"} - {name})
    lines += [".SH SEE ALSO", ".BR nis (1),", *(f".BR {other} (3)," for other in others[:-1]),
              f".BR {others[-1]} (3)"]
    return page(name, 3, version, lines)


def main():
    kind, path = sys.argv[1:3]
    if kind == "nis":
        told = subprocess.run([path, "help", "--json"], check=True, stdout=subprocess.PIPE).stdout
        print(command_page(json.loads(told)), end="")
    else:
        with open(path, encoding="utf-8") as file:
            print(header_page(os.path.basename(path), sys.argv[3], file.read()), end="")


if __name__ == "__main__":
    main()
