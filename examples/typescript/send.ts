/** Sends a text over the older interface: `send.ts ADDRESS TEXT`. */

import WebSocket from "ws";

const [address, message, url = "ws://localhost:9001/mix"] = process.argv.slice(2);
if (message === undefined) throw new Error("usage: send.ts ADDRESS TEXT [ws://HOST:PORT/mix]");

const client = new WebSocket(url);
client.onopen = () => {
  client.send(JSON.stringify({ type: "send", message, recipient_address: address }));
};
client.onmessage = (event) => {
  const answer = JSON.parse(String(event.data));
  console.log(answer.type === "send" ? "accepted" : answer.message);
  client.close();
};
