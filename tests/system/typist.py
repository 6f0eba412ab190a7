"""Somebody who types numbers, one per line, into the office PC through a viewer's RFB stream, whatever
happens to the line meanwhile. What arrives is a file: nothing may be missing, nothing twice.

    typist = Typist(screen, 1, 300).start()
    ... nodes die ...
    typist.done()
    wait_for("the numbers", lambda: path.read_text() == typist.text)
"""

import threading
import time

from rfb import keysym

SHIFT = 0xFFE1


class Typist:
    """Types on a thread of its own; `pause` is what lies between two lines. The picture is taken in on
    the same thread, as an RFB client does it."""

    def __init__(self, screen, first, last, pause=0.05):
        self.screen, self.pause = screen, pause
        self.numbers = range(first, last + 1)
        self.text = "".join(f"{number}\n" for number in self.numbers)
        self.at = first
        self.failure = None
        self.halted = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def _run(self):
        try:
            for number in self.numbers:
                if self.halted:
                    break
                self.at = number
                for character in f"{self.at}\n":
                    self.screen.press(keysym(character))
                self.screen.pump(self.pause)
        except Exception as error:  # told by done()
            self.failure = error

    def busy(self):
        return self.thread.is_alive()

    def done(self, seconds=180):
        """All is typed; the line may still be down."""
        self.thread.join(seconds)
        assert not self.failure, f"the stream to the viewer broke at {self.at}: {self.failure!r}"
        assert not self.thread.is_alive(), f"still typing at {self.at}"
        return self

    def stop(self):
        """No further line; `text` is what was typed."""
        self.halted = True
        self.done()
        self.text = "".join(f"{number}\n" for number in self.numbers if number <= self.at)
        return self

    def wait_until(self, number, seconds=120):
        end = time.monotonic() + seconds
        while self.at < number and self.busy() and time.monotonic() < end:
            time.sleep(0.02)
        assert self.at >= number or self.failure, f"typed only as far as {self.at}"
