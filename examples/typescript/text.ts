/** Sends a text through the mixnet to the client that it is connected to, and waits for it. */

import { on, once } from "node:events";
import WebSocket from "ws";

const url = process.argv[2] ?? "ws://localhost:1977";
const client = new WebSocket(url);
const frames = on(client, "message", { close: ["close"] });
await once(client, "open");

async function next(): Promise<string> {
  const { done, value } = await frames.next();
  if (done) throw new Error("the client closed the connection");
  return String(value[0]);
}

/** A request and its answer. Nothing is pushed before the first answer. */
async function ask(request: object): Promise<{ type: string; address?: string }> {
  client.send(JSON.stringify(request));
  const answer = JSON.parse(await next());
  if (answer.type === "error") throw new Error(answer.message);
  return answer;
}

const { address } = await ask({ type: "selfAddress" });
console.log("connected to", address);

// Answered once the client has kept the message on disk. It then waits for its turn among cover.
await ask({ type: "send", recipient: address, message: "through three mixnodes" });
console.log("accepted");

console.log("received:", await next());
client.close();
