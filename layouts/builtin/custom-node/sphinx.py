"""One layer of a Sphinx packet, and the ciphers that it is made of, in plain Python.

The packets are those of `sphinx-packet` 0.8: a header of 348 bytes with a point, a MAC and the
encrypted route, then a payload of 2048 bytes. `unwrap`, at the end, is what a mixnode does to one;
above it stand the ciphers that Python does not bring along. They are correct and fast enough (2 to
3 ms a packet), but how long they take depends on the key, which tells an observer about it: good for
a network on one machine, and for nothing else.
"""

import hashlib
import hmac
import ipaddress
import struct

# ---------------------------------------------------------------------------------- X25519
# Diffie-Hellman on Curve25519 (RFC 7748): two sides who know each other's public key and their own
# secret arrive at the same point, which nobody else can compute.

PRIME = 2**255 - 19
BASE_POINT = (9).to_bytes(32, "little")


def x25519(secret, point):
    """Multiplies a point by a secret number; both are 32 bytes, least significant first."""
    # Clamping: the number becomes a multiple of 8 of fixed length, whatever bytes it is given as.
    k = int.from_bytes(secret, "little") & ~7 & (2**255 - 1) | 2**254
    x1 = int.from_bytes(point, "little") & (2**255 - 1)
    # The Montgomery ladder: (x2 : z2) and (x3 : z3) are always one multiple of the point apart.
    x2, z2, x3, z3 = 1, 0, x1, 1
    swapped = 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if bit != swapped:
            x2, z2, x3, z3 = x3, z3, x2, z2
            swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % PRIME, b * b % PRIME, d * a % PRIME, c * b % PRIME
        e = aa - bb
        x3 = (da + cb) ** 2 % PRIME
        z3 = x1 * (da - cb) ** 2 % PRIME
        x2 = aa * bb % PRIME
        z2 = e * (aa + 121665 * e) % PRIME
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, PRIME - 2, PRIME) % PRIME).to_bytes(32, "little")


# ----------------------------------------------------------------------------- AES-128-CTR
# A stream cipher made of AES: it encrypts 0, 1, 2, …, and what comes out is the stream. All blocks
# are computed at once. The 16 bytes of a block are a square of four rows; `rows[r]` has the r-th row
# of every block, column by column, so that looking bytes up in a table is one call of `translate`,
# and adding, which is XOR, is one operation on one large number.


def _substitutions():
    """The table of SubBytes, and the same with every entry doubled, as MixColumns needs it."""
    double = lambda x: x << 1 ^ (0x11B if x & 0x80 else 0)
    sbox, p, q = bytearray(256), 1, 1
    while True:
        p ^= double(p)  # All numbers of the field in the order 3, 9, 27, …
        for shift in (1, 2, 4):
            q ^= q << shift & 0xFF
        q ^= 0x09 if q & 0x80 else 0  # … and q is 1 / p.
        rotated = q ^ (q << 1) ^ (q << 2) ^ (q << 3) ^ (q << 4)
        sbox[p] = (rotated ^ rotated >> 8) & 0xFF ^ 0x63
        if p == 1:
            break
    sbox[0] = 0x63
    return bytes(sbox), bytes(double(x) for x in sbox)


SUBSTITUTE, SUBSTITUTE_DOUBLE = _substitutions()


def xor(a, b):
    """XORs bytes, as many as `a` has."""
    size = len(a)
    added = int.from_bytes(a, "little") ^ int.from_bytes(b[:size], "little")
    return added.to_bytes(size, "little")


