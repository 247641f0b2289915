/** Fetches over the older interface until something has been received. Nothing is pushed there. */

import WebSocket from "ws";

const PAUSE_MS = 500;

const url = process.argv[2] ?? "ws://localhost:9001/mix";
const client = new WebSocket(url);
const fetch = () => client.send(JSON.stringify({ type: "fetch" }));
client.onopen = fetch;
client.onmessage = (event) => {
  const answer = JSON.parse(String(event.data));
  if (answer.type === "error") throw new Error(answer.message);
  if (answer.messages.length === 0) {
    setTimeout(fetch, PAUSE_MS);
    return;
  }
  for (const message of answer.messages) console.log("fetched:", message);
  client.close();
};
