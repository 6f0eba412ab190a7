#!/usr/bin/env python3
"""Writes the tables of messages in docs/USER.md and docs/ja/USER.md from proto/base/reason.def.

    docs/user_messages.py           rewrites the parts between the markers
    docs/user_messages.py --check   fails when they are not current
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
STRING = r'"((?:[^"\\]|\\.)*)"'
# What only administrators, operators and programmers meet.
OTHERS = {"CONFLICT", "FORBIDDEN", "UNAUTHENTICATED", "NO_RANDOM", "CONFIG", "NOT_FOUND", "PORT_TAKEN",
          "RECORDING_FAILED", "LEG_CLOSED"}


def reasons():
    text = (TOP / "proto/base/reason.def").read_text()
    for match in re.finditer(rf'^R\((0x\w+), (\w+), (\d+), {STRING}, {STRING}, {STRING}, {STRING}\)', text, re.M):
        if match.group(2) not in OTHERS:
            yield match.groups()


def table(words, head):
    rows = [f"| {head[0]} | {head[1]} | {head[2]} |", "|---|---|---|"]
    for _, symbol, _, en, en_hint, ja, ja_hint in reasons():
        rows.append(f"| {ja if words == 'ja' else en} | {ja_hint if words == 'ja' else en_hint} | `{symbol}` |")
    return "\n".join(rows)


def main():
    stale = False
    for path, words, head in ((TOP / "docs/USER.md", "en", ("The program says", "What to do", "Code")),
                              (TOP / "docs/ja/USER.md", "ja", ("表示されるメッセージ", "対処", "コード"))):
        page = path.read_text()
        made, count = re.subn(r"(<!-- messages[^>]*-->\n).*?(<!-- end messages -->)",
                              lambda found: found.group(1) + table(words, head) + "\n" + found.group(2), page, flags=re.S)
        if count != 1:
            sys.exit(f"{path.relative_to(TOP)} has no place for the messages")
        if made != page and "--check" in sys.argv:
            print(f"{path.relative_to(TOP)}: run docs/user_messages.py")
            stale = True
        elif made != page:
            path.write_text(made)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
