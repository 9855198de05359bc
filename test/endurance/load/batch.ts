/**
 * Many at once, but not all in the same instant: a listen backlog has an end, and so have this process's own sockets.
 */

/** `work` for each index below `count`, at most `atOnce` of them at a time; the results in order. */
export async function inBatches<T>(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (let from = 0; from < count; from += atOnce) {
    const size = Math.min(atOnce, count - from);
    results.push(...(await Promise.all(Array.from({ length: size }, (_, offset) => work(from + offset)))));
  }
  return results;
}
