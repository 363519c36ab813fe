"""An /etc of this process's own: what a test does to the system's files is seen by it and its children alone."""

import pathlib
import subprocess

import agentlib


def private_etc(folder, users=()):
    """Mount a copy of /etc (below `folder`) over /etc, for this process; `users`: {login: (uid, home)} more there are.

    What would be refused as changeable by others than root is made root's alone, as it is on a workstation.
    """
    copy = pathlib.Path(folder) / "etc"
    agentlib._check(agentlib._libc.unshare(agentlib._CLONE_NEWNS))
    agentlib.mount("none", "/", None, agentlib._MS_REC | agentlib._MS_PRIVATE)
    subprocess.run(["cp", "-a", "/etc", copy], check=True)
    copy.chmod(0o755)
    for name in ("passwd", "group", "shadow"):
        with open(copy / name, "a", encoding="utf-8") as f:
            for login, (uid, home) in dict(users).items():
                f.write({"passwd": f"{login}:x:{uid}:{uid}::{home}:/bin/sh\n", "group": f"{login}:x:{uid}:\n",
                         "shadow": f"{login}:*:1::::::\n"}[name])
    agentlib.mount(copy, "/etc", None, agentlib._MS_BIND)
    return copy


def writable_copy(folder, of):
    """Lay a file system of the test's own over a folder (after private_etc()). False where that is not possible."""
    layers = pathlib.Path(folder)
    layers.mkdir()
    agentlib.mount("none", layers, "tmpfs")
    for name in ("upper", "work"):
        (layers / name).mkdir(mode=0o755)
    try:
        agentlib.mount("overlay", of, "overlay", 0, f"lowerdir={of},upperdir={layers}/upper,workdir={layers}/work")
    except OSError:
        agentlib.umount(layers)
        return False
    return True
