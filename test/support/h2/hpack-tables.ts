/**
 * The two tables that HPACK indexes point into (RFC 7541 section 2.3): the static one of Appendix A, and the dynamic one,
 * whose newest entry comes first and whose oldest are evicted when it is full.
 */

export type Field = readonly [name: string, value: string];

/** What an entry counts for beyond its name and value (RFC 7541 section 4.1). */
const OVERHEAD = 32;

/** Index 1 first; an entry without a value stands for the empty one. */
export const STATIC_TABLE: readonly Field[] = [
  ':authority',
  ':method GET',
  ':method POST',
  ':path /',
  ':path /index.html',
  ':scheme http',
  ':scheme https',
  ...[200, 204, 206, 304, 400, 404, 500].map((status) => `:status ${status}`),
  'accept-charset',
  'accept-encoding gzip, deflate',
  ...'accept-language accept-ranges accept access-control-allow-origin age allow authorization'.split(' '),
  ...'cache-control content-disposition content-encoding content-language content-length'.split(' '),
  ...'content-location content-range content-type cookie date etag expect expires from host'.split(' '),
  ...'if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link'.split(' '),
  ...'location max-forwards proxy-authenticate proxy-authorization range referer refresh'.split(' '),
  ...'retry-after server set-cookie strict-transport-security transfer-encoding user-agent'.split(' '),
  ...'vary via www-authenticate'.split(' '),
].map((entry) => {
  const space = entry.indexOf(' ');
  return space < 0 ? [entry, ''] : [entry.slice(0, space), entry.slice(space + 1)];
});

export function entrySize([name, value]: Field): number {
  return name.length + value.length + OVERHEAD;
}

export class HeaderTable {
  #entries: Field[] = [];
  #size = 0;
  #maxSize: number;

  constructor(maxSize = 4096) {
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#size;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  /** The dynamic entries, newest first. */
  get entries(): readonly Field[] {
    return this.#entries;
  }

  /** By its index on the wire, which begins at 1; undefined where nothing is. */
  at(index: number): Field | undefined {
    return STATIC_TABLE[index - 1] ?? this.#entries[index - 1 - STATIC_TABLE.length];
  }

  /** The index of the whole field, else of its name, else neither; the lowest there is. */
  find([name, value]: Field): { whole?: number; name?: number } {
    const all = [...STATIC_TABLE, ...this.#entries];
    const whole = all.findIndex((entry) => entry[0] === name && entry[1] === value);
    if (whole >= 0) return { whole: whole + 1 };
    const named = all.findIndex((entry) => entry[0] === name);
    return named >= 0 ? { name: named + 1 } : {};
  }

  add(field: Field): void {
    const size = entrySize(field);
    this.#evictTo(this.#maxSize - size);
    if (size > this.#maxSize) return;
    this.#entries.unshift(field);
    this.#size += size;
  }

  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#evictTo(maxSize);
  }

  #evictTo(room: number): void {
    while (this.#size > Math.max(room, 0)) this.#size -= entrySize(this.#entries.pop()!);
  }
}
