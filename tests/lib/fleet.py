"""A fleet of workstations on one machine, for end-to-end tests and the demo.

Everything runs in a network namespace and a mount namespace of its own, so
that the real ports (22, 993, 465 ...), real host names and real user accounts
can be used without touching the machine:

  * each workstation is an overlay of the machine's own root folder in memory,
    with its own users, homes, /etc and /var, and its own sshd on its own
    loopback address, port 22;
  * the mail server is Dovecot (mailserver.py) on 127.0.1.1, standard ports;
  * names are found through a private /etc/hosts.

Needs root. As a program:
    fleet.py up DIR [--workstations N] [--bin FOLDER]    start, write DIR/fleet.json
    fleet.py down DIR                                    stop by process id
    fleet.py passwd DIR USER PASSWORD                    change a password on the server
    fleet.py stop|start DIR WORKSTATION                  power off, power on
    fleet.py run [--user LOGIN] DIR WORKSTATION -- COMMAND...
Call it inside `unshare --mount --net`; `enter_namespaces()` does that.
"""

import argparse
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import mailserver  # noqa: E402

DOMAIN = "acme.example"
MAIL_ADDRESS = "127.0.1.1"
MARK = "MM_FLEET_NAMESPACE"


def enter_namespaces():
    """Run the whole program again inside its own network and mount namespace."""
    if os.environ.get(MARK):
        return
    if os.geteuid() != 0:
        sys.exit("needs root: the workstations are made with mount and network namespaces")
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "--propagation", "private", "--", sys.executable, *sys.argv])


def run(*args, **kw):
    return subprocess.run([str(a) for a in args], check=True, **kw)


