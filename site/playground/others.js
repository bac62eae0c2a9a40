'use strict';
/* Two ways to place blocks, as counter-examples: granules only, no headers. */

/* Blocks by start, in one array of granules: what both share. */
class Simulated {
  constructor(granules) {
    this.granules = granules;
    this.count = new Int32Array(granules); /* of the block that starts there */
    this.inside = new Uint8Array(granules);
    this.top = 0;
  }
  /* [start, end) of each hole, in address order. */
  holes() {
    const found = [];
    for (let at = 0; at < this.granules;) {
      const from = at;
      while (at < this.granules && !this.inside[at]) at++;
      if (at > from) found.push([from, at]);
      while (at < this.granules && this.inside[at]) at += this.count[at] || 1;
    }
    return found;
  }
  put(start, count) {
    this.count[start] = count;
    this.inside.fill(1, start, start + count);
    this.top = Math.max(this.top, start + count);
    return start;
  }
  free(start) {
    this.inside.fill(0, start, start + this.count[start]);
    this.count[start] = 0;
  }
}

class NextFit extends Simulated {
  constructor(granules) {
    super(granules);
    this.rover = 0;
  }
  alloc(count) {
    const holes = this.holes();
    const behind = holes.map(([from, to]) => [Math.max(from, this.rover), to]);
    const hole = behind.concat(holes).find(([from, to]) => to - from >= count);
    if (!hole) return -1;
    this.rover = hole[0] + count;
    return this.put(hole[0], count);
  }
}

class GoodFit extends Simulated {
  constructor(granules) {
    super(granules);
    this.age = new Map([[0, 0]]); /* when each hole came to be, by its start */
    this.now = 1;
  }
  /* The class of holes that have `count` granules, four for each power of two. */
  static classOf(count) {
    if (count < 4) return count;
    const power = 31 - Math.clz32(count);
    return 4 * (power - 1) + ((count >> (power - 2)) & 3);
  }
  /* A request looks no lower than where every hole is large enough. */
  static classFor(count) {
    const power = 31 - Math.clz32(count);
    return GoodFit.classOf(count < 4 ? count : count + (1 << (power - 2)) - 1);
  }
  alloc(count) {
    const wanted = GoodFit.classFor(count);
    const fits = this.holes().map(([from, to]) => ({
      from, to, class: GoodFit.classOf(to - from), age: this.age.get(from) || 0
    })).filter((hole) => hole.class >= wanted);
    if (!fits.length) return -1;
    fits.sort((a, b) => a.class - b.class || b.age - a.age);
    const hole = fits[0];
    this.age.delete(hole.from);
    if (hole.from + count < hole.to) this.age.set(hole.from + count, this.now++);
    return this.put(hole.from, count);
  }
  free(start) {
    super.free(start);
    const hole = this.holes().find(([from, to]) => from <= start && start < to);
    for (const from of [...this.age.keys()]) {
      if (from >= hole[0] && from < hole[1]) this.age.delete(from);
    }
    this.age.set(hole[0], this.now++);
  }
}
