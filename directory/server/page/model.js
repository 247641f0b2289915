// The directory as this page knows it: frames of `/ws/events` go in, nodes and packets come out.
//
// Pure: it reads no clock, opens no socket and touches no DOM. Every time in it is in milliseconds
// since 1970 by the directory's clock. The directory counts nanoseconds, which are beyond the 2^53
// up to which a number in JavaScript is exact: `JSON.parse` rounds them to multiples of 256 ns,
// which no age of a node shows.

import { Curve, Reports, sum } from './rates.js';

/** A node is late when it was not heard for so long; it announces itself every 1.5 s. */
export const LATE_AFTER = 3750;

/** The directory forgets a node that it has not heard for so long. One that came back without a node
 * may hear it again within as long. */
export const FORGET_AFTER = 10_000;

/** A node that is gone is shown for so long: time enough to notice which one it was. */
const SHOW_GONE = 30_000;

/** Nodes that are gone and still shown. */
const MAX_GONE = 64;

/** Mixnodes whose reports are kept: twice as many as the directory lists, because it takes reports
 * of others too. */
const MAX_REPORTERS = 2048;

/** The kind of node in each list of the directory. A provider may be in two. */
const KINDS = {
  mixnode: 'mixnode',
  mixprovider: 'provider',
  gateway: 'provider',
  coconode: 'validator',
};

const byName = new Intl.Collator('en', { numeric: true });

/** Nanoseconds to milliseconds. */
const ms = (nanoseconds) => nanoseconds / 1e6;

/** A node is the same wherever it is listed; a mixnode and a provider with one key are two. */
const nodeId = (kind, key) => `${kind} ${key}`;

export class Model {
  /** By id. Those that are gone have `gone: {at, how}`; one that was disallowed before this page
   * listened has `at: null`. Those that were here before the directory came back are `missing`. */
  nodes = new Map();
  /** Packets since this page was opened. Not `complete` once frames were missed. */
  totals = { received: 0, sent: 0, since: null, complete: true };
  curve = new Curve();
  /** One more whenever a node comes, changes, or goes. */
  revision = 0;

  #reports = new Map();
  #gone = new Set();
  #missing = new Set();
  #disallowed = new Set();
  #byAddress = null;
  #nextSeq = 0;
  #clock = null;

