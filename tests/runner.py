"""Builds Engawa in its variants and runs every kind of test; tests/run is its front door.

Stages, in order of rising cost: lint, unit (unit + contract under ASan and UBSan), tsan (the
threads of gateway and host agent), system (real programs, under ASan), web (the console in Chromium), fuzz (30 s a target). Each stage prints what failed
with its output; the last line counts all cases.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
STAGES = ["lint", "unit", "tsan", "system", "web", "fuzz"]
QUICK = ["lint", "unit"]
FUZZ_SECONDS = int(os.environ.get("ENGAWA_FUZZ_SECONDS", "30"))
JOBS = max(2, os.cpu_count() or 2)

# Leaks are errors everywhere; a sanitizer report must end the test that caused it.
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99:detect_stack_use_after_return=1",
    "LSAN_OPTIONS": f"suppressions='{TOP}/tests/lsan.supp':print_suppressions=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"halt_on_error=1:exitcode=99:second_deadlock_stack=1:suppressions='{TOP}/tests/tsan.supp'",
}


class Count:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.names = []

    def add(self, passed, failed, name=None):
        self.passed += passed
        self.failed += failed
        if failed and name:
            self.names.append(name)


def say(text):
    print(text, flush=True)


def build(variant, *options, target="all"):
    """build-VARIANT, warnings as errors. A build that fails ends the run: nothing after it means anything."""
    folder = TOP / f"build-{variant}"
    say(f"== build {variant}")
    configure = ["cmake", "-G", "Ninja", "-S", TOP, "-B", folder, "-DENGAWA_WERROR=ON", *options]
    for command in (configure, ["ninja", "-C", folder, target]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            say(done.stdout[-8000:])
            say(f"the {variant} build failed")
            say("0 passed, 1 failed")
            sys.exit(1)
    return folder


def run_case(command, timeout, env=None, cwd=None):
    started = time.monotonic()
    try:
        done = subprocess.run(
            [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=timeout, env={**os.environ, **SANITIZER_ENV, **(env or {})}, cwd=cwd,
            stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout.decode("utf-8", "replace"), time.monotonic() - started
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode("utf-8", "replace")
        return 124, output + f"\n(no end after {timeout} s)", time.monotonic() - started


def cmocka_cases(code, output):
    """Passed and failed cases of one cmocka program; a crash is a failed case of its own."""
    passed = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", output))
    failed = sum(int(n) for n in re.findall(r"\[  FAILED  \] [^\n]*?(\d+) test", output))
    if code and not failed:
        failed = 1
    if not code and not passed:
        passed = 1
    return passed, failed


def stage_lint(count):
    say("== lint")
    code, output, _ = run_case([TOP / "tests/lint/run"], 300)
    results = re.findall(r"^(ok|FAIL) +(.*)$", output, re.M)
    passed = sum(1 for verdict, _ in results if verdict == "ok")
    failed = len(results) - passed
    if code and not failed:
        failed = 1
    if failed:
        say(output)
    count.add(passed, failed, "lint")


def run_programs(count, folder, pattern, label):
    programs = sorted(path for path in (folder / "tests").glob("*")
                      if os.access(path, os.X_OK) and path.is_file() and re.search(pattern, path.name))
    if not programs:
        count.add(0, 1, f"{label}: no test programs")
        return
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        futures = {pool.submit(run_case, [path], 600, {"ENGAWA_BUILD": str(folder)}): path for path in programs}
        for future in concurrent.futures.as_completed(futures):
            code, output, seconds = future.result()
            passed, failed = cmocka_cases(code, output)
            name = f"{label} {futures[future].name}"
            if failed:
                say(f"-- FAILED {name} (exit {code}, {seconds:.1f} s)\n{output[-6000:]}")
            count.add(passed, failed, name)


def stage_unit(count):
    folder = build("asan", "-DENGAWA_SANITIZE=address")
    say("== unit and contract tests, ASan and UBSan")
    run_programs(count, folder, r"_test_", "asan")
    for what in ("binaries", "docs"):
        code, output, _ = run_case([TOP / "tests/lint" / what, folder], 240)
        results = re.findall(r"^(ok|FAIL) +(.*)$", output, re.M)
        failed = sum(1 for verdict, _ in results if verdict != "ok") or (1 if code else 0)
        if failed:
            say(output)
        count.add(len(results) - failed if results else 0, failed, f"lint of {what}")


def stage_tsan(count):
    folder = build("tsan", "-DENGAWA_SANITIZE=thread")
    say("== threads, TSan")
    run_programs(count, folder, r"^(gateway_|contract_|proto_base_|proto_link_|"
                 r"host-agent_(agent|desktop|rfb)_|host-agent_screen_(?=test_x11_turn)).*test_", "tsan")


def stage_fuzz(count):
    folder = build("fuzz", "-DENGAWA_FUZZ=ON", "-DCMAKE_C_COMPILER=clang", target="fuzz")
    targets = sorted((folder / "fuzz").glob("fuzz_*"))
    targets = [path for path in targets if os.access(path, os.X_OK) and path.is_file()]
    say(f"== fuzz: {len(targets)} targets, {FUZZ_SECONDS} s each")
    if not targets:
        count.add(0, 1, "fuzz: no targets")

    def one(path):
        stem = path.name.removeprefix("fuzz_")
        seeds = TOP / "tests/fuzz/corpus" / stem
        grown = folder / "corpus" / stem
        grown.mkdir(parents=True, exist_ok=True)
        crashes = folder / "crashes" / stem
        crashes.mkdir(parents=True, exist_ok=True)
        command = [path, f"-max_total_time={FUZZ_SECONDS}", "-timeout=5", "-rss_limit_mb=2048",
                   "-print_final_stats=1", f"-artifact_prefix={crashes}/", grown]
        if seeds.is_dir():
            command.append(seeds)
        return path, run_case(command, FUZZ_SECONDS * 4 + 120)

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for path, (code, output, _) in pool.map(one, targets):
            runs = re.search(r"number_of_executed_units: (\d+)", output)
            if code or not runs:
                say(f"-- FAILED {path.name}\n{output[-6000:]}")
                count.add(0, 1, path.name)
            else:
                say(f"   {path.name}: {runs.group(1)} runs")
                count.add(1, 0)


def stage_system(count, words):
    folder = build("asan", "-DENGAWA_SANITIZE=address")
    say("== system tests: the real programs")
    report = folder / "system.xml"
    report.unlink(missing_ok=True)
    command = ["/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rf", "--tb=short",
               "-n", str(JOBS), "--timeout=400",
               f"--junitxml={report}", TOP / "tests/system", *words]
    environment = {**os.environ, **SANITIZER_ENV, "ENGAWA_BUILD": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    code = subprocess.run([str(word) for word in command], env=environment, stdin=subprocess.DEVNULL).returncode
    if not report.exists():
        count.add(0, 1, "system tests did not run")
        return
    suite = ElementTree.parse(report).getroot().find("testsuite")
    total = int(suite.get("tests"))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    skipped = int(suite.get("skipped"))
    if skipped:
        failed += skipped  # what is skipped here would be skipped everywhere: nobody would notice
        say(f"{skipped} system tests were skipped; nothing may be")
    if code and not failed:
        failed = 1
    count.add(max(0, total - failed), failed, "system tests")


def stage_web(count):
    """Node is no Debian package of ours: where it is missing the gateway has no console to look at."""
    if not (shutil.which("node") and shutil.which("npm")):
        say("== web: SKIPPED, node and npm are not here; the console is neither built nor tested")
        return
    folder = build("asan", "-DENGAWA_SANITIZE=address")
    say("== web: the console in a browser")
    for place in ("gateway/console", "viewer/web", "tests/web"):
        code, output, _ = run_case(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                                   300, cwd=TOP / place)
        if code:
            say(output[-3000:])
            count.add(0, 1, f"npm ci in {place}")
            return
    tests = sorted((TOP / "tests/web").glob("*.test.mjs"))
    command = ["node", "--test", "--test-concurrency=1", "--test-reporter=tap", *tests]
    code, output, _ = run_case(command, 1200, {"ENGAWA_BUILD": str(folder)}, TOP / "tests/web")
    for line in re.findall(r"^.*# (figure: .*)$", output, re.M):
        say(f"   {line}")
    passed, failed, cancelled, skipped = (
        sum(int(n) for n in re.findall(rf"^# {word} (\d+)$", output, re.M))
        for word in ("pass", "fail", "cancelled", "skipped"))
    failed += cancelled + skipped  # what is skipped here would be skipped everywhere
    if code and not failed:
        failed = 1
    if failed:
        say(output[-20000:])
    count.add(passed, failed, "web tests")


def main(words):
    extra = []
    if "-k" in words:
        at = words.index("-k")
        words, extra = words[:at], words[at:]
    quick = "--quick" in words
    words = [word for word in words if word != "--quick"]
    unknown = [word for word in words if word not in STAGES]
    if unknown:
        say(f"tests/run: unknown stage {unknown[0]} ({', '.join(STAGES)})")
        return 64
    stages = words or (QUICK if quick else STAGES)
    count = Count()
    for stage in stages:
        started = time.monotonic()
        if stage == "system":
            stage_system(count, extra)
        else:
            {"lint": stage_lint, "unit": stage_unit, "tsan": stage_tsan, "web": stage_web,
             "fuzz": stage_fuzz}[stage](count)
        say(f"   {stage}: {time.monotonic() - started:.0f} s")
    for name in count.names:
        say(f"failed: {name}")
    say(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
