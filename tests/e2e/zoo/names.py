"""A name server on loopback that answers as it is told.

A zone is a table: name -> list of addresses (none: the name exists and has
no address), FAILS (SERVFAIL) or SILENT. What is not in it does not exist.
"""

import ipaddress
import socket
import struct
import threading

FAILS, SILENT = "fails", "silent"
A, AAAA, NOERROR, SERVFAIL, NXDOMAIN = 1, 28, 0, 2, 3


def question(packet):
    """Name, type, and the bytes of the question."""
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack("!H", packet[at + 1:at + 3])[0], packet[12:at + 5]


def record(address):
    ip = ipaddress.ip_address(address)
    return struct.pack("!HHHIH", 0xC00C, A if ip.version == 4 else AAAA, 1, 60, len(ip.packed)) + ip.packed


class Names:
    def __init__(self, address, zone):
        self.zone = zone
        self.asked = {}
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                packet, whence = self.sock.recvfrom(512)
            except OSError:
                return
            answer = self._answer(packet)
            if answer:
                self.sock.sendto(answer, whence)

    def _answer(self, packet):
        name, kind, asked = question(packet)
        self.asked[name] = self.asked.get(name, 0) + 1
        entry = self.zone.get(name)
        if entry == SILENT:
            return None
        code, found = NOERROR, []
        if entry == FAILS:
            code = SERVFAIL
        elif entry is None:
            code = NXDOMAIN
        else:
            found = [r for r in map(record, entry) if struct.unpack("!H", r[2:4])[0] == kind]
        return packet[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(found), 0, 0) + asked + b"".join(found)

    def close(self):
        self.sock.close()
