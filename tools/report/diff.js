'use strict';
/* The page of `bitfit diff`: common.js says what stays are. */
(async () => {
  const { $, bytes, number, percent, things, events, escaped, open_heap,
    frames, with_line, heavy_sites, site_classes, site_legend, size_legend,
    size_class, css, Plane, fit, put, draw_ticks, draw_mark, draw_legend,
    show_tip, hide_tip, redraw, keep_drawn } = bitfit;

  // ------------------------------------------------------------------- data
  const D = JSON.parse($('diff').textContent);
  const sides = [];
  for (const name of ['before', 'after']) {
    const heap = await open_heap(`figures-${name}`, `columns-${name}`);
    sides.push({ name, heap, told: D[name], canvas: $(`map-${name}`) });
  }
  const heaps = sides.map(side => side.heap);
  const highest = Math.max(...heaps.map(heap => heap.F.capacity));
  const heavy = heavy_sites(...heaps);
  const [before, after] = sides;

  /* Rows that have the same key are of one call stack, or of one size. */
  const functions = stack => stack.split(';')
    .map(frame => frame.replace(/ \([^()]*:\d+\)$/, '')).join(';');
  for (const side of sides) {
    side.classes = site_classes(side.heap.SITES, heavy);
    side.keys = side.heap.SITES.map(functions);
  }
  const rows = {
    sites: (D.sites ?? []).map(row => ({ ...row, key: functions(row.site),
      name: frames(row.site).map(with_line).join(' < ') })),
    sizes: D.sizes.map(row => ({ ...row, key: row.size,
      name: `${number(row.size)} bytes` })),
  };
  const state = { group: D.sites ? 'sites' : 'sizes', by: 'size', sort: 'change',
    down: true, search: '', picked: null };

  // ---------------------------------------------------------------- figures
  const signed = (v, text) => (v > 0 ? '+' : v < 0 ? '−' : '') +
    text(Math.abs(v));
  const part = v => v.toFixed(1) + ' %';
  function draw_figures() {
    const kinds = { bytes, count: number };
    $('figures-table').tBodies[0].replaceChildren(...D.figures.map(figure => {
      let [a, b] = figure.values, text = kinds[figure.kind];
      if (!text) { // parts of a whole
        [a, b] = figure.values.map((v, i) =>
          figure.whole[i] ? 100 * v / figure.whole[i] : 0);
        text = part;
      }
      const row = document.createElement('tr');
      const cells = [figure.text, text(a), text(b), signed(b - a, text)];
      row.append(...cells.map((content, i) => {
        const cell = document.createElement(i ? 'td' : 'th');
        if (!i) cell.scope = 'row';
        cell.textContent = content;
        return cell;
      }));
      return row;
    }));
  }

  // ------------------------------------------------------------------- maps
  const LEFT = 76, BOTTOM = 24, TOP = 6, RIGHT = 6;
  const classes = () => state.picked
    ? [{ name: state.picked.name, colour: css('--accent') },
      { name: 'the others', colour: css('--others') }]
    : state.by === 'size' ? size_legend() : site_legend(heavy);
  const is_picked = (side, i) => state.picked.key === (state.group === 'sites'
    ? side.keys[side.heap.site[i]]
    : side.heap.size_of(i) - side.heap.waste[i]);
  const class_of = (side, i) => state.picked ? +!is_picked(side, i)
    : state.by === 'size' ? size_class(side.heap.size_of(i))
      : side.classes[side.heap.site[i]];
  /* Of crowds no exact sizes are known. */
  const class_of_crowd = (side, i) => {
    const { crowds, F } = side.heap;
    if (state.picked)
      return +(state.group === 'sizes' ||
        state.picked.key !== side.keys[crowds.site[i]]);
    return state.by === 'size' ? size_class(crowds.each[i] * F.granule)
      : side.classes[crowds.site[i]];
  };
  function draw_map(side) {
    const { heap, canvas } = side, { F, N, start, waste, born, died } = heap;
    const view = fit(canvas), { to, width, height, ratio } = view;
    const w = { t0: 0, t1: Math.max(1, F.events), a0: 0, a1: highest };
    const plot = { x: LEFT, y: TOP, width: width - LEFT - RIGHT,
      height: height - TOP - BOTTOM };
    const list = classes();
    const plane = new Plane(Math.max(1, Math.round(plot.width * ratio)),
      Math.max(1, Math.round(plot.height * ratio)), list.length + 1);
    const sx = plane.width / w.t1, sy = plane.height / w.a1;
    for (let i = 0; i < N; i++) {
      const low = start[i] * F.granule, high = low + heap.size_of(i);
      const top = (w.a1 - high) * sy;
      plane.add(class_of(side, i), born[i] * sx, died[i] * sx, top,
        (w.a1 - low) * sy);
      if (waste[i])
        plane.add(list.length, born[i] * sx, died[i] * sx, top,
          top + waste[i] * sy);
    }
    heap.crowds.add_to(plane, i => class_of_crowd(side, i), t => t * sx,
      a => (w.a1 - a) * sy);
    plane.finish();
    put(view, plane, list.map(c => c.colour), plot.x, plot.y, plot.width,
      plot.height);
    draw_mark(to, plot, w, heap, t => t);
    draw_ticks(to, plot, w, F.granule, number);
    side.plot = plot;
  }
  const draw_maps = () => {
    sides.forEach(draw_map);
    draw_legend($('legend'), classes());
  };
  /* The stay under the pointer, and the moment; null outside. */
  function under(side, event) {
    const box = side.canvas.getBoundingClientRect(), { plot, heap } = side;
    const x = (event.clientX - box.left - plot.x) / plot.width;
    const y = (event.clientY - box.top - plot.y) / plot.height;
    if (x < 0 || x >= 1 || y < 0 || y > 1) return null;
    const t = Math.floor(x * heap.F.events), address = highest * (1 - y);
    return { t, address, i: heap.block_at(t, address) };
  }
  function tell(side, { t, address, i }) {
    const { heap } = side;
    const crowd = i < 0 ? heap.crowds.at(t, address) : -1;
    if (crowd >= 0) return heap.crowds.tell(crowd);
    if (i < 0)
      return `<b>${address < heap.F.capacity ? 'free' : 'above the pool'}</b>` +
        `<br>at ${bytes(Math.floor(address), 3)}, after event ${number(t)}`;
    const stack = frames(heap.SITES[heap.site[i]]).slice(0, 8)
      .map(frame => `<li>${escaped(frame)}</li>`).join('');
    return `<b>block ${number(heap.block[i])}: ` +
      `${bytes(heap.size_of(i) - heap.waste[i])}</b><br>at ` +
      `${bytes(heap.start[i] * heap.F.granule, 3)}, since event ` +
      number(heap.born[i]) + (heap.SITES.length > 1 ? `<ol>${stack}</ol>` : '');
  }
  function watch(side) {
    side.canvas.addEventListener('pointermove', event => {
      const at = under(side, event);
      if (at) show_tip(event, tell(side, at)); else hide_tip();
    });
    side.canvas.addEventListener('pointerleave', hide_tip);
    side.canvas.addEventListener('click', event => {
      const { i } = under(side, event) ?? { i: -1 };
      const row = i >= 0 && rows[state.group].find(row =>
        row.key === (state.group === 'sites' ? side.keys[side.heap.site[i]]
          : side.heap.size_of(i) - side.heap.waste[i]));
      if (row) pick(row);
    });
  }

  // ---------------------------------------------------------------- changes
  const COLUMNS = [
    { name: 'change', value: row => row.change,
      text: v => signed(v, n => bytes(n)) },
    { name: 'before', value: row => row.before.live, text: v => bytes(v) },
    { name: 'after', value: row => row.after.live, text: v => bytes(v) },
    { name: 'blocks', value: row => row.after.blocks - row.before.blocks,
      text: v => signed(v, number) },
    { name: 'name', value: row => row.name, text: v => v },
  ];
  const NAMES = { sites: 'call stack', sizes: 'size requested' };
  const ROWS_SHOWN = 200;
  function draw_head() {
    const row = document.querySelector('#changes thead tr');
    row.replaceChildren(...COLUMNS.map(column => {
      const head = document.createElement('th');
      const button = document.createElement('button');
      head.scope = 'col';
      if (state.sort === column.name)
        head.ariaSort = state.down ? 'descending' : 'ascending';
      button.type = 'button';
      button.textContent = column.name === 'name' ? NAMES[state.group]
        : column.name;
      button.addEventListener('click', () => {
        state.down = state.sort === column.name ? !state.down
          : column.name !== 'name';
        state.sort = column.name;
        draw_head();
        draw_rows();
        row.children[COLUMNS.indexOf(column)].firstChild.focus();
      });
      head.append(button);
      return head;
    }));
  }
  function sorted_rows() {
    const { value } = COLUMNS.find(column => column.name === state.sort);
    const sign = state.down ? -1 : 1, word = state.search.toLowerCase();
    return rows[state.group]
      .filter(row => row.name.toLowerCase().includes(word))
      .sort((a, b) => sign * (state.sort === 'name' && state.group === 'sites'
        ? a.name.localeCompare(b.name)
        : state.sort === 'name' ? a.size - b.size : value(a) - value(b)));
  }
  function draw_rows() {
    const all = sorted_rows(), listed = all.slice(0, ROWS_SHOWN);
    if (state.picked && !listed.includes(state.picked))
      listed.unshift(state.picked);
    $('changes').tBodies[0].replaceChildren(...listed.map(row => {
      const line = document.createElement('tr');
      line.append(...COLUMNS.map(column => {
        const cell = document.createElement('td');
        const text = column.text(column.value(row));
        if (column.name === 'name') {
          const button = document.createElement('button');
          button.type = 'button';
          cell.title = button.textContent = text;
          cell.append(button);
        } else {
          cell.textContent = text;
        }
        return cell;
      }));
      line.ariaSelected = String(row === state.picked);
      line.addEventListener('click',
        () => pick(row === state.picked ? null : row));
      return line;
    }));
    $('rest').textContent = all.length > ROWS_SHOWN
      ? `${number(all.length - ROWS_SHOWN)} more; search or sort to see them`
      : state.search ? things(all.length, 'row') : '';
  }
  function pick(row) {
    state.picked = row;
    $('unpick').disabled = !row;
    redraw(draw_maps, draw_rows);
  }
  $('group').addEventListener('change', event => {
    state.group = event.target.value;
    draw_head();
    pick(null);
  });
  $('by').addEventListener('change', event => {
    state.by = event.target.value;
    pick(null);
  });
  $('search').addEventListener('input', event => {
    state.search = event.target.value;
    redraw(draw_rows);
  });
  $('unpick').addEventListener('click', () => pick(null));
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') pick(null);
  });

  // ------------------------------------------------------------------ begin
  function draw_all() {
    document.documentElement.dataset.theme = bitfit.theme();
    draw_maps();
    draw_rows();
  }
  const pools = sides.map(side => side.told.pool);
  $('title').textContent = `${before.told.name} → ${after.told.name}: ` +
    'what grew';
  $('lead').textContent = 'The smallest pool is ' + (pools[0] === pools[1]
    ? `${bytes(pools[0])} for both`
    : `${bytes(pools[0])} before and ${bytes(pools[1])} after, ` +
      `${percent(Math.abs(pools[1] - pools[0]), pools[0])} ` +
      (pools[1] > pools[0] ? 'more' : 'less'));
  $('changes-title').textContent = `What holds more, ${D.when}`;
  for (const side of sides) {
    $(`${side.name}-name`).textContent = `${side.name}: ${side.told.name}, ` +
      events(side.told.events);
    watch(side);
  }
  if (!D.sites) {
    $('group').options[0].disabled = $('by').options[1].disabled = true;
    $('group').value = 'sizes';
    $('no-stacks').hidden = false;
  }
  draw_figures();
  draw_head();
  draw_all();
  keep_drawn(draw_all);
  window.bitfit_diff = { state, sides, rows: sorted_rows, is_picked };
  document.documentElement.dataset.ready = 'yes';
})();
