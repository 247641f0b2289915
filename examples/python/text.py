"""Sends a text through the mixnet to the client that it is connected to, and waits for it."""

import asyncio
import json
import sys
import uuid

import websockets

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:1977"


async def until(client, kind):
    """The next frame of this kind. Messages that have waited for an application may come before it."""
    while True:
        frame = json.loads(await client.recv())
        if frame["type"] == "error":
            sys.exit(frame["message"])
        if frame["type"] == kind:
            return frame


async def ask(client, request):
    """A request and its answer."""
    await client.send(json.dumps(request))
    return await until(client, request["type"])


async def main():
    async with websockets.connect(URL) as client:
        # First of all: from here on received messages are JSON with a type and an id, as answers are.
        await ask(client, {"type": "envelope", "on": True})
        address = (await ask(client, {"type": "selfAddress"}))["address"]
        print("connected to", address)

        # Answered once the client has kept the message on disk. It then waits for its turn among cover.
        request = {"type": "send", "recipient": address, "message": "through three mixnodes", "id": uuid.uuid4().hex}
        sent = await ask(client, request)
        print("accepted")

        while (received := await until(client, "received"))["id"] != sent["id"]:
            pass  # it was there before
        print("received:", received["message"])


asyncio.run(main())
