"""A machine with a systemd of its own: this machine's files under an overlay, in namespaces of its own, booted. Needs root
and what Debian's packages systemd, libpam-systemd and dbus-user-session bring."""

import os
import pathlib
import shutil
import subprocess
import time

CGROUPS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
MARK = "--unit=basic.target"
BOOT = r"""
set -eu
root=$1
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for n in null zero full random urandom tty; do mknod -m 666 "$root/dev/$n" c $(stat -c '0x%t 0x%T' "/dev/$n"); done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
ip link set lo up
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" /lib/systemd/systemd """ + MARK + """ \
    --log-target=console --show-status=false
"""
INNER = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root")


def missing():
    """What this machine has not, or None."""
    if os.geteuid() != 0:
        return "needs root"
    for path in ("/lib/systemd/systemd", "/usr/bin/loginctl", "/usr/lib/systemd/user/dbus.service", "/usr/sbin/sshd"):
        if not os.path.exists(path):
            return f"{path} is not here"
    if cgroup2() is None:
        return "there is no cgroup2 hierarchy"
    return None


def cgroup2():
    return next((pathlib.Path(p) for p in CGROUPS if os.path.exists(f"{p}/cgroup.procs")), None)


class Machine:
    """Files at `root`; run() runs there: before start() in a chroot, afterwards in its namespaces."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.root = self.dir / "root"
        self.group = cgroup2() / f"mm-systemd-{os.getpid()}"
        self.boot = self.pid = None
        for name in ("layer", "root"):
            (self.dir / name).mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.dir / "layer"], check=True)
        for name in ("upper", "work"):
            (self.dir / "layer" / name).mkdir()
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir=/,upperdir={self.dir}/layer/upper,workdir={self.dir}/layer/work", self.root], check=True)
        for start in (".bashrc", ".profile", ".bash_profile", ".bash_login"):
            (self.root / "root" / start).unlink(missing_ok=True)
        # Nothing of this machine's own services starts: only what the tests are about.
        for folder in ("etc/systemd/system", "etc/systemd/user"):
            shutil.rmtree(self.root / folder)
            (self.root / folder).mkdir()

    def start(self):
        self.group.mkdir()
        enter = f"echo $$ > {self.group}/cgroup.procs; exec unshare --mount --pid --uts --ipc --net --cgroup --fork sh -c '{{}}' boot {self.root}"
        script = enter.format(BOOT.replace("'", "'\\''"))
        self.log = open(self.dir / "boot.log", "wb")
        self.boot = subprocess.Popen(["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                     start_new_session=True)
        self.wait("systemd", self._find)
        self.wait("the boot", lambda: self.run("systemctl", "is-system-running").stdout.strip() == "running")

    def _find(self):
        """The PID 1 of the machine, as we see it."""
        if self.boot.poll() is not None:
            raise AssertionError((self.dir / "boot.log").read_text(errors="replace"))
        try:
            children = pathlib.Path(f"/proc/{self.boot.pid}/task/{self.boot.pid}/children").read_text().split()
            for pid in children:
                if MARK in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                    self.pid = int(pid)
        except FileNotFoundError:
            pass
        return self.pid

    def wait(self, what, test, timeout=60):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            found = test()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{what} does not come\n" + (self.dir / "boot.log").read_text(errors="replace")[-2000:])

    def run(self, *args, user=None, timeout=120, **kw):
        where = ["chroot", self.root] if self.pid is None else \
            ["nsenter", "-t", self.pid, "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"]
        become = []
        if user is not None:
            uid = self.must("id", "-u", user).stdout.strip()
            become = ["runuser", "-u", user, "--", "env", f"XDG_RUNTIME_DIR=/run/user/{uid}", f"HOME=/home/{user}"]
        argv = [*where, *INNER, *become, *args]
        return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout, check=False,
                              **{"stdin": subprocess.DEVNULL, **kw})

    def must(self, *args, **kw):
        r = self.run(*args, **kw)
        if r.returncode != 0:
            raise AssertionError(f"{args}: status {r.returncode}\n{r.stdout}{r.stderr}")
        return r

    def show(self, unit, *properties, user=None):
        scope = ["--user"] if user else []
        out = self.must("systemctl", *scope, "show", unit, *[f"-p{p}" for p in properties], user=user).stdout
        return dict(line.split("=", 1) for line in out.splitlines())

    def write(self, path, text, mode=0o644):
        target = self.root / path.lstrip("/")
        self.must("mkdir", "-p", os.path.dirname(path))
        self.must("tee", path, input=text, stdin=None)
        self.must("chmod", f"{mode:o}", path)
        return target

    def read(self, path):
        return self.must("cat", path).stdout

    def stop(self):
        if self.pid is not None:
            self.run("systemctl", "poweroff", "--force", "--force")
        if self.boot is not None:
            try:
                self.boot.wait(20)
            except subprocess.TimeoutExpired:
                os.kill(self.pid, 9)  # and with it everything in its namespace
                self.boot.wait(20)
            self.log.close()
        subprocess.run(["umount", self.root], check=False)
        subprocess.run(["umount", self.dir / "layer"], check=False)
        for folder in sorted(self.group.rglob("*"), reverse=True):
            if folder.is_dir():
                folder.rmdir()
        if self.group.exists():
            self.group.rmdir()
