/** Sends a file through the mixnet to the client that it is connected to, and writes what comes back. */

import { on, once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import bs58 from "bs58";
import WebSocket from "ws";

type Frame = { type: string; address?: string; message?: string; base64?: string };

const [file, url = "ws://localhost:1977"] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: binary.ts FILE [ws://HOST:PORT]");
const data = readFileSync(file);
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

/** The next message's bytes: it is in `message` if they are a text, else in `base64`. */
async function receive(): Promise<Buffer> {
  const { message = "", base64 } = await until("received");
  return base64 === undefined ? Buffer.from(message) : Buffer.from(base64, "base64");
}

// First of all: without it a message that has waited could be taken for an answer.
client.send(JSON.stringify({ type: "envelope", on: true }));
client.send(JSON.stringify({ type: "selfAddress" }));
const { address = "" } = await until("selfAddress");

// A binary request is the recipient's key, its provider's key, and the data: 32 + 32 + any number of bytes.
const keys = address.split("@").map((key) => bs58.decode(key));
client.send(Buffer.concat([...keys, data]));
await until("send");
console.log("accepted", file);

let content = await receive();
while (!content.equals(data)) {
  console.log(`received ${content.length} bytes of something else`);
  content = await receive();
}
writeFileSync(`${file}.received`, content);
console.log(`received ${content.length} bytes: ${file}.received`);
client.close();
