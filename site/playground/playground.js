'use strict';
/* The page: calls go to the core and to the two others, then all is drawn. */

const GRANULES = 512, GRANULE = 16, ROW = 32;
const byId = (id) => document.getElementById(id);

/* ------------------------------------------------------------------ the core */

const bytes = Uint8Array.from(atob(CORE), (letter) => letter.charCodeAt(0));
const core = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;

function textAt(address) {
  const memory = new Uint8Array(core.memory.buffer);
  return new TextDecoder().decode(
    memory.subarray(address, memory.indexOf(0, address)));
}

function runsOfPool() {
  const count = core.survey();
  const words = new Uint32Array(core.memory.buffer, core.runs(), 3 * count);
  return Array.from({ length: count }, (_, i) => ({
    start: words[3 * i], count: words[3 * i + 1], live: words[3 * i + 2] !== 0
  }));
}

/* ---------------------------------------------------------------- the state */

const state = {
  blocks: [],      /* of each call that allocates: its places and its colour */
  program: [], at: 0, first: 0, timer: 0, focus: 0, wrong: -1,
  last: -1, failures: [0, 0, 0], good: null, next: null
};

const dark = () => document.documentElement.dataset.theme === 'dark';
const hueOf = (block) => `hsl(${(block.number * 67 + 205) % 360} 62% ` +
  `${dark() ? 58 : 52}%)`;

function empty() {
  stop();
  core.open();
  Object.assign(state, {
    blocks: [], program: [], at: 0, first: 0, wrong: -1, last: -1,
    failures: [0, 0, 0], good: new GoodFit(GRANULES), next: new NextFit(GRANULES)
  });
}

function blockAt(granule) {
  return state.blocks.find((block) => block.live && block.places[0] <= granule &&
    granule < block.places[0] + block.count);
}

/* ----------------------------------------------------------------- the calls */

function allocate(size) {
  const count = Math.max(1, Math.ceil(size / GRANULE));
  const offset = core.alloc(size);
  const places = [offset < 0 ? -1 : offset / GRANULE,
    state.good.alloc(count), state.next.alloc(count)];
  places.forEach((place, i) => { state.failures[i] += place < 0 ? 1 : 0; });
  const block = { number: state.blocks.length, size, count, places,
    live: offset >= 0 };
  state.blocks.push(block);
  if (offset < 0) {
    say(`alloc ${size}: NULL. No hole has ${count} granules.`);
  } else {
    say(`alloc ${size}: ${count} granule${count > 1 ? 's' : ''} at ` +
      `${block.places[0]}, the lowest place that fits.`);
  }
}

function release(block) {
  if (block.places[0] >= 0) {
    core.free(block.places[0] * GRANULE);
    state.last = block.places[0] * GRANULE;
  }
  if (block.places[1] >= 0) state.good.free(block.places[1]);
  if (block.places[2] >= 0) state.next.free(block.places[2]);
  const start = block.places[0];
  block.live = false;
  block.places = [-1, -1, -1];
  say(start < 0 ? `free ${block.size}: it was refused here.`
    : `free ${block.size}: granules ${start} to ` +
      `${start + block.count - 1} are free again.`);
}

const MISTAKES = {
  double: () => state.last >= 0 && !blockAt(state.last / GRANULE)
    ? state.last : null,
  interior: () => {
    const block = state.blocks.find((b) => b.live && b.count > 1);
    return block ? (block.places[0] + 1) * GRANULE : null;
  },
  misaligned: () => {
    const block = state.blocks.find((b) => b.live);
    return block ? block.places[0] * GRANULE + 1 : null;
  },
  foreign: () => GRANULES * GRANULE + 64
};

/* What a mistake needs is made first, where there is none. */
function mistake(kind) {
  if (MISTAKES[kind]() === null) {
    allocate(100);
    if (kind === 'double') release(state.blocks[state.blocks.length - 1]);
  }
  const offset = MISTAKES[kind]();
  const name = textAt(core.free(offset));
  state.wrong = offset < GRANULES * GRANULE ? Math.floor(offset / GRANULE) : -1;
  say(`free(payload + ${offset}): ${name}. Caught before anything changed; ` +
    `bitfit_check() returns ${core.check()}.`, true);
}

/* -------------------------------------------------------------- the programs */

function load() {
  empty();
  state.program = PROGRAMS[byId('program').value][1]();
}

