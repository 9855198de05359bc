/**
 * What a page does with EventSource. Each member of `eventScenarios` returns what the page saw, as data; `/ticks/N` ends the stream
 * after N ticks, and the browser comes back for those behind the last that it had.
 */
function ticks(source, count) {
  const seen = [];
  return new Promise((resolve) => {
    source.addEventListener('tick', ({ data, lastEventId }) => {
      seen.push([lastEventId, data]);
      if (seen.length === count) resolve(seen);
    });
  });
}

/** What becomes of the source when its stream ends: 0, it comes back; 2, it has given up. */
function failed(source) {
  return new Promise((resolve) =>
    source.addEventListener('error', () => resolve(source.readyState), { once: true }),
  );
}

globalThis.eventScenarios = {
  async comesBack() {
    const source = new EventSource('/ticks/2');
    let opened = 0;
    source.addEventListener('open', () => opened++);
    const seen = await ticks(source, 5);
    source.close();
    return { seen, opened, state: source.readyState };
  },

  async closes() {
    const source = new EventSource('/ticking');
    const seen = await ticks(source, 1);
    source.close();
    return seen;
  },

  async declined() {
    return await failed(new EventSource('/declined'));
  },

  /** Until the server ends it. */
  async stays() {
    const source = new EventSource('/ticking');
    await ticks(source, 1);
    const state = await failed(source);
    source.close();
    return state;
  },
};
