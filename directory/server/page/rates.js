// Packets over time: what one mixnode reported lately, and the sum of all over minutes.
//
// Pure: no clock, no DOM. Times are milliseconds since 1970 by the directory's clock.

/** Rates are means over this span, as in the dashboard: shorter ones jump, longer ones lag. */
export const WINDOW = 5000;

/** How often a mixnode reports. What its first report covers. */
const INTERVAL = 1000;

/** Reports kept of one mixnode. An honest one has five in a window. */
const MAX_REPORTS = 16;

/** A mixnode that reports seldom is believed for twice its interval, but no longer than this. */
const MAX_BELIEF = 60_000;

/** Two reports at once would divide by zero. */
const MIN_SPAN = 250;

/** The sum of what was passed on to each next hop. */
export function sum(hops) {
  let total = 0;
  for (const hop in hops) total += hops[hop];
  return total;
}

/** What one mixnode reported in the last window. */
export class Reports {
  #reports = [];
  #isCut = false;

  /** Reports may have been missed since the last one: the next does not count for all that time. */
  cut() {
    this.#isCut = true;
  }

  /** `hops` counts the packets passed on, by the address of the next hop. */
  add(at, received, hops) {
    const last = this.#reports.at(-1);
    const follows = last && last.at <= at && !this.#isCut;
    const since = follows ? last.at : at - (last ? last.at - last.since : INTERVAL);
    this.#isCut = false;
    this.#reports.push({ since, at, received, hops, sent: sum(hops) });
    // A report that began a little before the window belongs to it: they never come to the dot.
    const begin = at - WINDOW - INTERVAL / 2;
    const isOld = () => this.#reports.length > MAX_REPORTS || this.#reports[0].since < begin;
    while (this.#reports.length > 1 && isOld()) this.#reports.shift();
  }

  /** Packets per second: `{received, sent, hops: Map, last}`; null if nothing was reported lately.
   * `last` has the same of the last report alone: what a curve shows, which need not be steady. */
  rates(now) {
    const last = this.#reports.at(-1);
    if (!last) return null;
    const belief = Math.min(Math.max(WINDOW, 2 * (last.at - last.since)), MAX_BELIEF);
    if (now - last.at > belief) return null;
    // Of the seconds that were reported: those between may be missing.
    const covered = this.#reports.reduce((total, { since, at }) => total + at - since, 0);
    const seconds = Math.max(covered, MIN_SPAN) / 1000;
    const rates = { received: 0, sent: 0, hops: new Map(), last: perSecond(last) };
    for (const report of this.#reports) {
      rates.received += report.received / seconds;
      rates.sent += report.sent / seconds;
      for (const hop in report.hops) {
        rates.hops.set(hop, (rates.hops.get(hop) ?? 0) + report.hops[hop] / seconds);
      }
    }
    return rates;
  }
}

function perSecond({ since, at, received, hops }) {
  const seconds = Math.max(at - since, MIN_SPAN) / 1000;
  const each = Object.entries(hops).map(([hop, count]) => [hop, count / seconds]);
  return { received: received / seconds, hops: new Map(each) };
}

/** The packets of all mixnodes, in steps of some seconds, for a curve of the last minutes. */
export class Curve {
  /** Milliseconds of a step: five reports of each mixnode, so that it does not matter much in
   * which step one of them falls. */
  static STEP = 5000;
  /** Steps that are shown: ten minutes. */
  static LENGTH = 120;

  /** By number of the step since 1970. A step that nobody reported in is not there; one that was not
   * heard from beginning to end is `partial`, and would look like a dip. */
  #steps = new Map();
  #newest = 0;
  #isCut = true;

  /** Reports may have been missed since the last one. */
  cut() {
    const step = this.#steps.get(this.#newest);
    if (step) step.partial = true;
    this.#isCut = true;
  }

  /** Counts a report. */
  add(at, received, sent) {
    const number = Math.floor(at / Curve.STEP);
    const step = this.#step(number);
    step.partial ||= this.#isCut;
    this.#isCut = false;
    step.received += received;
    step.sent += sent;
  }

  /** Puts in what the directory remembers of a step that this page did not hear, or not the whole of.
   * The larger sum is right: what both know grows here while the answer is underway. */
  fill(at, received, sent) {
    const step = this.#step(Math.floor(at / Curve.STEP));
    step.partial = false;
    // It is asked after this page began to listen again, so that nothing lies between.
    this.#isCut = false;
    step.received = Math.max(step.received, received);
    step.sent = Math.max(step.sent, sent);
  }

  /** Packets per second in each whole step up to now, the oldest first: `{received, sent}`, or null
   * where nobody reported. */
  points(now) {
    const current = Math.floor(now / Curve.STEP);
    const seconds = Curve.STEP / 1000;
    return Array.from({ length: Curve.LENGTH }, (_, index) => {
      const step = this.#steps.get(current - Curve.LENGTH + index);
      return step && !step.partial
        ? { received: step.received / seconds, sent: step.sent / seconds }
        : null;
    });
  }

  #step(number) {
    let step = this.#steps.get(number);
    if (!step) {
      step = { received: 0, sent: 0, partial: false };
      this.#steps.set(number, step);
    }
    if (number > this.#newest) {
      this.#newest = number;
      for (const old of this.#steps.keys()) {
        if (old < number - Curve.LENGTH) this.#steps.delete(old);
      }
    }
    return step;
  }
}
