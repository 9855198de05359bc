/**
 * Reads an event stream as a client does (WHATWG HTML 9.2.6), from bytes that come in any pieces. Besides the events that
 * a client would dispatch it keeps every line, so that a line too many shows.
 */

export interface ParsedEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
}

export class EventStreamParser {
  readonly events: ParsedEvent[] = [];
  /** Without the colon. */
  readonly comments: string[] = [];
  readonly lines: string[] = [];
  /** Milliseconds; undefined until the stream sets it. */
  reconnectionTime: number | undefined;
  readonly #decoder = new TextDecoder();
  #line = '';
  /** The line before ended with CR: a line feed belongs to that. */
  #skipsLineFeed = false;
  #data = '';
  #type = '';
  #lastEventId = '';

  push(bytes: Uint8Array): void {
    for (const char of this.#decoder.decode(bytes, { stream: true })) {
      const isSecondHalf = char === '\n' && this.#skipsLineFeed;
      this.#skipsLineFeed = char === '\r';
      if (isSecondHalf) continue;
      if (char === '\r' || char === '\n') this.#endLine();
      else this.#line += char;
    }
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = '';
    this.lines.push(line);
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return void this.comments.push(line.slice(1));
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1);
    this.#field(name, value.startsWith(' ') ? value.slice(1) : value);
  }

  #field(name: string, value: string): void {
    if (name === 'event') this.#type = value;
    else if (name === 'data') this.#data += `${value}\n`;
    else if (name === 'id' && !value.includes('\0')) this.#lastEventId = value;
    else if (name === 'retry' && /^[0-9]+$/.test(value)) this.reconnectionTime = Number(value);
  }

  #dispatch(): void {
    const data = this.#data;
    const type = this.#type;
    this.#data = '';
    this.#type = '';
    if (data === '') return;
    this.events.push({
      type: type === '' ? 'message' : type,
      data: data.slice(0, -1),
      lastEventId: this.#lastEventId,
    });
  }
}

/** The whole of a stream at once; a string is a byte string. */
export function parseEventStream(content: Uint8Array | string): EventStreamParser {
  const parser = new EventStreamParser();
  parser.push(typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
  return parser;
}
