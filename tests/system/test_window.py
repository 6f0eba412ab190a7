"""The viewer's own window: what is seen, typed and copied in it, and what it shows while the line is gone."""

import pytest
from test_main_job import has_colour, paint
from world import BIN, Display, wait_for

RED = (0xD0, 0x30, 0x20)
BLUE = (0x20, 0x40, 0xC0)
# The display driver's modules are unloaded before the leak check looks; what they keep has no name then.
NO_LEAK_CHECK = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}


@pytest.fixture
def home(world):
    return Display(world, "home", size="1280x900")


def open_window(viewer, home, **env):
    program = viewer.world.start("window", [
        BIN / "engawa-viewer", "--state", viewer.state, "connect", "--password-file", viewer.password_file],
        env={**home.env, **NO_LEAK_CHECK, "SDL_VIDEODRIVER": "x11", **env}, ready=True)
    wait_for("the window", lambda: home.run("xdotool", "search", "--onlyvisible", "--name", "office", code=None).strip())
    return program


def test_seen_typed_and_closed(viewer, desktop, home):
    typed = desktop.typing_into()
    paint(desktop, "#d03020")
    program = open_window(viewer, home)
    wait_for("the red window at home", lambda: has_colour(home.screenshot(), RED, 0.01))
    desktop.run("xdotool", "search", "--onlyvisible", "--name", "typed here", "windowfocus", "--sync", code=None)
    home.run("xdotool", "search", "--onlyvisible", "--name", "office", "windowfocus", "--sync", code=None)
    home.run("xdotool", "type", "--delay", "20", "Hello (from) the window!")
    wait_for("the text", lambda: typed.read_text() == "Hello (from) the window!")
    home.run("xdotool", "key", "ctrl+alt+q")
    assert program.wait() == 0


def test_clipboard_both_ways_in_japanese(viewer, desktop, home):
    open_window(viewer, home)
    home.start("sh", "-c", "printf '家から' | xclip -i -selection clipboard -quiet")

    def arrived():
        # What another program copied is looked for when the person comes back to the window.
        home.run("xdotool", "mousemove", "1270", "890")
        home.run("xdotool", "mousemove", "500", "400")
        return desktop.run("xclip", "-o", "-selection", "clipboard", "-t", "UTF8_STRING", code=None) == "家から"

    wait_for("the office clipboard", arrived, every=0.3)
    desktop.start("sh", "-c", "printf '会社から' | xclip -i -selection clipboard -quiet")
    wait_for("the clipboard at home", lambda: home.run(
        "xclip", "-o", "-selection", "clipboard", "-t", "UTF8_STRING", code=None) == "会社から")


@pytest.mark.parametrize("lang", ["ja_JP.UTF-8", "C.UTF-8"])
def test_the_last_picture_is_dimmed_while_reconnecting(viewer, gateway, desktop, home, lang):
    paint(desktop, "#d03020")
    open_window(viewer, home, LC_ALL=lang)
    wait_for("the red window", lambda: has_colour(home.screenshot(), RED, 0.01))
    gateway.program.kill()
    wait_for("the dimmed picture", lambda: not has_colour(home.screenshot(), RED, 0.001))
    gateway.restart()
    wait_for("the picture to come back", lambda: has_colour(home.screenshot(), RED, 0.01))


def test_the_decoder_dies_and_the_window_lives(viewer, desktop, home):
    import os
    import signal
    from test_robust import child_of
    program = open_window(viewer, home)
    child = wait_for("the decoder", lambda: child_of(program.process.pid))
    os.kill(child, signal.SIGKILL)
    paint(desktop, "#d03020")
    wait_for("the red window at home", lambda: has_colour(home.screenshot(), RED, 0.01))
    assert program.alive()


def test_one_of_several_monitors(viewer, host, desktop, home):
    """Red on the left monitor, blue on the right one."""
    def shown():
        picture = home.screenshot()
        return has_colour(picture, RED, 0.01), has_colour(picture, BLUE, 0.01)

    def choose(digit, expected):
        home.run("xdotool", "key", f"ctrl+alt+{digit}")
        wait_for(f"monitor {digit}", lambda: shown() == expected)

    paint(desktop, "#d03020")
    desktop.start("xterm", "-bg", "#2040c0", "-fg", "#2040c0", "-cr", "#2040c0", "+sb", "-geometry", "60x40+540+20",
                  "-e", "sleep", "600")
    desktop.run("xrandr", "--setmonitor", "left", "512/130x768/200+0+0", "screen")
    desktop.run("xrandr", "--setmonitor", "right", "512/130x768/200+512+0", "none")
    open_window(viewer, home)
    wait_for("both colours", lambda: shown() == (True, True))
    home.run("xdotool", "search", "--onlyvisible", "--name", "office", "windowfocus", "--sync", code=None)
    choose(1, (True, False))
    choose(2, (False, True))
    choose(9, (False, True))
    choose(0, (True, True))
    choose(2, (False, True))
    # The one that is shown is taken away while the session runs.
    desktop.run("xrandr", "--delmonitor", "right")
    wait_for("the whole picture", lambda: shown() == (True, True))
    # Or while the agent is started anew, which then has nothing to tell.
    desktop.run("xrandr", "--setmonitor", "right", "512/130x768/200+512+0", "none")
    wait_for("to choose it again", lambda: home.run("xdotool", "key", "ctrl+alt+2") or shown() == (False, True))
    host.program.kill()
    desktop.run("xrandr", "--delmonitor", "right")
    host.run("--display", desktop.at)
    wait_for("the whole picture again", lambda: shown() == (True, True))