/* One call. False at the end. */
function step() {
  if (!state.program.length) load();
  if (state.at === state.program.length) {
    say('The program has ended: Empty, or Step to begin again.');
    state.program = [];
    return false;
  }
  const call = state.program[state.at++];
  if (call.free === undefined) allocate(call.size);
  else release(state.blocks[call.free]);
  return true;
}

function stop() {
  clearInterval(state.timer);
  state.timer = 0;
  byId('run').firstChild.data = 'Run ';
}

function run() {
  if (state.timer) return stop();
  byId('run').firstChild.data = 'Pause ';
  state.timer = setInterval(() => {
    if (!step()) stop();
    draw();
  }, 60);
}

/* ---------------------------------------------------------------- the drawing */

function say(text, bad) {
  byId('say').textContent = text;
  byId('say').className = bad ? 'bad' : '';
}

const cells = [];
const entries = [];

function build() {
  for (let word = 0; word < GRANULES / ROW; word++) {
    const row = document.createElement('div');
    row.className = 'word';
    row.setAttribute('role', 'row');
    row.innerHTML = `<span class="number" role="rowheader">${word}</span>` +
      '<div class="cells" role="presentation"></div>' +
      '<span class="entry" role="gridcell"></span>';
    for (let i = 0; i < ROW; i++) {
      const cell = document.createElement('button');
      cell.type = 'button';
      cell.dataset.granule = cells.length;
      cell.setAttribute('role', 'gridcell');
      cell.innerHTML = '<b></b><i></i><i></i>';
      cell.tabIndex = cells.length ? -1 : 0;
      row.children[1].append(cell);
      cells.push(cell);
    }
    entries.push(row.lastChild);
    byId('pool').append(row);
  }
}

function drawWord(word) {
  const free = core.word_free(word), start = core.word_start(word);
  const first = word * ROW;
  const tagged = start === 0 && cells[first].dataset.run !== String(first) &&
    cells[first].dataset.run === cells[first + ROW - 1].dataset.run;
  for (let i = 0; i < ROW; i++) {
    const cell = cells[first + i];
    cell.classList.toggle('tagged', tagged);
    cell.children[1].className =
      !tagged && (free >>> i) & 1 ? 'on free' : '';
    cell.children[2].className =
      !tagged && (start >>> i) & 1 ? 'on start' : '';
  }
  const entry = core.word_entry(word);
  const text = entry === 0 ? '\u00b7' : entry > 63 ? '64+' : String(entry);
  if (entries[word].textContent !== text) {
    entries[word].textContent = text;
    entries[word].classList.add('changed');
    requestAnimationFrame(() => requestAnimationFrame(
      () => entries[word].classList.remove('changed')));
  }
}

function drawRun(run) {
  const block = run.live ? blockAt(run.start) : null;
  const label = run.live
    ? `block of ${block.size} bytes at ${run.start}, ${run.count} granules`
    : `hole at ${run.start}, ${run.count} granules`;
  for (let at = run.start; at < run.start + run.count; at++) {
    const cell = cells[at];
    cell.dataset.run = run.start;
    cell.className = 'cell' + (run.live ? ' live' : '') +
      (run.live && at === run.start ? ' head' : '') +
      (at === run.start + run.count - 1 ? ' last' : '') +
      (at === state.wrong ? ' wrong' : '');
    if (block) cell.style.setProperty('--hue', hueOf(block));
    cell.title = label;
    cell.setAttribute('aria-label', label);
  }
}

function draw() {
  const runs = runsOfPool();
  runs.forEach(drawRun);
  for (let word = 0; word < GRANULES / ROW; word++) drawWord(word);
  const holes = runs.filter((run) => !run.live).map((run) => run.count);
  const live = GRANULES - holes.reduce((sum, count) => sum + count, 0);
  byId('figures').textContent = `${live} of ${GRANULES} granules in use, ` +
    `${holes.length} hole${holes.length === 1 ? '' : 's'}, the largest ` +
    `${Math.max(0, ...holes)}`;
  drawOther(0, 'bitfit: first fit', core.high_water(), holes);
  [state.good, state.next].forEach((other, i) =>
    drawOther(i + 1, i ? 'Next fit' : 'Good fit, in classes', other.top,
      other.holes().map(([from, to]) => to - from)));
}

function figureOf(i) {
  const others = byId('others');
  if (!others.children[i]) {
    const figure = document.createElement('figure');
    figure.innerHTML = '<figcaption></figcaption><canvas width="256" ' +
      'height="128" role="img"></canvas><dl><dt>highest granule used</dt>' +
      '<dd></dd><dt>largest hole</dt><dd></dd><dt>holes</dt><dd></dd>' +
      '<dt>requests refused</dt><dd></dd></dl>';
    others.append(figure);
  }
  return others.children[i];
}

