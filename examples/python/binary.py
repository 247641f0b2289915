"""Sends a file through the mixnet to the client that it is connected to, and writes what comes back."""

import asyncio
import base64
import json
import sys
from pathlib import Path

import base58
import websockets

if len(sys.argv) < 2:
    sys.exit("usage: binary.py FILE [ws://HOST:PORT]")
FILE = Path(sys.argv[1])
URL = sys.argv[2] if len(sys.argv) > 2 else "ws://localhost:1977"


async def until(client, kind):
    """The next frame of this kind. Messages that have waited for an application may come before it."""
    while True:
        frame = json.loads(await client.recv())
        if frame["type"] == "error":
            sys.exit(frame["message"])
        if frame["type"] == kind:
            return frame


def content_of(received):
    """The bytes of a message: it is in `message` if they are a text, else in `base64`."""
    if "base64" in received:
        return base64.b64decode(received["base64"])
    return received["message"].encode()


async def main():
    data = FILE.read_bytes()
    # The library would cut the connection at a message of more than 1 MiB.
    async with websockets.connect(URL, max_size=None) as client:
        # First of all: without it a message that has waited could be taken for an answer.
        await client.send(json.dumps({"type": "envelope", "on": True}))
        await client.send(json.dumps({"type": "selfAddress"}))
        address = (await until(client, "selfAddress"))["address"]

        # A binary request is the recipient's key, its provider's key, and the data: 32 + 32 + any number of bytes.
        recipient, provider = (base58.b58decode(key) for key in address.split("@"))
        await client.send(recipient + provider + data)
        await until(client, "send")
        print("accepted", FILE)

        while (content := content_of(await until(client, "received"))) != data:
            print(f"received {len(content)} bytes of something else")
        copy = FILE.with_name(FILE.name + ".received")
        copy.write_bytes(content)
        print(f"received {len(content)} bytes: {copy}")


asyncio.run(main())