def _round_keys(key):
    """The eleven keys of the rounds of AES-128."""
    words, constant = [key[i : i + 4] for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        word = words[-1]
        if i % 4 == 0:
            word = xor((word[1:] + word[:1]).translate(SUBSTITUTE), bytes([constant, 0, 0, 0]))
            constant = constant << 1 ^ (0x11B if constant & 0x80 else 0)
        words.append(xor(word, words[i - 4]))
    return [b"".join(words[i : i + 4]) for i in range(0, 44, 4)]


def aes_stream(key, size):
    """The first bytes of the stream of this key, with an initial vector of zeros."""
    count = -(-size // 16)  # Blocks; fewer than 256 of them, so only the last byte of each counts.

    def add_round_key(rows, key):
        for r, row in enumerate(rows):
            spread = b"".join(key[4 * column + r : 4 * column + r + 1] * count for column in range(4))
            yield xor(row, spread)

    rows = [bytes(4 * count)] * 3 + [bytes(3 * count) + bytes(range(count))]
    first_key, *round_keys = _round_keys(key)
    rows = list(add_round_key(rows, first_key))
    for number, round_key in enumerate(round_keys):
        # ShiftRows: the r-th row moves by r columns.
        rows = [row[r * count :] + row[: r * count] for r, row in enumerate(rows)]
        once = [row.translate(SUBSTITUTE) for row in rows]
        if number == 9:  # The last round does not mix.
            mixed = once
        else:
            # MixColumns: each row becomes 2 × itself + 3 × the next + the two others.
            twice = [row.translate(SUBSTITUTE_DOUBLE) for row in rows]
            mixed = []
            for r in range(4):
                following, third, fourth = once[(r + 1) % 4], once[(r + 2) % 4], once[(r + 3) % 4]
                tripled = xor(twice[(r + 1) % 4], following)
                mixed.append(xor(xor(twice[r], tripled), xor(third, fourth)))
        rows = list(add_round_key(mixed, round_key))

    stream = bytearray(16 * count)
    for r, row in enumerate(rows):
        for column in range(4):
            stream[4 * column + r :: 16] = row[column * count : (column + 1) * count]
    return bytes(stream[:size])


# -------------------------------------------------------------------------------- ChaCha20
# The stream cipher of RFC 8439. Here too all blocks are computed at once: each of the 16 words of a
# block is one large number with a lane of 64 bits for every block. Only the lower 32 bits of a lane
# are used; the upper ones catch what an addition or a shift carries out of them.


def chacha20(key, data):
    """Encrypts or decrypts, with a nonce of zeros: every key is used once."""
    count = -(-len(data) // 64)
    ones = int.from_bytes(struct.pack("<Q", 1) * count, "little")
    mask = ones * 0xFFFFFFFF
    counters = int.from_bytes(struct.pack("<%dQ" % count, *range(count)), "little")
    constants = struct.unpack("<4I", b"expand 32-byte k")
    start = [ones * word for word in constants + struct.unpack("<8I", key)] + [counters, 0, 0, 0]

    s = list(start)
    for _ in range(10):
        for a, b, c, d in (
            (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),  # the columns,
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),  # the diagonals
        ):  # fmt: skip
            wa, wb, wc, wd = s[a], s[b], s[c], s[d]
            wa = wa + wb & mask
            wd ^= wa
            wd = (wd << 16 | wd >> 16) & mask
            wc = wc + wd & mask
            wb ^= wc
            wb = (wb << 12 | wb >> 20) & mask
            wa = wa + wb & mask
            wd ^= wa
            wd = (wd << 8 | wd >> 24) & mask
            wc = wc + wd & mask
            wb ^= wc
            wb = (wb << 7 | wb >> 25) & mask
            s[a], s[b], s[c], s[d] = wa, wb, wc, wd

    stream = bytearray(64 * count)
    words = memoryview(stream).cast("I")
    for i in range(16):
        lanes = (s[i] + start[i] & mask).to_bytes(8 * count, "little")
        words[i::16] = memoryview(lanes).cast("I")[::2]
    return xor(data, stream)


# ----------------------------------------------------------------------- Keys of one packet


def hkdf(salt, secret, info, size):
    """HKDF-SHA256 (RFC 5869): makes as many bytes of key as are needed out of a secret."""
    key = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    out = block = b""
    while len(out) < size:
        block = hmac.new(key, block + info + bytes([len(out) // 32 + 1]), hashlib.sha256).digest()
        out += block
    return out[:size]


# Archimedes, in Greek: give me a lever long enough, and I shall move the earth.
EXPAND_INFO = (
    b"Dwste mou enan moxlo arketa makru kai ena upomoxlio "
    b"gia na ton topothetisw kai tha kinisw thn gh."
)
PAYLOAD_SALT = b"sphinx-payload-key-V01-CS01-HKDF:SHA256-SALT"
PAYLOAD_INFO = b"sphinx-payload-key-V01-CS01-HKDF:SHA256-INFO"


class HopKeys:
    """What the sender and this hop, and nobody else, derive from the point that they share."""

    def __init__(self, shared):
        expanded = hkdf(None, shared, EXPAND_INFO, 288)
        self.stream_key = expanded[0:16]
        self.mac_key = expanded[16:32]
        self.payload_key = expanded[32:224]
        self.blinding = expanded[224:256]
        self.replay_tag = expanded[256:272]


def take_payload_layer(key, payload):
    """Decrypts LIONESS, a cipher of one block that is as long as the payload.

    Whoever changes a single bit on the way makes noise of all of it, at every later hop: no mark that
    is put on a packet survives.
    """
    left, right = payload[:32], payload[32:]
    k1, k2, k3, k4 = key[:32], key[32:96], key[96:128], key[128:]
    left = xor(left, hashlib.blake2b(right, digest_size=32, key=k4).digest())
    right = chacha20(xor(left, k3), right)
    left = xor(left, hashlib.blake2b(right, digest_size=32, key=k2).digest())
    right = chacha20(xor(left, k1), right)
    return left + right


# ----------------------------------------------------------------------- Taking off a layer

HEADER_BYTES = 348  # Point 32, MAC 16, routing information 300
PAYLOAD_BYTES = 2048
PACKET_BYTES = HEADER_BYTES + PAYLOAD_BYTES
SLOT_BYTES = 60  # Of one hop: flag 1, version 3, next hop 32, delay 8, next MAC 16
ROUTING_BYTES = 5 * SLOT_BYTES
FORWARD, FINAL = 1, 2  # The flags
FULL_KEY_VERSION = 258  # Here the payload's key is used as it was derived,
SEEDED_VERSIONS = (259, 260)  # and here it is derived once more, from its first 16 bytes.


class Dropped(Exception):
    """A packet that is given up; its text is the reason under which it is counted."""


def unwrap(private_key, packet, is_new):
    """Takes one layer off. Returns the next hop (IP, port), the delay in seconds, and its packet."""
    point, mac, routing = packet[:32], packet[32:48], packet[48:HEADER_BYTES]
    keys = HopKeys(x25519(private_key, point))

    # Only who knows the shared point can make this MAC. So the header is genuine, and for this hop.
    expected = hmac.new(keys.mac_key, routing, hashlib.sha256).digest()[:16]
    if not hmac.compare_digest(mac, expected):
        raise Dropped("mac")
    # Whoever sends a recorded packet again wants to see where something comes out twice.
    if not is_new(keys.replay_tag):
        raise Dropped("replay")

    # The first slot is this hop's. The others move up, and the end is filled from the stream, so that
    # the header stays as long and does not tell how many hops are left.
    stream = aes_stream(keys.stream_key, ROUTING_BYTES + SLOT_BYTES)
    shown = xor(routing + bytes(SLOT_BYTES), stream)
    slot, next_routing = shown[:SLOT_BYTES], shown[SLOT_BYTES:]
    flag, version = slot[0], int.from_bytes(slot[1:4], "big")
    if version == FULL_KEY_VERSION:
        payload_key = keys.payload_key
    elif version in SEEDED_VERSIONS:
        payload_key = hkdf(PAYLOAD_SALT, keys.payload_key[:16], PAYLOAD_INFO, 192)
    else:
        raise Dropped("version")
    if flag == FINAL:
        raise Dropped("final-hop")  # A provider would have a client for it. A mixnode has none.
    if flag != FORWARD:
        raise Dropped("malformed")
    next_hop = read_address(slot[4:36])
    (nanoseconds,) = struct.unpack(">Q", slot[36:44])
    next_mac = slot[44:]

    # The next hop has to share another point with the sender, and nobody may see that the two belong
    # to one packet. The sender has followed this multiplication in advance.
    next_point = x25519(keys.blinding, point)
    next_payload = take_payload_layer(payload_key, packet[HEADER_BYTES:])
    return next_hop, nanoseconds / 1e9, next_point + next_mac + next_routing + next_payload


def read_address(padded):
    """An address in a header: 4 or 6, the port, the IP address, zeros."""
    size = {4: 4, 6: 16}.get(padded[0])
    if size is None or any(padded[3 + size :]):
        raise Dropped("malformed")
    return str(ipaddress.ip_address(padded[3 : 3 + size])), int.from_bytes(padded[1:3], "big")


class ReplayTags:
    """Remembers at least the last 50 000 packets, at most twice as many: some 12 MB."""

    GENERATION = 50_000

    def __init__(self):
        self.current, self.previous = set(), set()

    def insert(self, tag):
        """Remembers a tag; says whether it is new."""
        if tag in self.current or tag in self.previous:
            return False
        self.current.add(tag)
        if len(self.current) >= self.GENERATION:
            self.current, self.previous = set(), self.current
        return True
