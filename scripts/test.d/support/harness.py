"""Runs checks of the built program and counts them; nothing here is part of hpc."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[3]
VENV = ROOT / ".build" / "venv"
if pathlib.Path(sys.prefix) != VENV:  # the pinned peers live there
    os.execv(VENV / "bin" / "python", [str(VENV / "bin" / "python"), *sys.argv])
# A shell starts jobs in the background with these ignored, and so would be all that starts here.
for ignored in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(ignored) == signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)
HPC = os.environ.get("HPC_BINARY") or str(ROOT / ".build" / "release" / "hpc")

_checks = []


def check(function):
    """Registers a check: a function that raises when something is wrong."""
    _checks.append(function)
    return function


def hpc(*words, env=None, stdin="", cwd=None, timeout=120):
    """Runs hpc with a clean environment and returns the finished process."""
    clean = {
        "PATH": os.environ["PATH"],
        "HOME": env.get("HOME", "/nonexistent") if env else "/nonexistent",
        "LANG": "C.UTF-8",
    }
    clean.update(env or {})
    return subprocess.run(
        [HPC, *words], env=clean, input=stdin, cwd=cwd, timeout=timeout,
        capture_output=True, text=True, errors="surrogateescape",
    )


def short(value):
    """The representation of a value, cut where it is long."""
    text = repr(value)
    return text if len(text) < 2000 else f"{text[:1000]} … {text[-1000:]}"


def equal(actual, expected, what=""):
    """Fails with both values when they differ."""
    if actual != expected:
        raise AssertionError(f"{what}\n   expected {short(expected)}\n   got      {short(actual)}")


def contains(text, *parts):
    """Fails when a text lacks one of the parts."""
    for part in parts:
        if part not in text:
            raise AssertionError(f"{part!r} is not in {short(text)}")


def folder():
    """A fresh temporary folder, removed when the object goes."""
    return tempfile.TemporaryDirectory(prefix="hpc-test-")


def main():
    """Runs every check whose name matches a word of the command line, or all."""
    words = sys.argv[1:]
    passed, failed = 0, 0
    for function in _checks:
        if words and not any(word in function.__name__ for word in words):
            continue
        try:
            function()
            passed += 1
        except Exception:  # a failed check must not stop the others
            failed += 1
            print(f"FAILED {function.__name__}")
            traceback.print_exc(limit=3, file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
