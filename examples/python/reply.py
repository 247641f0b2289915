"""Asks somebody a question and gets an answer, without telling them who asks.

`reply.py answer` waits for questions. `reply.py ask ADDRESS QUESTION` asks one: its message carries
reply blocks, each good for one packet back to a sender that nobody learns.
"""

import argparse
import asyncio
import json
import sys

import websockets

# One carries 1.6 kB back. The others are for packets that are lost on their way.
REPLY_BLOCKS = 4


async def answer(client):
    """Answers whoever asks."""
    await client.send(json.dumps({"type": "selfAddress"}))
    async for frame in client:
        match json.loads(frame):
            case {"type": "selfAddress", "address": address}:
                print("waiting for questions at", address, flush=True)
            case {"type": "received", "replyTo": sender, "message": question}:
                print("asked:", question, flush=True)
                text = f"{question} has {len(question.split())} words"
                await client.send(json.dumps({"type": "reply", "replyTo": sender, "message": text}))
            case {"type": "error", "message": reason}:
                print(reason, file=sys.stderr)


async def ask(client, address, question):
    """Asks one question."""
    request = {"type": "send", "recipient": address, "message": question, "withReply": REPLY_BLOCKS}
    await client.send(json.dumps(request))
    asked = None
    async for frame in client:
        match json.loads(frame):
            case {"type": "send", "id": asked}:
                print("accepted as", asked)
            case {"type": "received", "inReplyTo": question_id, "message": text} if question_id == asked:
                print("answered:", text)
                return
            case {"type": "error", "message": reason}:
                sys.exit(reason)


async def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--client", default="ws://localhost:1977")
    roles = arguments.add_subparsers(dest="role", required=True)
    roles.add_parser("answer")
    asking = roles.add_parser("ask")
    asking.add_argument("address")
    asking.add_argument("question")
    given = arguments.parse_args()

    async with websockets.connect(given.client) as client:
        # First of all: from here on every frame is JSON with a type, received messages too.
        await client.send(json.dumps({"type": "envelope", "on": True}))
        if given.role == "answer":
            await answer(client)
        else:
            await ask(client, given.address, given.question)


asyncio.run(main())
