// The directory's page: two streams come in, the model takes one, the log the other, and four times a
// second what has changed is drawn.

import { Card } from './card.js';
import { Connection } from './connection.js';
import { byId, copy, setText } from './dom.js';
import { count } from './format.js';
import { Log } from './log.js';
import { NetworkMap } from './map.js';
import { Model } from './model.js';
import { Packets } from './packets.js';
import { Curve } from './rates.js';
import { Status } from './status.js';
import { Table } from './table.js';

/** Milliseconds between two drawings: ages tick visibly, and nobody reads faster. */
const DRAW_EVERY = 250;

/** A slow drawing waits so many times as long as it took, so that a large network never takes more
 * than a part of the browser. */
const REST = 4;

/** Milliseconds between two questions whether nodes that are shown as disallowed still are there:
 * `/ws/events` does not say when one goes. */
const ASK_EVERY = 10_000;

/** How long such a question may take. */
const ANSWER_WITHIN = 3000;

/** Milliseconds for which rates are good: mixnodes report once a second. */
const TRAFFIC_EVERY = 1000;

const model = new Model();
let pointed = null;
let selected = null;

const map = new NetworkMap(byId('map'), {
  point: (id) => (pointed = id),
  choose: (id) => (selected = id),
  toggle: (id) => (selected = selected === id ? null : id),
});
const card = new Card(byId('card'));
const packets = new Packets();
const table = new Table((id) => {
  selected = id;
  byId('card').scrollIntoView({ block: 'nearest' });
});
const log = new Log();

const events = new Connection('ws/events?topics=topology,presence,metrics', hear, () => {
  if (events.phase === 'open') model.subscribed();
  status.changed();
});
const raw = new Connection('ws', (text) => log.add(text), () => {});
const status = new Status(events, model);

function hear(text) {
  const frame = JSON.parse(text);
  model.apply(frame, performance.now());
  status.sign();
  if (frame.seq === 0) remember();
  if (frame.type === 'snapshot' || frame.type === 'disallowed') askForDisallowed();
}

let askedAt = 0;
let isAsking = false;
let asksAgain = false;

/** Asks for mixnodes that are present, but kept out of the topology: no snapshot has them. */
async function askForDisallowed() {
  asksAgain = isAsking;
  if (isAsking) return;
  isAsking = true;
  do {
    asksAgain = false;
    askedAt = performance.now();
    const asked = model.now(askedAt);
    try {
      const signal = AbortSignal.timeout(ANSWER_WITHIN);
      const answer = await fetch('api/presence/disallowed', { signal });
      if (answer.ok) model.keepDisallowed(await answer.json(), asked);
    } catch {
      // The connection is gone, which the header says, and brings a snapshot when it comes back.
    }
  } while (asksAgain);
  isAsking = false;
}

/** Asks for the minutes that this page did not see: before it was opened, or while it was cut off. A
 * directory that keeps none has a curve that begins now. */
async function remember() {
  const step = Curve.STEP / 1000;
  const since = Math.floor((model.lastTime - Curve.LENGTH * Curve.STEP) / Curve.STEP) * step;
  try {
    // As text: nanoseconds are more than a number holds.
    const answer = await fetch(`api/metrics/history?since=${since}000000000&step=${step}`);
    if (answer.ok) fillCurve(await answer.json());
  } catch {
    // The connection is gone, which the header says.
  }
}

function fillCurve(history) {
  const steps = Math.max(0, ...history.nodes.map((node) => node.received.length));
  for (let index = 0; index < steps; index += 1) {
    const known = history.nodes.filter((node) => node.received[index] !== null);
    if (known.length === 0) continue;
    const sum = (name) => known.reduce((total, node) => total + node[name][index], 0);
    model.curve.fill(history.since / 1e6 + index * history.step * 1000, sum('received'), sum('sent'));
  }
}

let traffic = model.traffic(0);
let trafficOf = { now: 0, revision: 0 };

/** Rates at this time. It stands still while the connection does, and so do they. */
function trafficAt(now) {
  const isOld = Math.abs(now - trafficOf.now) >= TRAFFIC_EVERY;
  if (isOld || trafficOf.revision !== model.revision) {
    trafficOf = { now, revision: model.revision };
    traffic = model.traffic(now);
  }
  return traffic;
}

function draw() {
  const at = performance.now();
  // What is no longer live does not age: it is dated in the header instead.
  const now = status.word === 'live' ? model.now(at) : (model.lastTime ?? 0);
  model.settle(now);
  const isEmpty = model.nodes.size === 0;
  byId('empty').hidden = model.isEmpty || model.present + model.missing > 0;
  setText(byId('empty-title'), isEmpty ? 'Nobody is here yet' : 'Nobody is here now');
  byId('map-frame').hidden = isEmpty;
  const current = trafficAt(now);
  status.draw(current);
  if (!model.isEmpty) {
    const shown = model.nodes.has(pointed) ? pointed : selected;
    const left = isEmpty ? 0 : map.draw(model, current, now, shown);
    byId('links-note').hidden = left === 0;
    setText(byId('links-note'), left > 0 ? `the busiest links only; ${count(left)} are not drawn` : '');
    card.draw(model, current, now, shown);
    packets.draw(model, current, now);
    table.draw(model, current, now, selected);
  }
  log.draw(raw.phase === 'open' ? 'live' : raw.wasOpen ? 'reconnecting' : 'connecting');
  return performance.now() - at;
}

/** Draws again and again, but only while somebody can see it: browsers call no one back for a window
 * that is hidden. */
function run() {
  status.check();
  const isDue = performance.now() - askedAt > ASK_EVERY;
  if (isDue && model.hasDisallowed && events.phase === 'open') askForDisallowed();
  requestAnimationFrame(() => {
    const took = draw();
    setTimeout(run, Math.max(DRAW_EVERY, REST * took));
  });
}

/** The map in its new width at once: until then it hangs over. Its height follows from drawing. */
let mapWidth = 0;
new ResizeObserver(([{ contentRect }]) => {
  if (contentRect.width === mapWidth) return;
  mapWidth = contentRect.width;
  requestAnimationFrame(draw);
}).observe(byId('map'));

/** Commands that fill an empty page, with the address at which it was opened. */
const snippets = {
  announce: `curl ${location.origin}/api/presence/mixnodes -H 'content-type: application/json' \\
  -d '{"host":"127.0.0.1:1789","pubKey":"a-key","version":"0.7.0","location":"announced-by-curl","layer":1}'`,
  start: `nym-devnet node mixnode --name my-mixnode --home my-mixnode --layer 1 --port 0 \\
  --directory ${location.origin}`,
};
for (const [id, command] of Object.entries(snippets)) {
  setText(byId(id), command);
  const button = byId(`${id}-copy`);
  button.addEventListener('click', () => copy(button, command, byId(id)));
}
setText(byId('host'), location.host);
events.start();
raw.start();
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) for (const connection of [events, raw]) connection.retryNow();
});
run();
