'use strict';
/* Programs to step through: lists of [size] and of {free: number of the call
 * that allocated}. The same on every visit. */

function dice(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 65536) % below);
  };
}

/* Every second of many small blocks stays, then something larger comes. */
function comb() {
  const calls = [];
  for (let i = 0; i < 60; i++) calls.push({ size: i % 2 ? 32 : 96 });
  for (let i = 0; i < 60; i += 2) calls.push({ free: i });
  for (let i = 0; i < 20; i++) calls.push({ size: 144 });
  for (let i = 0; i < 30; i++) calls.push({ size: 48 });
  return calls;
}

/* Requests and answers of a server: short lives, some long ones, all sizes. */
function server() {
  const roll = dice(7);
  const calls = [];
  const live = [];
  let made = 0;
  for (let i = 0; i < 400; i++) {
    if (live.length > 38 || (live.length > 8 && roll(100) < 46)) {
      const at = roll(10) < 7 ? live.length - 1 - roll(6) : roll(live.length);
      calls.push({ free: live.splice(at, 1)[0] });
    } else {
      calls.push({ size: roll(8) === 0 ? 300 + roll(500) : 16 + roll(160) });
      live.push(made++);
    }
  }
  return calls;
}

/* A text that grows: a longer copy is made before the old one goes. */
function text() {
  const calls = [];
  let made = 0;
  let before = -1;
  for (let size = 32; size <= 2400; size = Math.floor(size * 1.5)) {
    calls.push({ size }, { size: 24 });
    if (before >= 0) calls.push({ free: before });
    before = made;
    made += 2;
  }
  return calls;
}

/* After Robson: sizes double, and what stays of each is one block in two. */
function worst() {
  const calls = [];
  let made = 0;
  let live = [];
  for (let granules = 1; granules <= 16; granules *= 2) {
    const count = Math.floor((granules === 1 ? 300 : 130) / granules);
    for (let i = 0; i < count; i++) {
      calls.push({ size: 16 * granules });
      live.push(made++);
    }
    live = live.filter((call, i) => i % 2 === 0 || !calls.push({ free: call }));
  }
  return calls;
}

const PROGRAMS = [
  ['A server: lives short and long', server],
  ['A comb: every second block stays', comb],
  ['A text that grows by copies', text],
  ['Sizes that double, after Robson', worst]
];
