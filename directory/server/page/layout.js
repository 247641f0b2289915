// Where everything stands on the map: columns of boxes side by side, or one under the other where the
// window is narrow. Pure arithmetic.
//
// The more nodes a layer has, the less room each gets: a card with all its figures, a line with name
// and rate, or a mere cell whose name is told when it is pointed at.

/** Most nodes of a layer that are drawn as cards, and as lines. */
const MAX_CARDS = 6;
const MAX_LINES = 40;

/** Pixels. */
const SIZES = {
  card: { height: 66, gap: 42, narrow: 104 },
  line: { height: 20, gap: 3, narrow: 84 },
  cell: { height: 12, gap: 3, narrow: 12 },
};
const MAX_WIDTH = 200;
const MIN_WIDTH = 104;
const HEADING = 26;
const BAND_GAP = 40;
const MIN_HEIGHT = 190;
/** A column below this has no room for a box and for links beside it. */
const MIN_PITCH = 150;

/** `card`, `line` or `cell`. */
function density(count) {
  if (count <= MAX_CARDS) return 'card';
  return count <= MAX_LINES ? 'line' : 'cell';
}

/** `columns`: `[{title, ids}]`. Gives back `{down, width, height, headings, boxes, columns}`; a box
 * is `{x, y, width, height, density, column}`, by id. `down` says that layers follow each other
 * downwards. */
export function layout(columns, width) {
  const down = width / columns.length < MIN_PITCH;
  const plan = { down, width, height: 0, headings: [], boxes: new Map(), columns };
  if (down) placeDown(plan);
  else placeAcross(plan);
  return plan;
}

function placeAcross(plan) {
  const { columns, width } = plan;
  const pitch = width / columns.length;
  const boxWidth = Math.round(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, pitch * 0.6)));
  const step = (width - boxWidth) / (columns.length - 1);
  // How many stand side by side within a column: only cells do.
  const grids = columns.map(({ ids }) => {
    const kind = density(ids.length);
    const { height, gap } = SIZES[kind];
    const across = kind === 'cell' ? Math.floor((boxWidth + gap) / (height + gap)) : 1;
    const rows = Math.ceil(ids.length / across);
    return { kind, across, height: Math.max(0, rows * (height + gap) - gap) };
  });
  const body = Math.max(MIN_HEIGHT, ...grids.map((grid) => grid.height));
  plan.height = HEADING + body + 8;
  columns.forEach(({ title, ids }, column) => {
    const { kind, across, height } = grids[column];
    const size = SIZES[kind];
    const x = Math.round(column * step);
    const y = HEADING + Math.round((body - height) / 2);
    plan.headings.push({ x: x + boxWidth / 2, y: 14, title, anchor: 'middle' });
    ids.forEach((id, index) => {
      const itemWidth = kind === 'cell' ? size.height : boxWidth;
      plan.boxes.set(id, {
        x: x + (index % across) * (itemWidth + size.gap),
        y: y + Math.floor(index / across) * (size.height + size.gap),
        width: itemWidth,
        height: size.height,
        density: kind,
        column,
      });
    });
  });
}

function placeDown(plan) {
  const { columns, width } = plan;
  let y = 0;
  columns.forEach(({ title, ids }, column) => {
    const kind = density(ids.length);
    const size = SIZES[kind];
    const gap = kind === 'card' ? 8 : size.gap;
    const fitting = Math.max(1, Math.floor((width + gap) / (size.narrow + gap)));
    const across = Math.min(fitting, Math.max(1, ids.length));
    const room = Math.floor((width - (across - 1) * gap) / across);
    const itemWidth = kind === 'cell' ? size.height : Math.min(MAX_WIDTH, room);
    const begin = Math.round((width - across * (itemWidth + gap) + gap) / 2);
    plan.headings.push({ x: 0, y: y + 14, title, anchor: 'start' });
    y += HEADING - 4;
    ids.forEach((id, index) => {
      plan.boxes.set(id, {
        x: begin + (index % across) * (itemWidth + gap),
        y: y + Math.floor(index / across) * (size.height + gap),
        width: itemWidth,
        height: size.height,
        density: kind,
        column,
      });
    });
    const rows = Math.max(1, Math.ceil(ids.length / across));
    y += rows * (size.height + gap) - gap + BAND_GAP;
  });
  plan.height = y - BAND_GAP + 8;
}
