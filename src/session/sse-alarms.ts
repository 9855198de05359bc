/**
 * What an event stream does by itself as time passes: it sends a comment in every keepalive interval, and comes to its
 * end when nothing has been sent for too long. Comments count as sent; one for a client that is behind is left out.
 */
import type { Alarm, Alarms } from '../clock/alarms.ts';

/** The stream, as its alarms see it. */
export interface AlarmedStream {
  /** Whether the client has taken so much of what was sent that a comment does not add to its burden. */
  readonly isTaken: boolean;
  sendComment(encoded: string): void;
  /** Nothing has been sent for as long as is allowed. */
  idle(): void;
}

/** Milliseconds; timers take no more (HTML 8.6). */
const MAX_DELAY = 2 ** 31 - 1;

export class SseAlarms {
  readonly #alarms: Alarms;
  readonly #stream: AlarmedStream;
  /** Milliseconds, 0 for never. */
  readonly #idleTimeout: number;
  #interval = 0;
  #comment = '';
  #isRunning = false;
  #lastSent = 0;
  #keepalive: SseAlarm | undefined = undefined;
  #idle: SseAlarm | undefined = undefined;

  constructor(alarms: Alarms, stream: AlarmedStream, idleSeconds: number) {
    this.#alarms = alarms;
    this.#stream = stream;
    this.#idleTimeout = idleSeconds * 1000;
  }

  /** The stream has begun. */
  start(): void {
    this.#isRunning = true;
    this.#schedule();
    if (this.#idleTimeout === 0) return;
    this.#lastSent = this.#alarms.now;
    this.#idle = new SseAlarm(() => this.#checkIdle());
    this.#alarms.set(this.#idle, Math.min(this.#idleTimeout, MAX_DELAY));
  }

  /** The last setting counts; 0 seconds are none at all. */
  keepAlive(seconds: number, encoded: string): void {
    this.#interval = Math.min(seconds * 1000, MAX_DELAY);
    this.#comment = encoded;
    if (this.#isRunning) this.#schedule();
  }

  /** Called often, so it only takes the time: the alarm looks at it when it rings. */
  noteSent(): void {
    if (this.#idleTimeout > 0) this.#lastSent = this.#alarms.now;
  }

  stop(): void {
    this.#isRunning = false;
    if (this.#keepalive !== undefined) this.#alarms.cancel(this.#keepalive);
    if (this.#idle !== undefined) this.#alarms.cancel(this.#idle);
  }

  #schedule(): void {
    if (this.#interval > 0) {
      this.#keepalive ??= new SseAlarm(() => this.#sendComment());
      this.#alarms.set(this.#keepalive, this.#interval);
    } else if (this.#keepalive !== undefined) this.#alarms.cancel(this.#keepalive);
  }

  #sendComment(): void {
    this.#schedule();
    if (this.#stream.isTaken) this.#stream.sendComment(this.#comment);
  }

  #checkIdle(): void {
    const left = this.#lastSent + this.#idleTimeout - this.#alarms.now;
    if (left > 0) this.#alarms.set(this.#idle!, Math.min(left, MAX_DELAY));
    else this.#stream.idle();
  }
}

class SseAlarm implements Alarm {
  alarmIndex = -1;
  alarmAt = 0;
  readonly ring: () => void;

  constructor(ring: () => void) {
    this.ring = ring;
  }
}
