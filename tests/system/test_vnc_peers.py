"""Real VNC programs on both sides: TigerVNC's viewer and libvncclient at home, Xvnc and x11vnc at the office."""

import os
import subprocess
import time

import pytest
from PIL import Image
from rfb import Rfb
from test_main_job import JAPANESE, has_colour, paint, same_picture
from world import TOOLS, Display, Host, Program, Viewer, free_port, run, wait_for

RED = (0xD0, 0x30, 0x20)


def probe(viewer, seconds, text=None):
    path = viewer.world.tmp / f"probe-{time.monotonic_ns()}.ppm"
    served = streams_ended(viewer)
    # The library keeps some memory until its process ends; that is not what is tested here.
    run(TOOLS / "vnc_probe", viewer.port, seconds, path, *([text] if text else []), timeout=60,
        env={"ASAN_OPTIONS": "detect_leaks=0"})
    wait_for("the listener is free again", lambda: streams_ended(viewer) > served)
    return Image.open(path).convert("RGB")


def streams_ended(viewer):
    """The listener serves one client at a time."""
    return viewer.program.text().count("the VNC client's stream ended")


def test_libvncclient_sees_and_types(viewer, desktop):
    typed = desktop.typing_into()
    paint(desktop, "#d03020")
    time.sleep(1)
    desktop.run("xdotool", "search", "--onlyvisible", "--name", "typed here", "windowfocus", "--sync", code=None)
    viewer.listen()
    picture = probe(viewer, 3, "libvnc: " + JAPANESE)
    wait_for("the text", lambda: typed.read_text() == "libvnc: " + JAPANESE)
    assert has_colour(picture, RED)
    same_picture(lambda: probe(viewer, 3), desktop)


def test_tigervnc_viewer_sees_and_types(world, viewer, desktop):
    """TigerVNC's viewer in a display of its own; what that display shows is looked at."""
    typed = desktop.typing_into()
    viewer.listen()
    home = Display(world, "home", size="1280x900")
    home.start("xtigervncviewer", f"127.0.0.1::{viewer.port}", "-SecurityTypes=None", "-ReconnectOnError=0",
               "-RemoteResize=0", "-geometry=1024x768+0+0")
    window = wait_for("TigerVNC's window", lambda: home.run(
        "xdotool", "search", "--onlyvisible", "--name", "TigerVNC", code=None).split())[-1]
    paint(desktop, "#d03020")
    wait_for("the red window at home", lambda: has_colour(home.screenshot(), RED, 0.01))
    desktop.run("xdotool", "search", "--onlyvisible", "--name", "typed here", "windowfocus", "--sync", code=None)
    home.run("xdotool", "windowfocus", "--sync", window, code=None)
    home.run("xdotool", "type", "--delay", "30", "TigerVNC types (here)!")
    wait_for("the text", lambda: typed.read_text() == "TigerVNC types (here)!")


def start_xvnc(world):
    """TigerVNC's Xvnc: an X server that is a VNC server; returns its port and a Display to work on it."""
    port = free_port()
    read_end, write_end = os.pipe()
    log = world.tmp / "xvnc.log"
    with open(log, "ab") as sink:
        process = subprocess.Popen(
            ["Xtigervnc", "-displayfd", str(write_end), "-rfbport", str(port), "-localhost", "-SecurityTypes", "None",
             "-geometry", "1024x768", "-depth", "24", "-AlwaysShared"],
            stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, pass_fds=(write_end,))
    os.close(write_end)
    program = Program.__new__(Program)
    program.name, program.log, program.process, program.words = "xvnc", log, process, ["Xtigervnc"]
    world.programs.append(program)
    with os.fdopen(read_end) as lines:
        number = lines.readline().strip()
    assert number, log.read_text()
    display = Display.__new__(Display)
    display.world, display.name, display.number, display.at, display.program = world, "xvnc", number, f":{number}", program
    display.start_manager()
    return port, display


def start_x11vnc(world):
    display = Display(world, "plain")
    port = free_port()
    # -noshm: when it is killed, its shared memory segments stay on the machine until none is left for anybody.
    display.start("x11vnc", "-display", display.at, "-rfbport", str(port), "-localhost", "-forever", "-nopw",
                  "-noshm", "-noxdamage", "-shared")
    return port, display


@pytest.mark.parametrize("server", [start_xvnc, start_x11vnc])
def test_the_office_may_be_a_vnc_server(world, gateway, license, server):
    port, display = server(world)
    wait_for("the VNC server", lambda: listening(port))
    host = Host(world, gateway, license).enroll().run("--vnc", f"127.0.0.1:{port}").online()
    viewer = Viewer(world, gateway, license).pair(host.ticket())
    typed = display.typing_into()
    paint(display, "#d03020")
    time.sleep(1)
    display.run("xdotool", "search", "--onlyvisible", "--name", "typed here", "windowfocus", "--sync", code=None)
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.until("the red window", lambda image: has_colour(image, RED))
    screen.type("through VNC 123")
    wait_for("the text", lambda: typed.read_text() == "through VNC 123")
    served = streams_ended(viewer)
    screen.close()
    wait_for("the listener is free again", lambda: streams_ended(viewer) > served)
    assert has_colour(same_picture(lambda: probe(viewer, 2), display), RED)


def test_the_vnc_server_may_go_and_come_back(world, gateway, license):
    port, display = start_xvnc(world)
    wait_for("the VNC server", lambda: listening(port))
    host = Host(world, gateway, license).enroll().run("--vnc", f"127.0.0.1:{port}").online()
    viewer = Viewer(world, gateway, license).pair(host.ticket())
    viewer.listen()
    screen = Rfb(viewer.port)
    screen.pump(1)
    display.program.kill()
    assert viewer.program.wait() == 69
    assert "VNC_UNREACHABLE" in viewer.program.text()
    assert host.program.alive()


def listening(port):
    import socket
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0
