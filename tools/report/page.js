'use strict';
/* The page of `bitfit report`: common.js says what stays are. */
(async () => {
  const { $, bytes, number, percent, seconds, things, events, span, escaped,
    ROW, open_heap, frames, short, with_line, heavy_sites, site_classes,
    site_legend, size_legend, size_names, size_class, ramp, theme, css, rgb,
    Plane, fit, put, draw_ticks, draw_mark, show_tip, hide_tip, redraw,
    keep_drawn } = bitfit;

  // ------------------------------------------------------------------- data
  const heap = await open_heap('figures', 'columns');
  const { F, N, start, count, waste, born, died, block, site, crowds, SITES,
    size_of, block_at, micros_at } = heap;
  const EVENTS = F.events, GRANULE = F.granule;

  /* The stay that an event began or ended; -1 for none. */
  function begun_at(t) {
    let low = 0, high = N;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (born[middle] < t) low = middle + 1; else high = middle;
    }
    return low < N && born[low] === t ? low : -1;
  }
  const ended_at = t => t < EVENTS ? died.indexOf(t) : -1;

  // ---------------------------------------------------------------- classes
  const heavy = heavy_sites(heap), site_class = site_classes(SITES, heavy);
  const AGE_PARTS = [1000, 100, 10, 2];
  const AGE_RAMP = [0, 1, 3, 4, 6];

  /* Picked: a name, and whether a stay belongs to it; the map then shows these
   * and, in one colour, the others. */
  const state = { event: F.peak_event, by: 'size', clock: 'events',
    picked: null };
  const whole_time = () => state.clock === 'time' ? micros_at(EVENTS) : EVENTS;
  const position = t => state.clock === 'time' ? micros_at(t) : t;

  function classes() {
    if (state.picked)
      return [{ name: state.picked.name, colour: css('--accent') },
        { name: 'the others', colour: css('--others') }];
    if (state.by === 'size') return size_legend();
    if (state.by === 'age') {
      const names = AGE_PARTS.map((part, i) => (i ? '' : 'younger than ') +
        span(Math.max(1, Math.floor(whole_time() / part)), state.clock));
      return [...names, 'older'].map((name, i) =>
        ({ name, colour: ramp()[AGE_RAMP[i]] }));
    }
    return site_legend(heavy);
  }
  function age_class(age) {
    let c = 0;
    while (c < 4 && age >= Math.max(1, Math.floor(whole_time() / AGE_PARTS[c])))
      c++;
    return c;
  }
  function class_of(i, t) {
    if (state.picked) return state.picked.has(i) ? 0 : 1;
    if (state.by === 'site') return site_class[site[i]];
    if (state.by === 'size') return size_class(size_of(i));
    return age_class(position(t) - position(born[i]));
  }

  function class_of_crowd(i) {
    if (state.picked) return state.picked.has_crowd(i) ? 0 : 1;
    if (state.by === 'site') return site_class[crowds.site[i]];
    return state.by === 'size' ? size_class(crowds.each[i] * GRANULE) : 0;
  }

  // ------------------------------------------------------------------- map
  const map = $('map');
  const LEFT = 76, BOTTOM = 24, TOP = 6, RIGHT = 6;
  let window_ = null; // what of the heap is shown: t0, t1 (positions), a0, a1
  let plot = null;    // where, in CSS pixels

  function whole() {
    window_ = { t0: 0, t1: Math.max(1, whole_time()), a0: 0, a1: F.capacity };
  }
  function event_at(p) { // the last event at or before a position
    if (state.clock === 'events')
      return Math.min(EVENTS - 1, Math.max(0, Math.floor(p)));
    let low = 0, high = EVENTS - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (micros_at(middle) <= p) low = middle; else high = middle - 1;
    }
    return low;
  }
  function add_stays(plane, w) {
    const sx = plane.width / (w.t1 - w.t0), sy = plane.height / (w.a1 - w.a0);
    const first = event_at(w.t0), last = event_at(w.t1) + 1;
    const kinds = plane.layers - 1;
    const limits = AGE_PARTS.map(part =>
      Math.max(1, Math.floor(whole_time() / part)));
    for (let i = 0; i < N; i++) {
      if (heap.ended_row(i, first)) { i += ROW - 1; continue; }
      if (born[i] > last) break;
      const low = start[i] * GRANULE, high = low + size_of(i);
      if (died[i] < first || high <= w.a0 || low >= w.a1) continue;
      const top = (w.a1 - high) * sy, bottom = (w.a1 - low) * sy;
      const from = position(born[i]), until = position(died[i]);
      for (let at = from; at < until;) {
        let c, next = until;
        if (state.by === 'age' && !state.picked) {
          c = age_class(at - from);
          if (c < 4) next = Math.min(until, from + limits[c]);
        } else {
          c = class_of(i, 0);
        }
        plane.add(c, (at - w.t0) * sx, (next - w.t0) * sx, top, bottom);
        at = next;
      }
      if (waste[i])
        plane.add(kinds, (from - w.t0) * sx, (until - w.t0) * sx, top,
          top + waste[i] * sy);
    }
    heap.crowds.add_to(plane, class_of_crowd, t => (position(t) - w.t0) * sx,
      a => (w.a1 - a) * sy, [first, last]);
  }
  function draw_map() {
    const view = fit(map), { to, width, height, ratio } = view, w = window_;
    plot = { x: LEFT, y: TOP, width: width - LEFT - RIGHT,
      height: height - TOP - BOTTOM };
    const plane = new Plane(Math.max(1, Math.round(plot.width * ratio)),
      Math.max(1, Math.round(plot.height * ratio)), classes().length + 1);
    add_stays(plane, w);
    plane.finish();
    const colours = classes().map(c => c.colour);
    put(view, plane, colours, plot.x, plot.y, plot.width, plot.height);
    draw_mark(to, plot, w, heap, position);
    draw_ticks(to, plot, w, GRANULE,
      t => state.clock === 'time' ? seconds(t) : number(t));
    $('reset').disabled = w.t0 === 0 && w.a0 === 0 &&
      w.t1 >= whole_time() && w.a1 === F.capacity;
    place_cursor();
    follow_zoom();
  }
  function place_cursor() {
    const w = window_, line = $('cursor');
    const x = (position(state.event) - w.t0) / (w.t1 - w.t0);
    line.hidden = x < 0 || x > 1;
    line.style.left = plot.x + x * plot.width + 'px';
    line.style.top = plot.y + 'px';
    line.style.height = plot.height + 'px';
  }
  const draw_legend = () => bitfit.draw_legend($('legend'), classes());

  // ---------------------------------------------------------------- moment
  /* The stays after the event, by address. */
  function live_at(t) {
    const keys = []; // numbers are sorted fastest
    for (let i = 0; i < N && born[i] <= t; i++) {
      if (heap.ended_row(i, t)) { i += ROW - 1; continue; }
      if (t < died[i]) keys.push(start[i] * N + i);
    }
    return Array.from(Float64Array.from(keys).sort(), key => key % N);
  }
  function holes_between(live) {
    const holes = [];
    let end = 0;
    const add = next => {
      if (next > end) holes.push({ offset: end, size: next - end });
    };
    for (const i of live) {
      add(start[i] * GRANULE);
      end = start[i] * GRANULE + size_of(i);
    }
    add(F.capacity);
    return holes.sort((a, b) => b.size - a.size);
  }
  function what_happened(t) {
    const b = begun_at(t), e = ended_at(t);
    if (b >= 0 && e >= 0)
      return `block ${number(block[b])} resized from ${bytes(size_of(e) -
        waste[e])} to ${bytes(size_of(b) - waste[b])}` +
        (start[b] === start[e] ? ' in place' : ', moved');
    if (b >= 0)
      return `block ${number(block[b])} of ${bytes(size_of(b) - waste[b])} ` +
        `allocated at ${bytes(start[b] * GRANULE, 3)}`;
    if (e >= 0)
      return `block ${number(block[e])} of ${bytes(size_of(e) - waste[e])} freed`;
    return F.blur ? `a block that lived for less than ${events(F.blur)}, or a ` +
      'request that found no place' : 'a request that found no place';
  }
  const ribbon = $('ribbon');
  let shown = null; // the moment that is drawn: live, row, rows, pitch, ...
  function draw_ribbon(live) {
    const view = fit(ribbon), { to, width, height, ratio } = view;
    let row = GRANULE;
    const rows_most = Math.floor(height / 9);
    while (row * rows_most < F.capacity) row *= 2;
    const rows = Math.ceil(F.capacity / row);
    const pitch = Math.min(22, Math.floor(height / rows)), gap = 2;
    const pixels = Math.max(1, Math.round((width - LEFT - RIGHT) * ratio));
    const plane = new Plane(pixels * rows, 1, classes().length + 1);
    const scale = pixels / row, kinds = plane.layers - 1;
    for (const i of live) {
      const from = start[i] * GRANULE * scale;
      const end = from + size_of(i) * scale;
      plane.add(class_of(i, state.event), from, end, 0, 1);
      if (waste[i]) plane.add(kinds, end - waste[i] * scale, end, 0, 1);
    }
    plane.finish();
    const image = new ImageData(pixels * rows, 1);
    plane.paint(image, classes().map(c => c.colour));
    const buffer = new OffscreenCanvas(pixels, rows);
    const square = new ImageData(image.data, pixels, rows);
    buffer.getContext('2d').putImageData(square, 0, 0);
    to.imageSmoothingEnabled = false;
    to.textAlign = 'right';
    to.textBaseline = 'middle';
    to.fillStyle = css('--faint');
    for (let i = 0; i < rows; i++) {
      const used = Math.min(1, (F.capacity - i * row) / row);
      to.drawImage(buffer, 0, i, Math.ceil(pixels * used), 1, LEFT, i * pitch,
        (width - LEFT - RIGHT) * used, pitch - gap);
      if (i % Math.ceil(16 / pitch) === 0)
        to.fillText(i ? bytes(i * row, 3) : '0', LEFT - 8,
          Math.max(6, i * pitch + pitch / 2 - 1));
    }
    shown = { live, row, rows, pitch, width: width - LEFT - RIGHT };
  }
  function draw_moment() {
    const t = state.event, live = live_at(t), holes = holes_between(live);
    let used = 0, lost = 0;
    for (const i of live) { used += size_of(i); lost += waste[i]; }
    $('moment-title').textContent = `After event ${number(t)}` +
      (F.timed ? ` (${seconds(micros_at(t))})` : '') + `: ${what_happened(t)}`;
    $('scrubber').value = t;
    $('largest').textContent = 'The largest request that would succeed now: ' +
      bytes(holes.length ? holes[0].size : 0);
    $('moment-figures').textContent =
      `${bytes(used)} live in ${things(live.length, 'block')}, ` +
      `${percent(lost, used)} of it lost to rounding; ` +
      `${bytes(F.capacity - used)} free in ${things(holes.length, 'hole')}` +
      (F.blur && t !== F.peak_event ? '. Without blocks that lived for less ' +
        `than ${events(F.blur)}: those are in the map, and at the peak.` : '');
    $('holes').textContent = holes.length < 2 ? '' : 'Largest holes: ' +
      holes.slice(0, 6).map(h =>
        `${bytes(h.size)} at ${bytes(h.offset, 3)}`).join(', ');
    draw_ribbon(live);
    place_cursor();
    count_now(live);
    draw_table();
    draw_flame();
  }

  // ------------------------------------------------------------------- who
  /* A group of stays: all of one call stack, function or size. What it holds
   * now, at the peak and for ever, in bytes, and how often it was allocated. */
  const COLUMNS = [
    { key: 'now', name: 'held now', text: v => bytes(v) },
    { key: 'blocks', name: 'blocks now', text: number },
    { key: 'peak', name: 'held at the peak', text: v => bytes(v) },
    { key: 'kept', name: 'never freed', text: v => bytes(v) },
    { key: 'calls', name: 'allocated', text: v => number(v) + '×' },
    { key: 'name', name: 'call stack' },
  ];
  const ROWS_SHOWN = 200;
  const who = { by: 'stack', sort: 'now', down: true, search: '', found: null,
    groups: new Map() };
  const requested = i => size_of(i) - waste[i];
  const site_keys = {
    stack: SITES.map(text => frames(text).map(with_line).join(' < ')),
    function: SITES.map(text => short(frames(text)[0])),
  };
  const key_of = i => who.by === 'size' ? bytes(requested(i), 2) + (
    requested(i) < 1024 ? '' : ` (${number(requested(i))})`)
    : site_keys[who.by][site[i]];
  /* By size there may be very many: keys are made once for each. */
  function make_groups() {
    const by_number = new Map(), number_of = who.by === 'size'
      ? i => requested(i) : i => site[i];
    who.groups = new Map();
    who.of = i => by_number.get(number_of(i));
    for (let i = 0; i < N; i++) {
      let group = who.of(i);
      if (!group) {
        const name = key_of(i);
        group = who.groups.get(name) ?? { name, now: 0, blocks: 0, peak: 0,
          kept: 0, calls: 0 };
        who.groups.set(name, group);
        by_number.set(number_of(i), group);
      }
      group.calls++;
      if (died[i] >= EVENTS) group.kept += size_of(i);
      if (born[i] <= F.peak_event && F.peak_event < died[i])
        group.peak += size_of(i);
    }
    for (let i = 0; i < crowds.N; i++) group_of_crowd(i).calls += crowds.times[i];
  }
  /* Of crowds no exact sizes are known. */
  const crowd_names = size_names().map(name => `short-lived, ${name}`);
  function group_of_crowd(i) {
    const name = who.by === 'size'
      ? crowd_names[size_class(crowds.each[i] * GRANULE)]
      : site_keys[who.by][crowds.site[i]];
    if (!who.groups.has(name))
      who.groups.set(name, { name, now: 0, blocks: 0, peak: 0, kept: 0,
        calls: 0 });
    return who.groups.get(name);
  }
  const site_now = new Float64Array(SITES.length);
  function count_now(live) {
    for (const group of who.groups.values()) group.now = group.blocks = 0;
    site_now.fill(0);
    for (const i of live) {
      const group = who.of(i);
      group.now += size_of(i);
      group.blocks++;
      site_now[site[i]] += size_of(i);
    }
  }
  function sorted_groups() {
    const word = who.search.toLowerCase(), sort = who.sort;
    const sign = who.down ? -1 : 1;
    return [...who.groups.values()]
      .filter(g => g.name.toLowerCase().includes(word))
      .sort((a, b) => sign * (sort === 'name' ? a.name.localeCompare(b.name)
        : a[sort] - b[sort]) || b.peak - a.peak);
  }
  const NAMES = { stack: 'call stack', function: 'function', size: 'size' };
  function draw_head() {
    const row = document.querySelector('#who thead tr');
    row.replaceChildren(...COLUMNS.map(column => {
      const head = document.createElement('th');
      head.scope = 'col';
      if (who.sort === column.key)
        head.ariaSort = who.down ? 'descending' : 'ascending';
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = column.key === 'name' ? NAMES[who.by] : column.name;
      button.addEventListener('click', () => {
        who.down = who.sort === column.key ? !who.down : column.key !== 'name';
        who.sort = column.key;
        redraw(draw_head, draw_table);
        requestAnimationFrame(() => requestAnimationFrame(() =>
          row.children[COLUMNS.indexOf(column)].firstChild.focus()));
      });
      head.append(button);
      return head;
    }));
  }
  function draw_table() {
    const groups = sorted_groups(), picked = state.picked?.group;
    const listed = groups.slice(0, ROWS_SHOWN);
    if (who.found && !listed.includes(who.found)) listed.unshift(who.found);
    const rows = listed.map(group => {
      const row = document.createElement('tr');
      for (const column of COLUMNS.slice(0, -1)) {
        const cell = document.createElement('td');
        cell.textContent = column.text(group[column.key]);
        row.append(cell);
      }
      const cell = document.createElement('td');
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = group.name;
      cell.title = group.name;
      cell.append(button);
      row.append(cell);
      row.ariaSelected = String(group === picked);
      row.classList.toggle('found', group === who.found);
      row.addEventListener('click', () => pick(group === picked ? null
        : { name: group.name, ...members(group) }));
      row.addEventListener('pointerenter', () => light(members(group)));
      row.classList.toggle('lit', group === lit?.group);
      return row;
    });
    const body = document.querySelector('#who tbody');
    const focused = body.contains(document.activeElement)
      ? [...body.rows].findIndex(r => r.contains(document.activeElement)) : -1;
    body.replaceChildren(...rows);
    if (focused >= 0) body.rows[focused]?.querySelector('button').focus();
    $('who-rest').textContent = groups.length > ROWS_SHOWN
      ? `${number(groups.length - ROWS_SHOWN)} more; search or sort to see them`
      : '';
  }
  /* What belongs to a group of the table, or is below a node of the graph. */
  const members = group => ({ group, has: i => who.of(i) === group,
    has_crowd: i => group_of_crowd(i) === group,
    has_site: s => who.by !== 'size' && site_keys[who.by][s] === group.name });
  function below(node) {
    const inside = leaves.map(leaf => {
      let at = leaf;
      while (at && at !== node) at = at.parent;
      return at === node;
    });
    return { node, has: i => inside[site[i]],
      has_crowd: i => inside[crowds.site[i]], has_site: s => inside[s] };
  }
  function pick(picked) {
    state.picked = picked;
    $('unpick').disabled = !picked;
    redraw(draw_legend, draw_map, draw_moment);
  }
  /* Its row stands in the table even if it is far down or not searched. */
  function find_row(i) {
    who.found = i < 0 ? null : who.of(i);
    draw_table();
    const row = document.querySelector('#who .found');
    const box = document.querySelector('.scroll');
    if (row) box.scrollTop = row.offsetTop - box.clientHeight / 2;
  }
  function regroup(by) {
    who.by = by;
    who.found = null;
    make_groups();
    draw_head();
    pick(null);
  }

  // ----------------------------------------------------------------- flame
  /* The tree of all call stacks, outermost first. */
  const root = { name: 'everything', children: new Map(), parent: null,
    depth: 0 };
  const leaves = SITES.map(text => {
    let node = root;
    for (const frame of frames(text).reverse()) {
      const name = with_line(frame);
      let next = node.children.get(name);
      if (!next) {
        next = { name, children: new Map(), parent: node,
          depth: node.depth + 1 };
        node.children.set(name, next);
      }
      node = next;
    }
    return node;
  });
  const FLAME_ROW = 20, FLAME_DEPTH = 40;
  let flame = []; // what is drawn: node, x, width, y
  function lay_flame(width) {
    const values = new Map();
    for (let s = 0; s < SITES.length; s++)
      for (let node = leaves[s]; site_now[s] && node; node = node.parent)
        values.set(node, (values.get(node) ?? 0) + site_now[s]);
    const total = values.get(root) ?? 0, list = [];
    const stack = total ? [{ node: root, x: 0 }] : [];
    while (stack.length) {
      const { node, x } = stack.pop(), value = values.get(node);
      const wide = value / total * width;
      if (wide < 0.5 || node.depth > FLAME_DEPTH) continue;
      list.push({ node, x, width: wide, value, y: node.depth * FLAME_ROW });
      let at = x;
      for (const child of [...node.children.values()]
        .filter(c => values.has(c))
        .sort((a, b) => values.get(b) - values.get(a))) {
        stack.push({ node: child, x: at });
        at += values.get(child) / total * width;
      }
    }
    return list;
  }
  /* All that the lit call stacks go through. */
  function lit_path() {
    const path = new Set();
    for (let s = 0; lit && s < SITES.length; s++)
      for (let at = leaves[s]; at && lit.has_site(s); at = at.parent)
        path.add(at);
    return path;
  }
  /* A name has the same colour wherever it stands. */
  function flame_colour(name) {
    let hash = 7;
    for (const c of name) hash = (hash * 31 + c.charCodeAt(0)) % 65521;
    return theme() === 'dark' ? `hsl(${205 + hash % 30} 38% ${26 + hash % 12}%)`
      : `hsl(${200 + hash % 40} 55% ${78 + hash % 12}%)`;
  }
  function draw_flame() {
    if (SITES.length < 2) return;
    const canvas = $('flame');
    flame = lay_flame(canvas.clientWidth);
    const deepest = flame.reduce((d, f) => Math.max(d, f.node.depth), 0);
    canvas.style.height = (deepest + 1) * FLAME_ROW + 'px';
    const { to } = fit(canvas);
    to.textBaseline = 'middle';
    const on_path = lit_path();
    for (const f of flame) {
      const picked = state.picked?.node === f.node;
      to.fillStyle = picked ? css('--accent') : flame_colour(f.node.name);
      to.fillRect(f.x, f.y, Math.max(0.5, f.width - 1), FLAME_ROW - 1);
      if (on_path.has(f.node)) {
        to.strokeStyle = css('--ink');
        to.strokeRect(f.x + 0.5, f.y + 0.5, Math.max(0, f.width - 2),
          FLAME_ROW - 2);
      }
      if (f.width < 24) continue;
      to.save();
      to.beginPath();
      to.rect(f.x, f.y, f.width - 4, FLAME_ROW);
      to.clip();
      to.fillStyle = picked ? css('--paper') : css('--ink');
      to.fillText(f.node === root ? `${bytes(f.value)} in all` : f.node.name,
        f.x + 4, f.y + FLAME_ROW / 2);
      to.restore();
    }
    $('flame-title').textContent =
      `Call stacks after event ${number(state.event)}`;
  }
  function flame_at(event) {
    const box = $('flame').getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    return flame.find(f => x >= f.x && x < f.x + f.width && y >= f.y &&
      y < f.y + FLAME_ROW);
  }
  function pick_node(node) {
    pick(node === root || node === state.picked?.node ? null
      : { name: node.name, ...below(node) });
  }

  // ----------------------------------------------------------------- light
  /* What the pointer is on, shown in the others: members(), below(), or of a
   * block its group and its stack. */
  let lit = null;
  function light(next) {
    if (next?.group === lit?.group && next?.node === lit?.node) return;
    lit = next;
    redraw(draw_light);
  }
  const light_block = i => light(i < 0 ? null : { group: who.of(i),
    node: leaves[site[i]], has_site: s => s === site[i] });
  /* A canvas of paper, through which what is lit shines. */
  function dim(id) {
    const { to, width, height } = fit($(id));
    to.globalAlpha = 0.75;
    to.fillStyle = css('--card');
    return { to, width, height };
  }
  function light_map() {
    const { to } = dim('map-light'), w = window_;
    if (!lit?.has) return;
    const sx = plot.width / (w.t1 - w.t0), sy = plot.height / (w.a1 - w.a0);
    to.beginPath();
    to.rect(plot.x, plot.y, plot.width, plot.height);
    to.clip();
    to.fill();
    const clear = (from, until, low, high) => to.clearRect(
      plot.x + (position(from) - w.t0) * sx, plot.y + (w.a1 - high) * sy,
      Math.max(1, (position(until) - position(from)) * sx),
      Math.max(1, (high - low) * sy));
    const first = event_at(w.t0), last = event_at(w.t1) + 1;
    for (let i = 0; i < N && born[i] <= last; i++) {
      if (heap.ended_row(i, first)) { i += ROW - 1; continue; }
      if (died[i] >= first && lit.has(i))
        clear(born[i], died[i], start[i] * GRANULE,
          (start[i] + count[i]) * GRANULE);
    }
    for (let i = 0; i < crowds.N; i++)
      if (lit.has_crowd(i))
        clear(crowds.born[i], crowds.died[i], crowds.start[i] * GRANULE,
          (crowds.start[i] + crowds.count[i]) * GRANULE);
  }
  function light_ribbon() {
    const { to, width, height } = dim('ribbon-light');
    if (!lit?.has) return;
    to.fillRect(LEFT, 0, width - LEFT - RIGHT, height);
    const scale = shown.width / shown.row;
    for (const i of shown.live.filter(lit.has)) {
      const end = start[i] * GRANULE + size_of(i);
      for (let at = start[i] * GRANULE; at < end;) {
        const row = Math.floor(at / shown.row);
        const until = Math.min(end, (row + 1) * shown.row);
        to.clearRect(LEFT + (at - row * shown.row) * scale, row * shown.pitch,
          Math.max(1, (until - at) * scale), shown.pitch);
        at = until;
      }
    }
  }
  function draw_light() {
    for (const row of document.querySelectorAll('#who tbody tr'))
      row.classList.toggle('lit', !!lit?.group &&
        row.lastChild.title === lit.group.name);
    light_map();
    light_ribbon();
    draw_flame();
  }

  // ----------------------------------------------------------------- hover
  function tell(i, t, address) {
    const crowd = i < 0 ? heap.crowds.at(t, address) : -1;
    if (crowd >= 0) return heap.crowds.tell(crowd) + stack_list(crowds.site[crowd]);
    if (i < 0)
      return `<b>free</b><br>at ${bytes(Math.floor(address), 3)}` +
        `, after event ${number(t)}`;
    const age = t - born[i];
    const aged = F.timed ? ` (${seconds(micros_at(t) - micros_at(born[i]))})`
      : '';
    return `<b>block ${number(block[i])}: ${bytes(size_of(i) - waste[i])}</b>` +
      (waste[i] ? `, ${bytes(waste[i])} lost to rounding` : '') +
      `<br>at ${bytes(start[i] * GRANULE, 3)}` +
      `<br>age ${events(age)}${aged}; here since event ${number(born[i])}, ` +
      (died[i] < EVENTS ? `until ${number(died[i])}` : 'to the end') +
      stack_list(site[i]);
  }
  const stack_list = s => SITES.length < 2 ? '' : '<ol>' +
    frames(SITES[s]).slice(0, 8).map(f => `<li>${escaped(f)}</li>`).join('') +
    '</ol>';
  function map_point(event) {
    const box = map.getBoundingClientRect(), w = window_;
    const x = (event.clientX - box.left - plot.x) / plot.width;
    const y = (event.clientY - box.top - plot.y) / plot.height;
    return { x, y, inside: x >= 0 && x <= 1 && y >= 0 && y <= 1,
      t: w.t0 + x * (w.t1 - w.t0), a: w.a1 - y * (w.a1 - w.a0) };
  }

  // ----------------------------------------------------------- interaction
  function go(t) {
    hide_tip();
    state.event = Math.min(EVENTS - 1, Math.max(0, Math.round(t)));
    redraw(draw_moment);
  }
  function zoom(factor, p) {
    const w = window_;
    const t0 = p - (p - w.t0) * factor, t1 = p + (w.t1 - p) * factor;
    if (t1 - t0 < 4) return;
    hide_tip();
    w.t0 = Math.max(0, t0);
    w.t1 = Math.min(Math.max(1, whole_time()), t1);
    redraw(draw_map);
  }
  /* By a part of what is shown; stops at the ends. */
  function pan(right, up) {
    const w = window_, wide = w.t1 - w.t0, high = w.a1 - w.a0;
    hide_tip();
    w.t0 = Math.min(Math.max(0, w.t0 + right * wide),
      Math.max(0, Math.max(1, whole_time()) - wide));
    w.t1 = w.t0 + wide;
    w.a0 = Math.min(Math.max(0, w.a0 + up * high), F.capacity - high);
    w.a1 = w.a0 + high;
    redraw(draw_map);
  }
  function leave() {
    hide_tip();
    light(null);
  }
  let drag = null;
  const fingers = new Map(); // where each pointer that is down was last
  function move_fingers(event) {
    const [a, b] = [...fingers.values()];
    const apart = Math.abs(a.clientX - b.clientX);
    fingers.set(event.pointerId, event);
    const [c, d] = [...fingers.values()];
    if (apart > 8) zoom(apart / Math.max(8, Math.abs(c.clientX - d.clientX)),
      (map_point(c).t + map_point(d).t) / 2);
  }
  map.addEventListener('pointerdown', event => {
    const point = map_point(event);
    if (!point.inside || event.button !== 0) return;
    fingers.set(event.pointerId, event);
    drag = fingers.size > 1 ? null : { from: point, x: event.clientX,
      y: event.clientY, last: event, box: event.shiftKey };
    map.setPointerCapture(event.pointerId);
  });
  map.addEventListener('pointermove', event => {
    const point = map_point(event), band = $('band');
    if (fingers.size > 1) {
      if (fingers.has(event.pointerId)) move_fingers(event);
    } else if (drag && !drag.box) {
      drag.moved ||= Math.abs(drag.x - event.clientX) > 5 ||
        Math.abs(drag.y - event.clientY) > 5;
      if (drag.moved)
        pan((drag.last.clientX - event.clientX) / plot.width,
          (event.clientY - drag.last.clientY) / plot.height);
      drag.last = event;
    } else if (drag) {
      hide_tip();
      const box = map.getBoundingClientRect();
      band.hidden = false;
      band.style.left = Math.min(drag.x, event.clientX) - box.left + 'px';
      band.style.top = Math.min(drag.y, event.clientY) - box.top + 'px';
      band.style.width = Math.abs(drag.x - event.clientX) + 'px';
      band.style.height = Math.abs(drag.y - event.clientY) + 'px';
    } else if (point.inside) {
      const t = event_at(point.t), i = block_at(t, point.a);
      show_tip(event, tell(i, t, point.a));
      light_block(i);
    } else {
      leave();
    }
  });
  map.addEventListener('pointerup', event => {
    fingers.delete(event.pointerId);
    if (!drag) return;
    const a = drag.from, b = map_point(event), w = window_;
    const moved = drag.moved || Math.abs(drag.x - event.clientX) > 5 ||
      Math.abs(drag.y - event.clientY) > 5, box = drag.box;
    drag = null;
    $('band').hidden = true;
    if (!moved) {
      const t = event_at(a.t);
      go(t);
      find_row(block_at(t, a.a));
    }
    if (!moved || !box) return;
    const next = { t0: Math.max(w.t0, Math.min(a.t, b.t)),
      t1: Math.min(w.t1, Math.max(a.t, b.t)),
      a0: Math.max(w.a0, Math.min(a.a, b.a)),
      a1: Math.min(w.a1, Math.max(a.a, b.a)) };
    if (next.t1 - next.t0 >= 2 && next.a1 - next.a0 >= 2 * GRANULE) {
      window_ = next;
      redraw(draw_map);
    }
  });
  map.addEventListener('pointercancel', event => {
    fingers.delete(event.pointerId);
    drag = null;
    $('band').hidden = true;
  });
  map.addEventListener('pointerleave', leave);
  $('who').addEventListener('pointerleave', leave);
  map.addEventListener('wheel', event => {
    const point = map_point(event);
    const across = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    hide_tip();
    if (!point.inside) return;
    if (event.ctrlKey || event.metaKey)
      zoom(event.deltaY < 0 ? 0.8 : 1.25, point.t);
    else if (across)
      pan(Math.sign(across) * 0.1, 0);
    else
      return; // the page scrolls
    event.preventDefault();
  }, { passive: false });
  const show_whole = () => {
    whole();
    hide_tip();
    if (state.picked) pick(null); else redraw(draw_map);
  };
  map.addEventListener('dblclick', show_whole);
  /* -1: outside. */
  function ribbon_address(event) {
    const box = ribbon.getBoundingClientRect();
    const x = (event.clientX - box.left - LEFT) / shown.width;
    const row = Math.floor((event.clientY - box.top) / shown.pitch);
    const address = (row + x) * shown.row;
    return x < 0 || x >= 1 || row < 0 || address >= F.capacity ? -1 : address;
  }
  function ribbon_block(event) {
    const g = Math.floor(ribbon_address(event) / GRANULE);
    return shown.live.find(s => start[s] <= g && g < start[s] + count[s]) ?? -1;
  }
  ribbon.addEventListener('pointermove', event => {
    const address = ribbon_address(event);
    if (address < 0) return leave();
    const i = ribbon_block(event);
    show_tip(event, tell(i, state.event, address));
    light_block(i);
  });
  ribbon.addEventListener('pointerleave', leave);
  ribbon.addEventListener('click', event => {
    const i = ribbon_block(event);
    if (i >= 0) find_row(i);
  });
  $('flame').addEventListener('pointermove', event => {
    const f = flame_at(event);
    if (!f) return leave();
    light(f.node === root ? null : below(f.node));
    show_tip(event, `<b>${escaped(f.node.name)}</b><br>${bytes(f.value)}, ` +
      percent(f.value, flame[0].value));
  });
  $('flame').addEventListener('pointerleave', leave);
  $('flame').addEventListener('click', event => {
    const f = flame_at(event);
    if (f) pick_node(f.node);
  });
  $('group').addEventListener('change', event => regroup(event.target.value));
  $('search').addEventListener('input', event => {
    who.search = event.target.value;
    redraw(draw_table);
  });
  $('unpick').addEventListener('click', () => pick(null));
  $('scrubber').max = Math.max(0, EVENTS - 1);
  $('scrubber').addEventListener('input', e => go(+e.target.value));
  $('back').addEventListener('click', () => go(state.event - 1));
  $('on').addEventListener('click', () => go(state.event + 1));
  $('peak').addEventListener('click', () => go(F.peak_event));
  $('reset').addEventListener('click', show_whole);
  document.addEventListener('keydown', event => {
    if (['SELECT', 'INPUT'].includes(event.target.tagName) &&
      event.target.type !== 'range' || event.ctrlKey || event.altKey ||
      event.metaKey) return;
    const step = event.shiftKey ? 100 : 1;
    const act = {
      ArrowLeft: () => go(state.event - step),
      ArrowRight: () => go(state.event + step),
      Home: () => go(0),
      End: () => go(EVENTS - 1),
      p: () => go(F.peak_event),
      '+': () => zoom(0.5, position(state.event)),
      '-': () => zoom(2, position(state.event)),
      Escape: show_whole,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  $('by').addEventListener('change', event => {
    state.by = event.target.value;
    redraw(draw_legend, draw_map, draw_moment);
  });
  $('clock').addEventListener('change', event => {
    state.clock = event.target.value;
    whole();
    redraw(draw_legend, draw_map, draw_moment);
  });

  // ---------------------------------------------------------------- curves
  const charts = [];
  const DOUBLINGS = Array.from({ length: 50 }, (_, i) => 2 ** i);
  const WHOLES = Array.from({ length: 30 },
    (_, i) => [1, 2, 5][i % 3] * 10 ** Math.floor(i / 3));
  // Each event holds until the next, the last one until the end.
  function chart(id, height, series, values, columns, steps = undefined) {
    const axis = { stroke: css('--faint'), grid: { stroke: css('--line') },
      ticks: { stroke: css('--line') } };
    const options = {
      width: $(id).clientWidth, height,
      cursor: { sync: { key: 'time' }, drag: { x: false, y: false } },
      scales: { x: { time: false } },
      axes: [{ ...axis, space: 90, incrs: WHOLES,
        values: (_, list) => list.map(v => v === null ? '' : number(v)) },
        { ...axis, size: LEFT, incrs: steps, values: (_, list) => list.map(values) }],
      series: [{ label: 'event', value: (_, v) => v === null ? '–'
        : number(Math.min(v, EVENTS - 1)) },
        ...series.map(s => ({ width: 1.5, points: { show: false },
          paths: uPlot.paths.stepped({ align: 1 }),
          value: (_, v) => v === null ? '–' : values(v), ...s }))],
    };
    const closed = columns.map((c, i) => [...c, i === 0 ? EVENTS : c.at(-1)]);
    const plot = new uPlot(options, closed, $(id));
    plot.over.addEventListener('click', () => {
      const x = plot.posToVal(plot.cursor.left, 'x');
      if (x >= 0) go(x);
    });
    charts.push({ plot, id, height });
  }
  /* The curves show the part of time that the map shows. */
  function follow_zoom() {
    const w = window_;
    const end = w.t1 >= whole_time() ? EVENTS : event_at(w.t1);
    for (const { plot } of charts)
      plot.setScale('x', { min: event_at(w.t0),
        max: Math.max(end, event_at(w.t0) + 1) });
  }
  function draw_charts() {
    for (const c of charts.splice(0)) c.plot.destroy();
    const s = F.samples, dark = theme() === 'dark';
    const colours = dark ? ['#6ea8dc', '#7fc99c', '#e6e8ec', '#fff08a']
      : ['#2c6fb3', '#2f93a0', '#111827', '#c98500'];
    chart('use', 280, [
      { label: 'live', stroke: colours[0], fill: colours[0] + '22' },
      { label: 'requested', stroke: colours[1] },
      { label: 'high-water mark', stroke: colours[2], dash: [5, 3] },
      { label: 'largest request possible', stroke: colours[3] },
    ], v => bytes(v, 2), [s.event, s.live, s.requested, s.high_water,
      s.largest], DOUBLINGS);
    const inside = s.live.map((v, i) => v ? 100 * (v - s.requested[i]) / v : 0);
    const between = s.free.map((v, i) => v ? 100 * (v - s.largest[i]) / v : 0);
    chart('fragmentation', 200, [
      { label: 'inside the blocks', stroke: css('--waste') },
      { label: 'between the blocks', stroke: colours[0] },
    ], v => +v.toFixed(1) + ' %', [s.event, inside, between]);
    follow_zoom();
  }

  // ------------------------------------------------------------ histograms
  const log2 = n => n <= 1 ? 0 : Math.ceil(Math.log2(n));
  function draw_sizes() {
    const { to, width, height } = fit($('sizes'));
    const bins = [];
    for (let i = 0; i < N; i++) {
      const at = log2(size_of(i) - waste[i]);
      bins[at] = (bins[at] ?? 0) + 1;
    }
    for (let i = 0; i < crowds.N; i++) {
      const at = log2(crowds.each[i] * GRANULE);
      bins[at] = (bins[at] ?? 0) + crowds.times[i];
    }
    const first = Math.max(0, bins.findIndex(n => n > 0));
    const most = Math.max(1, ...bins.filter(n => n));
    const step = Math.min(120, (width - 10) / Math.max(1, bins.length - first));
    const bottom = height - 40;
    to.textAlign = 'center';
    for (let k = first; k < bins.length; k++) {
      const n = bins[k] ?? 0, x = 5 + (k - first) * step;
      const tall = n ? Math.max(1, n / most * (bottom - 20)) : 0;
      to.fillStyle = ramp()[size_class(2 ** k)];
      to.fillRect(x + 1, bottom - tall, Math.max(1, step - 2), tall);
      to.fillStyle = css('--faint');
      if (step > 34 && n)
        to.fillText(n < 10000 ? number(n) : Math.round(n / 1000) + 'k',
          x + step / 2, bottom - tall - 5);
      if ((k - first) % Math.ceil(44 / step) === 0)
        to.fillText(bytes(2 ** k).replace(' bytes', ' B').replace(' byte', ' B')
          .replace('iB', ''), Math.min(x + step / 2, width - 18), bottom + 15);
    }
    to.textAlign = 'left';
    to.fillText('requested size up to' +
      (width < 400 ? '' : '; a bar is how many blocks and resizes'),
      5, height - 6);
  }
  /* Blocks by size and life, each by powers of two. */
  function count_lives(columns_) {
    let rows = 1, first = 64;
    for (let i = 0; i < N; i++) {
      rows = Math.max(rows, log2(size_of(i)) + 1);
      first = Math.min(first, log2(size_of(i)));
    }
    const bins = new Uint32Array(rows * columns_);
    for (let i = 0; i < N; i++)
      bins[log2(size_of(i)) * columns_ + (died[i] < EVENTS
        ? log2(died[i] - born[i]) : columns_ - 1)]++;
    for (let i = 0; i < crowds.N; i++)
      bins[Math.min(rows - 1, log2(crowds.each[i] * GRANULE)) * columns_ +
        log2(crowds.area(i) / crowds.each[i] / crowds.times[i])] +=
        crowds.times[i];
    return { bins, rows, first };
  }
  function draw_lives() {
    const { to, width, height } = fit($('lives'));
    const columns_ = log2(EVENTS) + 2; // the last: never freed
    const { bins, rows, first } = count_lives(columns_);
    const most = Math.log1p(bins.reduce((a, b) => Math.max(a, b), 1));
    const free = rgb(css('--free')), full = rgb(css('--accent'));
    const left = 58, bottom = height - 40, shown_ = rows - first;
    const sx = (width - left - 5) / columns_, sy = (bottom - 5) / shown_;
    to.textBaseline = 'middle';
    for (let r = first; r < rows; r++) {
      const y = bottom - (r - first + 1) * sy;
      for (let c = 0; c < columns_; c++) {
        const part = Math.log1p(bins[r * columns_ + c]) / most;
        to.fillStyle = `rgb(${free.map((f, i) =>
          Math.round(f + (full[i] - f) * part))})`;
        to.fillRect(left + c * sx, y, Math.max(1, sx - 1), Math.max(1, sy - 1));
      }
      to.fillStyle = css('--faint');
      to.textAlign = 'right';
      if ((r - first) % Math.ceil(15 / sy) === 0)
        to.fillText(bytes(2 ** r).replace(' bytes', ' B'), left - 6, y + sy / 2);
    }
    to.textAlign = 'center';
    const wide = to.measureText(number(2 ** columns_)).width + 10;
    for (let c = 0; c + 1 < columns_; c += Math.ceil(wide / sx))
      to.fillText(number(2 ** c), left + (c + .5) * sx, bottom + 14);
    to.textAlign = 'right';
    to.fillText('never freed →', width - 5, height - 8);
    to.textAlign = 'left';
    to.fillText('life in events, up to', left, height - 8);
  }

  // ----------------------------------------------------------------- begin
  function draw_all() {
    document.documentElement.dataset.theme = theme();
    draw_legend();
    draw_map();
    draw_moment();
    draw_charts();
    draw_sizes();
    draw_lives();
  }
  keep_drawn(draw_all);
  $('title').textContent = `${F.name}: the heap`;
  $('lead').textContent = F.failures
    ? `${things(F.failures, 'request')} found no place in a payload of ` +
      bytes(F.capacity)
    : `${bytes(F.peak_live)} live at the peak; a payload of ` +
      `${bytes(F.high_water)} serves it all, ` +
      `${percent(F.high_water - F.peak_live, F.peak_live)} more`;
  $('about').textContent = `${events(EVENTS)}, granules of ${GRANULE} bytes; ` +
    `${percent(F.peak_live - F.peak_requested, F.peak_live)} of the live bytes ` +
    'at the peak are lost to rounding' +
    (F.cut ? '; the recording ended early' : '') + (F.about ? `; ${F.about}` : '');
  $('clock-label').hidden = !F.timed;
  if (SITES.length < 2) {
    for (const option of [$('by').options[2], ...[...$('group').options]
      .slice(0, 2)])
      option.disabled = true;
    who.by = $('group').value = 'size';
    $('flame-part').hidden = true;
    $('no-stacks').hidden = false;
  }
  make_groups();
  draw_head();
  whole();
  draw_all();
  window.bitfit_report = { state, go, whole, live_at, block_at, holes_between,
    figures: F, crowds, site_of: i => SITES[site[i]], showing: () => ({ ...window_ }),
    groups: sorted_groups, flame: () => flame, charts };
  document.documentElement.dataset.ready = 'yes';
})();
