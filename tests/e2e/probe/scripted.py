"""Mail servers that do what no well-behaved one does: one function each.

A script is called with a Talk for every connection, in a thread of its own.
"""

import socket
import ssl
import threading
import time


class Talk:
    """One connection: send lines, read lines, switch to TLS. What was read is kept in `heard`."""

    def __init__(self, sock, heard):
        self.sock = sock
        self.buf = b""
        self.heard = heard

    def say(self, *lines):
        self.sock.sendall("".join(line + "\r\n" for line in lines).encode())

    def line(self):
        while b"\n" not in self.buf:
            more = self.sock.recv(4096)
            if not more:
                raise EOFError
            self.buf += more
        head, _, self.buf = self.buf.partition(b"\n")
        text = head.decode("utf-8", "replace").rstrip("\r")
        self.heard.append(text)
        return text

    def tls(self, context):
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def wait(self):
        """Until the other side goes."""
        while self.sock.recv(4096):
            pass


class Server:
    """script(talk) answers each connection; with a context it speaks TLS from the beginning."""

    def __init__(self, script, context=None, address="127.0.0.1"):
        self.script = script
        self.context = context
        self.lines = []
        self.sock = socket.create_server((address, 0), backlog=300)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(conn,), daemon=True).start()

    def _one(self, conn):
        conn.settimeout(60)
        talk = Talk(conn, self.lines)
        try:
            if self.context is not None:
                talk.tls(self.context)
            self.script(talk)
        except (OSError, EOFError, ValueError):
            pass
        finally:
            try:
                talk.sock.close()
            except OSError:
                pass

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def context(crt, key, lowest=None, highest=None, client_ca=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(crt, key)
    if lowest is not None:
        c.set_ciphers("ALL:@SECLEVEL=0")
        c.minimum_version = lowest
    if highest is not None:
        c.maximum_version = highest
    if client_ca is not None:
        c.verify_mode = ssl.CERT_REQUIRED
        c.load_verify_locations(client_ca)
    return c


# ---- scripts

def silent(t):
    t.wait()


def hang_up(t):
    del t


def http(t):
    t.line()
    t.say("HTTP/1.1 400 Bad Request", "Content-Length: 0", "")


def ssh(t):
    t.say("SSH-2.0-OpenSSH_9.2p1")
    t.wait()


def greets(line):
    def script(t):
        t.say(line)
        t.wait()
    return script


def imap(capability="IMAP4rev1 AUTH=PLAIN", login="NO [AUTHENTICATIONFAILED] no", greeting="* OK ready",
         examine="OK done", delay=0):
    """An IMAP server; `login` and `examine` are replies without tag, None is silence; `delay` before a login's."""
    def script(t):
        t.say(greeting)
        while True:
            line = t.line()
            tag, _, rest = line.partition(" ")
            verb = rest.split(" ")[0].upper()
            if verb == "CAPABILITY":
                t.say("* CAPABILITY " + capability, tag + " OK")
            elif verb in ("AUTHENTICATE", "LOGIN"):
                if verb == "AUTHENTICATE" and rest.count(" ") == 1:
                    t.say("+ ")
                    rest = t.line()
                if login is None:
                    return t.wait()
                time.sleep(delay)
                t.say(tag + " " + login.replace("{echo}", rest))
            elif verb == "EXAMINE":
                if examine is None:
                    return
                t.say("* 0 EXISTS", *examine.split("\n")[:-1], tag + " " + examine.split("\n")[-1])
            elif verb == "LOGOUT":
                return
            else:
                t.say(tag + " BAD")
    return script


def pop3(capa=("USER",), user="+OK", password="+OK", greeting="+OK ready"):
    """A POP3 server without SASL; capa None: it does not know CAPA."""
    def script(t):
        t.say(greeting)
        while True:
            line = t.line()
            verb = line.split(" ")[0].upper()
            if verb == "CAPA":
                t.say(*(["-ERR what"] if capa is None else ["+OK", *capa, "."]))
            elif verb == "USER":
                t.say(user)
            elif verb == "PASS":
                t.say(password.replace("{echo}", line))
            elif verb == "STAT":
                t.say("+OK 0 0")
            elif verb == "QUIT":
                return
            else:
                t.say("-ERR what")
    return script


def smtp(ehlo=("localhost",), auth="535 5.7.8 no", starttls=None, greeting="220 ready", delay=0):
    """starttls: reply to STARTTLS, or a function of the talk; `delay` before a login's reply."""
    def script(t):
        t.say(greeting)
        while True:
            line = t.line()
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                if ehlo is None:
                    t.say("502 no")
                else:
                    t.say(*["250-" + e for e in ehlo[:-1]], "250 " + ehlo[-1])
            elif verb == "HELO":
                t.say("250 localhost")
            elif verb == "AUTH":
                if auth is None:
                    return t.wait()
                time.sleep(delay)
                t.say(*auth.replace("{echo}", line).split("\n"))
            elif verb == "STARTTLS":
                if callable(starttls):
                    starttls(t)
                else:
                    t.say(starttls)
            elif verb == "QUIT":
                return
            else:
                t.say("502 no")
    return script


def then_tls(ctx):
    """STARTTLS as it should be."""
    def step(t):
        t.say("220 go")
        t.tls(ctx)
    return step


def endless(t):
    t.say("* OK ready")
    t.line()
    while True:
        t.say(*["* CAPABILITY IMAP4rev1" for _ in range(100)])
