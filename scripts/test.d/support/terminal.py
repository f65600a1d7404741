"""A person at a terminal: hpc in a pseudo-terminal whose screen is kept by pyte."""

import os
import re
import select
import signal
import tempfile
import time

import pexpect
import pyte
import wcwidth

from support.harness import HPC


class Terminal:
    """One program on one terminal, its home a throwaway folder unless one is given."""

    def __init__(self, *words, env=None, rows=24, columns=80, home=None, cwd=None, program=None,
                 term="xterm-256color", prompt="hpc>", start=True):
        self._home = None if home else tempfile.TemporaryDirectory(prefix="hpc-repl-")
        self.home = home or self._home.name
        self.prompt_text = prompt
        clean = {"PATH": os.environ["PATH"], "HOME": self.home, "TERM": term, "LANG": "C.UTF-8",
                 "HPC": HPC,
                 "SWIFT_BACKTRACE": "enable=no"}
        clean.update(env or {})
        command = program or [HPC, *words]
        self.child = pexpect.spawn(command[0], command[1:], env=clean, cwd=cwd or self.home,
                                   dimensions=(rows, columns), timeout=20)
        self.child.delaybeforesend = None
        self.child.ptyproc.delayafterterminate = 0
        self.screen = pyte.HistoryScreen(columns, rows, history=20_000, ratio=0.001)
        self.stream = pyte.ByteStream(self.screen)
        self.blind = False  # megabytes take pyte minutes
        self.behind = None  # the main screen while a program shows one of its own
        self.raw = b""
        self.entered = None  # how much had come when the last key was one that ends a line
        self.ended = False
        if start:
            self.prompt()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What comes from it

    def pump(self, seconds=0.05):
        """Takes what the program wrote; waits at most so long for the first byte."""
        if self.ended:
            time.sleep(min(seconds, 0.01))
            return False
        if not select.select([self.child.child_fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.child.child_fd, 1 << 16)
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return False
        self.raw += data
        if self.blind:
            return True
        for part in re.split(rb"(\x1b\[\?1049[hl])", data):
            if part.startswith(b"\x1b[?1049"):
                self.switch(part.endswith(b"h"))
            else:
                self.stream.feed(part)
        return True

    def switch(self, alternate):
        """What pyte lacks: a second screen, for programs that take all of it."""
        if alternate and not self.behind:
            self.behind = self.screen
            self.screen = pyte.HistoryScreen(self.behind.columns, self.behind.lines)
        elif not alternate and self.behind:
            self.behind.resize(self.screen.lines, self.screen.columns)
            self.screen, self.behind = self.behind, None
        self.stream = pyte.ByteStream(self.screen)

    def wait(self, holds, what="", within=20):
        """Takes output until a condition holds."""
        end = time.monotonic() + within
        while not holds():
            if time.monotonic() > end or (self.ended and not self.pump(0)):
                if holds():
                    return self
                raise AssertionError(f"waited in vain for {what or holds}; the screen:\n{self}")
            self.pump()
        return self

    def sees(self, text, within=20):
        """Waits until a text is on the screen or above it."""
        return self.wait(lambda: text in self.text(), repr(text), within)

    def prompt(self, within=20):
        """Waits for an empty prompt at the cursor, the next one where the line before was ended."""
        name = self.prompt_text

        def is_up():
            if self.entered is not None:
                if self.raw.find(b"\n", self.entered) < 0:
                    return False
                self.entered = None
            if self.line() != name or self.screen.cursor.x != len(name) + 1:
                return False
            self.pump(0)  # what follows at once
            return self.line() == name
        return self.wait(is_up, "the prompt", within)

    def line(self):
        """The line of the cursor."""
        # pyte leaves the cursor where it was when the screen shrinks.
        return self.screen.display[min(self.screen.cursor.y, self.screen.lines - 1)].rstrip()

    def lines(self):
        """All lines, those scrolled away first, without blanks at their ends."""
        above = ["".join(line[x].data for x in range(self.screen.columns)).rstrip()
                 for line in self.screen.history.top]
        lines = above + [line.rstrip() for line in self.screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def text(self):
        return "\n".join(self.lines())

    def __str__(self):
        return "\n".join("   | " + line for line in self.lines()[-40:])

    # What goes to it

    def send(self, keys):
        """Types keys as they are; takes output meanwhile, so that nobody waits for the other."""
        data = keys.encode() if isinstance(keys, str) else keys
        if data[-1:] in (b"\r", b"\x03"):
            self.entered = len(self.raw)
        while data:
            if select.select([], [self.child.child_fd], [], 0.02)[1]:
                data = data[os.write(self.child.child_fd, data[:512]):]
            self.pump(0)
        return self

    def run(self, form, within=20):
        """Types a form and Return; answers the lines that it printed."""
        self.prompt(within)
        columns = self.screen.columns
        echo = len(self.prompt_text) + 1 + wcwidth.wcswidth(form)
        after = len(self.lines()) - 1 + max(1, -(-echo // columns))
        self.send(form + "\r")
        self.wait(lambda: len(self.lines()) > after or self.ended, "the echo", within)
        self.prompt(within)
        return self.lines()[after:-1]

    def paste(self, text):
        data = text.encode() if isinstance(text, str) else text
        return self.send(b"\x1b[200~" + data + b"\x1b[201~")

    def resize(self, rows, columns):
        self.child.setwinsize(rows, columns)
        self.screen.resize(rows, columns)
        return self

    # Its end

    def kill(self, number):
        os.kill(self.child.pid, number)
        return self

    def hang_up(self):
        """Closes the terminal."""
        self.child.ptyproc.fileobj.close()
        self.ended = True
        self.child.closed = True
        self.child.ptyproc.closed = True
        self.child.ptyproc.fd = self.child.child_fd = -1
        return self

    def exits(self, within=20):
        """Waits for the end; the exit status, negative for a signal."""
        end = time.monotonic() + within
        while self.child.isalive():
            if time.monotonic() > end:
                raise AssertionError(f"still running; the screen:\n{self}")
            self.pump(0.02)
        while self.pump(0):
            pass
        status = self.child.exitstatus
        return status if status is not None else -self.child.signalstatus

    def close(self):
        try:
            if self.child.isalive():
                os.kill(self.child.pid, signal.SIGKILL)
                self.child.ptyproc.wait()
        except (OSError, pexpect.ExceptionPexpect):
            pass
        try:
            if self.child.child_fd >= 0:
                self.child.close(force=True)
        except (OSError, pexpect.ExceptionPexpect):
            pass
        if self._home:
            self._home.cleanup()


def plain(text):
    """A text without colour sequences."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