function drawOther(i, name, top, holes) {
  const figure = figureOf(i);
  const largest = Math.max(0, ...holes);
  const values = figure.querySelectorAll('dd');
  figure.firstChild.textContent = name;
  [top, largest, holes.length, state.failures[i]].forEach((value, k) => {
    values[k].textContent = value;
  });
  values[0].className = i && top > core.high_water() ? 'worse' : '';
  values[3].className = i && state.failures[i] > state.failures[0] ? 'worse' : '';
  const canvas = figure.children[1];
  canvas.setAttribute('aria-label', `${name}: used up to ${top}, ` +
    `${holes.length} holes, the largest ${largest}`);
  const paint = canvas.getContext('2d');
  paint.fillStyle = getComputedStyle(document.documentElement)
    .getPropertyValue('--hole');
  paint.fillRect(0, 0, 256, 128);
  for (const block of state.blocks) {
    const start = block.places[i];
    if (start < 0 || (i === 0 && !block.live)) continue;
    paint.fillStyle = hueOf(block);
    for (let at = start; at < start + block.count; at++) {
      paint.fillRect((at % ROW) * 8, Math.floor(at / ROW) * 8,
        at === start + block.count - 1 ? 7 : 8, 7);
    }
  }
}

/* ------------------------------------------------------------------ the hands */

function act(work) {
  state.wrong = -1;
  work();
  draw();
}

function freeAt(granule) {
  const block = blockAt(granule);
  if (block) act(() => release(block));
}

function point(granule, on) {
  const run = cells[granule].dataset.run;
  for (const cell of cells) {
    cell.classList.toggle('pointed', on && cell.dataset.run === run &&
      cell.classList.contains('live'));
  }
}

function moveFocus(granule) {
  if (granule < 0 || granule >= GRANULES) return;
  cells[state.focus].tabIndex = -1;
  state.focus = granule;
  cells[granule].tabIndex = 0;
  cells[granule].focus();
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  byId('theme').textContent = name === 'dark' ? 'Light' : 'Dark';
  if (cells.length) draw();
}

function listen() {
  const pool = byId('pool');
  const granuleOf = (event) => {
    const cell = event.target.closest('.cell');
    return cell ? Number(cell.dataset.granule) : -1;
  };
  pool.addEventListener('click', (event) => {
    if (granuleOf(event) >= 0) freeAt(granuleOf(event));
  });
  for (const [name, on] of [['mouseover', true], ['focusin', true],
    ['mouseout', false], ['focusout', false]]) {
    pool.addEventListener(name, (event) => {
      if (granuleOf(event) >= 0) point(granuleOf(event), on);
    });
  }
  pool.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -ROW, ArrowDown: ROW };
    if (event.key in by) {
      event.preventDefault();
      moveFocus(state.focus + by[event.key]);
    }
  });
  byId('by-hand').addEventListener('submit', (event) => {
    event.preventDefault();
    const size = Number(byId('size').value);
    if (Number.isInteger(size) && size >= 0) act(() => allocate(size));
  });
  for (const size of [16, 40, 100, 256, 1000]) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = size;
    button.title = `Allocate ${size} bytes`;
    button.addEventListener('click', () => act(() => allocate(size)));
    document.querySelector('.sizes').append(button);
  }
  const actions = {
    step: () => act(() => { stop(); step(); }), run,
    clear: () => act(() => { empty(); say('An empty pool: one hole.'); }),
    bad: () => act(() => mistake(byId('mistake').value))
  };
  for (const id in actions) byId(id).addEventListener('click', actions[id]);
  byId('program').addEventListener('change', () => act(load));
  byId('theme').addEventListener('click', () => setTheme(dark() ? 'light' : 'dark'));
  document.addEventListener('keydown', (event) => {
    const keys = { s: 'step', r: 'run', e: 'clear', x: 'bad' };
    if (event.ctrlKey || event.metaKey || event.altKey ||
        /INPUT|SELECT/.test(event.target.tagName)) return;
    if (event.key === 'a') byId('by-hand').requestSubmit();
    else if (event.key in keys) byId(keys[event.key]).click();
  });
}

PROGRAMS.forEach(([name], i) => byId('program').add(new Option(name, i)));
empty();
build();
setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
listen();
say('Allocate something, or step through a program.');
draw();