def start_time(pid):
    """Ticks since boot at which a process began: tells a pid from its next owner."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    except OSError:
        return None


class Workstation:
    def __init__(self, fleet, name, number):
        self.fleet = fleet
        self.name = name
        self.address = f"127.0.2.{number}"
        self.dir = fleet.dir / "ws" / name
        self.root = self.dir / "root"
        self.users = {}
        self.sshd = None

    # -- building
    def create(self):
        self.dir.mkdir(parents=True)
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", self.dir)
        for d in ("upper", "work", "root"):
            (self.dir / d).mkdir()
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir=/,upperdir={self.dir}/upper,workdir={self.dir}/work", self.root)
        for d in ("proc", "dev", "sys"):
            run("mount", "--rbind", f"/{d}", self.root / d)
        etc = self.root / "etc"
        shutil.copy(self.fleet.hosts_file, etc / "hosts")
        (etc / "hostname").write_text(self.name + "\n")
        for d in ("root/.ssh", "run/sshd"):
            (self.root / d).mkdir(parents=True, exist_ok=True)
        (self.root / "root/.ssh").chmod(0o700)
        (self.root / "root/.ssh/authorized_keys").unlink(missing_ok=True)
        for start in (".bashrc", ".profile", ".bash_profile", ".bash_login"):  # this machine's root may load anything there
            (self.root / "root" / start).unlink(missing_ok=True)
        for old in (etc / "ssh").glob("ssh_host_*"):
            old.unlink()
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", etc / "ssh/ssh_host_ed25519_key")
        (etc / "ssh/sshd_config").write_text(f"""ListenAddress {self.address}:22
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile /run/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 500
LogLevel VERBOSE
""")
        for f in (etc / "ssh/sshd_config.d").glob("*.conf"):
            f.unlink()
        ca = self.root / "etc/ssl/acme-ca.crt"
        shutil.copy(self.fleet.mail.ca.cert, ca)
        ca.chmod(0o644)
        return self

    def add_user(self, login, uid, files=()):
        """A person with a home; files: {relative path: text or bytes}."""
        run("groupadd", "-R", self.root, "-g", uid, login)
        run("useradd", "-R", self.root, "-u", uid, "-g", uid, "-m", "-s", "/bin/bash", login)
        self.users[login] = uid
        for path, text in dict(files).items():
            self.write(f"/home/{login}/{path}", text, uid)

    def write(self, path, text, uid=0, mode=0o600):
        target = self.root / path.lstrip("/")
        missing = []
        parent = target.parent
        while not parent.exists():
            missing.append(parent)
            parent = parent.parent
        for d in reversed(missing):
            d.mkdir()
            os.chown(d, uid, uid)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
        target.chmod(mode)
        os.chown(target, uid, uid)

    def read(self, path):
        return (self.root / path.lstrip("/")).read_text(errors="replace")

    def install_binaries(self, folder):
        """What the agent's package would put there, from a build folder."""
        for name in ("mailmuster-agent", "mailmuster-probe"):
            shutil.copy(pathlib.Path(folder) / name, self.root / "usr/bin" / name)

    def authorise_admin(self, public_key):
        path = self.root / "root/.ssh/authorized_keys"
        with open(path, "a", encoding="utf-8") as f:
            f.write(public_key.strip() + "\n")
        path.chmod(0o600)

    # -- running
    def start(self):
        with open(self.dir / "sshd.log", "ab") as log:
            self.sshd = subprocess.Popen(["chroot", str(self.root), "/usr/sbin/sshd", "-D", "-e"],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        mailserver.wait_for(f"sshd of {self.name}", lambda: mailserver.answers(self.address, 22))
        return self

    def stop(self):
        if self.sshd and self.sshd.poll() is None:
            self.sshd.send_signal(signal.SIGTERM)
            self.sshd.wait(5)
        self.sshd = None

    def command(self, *args, user=None):
        """The command line that runs something on this workstation."""
        if user is None:
            return ["chroot", str(self.root), *map(str, args)]
        uid = self.users[user]
        env = [f"HOME=/home/{user}", f"USER={user}", f"LOGNAME={user}", "PATH=/usr/bin:/bin", "LANG=C.UTF-8",
               "DBUS_SESSION_BUS_ADDRESS=disabled:"]
        return ["chroot", f"--userspec={uid}:{uid}", str(self.root), "env", "-i", "-C", f"/home/{user}", *env, *map(str, args)]

    def run(self, *args, user=None, check=False, timeout=60, **kw):
        return subprocess.run(self.command(*args, user=user), capture_output=True, text=True, check=check,
                              timeout=timeout, **kw)


class Fleet:
    """The mail server, the workstations, and an admin's SSH key."""

    def __init__(self, folder, passwords):
        self.dir = pathlib.Path(folder).resolve()
        self.dir.mkdir(parents=True, exist_ok=True)
        self.dir.chmod(0o755)
        self.hosts_file = self.dir / "hosts"
        self.mail = mailserver.MailServer(
            self.dir / "mail", passwords, MAIL_ADDRESS,
            [f"{n}.{DOMAIN}" for n in ("imap", "pop", "smtp", "mail")], mailserver.MailServer.STANDARD)
        self.workstations = {}

    def prepare(self, count):
        run("ip", "link", "set", "lo", "up")
        lines = ["127.0.0.1 localhost"]
        lines += [f"{MAIL_ADDRESS} {n}.{DOMAIN}" for n in ("imap", "pop", "smtp", "mail")]
        lines += [f"127.0.2.{n} ws{n}" for n in range(1, count + 1)]
        self.hosts_file.write_text("\n".join(lines) + "\n")
        run("mount", "--bind", self.hosts_file, "/etc/hosts")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "admin", "-f", self.dir / "admin_key")
        self.mail.start()
        for n in range(1, count + 1):
            ws = Workstation(self, f"ws{n}", n).create()
            ws.authorise_admin((self.dir / "admin_key.pub").read_text())
            self.workstations[ws.name] = ws
        return self

    def start(self):
        for ws in self.workstations.values():
            ws.start()
        return self

    def stop(self):
        for ws in self.workstations.values():
            ws.stop()
        self.mail.stop()
        for ws in self.workstations.values():
            subprocess.run(["umount", "-R", "-l", str(ws.root)], check=False, capture_output=True)
            subprocess.run(["umount", "-l", str(ws.dir)], check=False, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def __getitem__(self, name):
        return self.workstations[name]


# ---- as a program: the state between calls is one JSON file

def save(fleet):
    state = {"pids": [], "workstations": {}, "dir": str(fleet.dir)}
    for proc in (fleet.mail.master, fleet.mail.sink):
        state["pids"].append([proc.pid, start_time(proc.pid)])
    for ws in fleet.workstations.values():
        pid = ws.sshd.pid if ws.sshd else 0
        state["workstations"][ws.name] = {"address": ws.address, "users": ws.users, "pid": pid,
                                          "started": start_time(pid) if pid else None}
    (fleet.dir / "fleet.json").write_text(json.dumps(state, indent=1))


def end_process(pid, started):
    if pid and start_time(pid) == started:
        os.kill(pid, signal.SIGTERM)
        for _ in range(300):
            if start_time(pid) != started:
                return
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)


