/** Sends a text through the mixnet to the client that it is connected to, and waits for it. */

import { randomUUID } from "node:crypto";
import { on, once } from "node:events";
import WebSocket from "ws";

type Frame = { type: string; address?: string; id?: string; message?: string };

const url = process.argv[2] ?? "ws://localhost:1977";
const client = new WebSocket(url);
const frames = on(client, "message", { close: ["close"] });
await once(client, "open");

/** The next frame of this kind. Messages that have waited for an application may come before it. */
async function until(kind: string): Promise<Frame> {
  for (;;) {
    const { done, value } = await frames.next();
    if (done) throw new Error("the client closed the connection");
    const frame: Frame = JSON.parse(String(value[0]));
    if (frame.type === "error") throw new Error(frame.message);
    if (frame.type === kind) return frame;
  }
}

/** A request and its answer. */
async function ask(request: { type: string; [field: string]: unknown }): Promise<Frame> {
  client.send(JSON.stringify(request));
  return await until(request.type);
}

// First of all: from here on received messages are JSON with a type and an id, as answers are.
await ask({ type: "envelope", on: true });
const { address } = await ask({ type: "selfAddress" });
console.log("connected to", address);

// Answered once the client has kept the message on disk. It then waits for its turn among cover.
const id = randomUUID().replaceAll("-", "");
await ask({ type: "send", recipient: address, message: "through three mixnodes", id });
console.log("accepted");

let received = await until("received");
while (received.id !== id) received = await until("received"); // others were there before
console.log("received:", received.message);
client.close();
