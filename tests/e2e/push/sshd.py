"""Real sshds on loopback for the tests of the push: one process, one port for
each way in which the scripted agent behaves."""

import getpass
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
USER = getpass.getuser()


def free_port(address="127.0.0.1"):
    with socket.socket() as s:
        s.bind((address, 0))
        return s.getsockname()[1]


def keygen(path, kind="ed25519", passphrase="", *more):
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", path, *more], check=True)
    return pathlib.Path(f"{path}.pub").read_text().split(" test")[0].strip()


class Sshd:
    """`modes`: what the agent does on each of the ports."""

    def __init__(self, folder, authorised, modes=(), options=(), host_keys=("ed25519",), listen="127.0.0.1", command=None,
                 same_keys=None):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.listen, self.proc = listen, None
        if same_keys:
            host_keys = tuple(same_keys.pub)
            for f in same_keys.dir.glob("host_*"):
                shutil.copy(f, self.dir)
        self.pub = same_keys.pub if same_keys else {k: keygen(self.dir / f"host_{k}", k) for k in host_keys}
        self.keys = self.dir / "pinned"
        self.keys.write_text("\n".join(self.pub.values()))
        (self.dir / "authorized").write_text("\n".join(authorised) + "\n")
        self.ports = {m: free_port(listen) for m in modes}
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True) if os.geteuid() == 0 else None
        lines = [*(f"ListenAddress {listen}:{p}" for p in self.ports.values()),
                 *(f"HostKey {self.dir}/host_{k}" for k in host_keys),
                 f"AuthorizedKeysFile {self.dir}/authorized", f"PidFile {self.dir}/pid", "UsePAM no", "StrictModes no",
                 "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin yes",
                 "MaxStartups 500:30:1000", "PrintMotd no", "LogLevel VERBOSE",
                 "SetEnv SHLVL=9",  # bash then reads no ~/.bashrc, which may load anything on the machine of the tests
                 *options]
        for mode, port in self.ports.items():
            lines += [f"Match LocalPort {port}", f"  ForceCommand {command or f'{sys.executable} -I -S {HERE}/agent.py {mode}'}"]
        (self.dir / "sshd_config").write_text("\n".join(lines) + "\n")
        self.start()

    def start(self):
        log = open(self.dir / "log", "ab")
        self.proc = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", self.dir / "sshd_config"], stderr=log,
                                     stdin=subprocess.DEVNULL)
        log.close()
        for port in self.ports.values():
            for _ in range(200):
                try:
                    socket.create_connection((self.listen, port), 1).close()
                    break
                except OSError:
                    if self.proc.poll() is not None:
                        raise RuntimeError((self.dir / "log").read_text())
                    time.sleep(0.02)

    def stop(self):
        self.proc.terminate()
        self.proc.wait()

    def log(self):
        return (self.dir / "log").read_text()
