/**
 * Asks somebody a question and gets an answer, without telling them who asks.
 *
 * `reply.ts answer` waits for questions. `reply.ts ask ADDRESS QUESTION` asks one: its message
 * carries reply blocks, each good for one packet back to a sender that nobody learns.
 */

import { parseArgs } from "node:util";
import WebSocket from "ws";

/** One carries 1.6 kB back. The others are for packets that are lost on their way. */
const REPLY_BLOCKS = 4;

type Frame =
  | { type: "envelope"; on: boolean }
  | { type: "selfAddress"; address: string }
  | { type: "send" | "reply"; id: string }
  | { type: "received"; id: string; message?: string; base64?: string; replyTo?: string; inReplyTo?: string }
  | { type: "error"; message: string };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { client: { type: "string", default: "ws://localhost:1977" } },
});
const [role, address, question] = positionals;
const asks = role === "ask" && address !== undefined && question !== undefined;
if (!asks && role !== "answer") {
  throw new Error("usage: reply.ts [--client ws://HOST:PORT] (answer | ask ADDRESS QUESTION)");
}

const client = new WebSocket(values.client);
const send = (request: object) => client.send(JSON.stringify(request));
let asked: string | undefined;

client.on("open", () => {
  // First of all: from here on every frame is JSON with a type, received messages too.
  send({ type: "envelope", on: true });
  send(
    asks
      ? { type: "send", recipient: address, message: question, withReply: REPLY_BLOCKS }
      : { type: "selfAddress" },
  );
});

client.on("message", (text) => {
  const frame: Frame = JSON.parse(String(text));
  if (frame.type === "selfAddress") {
    console.log("waiting for questions at", frame.address);
  } else if (frame.type === "send") {
    asked = frame.id;
    console.log("accepted as", asked);
  } else if (frame.type === "received" && !asks && frame.replyTo && frame.message !== undefined) {
    console.log("asked:", frame.message);
    const words = frame.message.split(/\s+/).length;
    send({ type: "reply", replyTo: frame.replyTo, message: `${frame.message} has ${words} words` });
  } else if (frame.type === "received" && asks && frame.inReplyTo === asked) {
    console.log("answered:", frame.message);
    client.close();
  } else if (frame.type === "error") {
    console.error(frame.message);
    if (asks) process.exit(1);
  }
});
