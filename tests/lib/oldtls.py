"""A mail server that speaks one old version of TLS, for programs that should not take it.

The key exchange is RSA's: with it there is no signature of TLS 1.0's kind, which OpenSSL 3.0 refuses at Debian's
security level while it goes on offering the version. `seen` has a pair for each connection: the versions of its
ClientHello, the lowest first, and whether the handshake was completed, which a client that does not want the version
never does.
"""

import contextlib
import pathlib
import socket
import ssl
import struct
import subprocess
import threading
import time
import warnings

VERSIONS = {0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}
ENUM = {"1.0": "TLSv1", "1.1": "TLSv1_1", "1.2": "TLSv1_2", "1.3": "TLSv1_3"}
GREETING = {"imap": b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n", "smtp": b"220 ready ESMTP\r\n", "pop3": b"+OK ready\r\n"}


def hello_versions(record):
    """The versions in a ClientHello (RFC 8446 4.1.2, 4.2.1): of the extension, else what it begins with."""
    if record[0] != 22 or record[5] != 1:
        raise ValueError("no ClientHello")
    at = 9
    legacy = struct.unpack(">H", record[at:at + 2])[0]
    at += 34
    at += 1 + record[at]
    at += 2 + struct.unpack(">H", record[at:at + 2])[0]
    at += 1 + record[at]
    end = at + 2 + struct.unpack(">H", record[at:at + 2])[0]
    at += 2
    while at < end:
        kind, size = struct.unpack(">HH", record[at:at + 4])
        at += 4
        if kind == 43:
            offered = [struct.unpack(">H", record[i:i + 2])[0] for i in range(at + 1, at + 1 + record[at], 2)]
            return sorted(VERSIONS[v] for v in offered if v in VERSIONS)
        at += size
    return [VERSIONS.get(legacy, hex(legacy))]


def issue_rsa(authority, name, hosts):
    """A certificate with an RSA key, signed by this authority; returns (certificate, key) paths."""
    key, csr, crt, ext = (authority.dir / f"{name}.{s}" for s in ("key", "csr", "crt", "ext"))
    ext.write_text(f"subjectAltName={','.join('DNS:' + h for h in hosts)}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    for argv in (["req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", csr, "-subj", f"/CN={hosts[0]}"],
                 ["x509", "-req", "-in", csr, "-CA", authority.cert, "-CAkey", authority.key, "-CAcreateserial", "-out", crt,
                  "-days", "20", "-extfile", ext]):
        subprocess.run(["openssl", *map(str, argv)], check=True, capture_output=True)
    return pathlib.Path(crt), pathlib.Path(key)


class Machine:
    """The files of a system in which its owner sets the lowest version; programs are told of them by environment."""

    RAISED = {"etc/gnutls/config": "[overrides]\ndisabled-version = tls1.0\ndisabled-version = tls1.1\n",
              "etc/ssl/openssl.cnf": "openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = floor\n"
                                     "[floor]\nMinProtocol = TLSv1.2\n"}
    VARIABLES = {"etc/gnutls/config": "GNUTLS_SYSTEM_PRIORITY_FILE", "etc/ssl/openssl.cnf": "OPENSSL_CONF"}

    def __init__(self, root, raised):
        self.env = {}
        usr = pathlib.Path(root) / "usr"
        if not usr.exists():
            usr.symlink_to("/usr")
        for name in ("etc/debian_version", *self.RAISED):
            path, here = pathlib.Path(root) / name, pathlib.Path("/") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if raised and name in self.RAISED:
                path.write_text(self.RAISED[name])
                self.env[self.VARIABLES[name]] = str(path)
            elif here.exists():
                path.write_bytes(here.read_bytes())


class OldServer:
    def __init__(self, pair, version, protocol):
        self.seen, self.greeting = [], GREETING[protocol]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_ciphers("AES128-SHA:AES256-SHA:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.context.maximum_version = self.context.minimum_version = ssl.TLSVersion[ENUM[version]]
        self.context.load_cert_chain(*map(str, pair))
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def stop(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)

    def lowest(self):
        """The lowest version that was offered; None: nobody came yet."""
        return min((v[0] for v, _ in self.seen), default=None)

    def taken(self):
        return any(done for _, done in self.seen)

    def _accept(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(c,), daemon=True).start()

    def _serve(self, c):
        with c, contextlib.suppress(OSError, ValueError, IndexError):
            c.settimeout(20)
            versions, done = self._hello(c), False
            try:
                with self.context.wrap_socket(c, server_side=True) as tls:
                    done = True
                    self.seen.append((versions, True))
                    tls.sendall(self.greeting)
                    tls.recv(1000)
            finally:
                if not done:
                    self.seen.append((versions, False))

    @staticmethod
    def _hello(c):
        end, record = time.monotonic() + 20, b""
        while len(record) < 5 or len(record) < 5 + struct.unpack(">H", record[3:5])[0]:
            record = c.recv(16384, socket.MSG_PEEK)
            if not record or time.monotonic() > end:
                raise OSError("no ClientHello")
            time.sleep(0.01)
        return hello_versions(record)
