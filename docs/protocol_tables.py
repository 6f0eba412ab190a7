#!/usr/bin/env python3
"""Writes the tables of docs/PROTOCOL.md from the .def files that the programs are built from.

    docs/protocol_tables.py           rewrites the parts between the markers
    docs/protocol_tables.py --check   fails when they are not current
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PAGE = TOP / "docs/PROTOCOL.md"
STRING = r'"((?:[^"\\]|\\.)*)"'


def messages():
    text = (TOP / "proto/wire/messages.def").read_text()
    out = []
    for match in re.finditer(rf'^MESSAGE\((0x\w+), (\w+), \w+, (\w+), {STRING}\)(.*?)^END', text, re.M | re.S):
        number, symbol, direction, help_text, body = match.groups()
        way = {"TO_NODE": "end → node", "TO_END": "node → end", "BOTH": "both ways",
               "NODES": "node → node"}[direction]
        out += [f"#### {number} {symbol} ({way})", "", help_text[0].upper() + help_text[1:] + ".", "",
                "| member | kind | size | | meaning |", "|---|---|---|---|---|"]
        for field in re.finditer(rf'FIELD\(\w+, (\w+), (\w+), (\w+), (\w+), {STRING}\)', body):
            kind, name, size, need, meaning = field.groups()
            kind = {"STR": "string", "NUM": "integer", "BIN": "base64url", "OBJ": "object"}[kind]
            out.append(f"| `{name}` | {kind} | {size} | {'needed' if need == 'NEED' else ''} | {meaning} |")
        out.append("")
    return out


def reasons():
    text = (TOP / "proto/base/reason.def").read_text()
    out = ["| number | symbol | exit | what happened | what to do |", "|---|---|---|---|---|"]
    for match in re.finditer(rf'^R\((0x\w+), (\w+), (\d+), {STRING}, {STRING}, {STRING}, {STRING}\)', text, re.M):
        number, symbol, code, en, en_hint, ja, ja_hint = match.groups()
        out.append(f"| {number} | `{symbol}` | {code} | {en}<br>{ja} | {en_hint}<br>{ja_hint} |")
    return out


def inner():
    text = (TOP / "proto/e2e/inner.def").read_text()
    out = ["| number | message | from | fields |", "|---|---|---|---|"]
    for match in re.finditer(r'^MESSAGE\((0x\w+), (\w+), \w+, (\w+)\)(.*?)^END', text, re.M | re.S):
        number, symbol, sender, body = match.groups()
        fields = ", ".join(f"{name} {kind}" for kind, name in re.findall(r"FIELD\((\w+), (\w+)\)", body))
        out.append(f"| {number} | {symbol} | {sender.lower()} | {fields or '–'} |")
    return out


def main():
    page = PAGE.read_text()
    made = page
    for name, lines in (("messages", messages()), ("inner", inner()), ("reasons", reasons())):
        block = f"<!-- {name}: made by docs/protocol_tables.py -->\n" + "\n".join(lines).rstrip() + f"\n<!-- end {name} -->"
        pattern = rf"<!-- {name}: made by .*?<!-- end {name} -->"
        if not re.search(pattern, made, re.S):
            sys.exit(f"docs/PROTOCOL.md has no place for {name}")
        made = re.sub(pattern, lambda _: block, made, flags=re.S)
    if "--check" in sys.argv:
        if made != page:
            sys.exit("docs/PROTOCOL.md is not current: run docs/protocol_tables.py")
    else:
        PAGE.write_text(made)


if __name__ == "__main__":
    main()