def restored(folder, name):
    """A Workstation object for one that an earlier call started."""
    state = json.loads((pathlib.Path(folder) / "fleet.json").read_text())
    fleet = Fleet.__new__(Fleet)
    fleet.dir = pathlib.Path(state["dir"])
    known = state["workstations"][name]
    ws = Workstation(fleet, name, int(known["address"].rsplit(".", 1)[1]))
    ws.users = known["users"]
    return state, known, ws


def cmd_down(args):
    state = json.loads((args.dir / "fleet.json").read_text())
    for ws in state["workstations"].values():
        end_process(ws["pid"], ws["started"])
    for pid, started in state["pids"]:
        end_process(pid, started)
    for name in state["workstations"]:
        base = args.dir.resolve() / "ws" / name
        for target in (base / "root", base):
            subprocess.run(["umount", "-R", "-l", str(target)], check=False, capture_output=True)


def cmd_power(args):
    state, known, ws = restored(args.dir, args.workstation)
    if args.command == "stop":
        end_process(known["pid"], known["started"])
        known["pid"], known["started"] = 0, None
    else:
        ws.start()
        known["pid"], known["started"] = ws.sshd.pid, start_time(ws.sshd.pid)
    (args.dir / "fleet.json").write_text(json.dumps(state, indent=1))


def cmd_passwd(args):
    users = args.dir / "mail" / "users"
    lines = [line for line in users.read_text().splitlines() if not line.startswith(args.user + ":")]
    new = users.with_suffix(".new")
    new.write_text("\n".join([*lines, f"{args.user}:{{PLAIN}}{args.password}"]) + "\n")
    new.chmod(0o644)
    new.rename(users)
    time.sleep(1.1)  # Dovecot looks at the file at most once a second


def cmd_run(args):
    _, _, ws = restored(args.dir, args.workstation)
    argv = args.argv[1:] if args.argv[:1] == ["--"] else args.argv
    sys.exit(subprocess.run(ws.command(*argv, user=args.user), check=False).returncode)


def cmd_up(args):
    import story  # the people and their untidy homes
    fleet = Fleet(args.dir, story.PASSWORDS).prepare(args.workstations)
    story.furnish(fleet, args.bin)
    fleet.start()
    save(fleet)
    print("workstations:", shlex.join(fleet.workstations))


def main():
    p = argparse.ArgumentParser(description="a fleet of workstations on loopback")
    sub = p.add_subparsers(dest="command", required=True)
    up = sub.add_parser("up")
    up.add_argument("--workstations", type=int, default=5)
    up.add_argument("--bin", type=pathlib.Path)
    down = sub.add_parser("down")
    passwd = sub.add_parser("passwd")
    power = [sub.add_parser("stop"), sub.add_parser("start")]
    runner = sub.add_parser("run")
    for s in (up, down, passwd, runner, *power):
        s.add_argument("dir", type=pathlib.Path)
    passwd.add_argument("user")
    passwd.add_argument("password")
    for s in (runner, *power):
        s.add_argument("workstation")
    runner.add_argument("--user")
    runner.add_argument("argv", nargs=argparse.REMAINDER)
    args = p.parse_args()
    {"up": cmd_up, "down": cmd_down, "passwd": cmd_passwd, "stop": cmd_power, "start": cmd_power,
     "run": cmd_run}[args.command](args)


if __name__ == "__main__":
    main()
