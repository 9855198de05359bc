/**
 * A socket as a stream of frames: every frame that has come is kept, and each wait for one has a bound and says what was heard
 * when that is over.
 */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Ending } from '../raw-client.ts';
import { within } from '../within.ts';
import { describeFrame, type Frame, readFrame } from './frames.ts';

export abstract class FrameSocket {
  readonly socket: Socket;
  /** Every frame that has come, in order. */
  readonly frames: Frame[] = [];
  /** What the peer did that RFC 9113 or RFC 7541 forbids it. */
  readonly peerFaults: string[] = [];
  bytesReceived = 0;
  /** What this side has promised to take. */
  protected maxFrameSize = 16_384;
  #cursor = 0;
  #ending: Ending = 'open';
  #isPaused = false;
  #rest: Buffer = Buffer.alloc(0);
  #onEvent: (() => void)[] = [];

  /** `socket` is connected, and its TLS handshake done. */
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#end('fin'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => this.#end('fin'));
  }

  /** Called for each frame as it comes. */
  protected abstract note(frame: Frame): void;

  get ending(): Ending {
    return this.#ending;
  }

  /** Bytes, a string being one byte per char. Resolves when the kernel has them, or the connection has ended. */
  send(...parts: readonly (Uint8Array | string)[]): Promise<void> {
    const bytes = Buffer.concat(
      parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
    );
    return new Promise((resolve) => void this.socket.write(bytes, () => resolve()));
  }

  /** The next frame that this method has not returned yet; undefined when the connection has ended without one. */
  async next(): Promise<Frame | undefined> {
    while (this.#cursor >= this.frames.length) {
      if (this.#ending !== 'open') return undefined;
      await this.event('a frame');
    }
    return this.frames[this.#cursor++];
  }

  /** The first frame that fits, among those that have come since `from` and those that come. */
  async seen(fits: (frame: Frame) => boolean, what: string, from = 0): Promise<Frame> {
    let found: Frame | undefined;
    let at = from;
    const look = (): boolean => {
      for (; found === undefined && at < this.frames.length; at += 1)
        if (fits(this.frames[at]!)) found = this.frames[at];
      return found !== undefined;
    };
    await this.until(look, what);
    return found!;
  }

  /** How the connection ended, once it has and everything has arrived. */
  async ended(): Promise<Ending> {
    while (this.#ending === 'open') await this.event('the end of the connection');
    return this.#ending;
  }

  /** Stops reading, so that the kernel's buffers fill. */
  pauseReading(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  resumeReading(): void {
    this.#isPaused = false;
    this.socket.resume();
  }

  /** Sends FIN and goes on reading. */
  halfClose(): void {
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
    this.#end('fin');
  }

  protected async until(holds: () => boolean, what: string): Promise<void> {
    while (!holds()) {
      if (this.#ending !== 'open')
        throw new Error(`the connection ended (${this.#ending}) without ${what}; ${this.#heard()}`);
      await this.event(what);
    }
  }

  protected event(what: string): Promise<void> {
    if (this.#isPaused) throw new Error(`waiting for ${what} on a paused client`);
    const happened = new Promise<void>((resolve) => this.#onEvent.push(resolve));
    return within(happened, what).catch((error: Error) => {
      throw new Error(`${error.message}; ${this.#heard()}`);
    });
  }

  #heard(): string {
    const last = this.frames.slice(-8).map(describeFrame).join(', ');
    return `the last of ${this.frames.length} frames: ${last}`;
  }

  #end(ending: Ending): void {
    if (this.#ending === 'open') this.#ending = ending;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#onEvent.splice(0)) resolve();
  }

  #receive(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let read = readFrame(this.#rest); read !== undefined; read = readFrame(this.#rest)) {
      this.#rest = this.#rest.subarray(read.size);
      this.frames.push(read.frame);
      if (read.frame.payload.length > this.maxFrameSize)
        this.peerFaults.push(`too long: ${describeFrame(read.frame)}`);
      this.note(read.frame);
    }
    this.#wake();
  }
}
