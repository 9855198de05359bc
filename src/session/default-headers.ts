/**
 * The fields that every response gets when it lacks them: Date (RFC 9110 6.6.1), Server (10.2.4), and those that the
 * operator configured. The text is made once a second, and the clock is read once a tick, not once a response.
 */
import type { Clock } from '../clock/clock.ts';
import { type CheckedHeaders, FIELD } from './response-headers.ts';

type Fields = readonly (readonly [name: string, value: string])[];

export interface DefaultHeaderSettings {
  readonly serverHeader: boolean;
  readonly dateHeader: boolean;
  readonly headers: Fields;
}

/** A number that changes several times a second, and costs nothing to read. */
export interface Ticking {
  readonly now: number;
}

export class DefaultHeaders {
  readonly #settings: DefaultHeaderSettings;
  readonly #clock: Clock;
  readonly #ticking: Ticking;
  #tick = -1;
  #second = -1;
  #date = '';
  /** The text for a response that brings none of them, and for none that could clash with the configured ones. */
  #common = '';
  #commonList: Fields = [];

  constructor(settings: DefaultHeaderSettings, clock: Clock, ticking: Ticking) {
    this.#settings = settings;
    this.#clock = clock;
    this.#ticking = ticking;
  }

  /** Field lines for HTTP/1.1, each with its CRLF. */
  text(headers: CheckedHeaders): string {
    this.#turn();
    return this.#isCommon(headers) ? this.#common : textOf(this.#listFor(headers));
  }

  /** The same as a list, for HTTP/2; one and the same for a second where a response brings nothing that matters. */
  list(headers: CheckedHeaders): Fields {
    this.#turn();
    return this.#isCommon(headers) ? this.#commonList : this.#listFor(headers);
  }

  #isCommon({ fields }: CheckedHeaders): boolean {
    return (fields & (FIELD.date | FIELD.server)) === 0 && this.#settings.headers.length === 0;
  }

  #turn(): void {
    if (this.#ticking.now === this.#tick) return;
    this.#tick = this.#ticking.now;
    const second = Math.floor(this.#clock.wallTime() / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#date = new Date(second * 1000).toUTCString();
    this.#commonList = this.#listFor({ fields: 0, list: [] });
    this.#common = textOf(this.#commonList);
  }

  #listFor({ fields, list: given }: Pick<CheckedHeaders, 'fields' | 'list'>): Fields {
    const list: [string, string][] = [];
    for (const [name, value] of this.#settings.headers) {
      const lower = name.toLowerCase();
      if (!given.some(([other]) => other.toLowerCase() === lower)) list.push([name, value]);
    }
    const lacks = (name: string, bit: number): boolean =>
      (fields & bit) === 0 && !list.some(([other]) => other.toLowerCase() === name);
    if (this.#settings.serverHeader && lacks('server', FIELD.server)) list.push(['server', 'tsagi-server']);
    if (this.#settings.dateHeader && lacks('date', FIELD.date)) list.push(['date', this.#date]);
    return list;
  }
}

function textOf(fields: Fields): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}