  /** The page subscribes, for the first time or again: numbers start anew. */
  subscribed() {
    this.#nextSeq = 0;
    if (this.#clock) this.#missed();
  }

  /** Takes in a frame that came when the page's own clock showed `at` milliseconds. A type that is
   * not known is no fault: the directory may be newer than this page. */
  apply(frame, at) {
    const time = ms(frame.time);
    this.#clock = { time, at };
    this.totals.since ??= time;
    if (frame.seq !== this.#nextSeq) this.#missed();
    this.#nextSeq = frame.seq + 1;
    switch (frame.type) {
      case 'snapshot':
        this.#snapshot(frame.topology, time, frame.seq === 0);
        break;
      case 'mix-node':
        this.#announce('mixnode', frame);
        break;
      case 'mix-provider':
        this.#announce('mixprovider', frame);
        break;
      case 'gateway':
        this.#announce('gateway', frame);
        break;
      case 'coco-node':
        this.#announce('coconode', frame.node);
        break;
      case 'seen':
        this.#hear(frame.list, frame.pubKey, time);
        break;
      case 'late':
        this.#hear(frame.list, frame.pubKey, ms(frame.lastSeen));
        break;
      case 'gone':
        this.#unlist(frame.list, frame.pubKey, time);
        break;
      case 'left':
        for (const kind of new Set(Object.values(KINDS))) {
          this.#end(this.nodes.get(nodeId(kind, frame.pubKey)), 'left', time);
        }
        break;
      case 'disallowed':
        this.#end(this.nodes.get(nodeId('mixnode', frame.pubKey)), 'disallowed', time);
        break;
      case 'metric':
        this.#report(frame, time);
        break;
    }
    this.settle(time);
  }

  /** Takes in who is present and disallowed, as the directory answered a question of the time
   * `asked`. Frames that came since know better. */
  keepDisallowed(presences, asked) {
    const listed = new Set();
    for (const presence of presences) {
      const id = nodeId('mixnode', presence.pubKey);
      const before = this.nodes.get(id);
      listed.add(id);
      if (before && (isListed(before) || before.gone?.at > asked)) continue;
      const at = this.#disallowed.has(id) ? before.gone.at : null;
      this.#announce('mixnode', presence);
      this.#end(this.nodes.get(id), 'disallowed', at);
    }
    for (const id of this.#disallowed) {
      const node = this.nodes.get(id);
      if (listed.has(id) || node.gone.at > asked) continue;
      node.gone = null;
      this.#end(node, 'gone', asked);
    }
  }

  /** Ends and takes out whose time has come, which no frame says. */
  settle(now) {
    for (const id of this.#missing) {
      const node = this.nodes.get(id);
      if (now - node.heard > FORGET_AFTER) this.#end(node, 'gone', now);
    }
    this.#prune(now);
  }

  /** Whether anything was heard yet. */
  get isEmpty() {
    return this.#clock === null;
  }

  /** When the last frame was sent. */
  get lastTime() {
    return this.#clock?.time ?? null;
  }

  /** The directory's time when the page's own clock shows `at`. */
  now(at) {
    return this.#clock ? this.#clock.time + Math.max(0, at - this.#clock.at) : 0;
  }

  /** `here`, `late`, `missing`, or how it went: `gone`, `left`, `disallowed`. */
  state(node, now) {
    if (node.gone) return node.gone.how;
    if (node.missing) return 'missing';
    return now - node.heard > LATE_AFTER ? 'late' : 'here';
  }

  /** How many nodes the directory lists. */
  get present() {
    return this.nodes.size - this.#gone.size - this.#missing.size - this.#disallowed.size;
  }

  /** How many nodes were here before the directory came back, and may still be. */
  get missing() {
    return this.#missing.size;
  }

  /** Whether a node is shown that is kept out of the topology. */
  get hasDisallowed() {
    return this.#disallowed.size > 0;
  }

  /** Clients that are registered at the providers that are listed. */
  get clients() {
    let clients = 0;
    for (const node of this.nodes.values()) if (isListed(node)) clients += node.clients ?? 0;
    return clients;
  }

  /** The nodes of a kind, by layer and name. */
  sorted(kind) {
    const nodes = Array.from(this.nodes.values()).filter((node) => node.kind === kind);
    return nodes.sort(
      (a, b) =>
        (a.layer ?? 0) - (b.layer ?? 0) ||
        byName.compare(a.name, b.name) ||
        byName.compare(a.key, b.key),
    );
  }

  /** Packets per second, from the reports of the last seconds.
   *
   * `nodes`: by id `{received, sent, last}`, where `last` is what was received by the last reports
   * alone. A mixnode reports both. A provider reports nothing: what
   * mixnodes sent to its address is what it received, and what it sent nobody knows (null).
   * `links`: `{from, to, address, rate}`; `to` is null if no node that is listed has the address.
   * `received`, `sent`: of all mixnodes. */
  traffic(now) {
    this.#byAddress ??= this.#addresses();
    const traffic = { nodes: new Map(), links: [], received: 0, sent: 0 };
    const arrived = new Map();
    for (const [key, reports] of this.#reports) {
      const rates = reports.rates(now);
      const from = this.nodes.get(nodeId('mixnode', key));
      if (!rates || !from || from.gone) continue;
      traffic.received += rates.received;
      traffic.sent += rates.sent;
      const { received, sent, last } = rates;
      traffic.nodes.set(from.id, { received, sent, last: last.received });
      for (const [address, rate] of rates.hops) {
        const to = this.#byAddress.get(bare(address)) ?? null;
        if (rate > 0) traffic.links.push({ from, to, address, rate });
        if (to?.kind !== 'provider') continue;
        const sum = arrived.get(to.id) ?? { received: 0, sent: null, last: 0 };
        sum.received += rate;
        sum.last += last.hops.get(address) ?? 0;
        arrived.set(to.id, sum);
      }
    }
    // Nothing arrives at a provider that nobody sends to; without any report it is not known.
    for (const node of this.nodes.values()) {
      if (node.kind !== 'provider' || node.gone || traffic.nodes.size === 0) continue;
      const nothing = { received: 0, sent: null, last: 0 };
      traffic.nodes.set(node.id, arrived.get(node.id) ?? nothing);
    }
    return traffic;
  }

  /** `isBack`: it begins a subscription. A directory that was away may not have heard everybody yet. */
  #snapshot(topology, time, isBack) {
    const listed = new Set();
    const lists = [
      ['coconode', topology.cocoNodes],
      ['mixnode', topology.mixNodes],
      ['mixprovider', topology.mixProviderNodes],
      ['gateway', topology.gatewayNodes],
    ];
    for (const node of this.nodes.values()) if (!node.gone) node.lists.clear();
    for (const [list, presences] of lists) {
      for (const presence of presences) listed.add(this.#announce(list, presence));
    }
    for (const node of this.nodes.values()) {
      if (listed.has(node.id) || node.gone) continue;
      if (isBack) this.#miss(node);
      else this.#end(node, 'gone', time);
    }
  }

  #announce(list, presence) {
    const kind = KINDS[list];
    const id = nodeId(kind, presence.pubKey);
    const before = this.nodes.get(id);
    const lists = before && !before.gone ? before.lists : new Map();
    lists.set(list, ms(presence.lastSeen));
    const { location } = presence;
    const listeners = before && !before.gone ? before.listeners : {};
    if (presence.clientListener) listeners[list] = presence.clientListener;
    this.nodes.set(id, {
      id,
      kind,
      key: presence.pubKey,
      /** Free text of the node; in a devnet its name. */
      name: location && location !== 'unknown' ? location : '',
      version: presence.version,
      /** Where it takes packets. */
      address: presence.host ?? presence.mixnetListener ?? '',
      /** Where a provider takes clients, by list. */
      listeners,
      layer: presence.layer ?? null,
      /** Registered clients of a provider. */
      clients: presence.registeredClients?.length ?? null,
      /** When it was heard, by list. */
      lists,
      heard: Math.max(...lists.values()),
      gone: null,
      missing: false,
    });
    for (const absent of [this.#gone, this.#missing, this.#disallowed]) absent.delete(id);
    this.#changed();
    return id;
  }

  #hear(list, key, time) {
    const node = this.nodes.get(nodeId(KINDS[list], key));
    if (!node?.lists.has(list)) return;
    node.lists.set(list, time);
    node.heard = Math.max(...node.lists.values());
  }

  #unlist(list, key, time) {
    const node = this.nodes.get(nodeId(KINDS[list], key));
    if (node?.lists.delete(list) && node.lists.size === 0) this.#end(node, 'gone', time);
  }

  #end(node, how, at) {
    if (!node || node.gone) return;
    node.lists.clear();
    node.gone = { how, at };
    node.missing = false;
    this.#missing.delete(node.id);
    this.#disallowed.delete(node.id);
    (how === 'disallowed' ? this.#disallowed : this.#gone).add(node.id);
    this.#changed();
  }

  #miss(node) {
    node.missing = true;
    this.#missing.add(node.id);
    this.#changed();
  }

