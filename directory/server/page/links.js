// The lines between the boxes of the map, as the `d` of a few paths: one path for all lines of a kind
// and width, because a thousand elements cost a thousand times what one costs. Pure.

import { rate as rateText } from './format.js';

/** Widths are steps of half a power of ten: below 3 packets per second, below 10, 30, 100, … */
const LEVELS = 7;

/** Lines that are drawn between two columns, the busiest first. More could not be told apart. */
const MAX_LINKS = 1200;

/** Lines between two columns up to which their rates are written beside them. */
const MAX_LABELS = 16;

/** Lines between two columns beyond which they are drawn faintly, so that one sees where many cross. */
const MANY = 60;
const CROWD = 400;

/** How far along a line its rate stands: near where it begins, because lines cross in the middle. */
const LABEL_AT = 0.3;

/** Which width a rate has. */
export function level(rate) {
  const step = Math.floor(2 * Math.log10(Math.max(rate, 0.01)));
  return Math.min(Math.max(step, 0), LEVELS - 1);
}

/** `links`: `{from, to, rate, inferred}` by id; a rate of 0 is drawn as a way that nothing takes.
 * Gives back `{paths: Map(class -> d), labels: [{x, y, text}], left}`; `left` counts the lines that
 * were too many. */
export function draw(plan, links, selected) {
  const isCard = (id) => plan.boxes.get(id).density === 'card';
  const gaps = new Map();
  for (const link of links) {
    const [from, to] = [plan.boxes.get(link.from), plan.boxes.get(link.to)];
    if (!from || !to) continue;
    const gap = `${from.column} ${to.column}`;
    if (!gaps.has(gap)) gaps.set(gap, []);
    gaps.get(gap).push({ ...link, number: gaps.get(gap).length });
  }
  const paths = new Map();
  const labels = [];
  let left = 0;
  const add = (kind, d) => paths.set(kind, (paths.get(kind) ?? '') + d);
  for (const all of gaps.values()) {
    const count = all.length;
    left += Math.max(0, count - MAX_LINKS);
    for (const { from, to, rate, inferred } of count > MAX_LINKS ? busiest(all) : all) {
      const line = curve(plan, plan.boxes.get(from), plan.boxes.get(to));
      const touches = selected === from || selected === to;
      let kind = 'link';
      if (rate === 0) kind += ' idle';
      else kind += ` level-${level(rate)}`;
      if (count > CROWD) kind += ' crowd';
      else if (count > MANY) kind += ' many';
      if (inferred) kind += ' inferred';
      if (touches && rate > 0) kind += ' selected';
      add(kind, line.d);
      if (rate > 0 && count <= MANY) add(touches ? 'arrow selected' : 'arrow', line.arrow);
      if (rate > 0 && count <= MAX_LABELS && isCard(from) && isCard(to)) {
        labels.push({ ...line.at(LABEL_AT), text: rateText(rate), selected: touches });
      }
    }
  }
  return { paths, labels, left };
}

/** Among equals some from everywhere, and the same ones each time: or the first nodes would seem to
 * be the busy ones. */
function busiest(links) {
  const scattered = ({ number }) => (number * 2_654_435_761) % 4_294_967_296;
  const sorted = links.sort((a, b) => b.rate - a.rate || scattered(a) - scattered(b));
  return sorted.slice(0, MAX_LINKS);
}

/** A curve from the end of one box to the beginning of the other, along the way of the packets. */
function curve(plan, from, to) {
  const [x1, y1, x2, y2] = plan.down
    ? [from.x + from.width / 2, from.y + from.height, to.x + to.width / 2, to.y]
    : [from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2];
  // Ways that go back, or within a layer, leave and arrive on the same sides as all others.
  const ahead = plan.down ? y2 - y1 : x2 - x1;
  const bend = ahead > 0 ? ahead / 2 : 40;
  const [bx, by] = plan.down ? [0, bend] : [bend, 0];
  const points = [[x1, y1], [x1 + bx, y1 + by], [x2 - bx, y2 - by], [x2, y2]];
  const text = points.map(([x, y]) => `${round(x)},${round(y)}`);
  const head = plan.down ? 'l-4,-7h8z' : 'l-7,-4v8z';
  return {
    d: `M${text[0]}C${text[1]} ${text[2]} ${text[3]}`,
    arrow: `M${text[3]}${head}`,
    at: (t) => ({ x: along(points, 0, t), y: along(points, 1, t) }),
  };
}

/** A coordinate of a cubic curve. */
function along(points, axis, t) {
  const u = 1 - t;
  const weights = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
  return round(weights.reduce((sum, weight, index) => sum + weight * points[index][axis], 0));
}

function round(number) {
  return Math.round(number * 10) / 10;
}
