"""Debian packages that cannot be installed together, used together all the same.

fetch() downloads packages, and what of their dependencies is missing; it
needs the network and comes before any namespace. lay() unpacks them with
`dpkg -x` and lays them over /usr, /etc and /var in the mount namespace of the
caller: no maintainer script runs, nothing is installed, and with the
namespace all is gone.
"""

import os
import pathlib
import shutil
import subprocess

CACHE = pathlib.Path(__file__).resolve().parents[2] / "build" / "debs"


def run(*args, **kw):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True, text=True, **kw).stdout


def installed(package):
    p = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True, check=False)
    return "ok installed" in p.stdout


def missing(group):
    """What apt would install for these, without what is there in another version."""
    out = run("apt-get", "-s", "-o", "Debug::NoLocking=1", "--no-install-recommends", "install", *group)
    return [p for p in (line.split()[1] for line in out.splitlines() if line.startswith("Inst ")) if not installed(p)]


def fetch(*groups):
    """Each group is a list of packages that apt may have together. Returns the files."""
    CACHE.mkdir(parents=True, exist_ok=True)
    wanted = sorted({p for g in groups for p in missing(g)})
    absent = [p for p in wanted if not list(CACHE.glob(p + "_*.deb"))]
    if absent:
        run("apt-get", "download", *absent, cwd=CACHE, timeout=300)
    return [next(iter(CACHE.glob(p + "_*.deb"))) for p in wanted]


def lay(debs, folder, users=()):
    """users: names that the packages would have made."""
    folder = pathlib.Path(folder)
    tree = folder / "tree"
    tree.mkdir(parents=True)
    for deb in debs:
        run("dpkg", "-x", deb, tree)
    # this system has /lib within /usr, the packages may not know
    for name in ("lib", "bin", "sbin"):
        if (tree / name).is_dir():
            shutil.copytree(tree / name, tree / "usr" / name, symlinks=True, dirs_exist_ok=True)
    for name in ("usr", "etc", "var"):
        for sub in ("upper", "work"):
            (folder / name / sub).mkdir(parents=True)
        (tree / name).mkdir(exist_ok=True)
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={tree / name}:/{name},upperdir={folder / name / 'upper'},"
            f"workdir={folder / name / 'work'}", f"/{name}")
    run("ldconfig")
    for i, user in enumerate(users):
        if subprocess.run(["getent", "passwd", user], capture_output=True, check=False).returncode != 0:
            run("groupadd", "-f", "-g", 64000 + i, user)
            run("useradd", "-u", 64000 + i, "-g", user, "-M", "-d", "/nonexistent", "-s", "/usr/sbin/nologin", user)


def usable():
    return os.geteuid() == 0
