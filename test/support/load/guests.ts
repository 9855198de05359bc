/**
 * Clients that stay: an event stream and a WebSocket over HTTP/1.1, and an event stream over HTTP/2. Each tells how it was sent
 * away, and comes back. An event stream must count without a gap; a WebSocket must echo what it is sent.
 */
import { Buffer } from 'node:buffer';
import { clientFrame, closeFrame } from '../websocket-frames.ts';
import { H1Answers } from './h1-answers.ts';
import { H2Connection, UNPROCESSED } from './h2-connection.ts';
import type { Asker, Ledger } from './ledger.ts';
import { inTime, LoadFault } from './load-fault.ts';
import { wayOf, type GuestKind, type Target } from './load-plan.ts';
import { LoadSocket } from './load-socket.ts';

/** Milliseconds between an echo and the next message. */
const PACE = 20;

export interface GuestOptions {
  readonly kind: GuestKind;
  readonly target: Target;
  readonly lane: number;
  readonly ledger: Ledger;
}

interface Visit {
  /** Resolves with how it was sent away. */
  readonly left: Promise<string>;
  readonly pid: () => number | undefined;
  leave(): void;
}

type Visitor = (target: Target, onMessage: () => void) => Promise<Visit>;

export class Guest {
  readonly #options: GuestOptions;
  readonly #asker: Asker;
  readonly #attached = Promise.withResolvers<void>();
  #visit: Visit | undefined;
  #isLeaving = false;

  constructor(options: GuestOptions) {
    this.#options = options;
    this.#asker = { kind: options.kind, via: wayOf(options.target), lane: options.lane };
  }

  /** Resolves with its first message. */
  get attached(): Promise<void> {
    return this.#attached.promise;
  }

  /** Goes on until it leaves by itself. */
  async stay(): Promise<void> {
    const { kind, target, ledger } = this.#options;
    const { via } = this.#asker;
    while (!this.#isLeaving && !ledger.isOver) {
      try {
        this.#visit = await inTime(
          VISITORS[kind](target, () => {
            ledger.message(this.#asker);
            this.#attached.resolve();
          }),
          'an answer',
        );
        const how = await this.#visit.left;
        if (!this.#isLeaving) ledger.departed({ kind, via, pid: this.#visit.pid(), how });
      } catch (error) {
        if (this.#isLeaving) return;
        const fault = error instanceof LoadFault ? error : new LoadFault('bad answer', String(error));
        ledger.failed(this.#asker, 0, fault, { answers: 0, pid: undefined });
      }
    }
  }

  leave(): void {
    this.#isLeaving = true;
    this.#visit?.leave();
  }
}

/** Reads `data: NUMBER PID` and says what is wrong where the numbers have a gap. */
class ClockReader {
  #unread = '';
  #last = -1;
  pid: number | undefined;
  gap: string | undefined;

  feed(bytes: Buffer): number {
    const events = (this.#unread + bytes.toString()).split('\n\n');
    this.#unread = events.pop()!;
    for (const event of events) {
      const [, number, pid] = /^data: (\d+) (\d+)$/m.exec(event) ?? [];
      if (number === undefined) continue;
      if (Number(number) !== this.#last + 1) this.gap ??= `${number} behind ${this.#last}`;
      this.#last = Number(number);
      this.pid = Number(pid);
    }
    return events.length;
  }

  get verdict(): string {
    if (this.gap !== undefined) return `a gap: ${this.gap}`;
    return this.#unread === '' ? 'whole' : `inside an event: ${JSON.stringify(this.#unread)}`;
  }
}

const visitEventStream: Visitor = async (target, onMessage) => {
  const socket = await LoadSocket.connect(target);
  const left = Promise.withResolvers<string>();
  const reader = new ClockReader();
  const answers = new H1Answers({
    head: ({ status }) => {
      if (status !== 200) left.resolve(`status ${status}`);
    },
    body: (bytes) => {
      if (reader.feed(bytes) > 0) onMessage();
    },
    end: () => {
      left.resolve(reader.verdict);
      socket.close();
    },
  });
  socket.observe({
    data: (bytes) => answers.feed(bytes),
    closed: (isReset) => left.resolve(isReset ? 'reset' : 'closed without an end of the stream'),
  });
  socket.write(Buffer.from('GET /clock HTTP/1.1\r\nhost: test\r\naccept: text/event-stream\r\n\r\n'));
  const leave = (): void => {
    socket.close();
    left.resolve('left');
  };
  return { left: left.promise, pid: () => reader.pid, leave };
};

const visitH2EventStream: Visitor = async (target, onMessage) => {
  const connection = await H2Connection.open(target);
  const reader = new ClockReader();
  const answer = connection.ask({
    method: 'GET',
    path: '/clock',
    headers: [['accept', 'text/event-stream']],
    onData: (bytes) => {
      if (reader.feed(bytes) > 0) onMessage();
    },
  });
  const gone = Promise.withResolvers<string>();
  const left = answer.then(
    (end) => {
      connection.close();
      if (end === UNPROCESSED) return 'unprocessed';
      return end.status === 200 ? reader.verdict : `status ${end.status}`;
    },
    (error: LoadFault) => error.kind,
  );
  const leave = (): void => {
    connection.close();
    gone.resolve('left');
  };
  return { left: Promise.race([left, gone.promise]), pid: () => reader.pid, leave };
};

const HANDSHAKE = [
  'GET /ws HTTP/1.1',
  'host: test',
  'connection: upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

/** The first message that comes is the process, each further one an echo. */
const visitWebSocket: Visitor = async (target, onMessage) => {
  const socket = await LoadSocket.connect(target);
  const left = Promise.withResolvers<string>();
  let unread: Buffer = Buffer.alloc(0);
  let pid: number | undefined;
  let count = 0;
  let timer: Timer | undefined;
  const take = (opcode: number, payload: Buffer): void => {
    if (opcode === 8) {
      left.resolve(`close ${payload.length >= 2 ? payload.readUInt16BE(0) : 1005}`);
      socket.write(closeFrame(payload.length >= 2 ? payload.readUInt16BE(0) : undefined));
      return;
    }
    if (opcode !== 1) return;
    const text = payload.toString();
    if (pid === undefined) pid = Number(text);
    else if (text !== `message ${count}`) left.resolve(`a wrong echo: ${text}`);
    else onMessage();
    count += 1;
    timer = setTimeout(() => socket.write(clientFrame({ opcode: 1, payload: `message ${count}` })), PACE);
  };
  const answers = new H1Answers({
    head: ({ status }) => {
      if (status !== 101) left.resolve(`status ${status}`);
    },
    body: (bytes) => {
      unread = Buffer.concat([unread, bytes]);
      for (let size = (unread[1] ?? 0) + 2; unread.length >= size; size = (unread[1] ?? 0) + 2) {
        take(unread[0]! & 0x0f, unread.subarray(2, size));
        unread = unread.subarray(size);
      }
    },
    end: () => undefined,
  });
  socket.observe({
    data: (bytes) => answers.feed(bytes),
    closed: (isReset) => left.resolve(isReset ? 'reset' : 'closed without a close frame'),
  });
  socket.write(Buffer.from(HANDSHAKE));
  const leave = (): void => {
    socket.close();
    left.resolve('left');
  };
  return { left: left.promise.finally(() => clearTimeout(timer)), pid: () => pid, leave };
};

const VISITORS: Record<GuestKind, Visitor> = {
  sse: visitEventStream,
  'h2-sse': visitH2EventStream,
  websocket: visitWebSocket,
};
