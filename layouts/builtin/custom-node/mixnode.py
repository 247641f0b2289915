#!/usr/bin/env python3
"""A mixnode in Python (3.8 or later, nothing to install), to read and to change.

A mixnode takes packets from the layer before, takes one layer of encryption off each, waits as long
as the packet asks for, and passes it on. Who watches sees packets of equal length go in and others
come out, in another order: which is which is known to their sender only.

`sphinx.py` beside this file takes packets apart. Here is the rest: the key, the connections, the
waiting, and what the directory is told.
"""

import argparse
import asyncio
import base64
import json
import os
import signal
import sys
from collections import Counter
from urllib.parse import urlsplit

sys.dont_write_bytecode = True  # The folder of the layout stays as it is.

from sphinx import BASE_POINT, PACKET_BYTES, Dropped, ReplayTags, unwrap, x25519  # noqa: E402

VERSION = "0.1.0"

# ------------------------------------------------------------------------------- Key files

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data):
    """Keys are shown in the alphabet of Bitcoin."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def load_or_create_key(folder):
    """The private key of a folder, in the file where every node of the devnet has it."""
    private = os.path.join(folder, "private_sphinx.pem")
    if not os.path.exists(private):
        key = os.urandom(32)
        os.makedirs(folder, exist_ok=True)
        public = os.path.join(folder, "public_sphinx.pem")
        write_pem(public, "PUBLIC", x25519(key, BASE_POINT), 0o644)
        write_pem(private, "PRIVATE", key, 0o600)
        return key
    with open(private) as file:
        # Between the first and the last line stands base64, perhaps below headers and an empty line.
        lines = [line for line in file.read().splitlines() if line and ":" not in line]
    try:
        key = base64.b64decode("".join(lines[1:-1]), validate=True)
    except ValueError:
        key = b""
    if lines[:1] != ["-----BEGIN X25519 PRIVATE KEY-----"] or len(key) != 32:
        sys.exit("`%s` is not a private X25519 key: restore it, or move it away" % private)
    return key


def write_pem(path, kind, key, mode):
    """Writes a key file so that it is there whole or not at all, readable by whom the mode says."""
    tag, text = "X25519 %s KEY" % kind, base64.b64encode(key).decode()
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write("-----BEGIN %s-----\n%s\n-----END %s-----\n" % (tag, text, tag))
    os.rename(path + ".new", path)


# -------------------------------------------------------------------------------- The node

FLAG = 4  # In front of every packet on a link: says how long it is
PRESENCE_INTERVAL = 1.5  # Seconds; the directory forgets who was silent for 10
FIRST_PRESENCE_RETRY = 0.05  # While the directory is still starting
METRICS_INTERVAL = 1.0
CALL_TIMEOUT = 2.0
LEAVE_TIMEOUT = 0.5
MAX_DELAY = 300.0  # An honest sender does not ask for more
MAX_WAITING = 4096  # Packets that wait for their moment: some 10 MB
MAX_CONNECTIONS = 1024  # Every node of the layer before and every client, with room to spare
MAX_LINKS = 256  # More next hops than the widest layer has
MAX_QUEUED = 512  # Packets for one next hop that is slow or away
CONNECT_TIMEOUT = 2.0
LONGEST_PAUSE = 2.0  # Between two attempts to connect
IDLE_LIMIT = 60.0  # A link that is not used for so long is closed


class Directory:
    """Speaks HTTP with the directory, which knows all nodes."""

    def __init__(self, url):
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            sys.exit("`%s` is not the address of a directory: http://HOST:PORT is" % url)
        self.url, self.host, self.port = url, parts.hostname, parts.port or 80

    async def post(self, path, body):
        """Posts JSON. Raises OSError if the directory does not take it."""
        call = self._post(path, json.dumps(body).encode())
        try:
            status = await asyncio.wait_for(call, CALL_TIMEOUT)
        except asyncio.TimeoutError:
            raise OSError("no answer within %g s" % CALL_TIMEOUT) from None
        if not 200 <= status < 300:
            raise OSError("it answers %d to %s" % (status, path))

    async def _post(self, path, body):
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            head = [
                "POST %s HTTP/1.1" % path,
                "Host: %s" % show_address(self.host, self.port),
                "Connection: close",
                "Content-Type: application/json",
                "Content-Length: %d" % len(body),
            ]
            writer.write(("\r\n".join(head) + "\r\n\r\n").encode() + body)
            words = (await reader.readline()).split()  # HTTP/1.1 201 Created
            return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        finally:
            writer.close()


class Mixnode:
    def __init__(self, args, private_key):
        self.args, self.private_key = args, private_key
        self.public_key = base58(x25519(private_key, BASE_POINT))
        self.directory = Directory(args.directory)
        self.replays = ReplayTags()
        self.connections = self.waiting = 0
        self.links = {}  # For each next hop a queue of packets and the task that writes them
        self.received, self.sent = 0, Counter()  # Since the last report to the directory
        self.total, self.dropped = 0, Counter()  # Since the start

    async def run(self):
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        try:
            server = await asyncio.start_server(self.read_packets, self.args.host, self.args.port)
        except OSError as error:
            sys.exit("cannot listen on %s port %d: %s" % (self.args.host, self.args.port, error))
        self.address = show_address(*server.sockets[0].getsockname()[:2])
        log("%s listens on %s, its key is %s" % (self.args.name, self.address, self.public_key))
        announcing = asyncio.ensure_future(self.announce())
        reporting = asyncio.ensure_future(self.report())
        await stopped.wait()
        # Now senders choose others. What is on its way here is lost, as with every node that ends.
        announcing.cancel()
        reporting.cancel()
        try:
            leaving = self.directory.post("/api/presence/leave", {"pubKey": self.public_key})
            await asyncio.wait_for(leaving, LEAVE_TIMEOUT)
        except (OSError, asyncio.TimeoutError) as error:
            log("cannot tell the directory that this node leaves: %s" % error)
        server.close()
        log("ends: %d packets taken, dropped: %s" % (self.total, dict(self.dropped)))

    # ---- Packets

    async def read_packets(self, reader, writer):
        """Serves a connection of the layer before, or of a client."""
        self.connections += 1
        try:
            while self.connections <= MAX_CONNECTIONS:
                flag = await reader.readexactly(1)
                if flag[0] != FLAG:
                    # Nobody knows where the next packet would begin, so this is the end.
                    self.dropped["malformed"] += 1
                    break
                self.take(await reader.readexactly(PACKET_BYTES))
                # Reading what has come already does not wait. Packets that are due come first.
                await asyncio.sleep(0)
        except (OSError, asyncio.IncompleteReadError):
            pass  # The other side is gone, which is its right.
        except asyncio.CancelledError:
            pass  # This node ends.
        finally:
            self.connections -= 1
            writer.close()

    def take(self, packet):
        """Takes a packet apart and lets it wait. A bad one is counted and does no other harm."""
        loop = asyncio.get_running_loop()
        came = loop.time()
        self.received += 1
        self.total += 1
        try:
            next_hop, delay, packet = unwrap(self.private_key, packet, self.replays.insert)
            if delay > MAX_DELAY:
                raise Dropped("delay")
            if self.waiting >= MAX_WAITING:
                raise Dropped("pool-full")
        except Dropped as reason:
            self.dropped[str(reason)] += 1
            return
        self.waiting += 1
        # From when it came: taking it apart is part of the delay.
        loop.call_at(came + delay, self.depart, next_hop, packet)

    def depart(self, next_hop, packet):
        """The moment of a packet has come. Its next hop is not looked up: the sender has done that."""
        self.waiting -= 1
        if next_hop not in self.links and len(self.links) < MAX_LINKS:
            queue = asyncio.Queue(MAX_QUEUED)
            task = asyncio.ensure_future(self.write_packets(next_hop, queue))
            self.links[next_hop] = queue, task
        queue, _ = self.links.get(next_hop, (None, None))
        if queue is None or queue.full():
            self.dropped["queue"] += 1
            return
        queue.put_nowait(packet)
        self.sent[show_address(*next_hop)] += 1

    async def write_packets(self, next_hop, queue):
        """Keeps a connection to a next hop open while there are packets for it."""
        reader = writer = None
        try:
            while True:
                packet = await asyncio.wait_for(queue.get(), IDLE_LIMIT)
                # The other side never says anything, so the end of its silence is the end of it.
                if writer is not None and reader.at_eof():
                    writer.close()
                    writer = None
                pause = 0.05
                while writer is None:
                    try:
                        connecting = asyncio.open_connection(*next_hop)
                        reader, writer = await asyncio.wait_for(connecting, CONNECT_TIMEOUT)
                    except (OSError, asyncio.TimeoutError):
                        if pause > LONGEST_PAUSE:
                            # Packets that nobody takes must not keep others from getting a link.
                            self.dropped["queue"] += 1 + queue.qsize()
                            return
                        await asyncio.sleep(pause)
                        pause *= 2
                writer.write(bytes([FLAG]) + packet)
                try:
                    await writer.drain()
                except OSError:
                    self.dropped["queue"] += 1
                    writer.close()
                    writer = None
        except asyncio.TimeoutError:
            pass  # Nothing to send for a while
        finally:
            del self.links[next_hop]
            if writer is not None:
                writer.close()

    # ---- The directory

    async def announce(self):
        """Says every 1.5 s that this node is there, so that clients choose it."""
        presence = {
            "host": self.address,
            "pubKey": self.public_key,
            "version": VERSION,
            "location": self.args.name,
            "layer": self.args.layer,
            "lastSeen": 0,  # The directory's clock counts. The original nodes sent this, too.
        }
        heard, failing = False, False
        while True:
            try:
                await self.directory.post("/api/presence/mixnodes", presence)
                heard, failing = True, False
            except OSError as error:
                if not failing:
                    log("cannot announce this node at %s: %s" % (self.directory.url, error))
                failing = True
            await asyncio.sleep(PRESENCE_INTERVAL if heard else FIRST_PRESENCE_RETRY)

    async def report(self):
        """Tells every second how many packets came, and how many left for whom."""
        while True:
            await asyncio.sleep(METRICS_INTERVAL)
            report = {"pubKey": self.public_key, "received": self.received, "sent": dict(self.sent)}
            self.received, self.sent = 0, Counter()
            try:
                await self.directory.post("/api/metrics/mixes", report)
            except OSError:
                pass  # `announce` says it.


def show_address(host, port):
    return ("[%s]:%d" if ":" in host else "%s:%d") % (host, port)


def log(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description="A mixnode in one file of Python.")
    parser.add_argument("--host", default="127.0.0.1", help="IP address to listen on [%(default)s]")
    parser.add_argument("--port", type=int, default=1789, help="0 for any free one [%(default)s]")
    parser.add_argument("--layer", type=int, required=True, help="its layer, from 1")
    parser.add_argument("--directory", default="http://127.0.0.1:8080", help="[%(default)s]")
    parser.add_argument("--key-dir", required=True, help="folder for its key")
    parser.add_argument("--name", default="mixnode", help="what to call it [%(default)s]")
    args = parser.parse_args()
    try:
        private_key = load_or_create_key(args.key_dir)
    except OSError as error:
        sys.exit("cannot read or write the key in `%s`: %s" % (args.key_dir, error))
    asyncio.run(Mixnode(args, private_key).run())


if __name__ == "__main__":
    main()
