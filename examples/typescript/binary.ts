/** Sends a file through the mixnet to the client that it is connected to, and writes what comes back. */

import { on, once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import bs58 from "bs58";
import WebSocket from "ws";

const [file, url = "ws://localhost:1977"] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: binary.ts FILE [ws://HOST:PORT]");
const client = new WebSocket(url);
const frames = on(client, "message", { close: ["close"] });
await once(client, "open");

async function next(): Promise<Buffer> {
  const { done, value } = await frames.next();
  if (done) throw new Error("the client closed the connection");
  return value[0];
}

/** A request and its answer. */
async function ask(frame: string | Buffer): Promise<{ type: string; address?: string }> {
  client.send(frame);
  const answer = JSON.parse(String(await next()));
  if (answer.type === "error") throw new Error(answer.message);
  return answer;
}

const { address = "" } = await ask(JSON.stringify({ type: "selfAddress" }));

// A binary request is the recipient's key, its provider's key, and the data: 32 + 32 + any number of bytes.
const keys = address.split("@").map((key) => bs58.decode(key));
await ask(Buffer.concat([...keys, readFileSync(file)]));
console.log("accepted", file);

// Messages come in binary frames, for this connection's last request to send was one.
const content = await next();
writeFileSync(`${file}.received`, content);
console.log(`received ${content.length} bytes: ${file}.received`);
client.close();
