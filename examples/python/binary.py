"""Sends a file through the mixnet to the client that it is connected to, and writes what comes back."""

import asyncio
import json
import sys
from pathlib import Path

import base58
import websockets

if len(sys.argv) < 2:
    sys.exit("usage: binary.py FILE [ws://HOST:PORT]")
FILE = Path(sys.argv[1])
URL = sys.argv[2] if len(sys.argv) > 2 else "ws://localhost:1977"


async def ask(client, frame):
    """A request and its answer."""
    await client.send(frame)
    answer = json.loads(await client.recv())
    if answer["type"] == "error":
        sys.exit(answer["message"])
    return answer


async def main():
    # The library would cut the connection at a message of more than 1 MiB.
    async with websockets.connect(URL, max_size=None) as client:
        address = (await ask(client, json.dumps({"type": "selfAddress"})))["address"]

        # A binary request is the recipient's key, its provider's key, and the data: 32 + 32 + any number of bytes.
        recipient, provider = (base58.b58decode(key) for key in address.split("@"))
        await ask(client, recipient + provider + FILE.read_bytes())
        print("accepted", FILE)

        # Messages come in binary frames, for this connection's last request to send was one.
        content = await client.recv()
        copy = FILE.with_name(FILE.name + ".received")
        copy.write_bytes(content)
        print(f"received {len(content)} bytes: {copy}")


asyncio.run(main())
