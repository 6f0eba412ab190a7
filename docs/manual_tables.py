#!/usr/bin/env python3
"""Fills the tables of a manual page between its marker comments from --help of the program itself.

    docs/manual_tables.py BUILD            writes docs/man/engawa-gateway.1 and engawactl.1 anew
    docs/manual_tables.py BUILD --check    says whether they are current (a test does)
"""

import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
PROGRAMS = ("engawa-gateway", "engawactl")


def ask(program, *words):
    return subprocess.run([program, *words], check=True, capture_output=True, text=True).stdout


def roff(text):
    return text.replace("\\", "\\e").replace("-", "\\-")


def options(text):
    """(flag, value, help) of one block of --help."""
    for line in text.splitlines():
        match = re.match(r"  (--[a-z-]+)(?: (\S+))?  +(.*)", line)
        if match:
            yield match.groups()


def option_list(rows):
    lines = [".Bl -tag -width Ds"]
    for flag, value, text in rows:
        lines.append(f".It Fl Fl {flag[2:]}" + (f" Ar {value}" if value else ""))
        lines.append(roff(text[0].upper() + text[1:]) + ("" if text.endswith(".") else "."))
    return lines + [".El"]


def verbs(program):
    for line in ask(program, "--help").split("Verbs")[1].split("Options of all verbs")[0].splitlines()[1:]:
        match = re.match(r"  ([a-z]+(?: [a-z-]+)?)(?: ((?:[A-Z|]+|[a-z]+(?:[|/]\S+)+)(?: [A-Z]+)*))? +([A-Z].*)", line)
        if match:
            yield match.groups()


def verb_section(program):
    lines = []
    for name, words, summary in verbs(program):
        lines.append(f".Ss {name}" + (f" {words}" if words else ""))
        lines.append(roff(summary) + ".")
        own = ask(program, *name.split(), "--help").split("Options of all verbs:")[0]
        rows = list(options(own))
        if rows:
            lines += option_list(rows)
    return lines


def entry_section(program):
    lines, section, text = [".Bl -tag -width Ds"], "", []
    for line in ask(program, "check", "--sample").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.startswith(";"):
            text.append(line[1:].strip())
        elif "=" in line:
            name, value = (part.strip() for part in line.split("=", 1))
            lines.append(f".It Ic {section}.{name} No = {roff(value) or '(nothing)'}")
            what = roff("; ".join(text)) + "."
            lines.append(what[0].upper() + what[1:])
        if not line.startswith(";"):
            text = []
    return lines + [".El"]


def fill(page, mark, lines):
    begin, end = f'.\\" begin {mark}', f'.\\" end {mark}'
    before, rest = page.split(begin)
    return before + "\n".join([begin, *lines, end]) + rest.split(end)[1]


def printed(build, name):
    program = str(Path(build) / "bin" / name)
    page = (DOCS / "man" / f"{name}.1").read_text()
    page = fill(page, "verbs", verb_section(program))
    if "begin entries" in page:
        page = fill(page, "entries", entry_section(program))
    return page


def main():
    stale = []
    for name in PROGRAMS:
        path = DOCS / "man" / f"{name}.1"
        page = printed(sys.argv[1], name)
        if "--check" not in sys.argv:
            path.write_text(page)
        elif path.read_text() != page:
            stale.append(str(path))
    if stale:
        sys.exit("not current, run docs/manual_tables.py BUILD: " + ", ".join(stale))


if __name__ == "__main__":
    main()