  /** Takes out who has been gone for long, the longest first if there are too many. */
  #prune(time) {
    for (const id of this.#gone) {
      if (this.#gone.size <= MAX_GONE && time - this.nodes.get(id).gone.at < SHOW_GONE) break;
      this.#gone.delete(id);
      this.nodes.delete(id);
      this.#changed();
    }
  }

  #report(metric, time) {
    const { pubKey, received, sent } = metric;
    const reports = this.#reports.get(pubKey) ?? new Reports();
    reports.add(time, received, sent);
    // Out and in again: the first of the map is always the one that was silent for longest.
    this.#reports.delete(pubKey);
    this.#reports.set(pubKey, reports);
    if (this.#reports.size > MAX_REPORTERS) {
      this.#reports.delete(this.#reports.keys().next().value);
    }
    const passedOn = sum(sent);
    this.totals.received += received;
    this.totals.sent += passedOn;
    this.curve.add(time, received, passedOn);
  }

  /** Frames were missed. A snapshot makes up for what they said of nodes, not for packets. */
  #missed() {
    this.totals.complete = false;
    this.curve.cut();
    for (const reports of this.#reports.values()) reports.cut();
  }

  #addresses() {
    const addresses = new Map();
    for (const node of this.nodes.values()) {
      if (node.address && !node.gone) addresses.set(bare(node.address), node);
    }
    return addresses;
  }

  #changed() {
    this.revision += 1;
    this.#byAddress = null;
  }
}

/** Whether the directory lists it now, as far as this page knows. */
function isListed(node) {
  return !node.gone && !node.missing;
}

/** Nodes announce names, and report the addresses that the names stand for. */
function bare(address) {
  return address.replace(/^localhost:/, '127.0.0.1:');
}
