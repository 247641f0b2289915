// How many packets: totals, curves of the last minutes, and a bar for each layer.

import { byId, make, makeSvg, setAttribute, setText } from './dom.js';
import { count, rate, timeOfDay } from './format.js';

/** The curves are drawn in these units and stretched to their tile. */
const WIDTH = 240;
const HEIGHT = 60;

/** Layers with a bar of their own. */
const MAX_BARS = 8;

export class Packets {
  #curves = ['received', 'sent'].map((name) => {
    const area = makeSvg('path', { class: 'area' });
    const line = makeSvg('path', { class: 'line' });
    const svg = byId(`${name}-curve`);
    setAttribute(svg, 'viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    svg.append(area, line);
    return { name, area, line };
  });
  #bars = new Map();

  draw(model, traffic, now) {
    const { totals } = model;
    const knows = traffic.nodes.size > 0;
    const points = model.curve.points(now);
    for (const { name, area, line } of this.#curves) {
      setText(byId(`${name}-rate`), knows ? rate(traffic[name]) : '–');
      // Frames that were missed had packets too.
      setText(byId(`${name}-total`), (totals.complete ? '' : 'at least ') + count(totals[name]));
      const values = points.map((point) => (point ? point[name] : null));
      const peak = Math.max(0, ...values);
      setText(byId(`${name}-peak`), peak > 0 ? `peak ${rate(peak)}` : '');
      const { outline, filled } = curve(values, peak);
      setAttribute(line, 'd', outline);
      setAttribute(area, 'd', filled);
    }
    if (totals.since !== null) {
      for (const since of document.querySelectorAll('.since')) setText(since, timeOfDay(totals.since));
    }
    this.#drawBars(model, traffic);
  }

  #drawBars(model, traffic) {
    const layers = new Map();
    for (const [id, { received }] of traffic.nodes) {
      const node = model.nodes.get(id);
      const name = node.kind === 'provider' ? 'providers' : `layer ${node.layer}`;
      const order = node.layer ?? Infinity;
      layers.set(name, { order, rate: (layers.get(name)?.rate ?? 0) + received });
    }
    const shown = Array.from(layers).sort(([, a], [, b]) => a.order - b.order).slice(0, MAX_BARS);
    const most = Math.max(1, ...shown.map(([, layer]) => layer.rate));
    const list = byId('layers');
    for (const [name, bar] of this.#bars) {
      if (shown.some(([other]) => other === name)) continue;
      bar.item.remove();
      this.#bars.delete(name);
    }
    for (const [name, layer] of shown) {
      let bar = this.#bars.get(name);
      if (!bar) {
        bar = { part: make('span', { class: 'part' }), figure: make('span', { class: 'mono' }) };
        bar.item = make('li', {}, make('span', {}, name), make('span', { class: 'whole' }, bar.part), bar.figure);
        this.#bars.set(name, bar);
      }
      // Set through the object model, which the page's policy allows; a `style` in markup it does not.
      bar.part.style.width = `${Math.round((100 * layer.rate) / most)}%`;
      setText(bar.figure, rate(layer.rate));
      list.append(bar.item);
    }
  }
}

/** The line through the values and the area below it; neither where there is no value. */
function curve(values, peak) {
  const x = (index) => round((index * WIDTH) / (values.length - 1));
  const y = (value) => round(HEIGHT - 2 - ((HEIGHT - 6) * value) / Math.max(peak, 1));
  let outline = '';
  let filled = '';
  let begin = -1;
  values.forEach((value, index) => {
    if (value === null) return;
    if (begin < 0) {
      begin = index;
      outline += 'M';
      filled += `M${x(index)},${HEIGHT}L`;
    } else {
      outline += 'L';
      filled += 'L';
    }
    outline += `${x(index)},${y(value)}`;
    filled += `${x(index)},${y(value)}`;
    if (index + 1 === values.length || values[index + 1] === null) {
      filled += `L${x(index)},${HEIGHT}Z`;
      begin = -1;
    }
  });
  return { outline, filled };
}

function round(number) {
  return Math.round(number * 10) / 10;
}
