'use strict';
/*
 * What the pages share. A *stay* is a block at one place with one size; it is
 * there after event t if born <= t < died. Stays are columns, by birth. Of
 * very many events, the short stays near one another are kept as *crowds*:
 * tools/view/heap.h says how.
 */
const bitfit = (() => {
  const $ = id => document.getElementById(id);

  // ------------------------------------------------------------------ words
  const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  function bytes(n, digits = 1) {
    let unit = 0;
    for (; n >= 1024 && unit < 4; unit++) n /= 1024;
    const text = unit ? String(+n.toFixed(digits)) : String(n);
    return text + ' ' + (n === 1 && !unit ? 'byte' : UNITS[unit]);
  }
  const number = n => n.toLocaleString('en');
  const percent = (part, whole) =>
    (whole ? 100 * part / whole : 0).toFixed(1) + ' %';
  function seconds(us) {
    for (const unit of ['µs', 'ms']) {
      if (us < 1000) return +us.toPrecision(3) + ' ' + unit;
      us /= 1000;
    }
    return +us.toPrecision(us < 1000 ? 3 : 6) + ' s';
  }
  const things = (n, name) => `${number(n)} ${name}${n === 1 ? '' : 's'}`;
  const events = n => things(n, 'event');
  const span = (n, clock) => clock === 'time' ? seconds(n) : events(n);
  const escaped = text => text.replace(/[&<>"]/g,
    c => `&#${c.charCodeAt(0)};`);

  // ------------------------------------------------------------------- heaps
  /* Piece by piece: a Blob or a Response would carry all of it through other
   * processes of the browser, which takes longer than to inflate it. */
  async function inflate(packed) {
    const { readable, writable } = new DecompressionStream('deflate');
    const writer = writable.getWriter(), reader = readable.getReader();
    const written = writer.write(packed).then(() => writer.close());
    const pieces = [];
    let size = 0, at = 0;
    for (let next; !(next = await reader.read()).done; size += next.value.length)
      pieces.push(next.value);
    await written;
    const raw = new Uint8Array(size);
    for (const piece of pieces) {
      raw.set(piece, at);
      at += piece.length;
    }
    return raw;
  }
  /* Columns of 32-bit numbers, each as four planes of bytes, and then the call
   * sites, a line each: all of it deflated. */
  async function unpack(text, lengths) {
    const plain = atob(text.trim()), packed = new Uint8Array(plain.length);
    for (let i = 0; i < plain.length; i++) packed[i] = plain.charCodeAt(i);
    const raw = await inflate(packed);
    let at = 0;
    const columns = lengths.map(n => {
      const column = new Uint32Array(n);
      for (let i = 0; i < n; i++)
        column[i] = raw[at + i] | raw[at + n + i] << 8 |
          raw[at + 2 * n + i] << 16 | raw[at + 3 * n + i] << 24;
      at += 4 * n;
      return column;
    });
    const lines = new TextDecoder().decode(raw.subarray(at)).split('\n');
    return [columns, lines.slice(0, -1)];
  }
  function sum_up(column) {
    for (let i = 1; i < column.length; i++) column[i] += column[i - 1];
  }

  const ROW = 1024;
  /* Crowds in columns, what is added to a plane, and what the tip says. */
  function make_crowds(F, columns) {
    const c = { N: F.crowds };
    for (const name of ['start', 'count', 'lost', 'born', 'died', 'times',
      'site', 'used', 'each'])
      c[name] = columns.shift();
    sum_up(c.born);
    for (let i = 0; i < c.N; i++) c.died[i] += c.born[i];
    c.area = i => c.used[i] / 65535 * c.count[i] *
      (c.died[i] - c.born[i]); // granules x events
    /* x and y make pixels of events and addresses. */
    c.add_to = (plane, class_of, x, y, [first, last] = [0, F.events]) => {
      const waste = plane.layers - 1;
      for (let i = 0; i < c.N; i++) {
        if (c.died[i] < first || c.born[i] > last) continue;
        const box = [x(c.born[i]), x(c.died[i]),
          y((c.start[i] + c.count[i]) * F.granule), y(c.start[i] * F.granule)];
        plane.add(class_of(i), ...box, c.used[i] / 65535);
        if (c.lost[i]) plane.add(waste, ...box, c.lost[i] / 65535);
      }
    };
    c.at = (t, address) => {
      const g = address / F.granule;
      for (let i = 0; i < c.N && c.born[i] <= t; i++)
        if (t < c.died[i] && c.start[i] <= g && g < c.start[i] + c.count[i])
          return i;
      return -1;
    };
    c.tell = i => `<b>${things(c.times[i], 'block')} that lived for less than ` +
      `${events(F.blur)}</b><br>of some ${bytes(c.each[i] * F.granule)}, ` +
      `between ${bytes(c.start[i] * F.granule, 3)} and ` +
      bytes((c.start[i] + c.count[i]) * F.granule, 3);
    return c;
  }

  /* The time of an event: between those that are known, evenly. */
  function clock_of(F, micros) {
    const last = F.events - 1, step = F.time_step, T = micros.length;
    sum_up(micros);
    return t => {
      if (!T) return 0;
      const at = Math.min(t, last), low = Math.floor(at / step);
      const high = Math.min(low + 1, T - 1), from = low * step;
      const until = Math.min(high * step, last);
      return until <= from ? micros[low] : micros[low] + (micros[high] -
        micros[low]) * (at - from) / (until - from);
    };
  }

  /* The last death in each row of stays makes searches short. */
  function rows_of({ N, born, died, start, count, F }) {
    const last_death = new Uint32Array(Math.ceil(N / ROW));
    for (let i = 0; i < N; i++)
      last_death[i / ROW | 0] = Math.max(last_death[i / ROW | 0], died[i]);
    const ended_row = (i, t) => i % ROW === 0 && last_death[i / ROW] <= t;
    /* The stay at an address after event t; -1: none. */
    const block_at = (t, address) => {
      const g = Math.floor(address / F.granule);
      for (let i = 0; i < N && born[i] <= t; i++) {
        if (ended_row(i, t)) { i += ROW - 1; continue; }
        if (t < died[i] && start[i] <= g && g < start[i] + count[i]) return i;
      }
      return -1;
    };
    return { ended_row, block_at };
  }

  /* What packed_write() wrote into an element, with its figures in another. */
  async function open_heap(figures_id, columns_id) {
    const F = JSON.parse($(figures_id).textContent), N = F.stays;
    const T = F.timed && F.events
      ? Math.ceil((F.events - 1) / F.time_step) + 1 : 0;
    const [[start, count, waste, born, died, block, site, ...more], SITES] =
      await unpack($(columns_id).textContent,
        [...Array(7).fill(N), ...Array(9).fill(F.crowds), T]);
    $(columns_id).remove();
    sum_up(born);
    sum_up(block);
    for (let i = 0; i < N; i++) died[i] += born[i];
    const heap = { F, N, start, count, waste, born, died, block, site, SITES };
    return Object.assign(heap, rows_of(heap), {
      size_of: i => count[i] * F.granule,
      micros_at: clock_of(F, more.pop()),
      crowds: make_crowds(F, more),
    });
  }

  // ---------------------------------------------------------------- classes
  /* As tools/view/scheme.c has them, where their reasons stand. */
  const DARK = { ramp: ['#fff08a', '#c7e04a', '#7fc99c', '#41b8af',
    '#3a92af', '#4e71e0', '#585cb0'] };
  const LIGHT = { ramp: ['#f2d300', '#a7c23d', '#6dae86', '#2f93a0',
    '#2c6fb3', '#3c5482', '#372f79'] };
  const SITE_COLOURS = ['#0072b2', '#e69f00', '#009b55', '#cc79a7',
    '#56b4e9', '#f0e442', '#8428f4', '#646468'];
  const SIZE_LIMITS = [32, 64, 256, 1024, 4096, 65536];

  /* There are many call stacks, and few frames. */
  function remembered(of) {
    const known = new Map();
    return text => {
      if (!known.has(text)) known.set(text, of(text));
      return known.get(text);
    };
  }
  const frames = text => text ? text.split(';').reverse() : ['unknown'];
  /* Without arguments and place: "load" of "load(int) (app.c:12)". */
  const short = remembered(frame => frame.replace(/(?<=.) ?\(.*/, ''));
  const with_line = remembered(frame =>
    short(frame) + (frame.match(/ \([^()]*:\d+\)$/)?.[0] ?? ''));
  /* Call stacks that end in the same two calls are one site to a reader. */
  const site_name = text => frames(text).slice(0, 2).map(short).join(' < ');
  /* The seven names that hold most for longest, the heaviest first. */
  function heavy_sites(...heaps) {
    const weights = new Map();
    for (const { N, SITES, site, count, born, died, crowds } of heaps) {
      const names = SITES.map(site_name);
      for (let i = 0; i < N; i++)
        weights.set(names[site[i]], (weights.get(names[site[i]]) ?? 0) +
          count[i] * (died[i] - born[i]));
      for (let i = 0; i < crowds.N; i++)
        weights.set(names[crowds.site[i]],
          (weights.get(names[crowds.site[i]]) ?? 0) + crowds.area(i));
    }
    return [...weights.keys()].filter(name => weights.get(name) > 0)
      .sort((a, b) => weights.get(b) - weights.get(a)).slice(0, 7);
  }
  const site_classes = (SITES, heavy) => Uint8Array.from(SITES, text => {
    const at = heavy.indexOf(site_name(text));
    return at < 0 ? heavy.length : at;
  });
  function size_class(size) {
    let c = 0;
    while (c < 6 && size > SIZE_LIMITS[c]) c++;
    return c;
  }
  const size_names = () => [...SIZE_LIMITS.map((limit, i) =>
    (i ? '' : 'up to ') + bytes(limit)), 'larger'];
  const ramp = () => (theme() === 'dark' ? DARK : LIGHT).ramp;
  function site_legend(heavy) {
    const named = heavy.map((name, i) => ({ name, colour: SITE_COLOURS[i] }));
    return named.length < 7 ? named
      : [...named, { name: 'elsewhere', colour: SITE_COLOURS[7] }];
  }
  const size_legend = () =>
    size_names().map((name, i) => ({ name, colour: ramp()[i] }));

  // ----------------------------------------------------------------- theme
  const media = matchMedia('(prefers-color-scheme: dark)');
  let chosen_theme = null;
  const theme = () => chosen_theme ?? (media.matches ? 'dark' : 'light');
  const css = name =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const rgb = colour => [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16));

  // ---------------------------------------------------------------- planes
  /* How much of each pixel each class covers, kept as differences along a row
   * until finish(): a stay costs the same however long it lives. */
  class Plane {
    constructor(width, height, layers) {
      Object.assign(this, { width, height, layers });
      this.stride = width + 2;
      this.cover = new Float32Array(this.stride * height * layers);
    }
    add(layer, left, right, top, bottom, share = 1) {
      left = Math.max(left, 0);
      right = Math.min(right, this.width);
      if (!(left < right)) return;
      const l = Math.floor(left), r = Math.floor(right);
      for (let y = Math.max(0, Math.floor(top));
        y < this.height && y < bottom; y++) {
        const weight = share *
          (Math.min(bottom, y + 1) - Math.max(top, y));
        const at = (y * this.layers + layer) * this.stride;
        this.cover[at + l] += weight * (1 - left + l);
        this.cover[at + l + 1] += weight * (left - l);
        this.cover[at + r] -= weight * (1 - right + r);
        this.cover[at + r + 1] -= weight * (right - r);
      }
    }
    finish() {
      const c = this.cover, rows = this.height * this.layers;
      for (let row = 0; row < rows; row++)
        for (let i = row * this.stride + 1, end = i + this.width; i < end; i++)
          c[i] += c[i - 1];
    }
    /* The last layer is waste. As the pictures of `bitfit map`. */
    paint(image, colours) {
      const free = rgb(css('--free')), red = rgb(css('--waste'));
      const rows = colours.map(rgb), kinds = this.layers - 1, S = 6, E = 0.004;
      for (let y = 0, to = 0; y < this.height; y++) {
        for (let x = 0; x < this.width; x++, to += 4) {
          const at = y * this.layers * this.stride + x;
          let covered = 0, most = 0, best = -1;
          for (let k = 0; k < kinds; k++) {
            const part = this.cover[at + k * this.stride];
            covered += part;
            if (part > best) { best = part; most = k; }
          }
          covered = covered < E ? 0
            : Math.ceil(Math.min(covered, 1) * S - S * E) / S;
          const lost = Math.floor(Math.min(1,
            this.cover[at + kinds * this.stride]) * S + S * E) / S;
          for (let i = 0; i < 3; i++) {
            const colour = free[i] + (rows[most][i] - free[i]) * covered;
            image.data[to + i] = colour + (red[i] - colour) * lost;
          }
          image.data[to + 3] = 255;
        }
      }
    }
  }

  /* A canvas as large as it is shown, in its own pixels. */
  function fit(canvas) {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const to = canvas.getContext('2d');
    to.scale(ratio, ratio);
    to.font = '12px system-ui, "DejaVu Sans", sans-serif';
    to.fillStyle = css('--ink');
    return { to, width, height, ratio };
  }
  function put(view, plane, colours, x, y, width, height) {
    const image = new ImageData(plane.width, plane.height);
    plane.paint(image, colours);
    const buffer = new OffscreenCanvas(plane.width, plane.height);
    buffer.getContext('2d').putImageData(image, 0, 0);
    view.to.imageSmoothingEnabled = false;
    view.to.drawImage(buffer, x, y, width, height);
  }

  // ------------------------------------------------------------------ marks
  /* Round numbers: powers of two times `first`, or 1, 2, 5 times ten's. */
  function ticks(from, to, most, first = 0) {
    let step = first || 1;
    for (let i = 0; (to - from) / step > most; i++)
      step *= first ? 2 : [2, 2.5, 2][i % 3];
    const list = [];
    for (let at = Math.ceil(from / step) * step; at <= to; at += step)
      list.push(at);
    return list;
  }
  /* Where in CSS pixels the plot is, and what of the heap it shows. */
  function draw_ticks(to, plot, w, granule, time_text) {
    to.textBaseline = 'middle';
    to.textAlign = 'right';
    to.fillStyle = css('--faint');
    for (const a of ticks(w.a0, w.a1, plot.height / 44, granule))
      to.fillText(a ? bytes(a, 3) : '0', plot.x - 8,
        plot.y + (w.a1 - a) / (w.a1 - w.a0) * plot.height);
    to.textBaseline = 'top';
    for (const t of ticks(w.t0, w.t1, plot.width / 110)) {
      const x = plot.x + (t - w.t0) / (w.t1 - w.t0) * plot.width;
      to.textAlign = x > plot.x + plot.width - 40 ? 'right' : 'center';
      to.fillText(time_text(t), x, plot.y + plot.height + 8);
    }
  }
  /* The high-water mark, and the peak as a line with its name beside it. */
  function draw_mark(to, plot, w, heap, position) {
    const { N, start, count, born, F } = heap;
    const x = t => plot.x + (t - w.t0) / (w.t1 - w.t0) * plot.width;
    const y = a => plot.y + (w.a1 - a) / (w.a1 - w.a0) * plot.height;
    to.save();
    to.beginPath();
    to.rect(plot.x, plot.y - 1, plot.width, plot.height + 2);
    to.clip();
    to.beginPath();
    let mark = 0;
    to.moveTo(x(0), y(0));
    for (let i = 0; i < N; i++) {
      const end = (start[i] + count[i]) * F.granule;
      if (end <= mark) continue;
      const at = x(position(born[i]));
      to.lineTo(at, y(mark));
      to.lineTo(at, y(end));
      mark = end;
    }
    to.lineTo(x(position(F.events)), y(mark));
    to.strokeStyle = css('--mark');
    to.stroke();
    draw_peak(to, plot, x(position(F.peak_event)));
    to.restore();
  }
  /* Its name stands on the side where there is room. */
  function draw_peak(to, plot, x) {
    to.setLineDash([4, 4]);
    to.beginPath();
    to.moveTo(x, plot.y);
    to.lineTo(x, plot.y + plot.height);
    to.stroke();
    to.setLineDash([]);
    const right = x > plot.x + plot.width / 2;
    to.textAlign = right ? 'right' : 'left';
    to.textBaseline = 'top';
    to.lineWidth = 3;
    to.strokeStyle = css('--paper');
    to.strokeText('peak', x + (right ? -5 : 5), plot.y + 4);
    to.fillStyle = css('--mark');
    to.fillText('peak', x + (right ? -5 : 5), plot.y + 4);
    to.lineWidth = 1;
  }
  function draw_legend(element, classes) {
    const entry = (colour, name, line) =>
      `<span><i class="${line ? 'line' : ''}" style="background:${colour}">` +
      `</i>${escaped(name)}</span>`;
    element.innerHTML = classes.map(c => entry(c.colour, c.name)).join('') +
      entry('var(--waste)', 'lost to rounding') +
      entry('var(--free)', 'free') +
      entry('var(--mark)', 'high-water mark', true);
  }

  // -------------------------------------------------------------------- tip
  function show_tip(event, html) {
    const tip = $('tip');
    tip.innerHTML = html;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 16,
      innerWidth - box.width - 8)) + 'px';
    tip.style.top = Math.max(4, event.clientY + 20 + box.height > innerHeight
      ? event.clientY - box.height - 12 : event.clientY + 20) + 'px';
  }
  const hide_tip = () => { $('tip').hidden = true; };

  /* Draws what is asked for once, in the next frame. */
  let pending = new Set();
  function redraw(...what) {
    if (!pending.size) requestAnimationFrame(() => {
      const all = pending;
      pending = new Set();
      for (const draw of all) draw();
    });
    for (const draw of what) pending.add(draw);
  }
  /* Again where the theme or the width changes. */
  function keep_drawn(draw_all) {
    $('theme').addEventListener('click', () => {
      chosen_theme = theme() === 'dark' ? 'light' : 'dark';
      redraw(draw_all);
    });
    media.addEventListener('change', () => redraw(draw_all));
    let last_width = innerWidth;
    addEventListener('resize', () => {
      if (innerWidth === last_width) return;
      last_width = innerWidth;
      redraw(draw_all);
    });
    addEventListener('scroll', hide_tip, true);
  }

  return { $, bytes, number, percent, seconds, things, events, span, escaped,
    ROW, open_heap, frames, short, with_line, heavy_sites, site_classes,
    site_legend, size_legend, size_names, size_class, SIZE_LIMITS, ramp, theme,
    css, rgb, Plane, fit, put, ticks, draw_ticks, draw_mark, draw_legend, show_tip,
    hide_tip, redraw, keep_drawn };
})();
