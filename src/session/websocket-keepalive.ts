/**
 * Whether the peer of a WebSocket is still there: pings at an interval, a bound on the wait for their pongs, and a bound
 * on the time without a message. A pong that cannot come is not missed: while a frame is under way, while bytes wait
 * for a slow peer, and while reading is paused because the application is behind.
 */
import type { Alarm, Alarms } from '../clock/alarms.ts';

/** The session that is kept alive. */
export interface KeptAlive {
  /** Sends a ping. */
  ping(payload: string): void;
  /** Whether a pong could have arrived: what was sent has left, and what arrives is read. */
  readonly canHearPongs: boolean;
  /** Called once, when a pong is missing or nothing was said for too long. */
  expired(reason: 'keepalive_timeout' | 'idle_timeout'): void;
}

export interface KeepaliveSettings {
  /** Seconds, each off at 0. */
  readonly wsPingInterval: number;
  readonly wsPingTimeout: number;
  readonly wsIdleTimeout: number;
}

/** Milliseconds for a look at the socket before a verdict: when the process was busy, what is late may lie there. */
const SECOND_LOOK = 50;

export class WebSocketKeepalive implements Alarm {
  alarmIndex = -1;
  alarmAt = 0;
  readonly #session: KeptAlive;
  readonly #alarms: Alarms;
  /** Milliseconds; Infinity is off. */
  #interval = Infinity;
  #timeout = Infinity;
  readonly #idle: number;
  #nextPing = Infinity;
  /** When the pong to the oldest ping without one is missing. */
  #pongDue = Infinity;
  #idleDue = Infinity;
  #sent = 0;
  #answered = 0;
  #isSecondLook = false;

  constructor(session: KeptAlive, alarms: Alarms, settings: KeepaliveSettings) {
    this.#session = session;
    this.#alarms = alarms;
    this.#idle = milliseconds(settings.wsIdleTimeout);
    this.set(settings.wsPingInterval, settings.wsPingTimeout);
    this.noteMessage();
    this.#schedule();
  }

  /** Seconds. Takes the place of what was set before; a pong that is awaited is awaited no more. */
  set(interval: number, timeout: number): void {
    this.#interval = milliseconds(interval);
    this.#timeout = milliseconds(timeout);
    this.#nextPing = this.#alarms.now + this.#interval;
    this.#pongDue = Infinity;
    this.#answered = this.#sent;
    this.#schedule();
  }

  /** A message has gone either way. */
  noteMessage(): void {
    if (this.#idle !== Infinity) this.#idleDue = this.#alarms.now + this.#idle;
  }

  /** RFC 6455 5.5.3: a pong answers its ping, and with it those before; one that answers none means nothing. */
  pong(payload: string): void {
    const number = /^\d{1,15}$/.test(payload) ? Number(payload) : 0;
    if (number <= this.#answered || number > this.#sent) return;
    this.#answered = number;
    this.#pongDue = number === this.#sent ? Infinity : this.#alarms.now + this.#timeout;
  }

  stop(): void {
    this.#alarms.cancel(this);
  }

  ring(): void {
    const { now } = this.#alarms;
    // Asked at both looks: what could not come until a moment ago is not missed either.
    if (now >= this.#pongDue && !this.#session.canHearPongs) this.#pongDue = now + this.#timeout;
    if (now >= this.#pongDue || now >= this.#idleDue) {
      if (this.#isSecondLook) {
        return this.#session.expired(now >= this.#idleDue ? 'idle_timeout' : 'keepalive_timeout');
      }
      this.#isSecondLook = true;
      this.#alarms.set(this, SECOND_LOOK);
      return;
    }
    this.#isSecondLook = false;
    if (now >= this.#nextPing) this.#ping(now);
    this.#schedule();
  }

  #ping(now: number): void {
    this.#nextPing = now + this.#interval;
    this.#sent++;
    if (this.#pongDue === Infinity) this.#pongDue = now + this.#timeout;
    this.#session.ping(String(this.#sent));
  }

  /** The alarm is set to what comes first; what is put off meanwhile is found out when it rings. */
  #schedule(): void {
    const due = Math.min(this.#nextPing, this.#pongDue, this.#idleDue);
    if (due === Infinity) this.#alarms.cancel(this);
    else this.#alarms.set(this, due - this.#alarms.now);
  }
}

function milliseconds(seconds: number): number {
  return seconds === 0 ? Infinity : seconds * 1000;
}
