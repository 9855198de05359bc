/**
 * Finds the known name that a mistyped one most likely stands for. The distance counts insertions, deletions,
 * replacements and swapped neighbours; a name that begins with the given one is nearest, being its abbreviation.
 */

export function nearestName(given: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Infinity;
  for (const name of known) {
    const distance = given.length >= 3 && name.startsWith(given) ? 0.5 : editDistance(given, name);
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest;
}

/** Optimal string alignment, three rows at a time. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, replaced);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
