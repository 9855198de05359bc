/**
 * One HTTP/2 stream with the surface of a raw client: what a test does to a connection it does to a stream.
 */
import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { dataFrame } from './h2/frames.ts';
import { type H2ClientOptions, RawH2Client } from './h2/raw-h2-client.ts';
import type { ReceivedStream } from './h2/received-stream.ts';
import type { Address, Ending } from './raw-client.ts';
import { within } from './within.ts';

/** RFC 9113 6.9.2: what it is unless it is changed. */
const WINDOW = 65_535;

/** A raw client whose every event can be waited for. */
export class H2Connection extends RawH2Client {
  readonly opened: ReceivedStream[] = [];

  static override async open(address: Address, options: H2ClientOptions = {}): Promise<H2Connection> {
    const { tls } = options;
    const socket: Socket =
      tls === undefined
        ? connect({ ...address, allowHalfOpen: true })
        : connectTls({ ...address, ALPNProtocols: ['h2'], rejectUnauthorized: false, ...tls });
    await within(
      new Promise<void>((resolve, reject) => {
        socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve);
        socket.once('error', reject);
      }),
      `a connection to ${JSON.stringify(address)}`,
    );
    socket.setNoDelay(true);
    const connection = new H2Connection(socket, options);
    await connection.start();
    return connection;
  }

  /** Resolves when `holds` does, or nothing more can come. */
  async when(holds: () => boolean, what: string): Promise<void> {
    while (!holds() && this.ending === 'open') await this.event(what);
  }

  /** A client that does not read opens no window; what the windows do not bound it hears all the same. */
  reads(isReading: boolean): void {
    this.refillsWindows = isReading;
    if (!isReading) return;
    if (this.receiveWindow < WINDOW) this.grant(0, WINDOW - this.receiveWindow);
    for (const stream of this.opened) {
      if (!stream.isOver && stream.receiveWindow < WINDOW)
        this.grant(stream.id, WINDOW - stream.receiveWindow);
    }
  }
}

/** A stream, as the two ends of a connection. Sends are in order, and wait for the windows of the server for as long as it takes. */
export class StreamClient {
  readonly connection: H2Connection;
  readonly stream: ReceivedStream;
  /** Bytes of whole sends that have left. */
  bytesSent = 0;
  readonly #isAlone: boolean;
  #sending: Promise<void> = Promise.resolve();
  #isPaused = false;
  #taken = 0;

  /** `isAlone`: the connection goes when the stream is over. */
  constructor(connection: H2Connection, id: number, isAlone = false) {
    this.connection = connection;
    this.#isAlone = isAlone;
    this.stream = connection.stream(id);
    connection.opened.push(this.stream);
  }

  /** What the surface of a raw client has besides. */
  readonly socket = { setNoDelay: (): void => undefined };

  get ending(): Ending {
    const { resetCode, isComplete } = this.stream;
    if (resetCode !== undefined) return 'reset';
    return isComplete ? 'fin' : this.connection.ending;
  }

  get isReset(): boolean {
    return this.ending === 'reset';
  }

  /** Content, and the head as one byte: something has come, or nothing has. */
  get bytesReceived(): number {
    return this.stream.received + (this.stream.headers === undefined ? 0 : 1);
  }

  get unread(): string {
    return Buffer.concat(this.stream.pieces).toString('latin1', this.#taken);
  }

  send(data: string | Uint8Array, { endStream = false } = {}): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data);
    this.#sending = this.#sending.then(() => this.#write(bytes, endStream));
    return this.#sending;
  }

  async some(limit: number): Promise<Buffer | undefined> {
    await this.when(() => this.stream.received > this.#taken || this.stream.isOver, 'more of a stream');
    let at = this.#taken;
    const piece = this.stream.pieces.find(({ length }) => {
      if (at < length) return true;
      at -= length;
      return false;
    });
    if (piece === undefined) return undefined;
    const taken = piece.subarray(at, at + limit);
    this.#taken += taken.length;
    return taken;
  }

  async ended(): Promise<Ending> {
    await this.when(() => this.stream.isOver, 'the end of the stream');
    const { ending } = this;
    if (this.#isAlone) this.connection.close();
    return ending;
  }

  async settled(roundTrip: () => Promise<unknown>): Promise<void> {
    for (let quiet = 0, before = -1; quiet < 10; before = this.bytesSent) {
      await roundTrip();
      quiet = this.bytesSent === before ? quiet + 1 : 0;
    }
  }

  async when(holds: () => boolean, what: string): Promise<void> {
    if (this.#isPaused) throw new Error(`waiting for ${what} on a paused client`);
    await this.connection.when(holds, what);
  }

  pause(): void {
    this.#isPaused = true;
    this.connection.reads(false);
  }

  resume(): void {
    this.#isPaused = false;
    this.connection.reads(true);
  }

  halfClose(): void {
    void this.send('', { endStream: true });
  }

  reset(): void {
    this.connection.socket.resetAndDestroy();
    this.connection.close();
  }

  close(): void {
    this.connection.close();
  }

  async #write(bytes: Buffer, endStream: boolean): Promise<void> {
    const { connection, stream } = this;
    let left = bytes;
    for (;;) {
      const isSendable = (): boolean => Math.min(connection.sendWindow, stream.sendWindow) > 0;
      if (left.length > 0) await waitFor(() => stream.isOver || isSendable() || connection.ending !== 'open');
      if (stream.isOver || connection.ending !== 'open') return;
      const piece = left.subarray(0, Math.min(connection.sendWindow, stream.sendWindow, 16_384));
      left = left.subarray(piece.length);
      connection.sendWindow -= piece.length;
      stream.sendWindow -= piece.length;
      const isLast = left.length === 0;
      if (piece.length > 0 || endStream)
        await connection.send(dataFrame(stream.id, piece, { endStream: endStream && isLast }));
      if (isLast) break;
    }
    this.bytesSent += bytes.length;
  }
}

/** Without a bound: how long a server keeps a window closed is for the test to say. */
async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}
