"""Sends a text through the mixnet to the client that it is connected to, and waits for it."""

import asyncio
import json
import sys

import websockets

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:1977"


async def ask(client, request):
    """A request and its answer. Nothing is pushed before the first answer."""
    await client.send(json.dumps(request))
    answer = json.loads(await client.recv())
    if answer["type"] == "error":
        sys.exit(answer["message"])
    return answer


async def main():
    async with websockets.connect(URL) as client:
        address = (await ask(client, {"type": "selfAddress"}))["address"]
        print("connected to", address)

        # Answered once the client has kept the message on disk. It then waits for its turn among cover.
        await ask(client, {"type": "send", "recipient": address, "message": "through three mixnodes"})
        print("accepted")

        print("received:", await client.recv())


asyncio.run(main())
