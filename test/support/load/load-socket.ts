/**
 * A socket of the load driver: bytes in the order they came, and at the end whether the peer closed or reset the connection.
 */
import { Buffer } from 'node:buffer';
import { LoadFault } from './load-fault.ts';
import type { Target } from './load-plan.ts';

export interface SocketObserver {
  data(bytes: Buffer): void;
  /** Once. `isReset` tells a reset from a close in order. */
  closed(isReset: boolean): void;
}

export class LoadSocket {
  observer: SocketObserver | undefined;
  #socket: Bun.Socket<undefined> | undefined;
  #early: Buffer[] = [];
  #unsent: Buffer[] = [];
  #isClosed = false;
  #wasReset = false;

  /** Rejects with a fault where nobody takes the connection. */
  static async connect(target: Target): Promise<LoadSocket> {
    const socket = new LoadSocket();
    const handlers: Bun.SocketHandler<undefined> = {
      data: (_, bytes) => socket.#data(Buffer.from(bytes)),
      drain: () => socket.#flush(),
      end: () => socket.#closed(false),
      close: (_, error) => socket.#closed(error !== undefined && error !== null),
      error: () => undefined,
      connectError: () => undefined,
    };
    try {
      socket.#socket =
        'unix' in target
          ? await Bun.connect({ unix: target.unix, data: undefined, socket: handlers })
          : await Bun.connect({ ...target, data: undefined, socket: handlers });
    } catch (error) {
      throw new LoadFault('refused', String((error as { code?: unknown }).code ?? error));
    }
    return socket;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get wasReset(): boolean {
    return this.#wasReset;
  }

  /** Takes over from here, with what has come already. */
  observe(observer: SocketObserver): void {
    this.observer = observer;
    for (const bytes of this.#early.splice(0)) observer.data(bytes);
    if (this.#isClosed) observer.closed(this.#wasReset);
  }

  write(...parts: Uint8Array[]): void {
    if (this.#isClosed) return;
    this.#unsent.push(Buffer.concat(parts));
    if (this.#unsent.length === 1) this.#flush();
  }

  close(): void {
    this.observer = undefined;
    this.#isClosed = true;
    this.#socket?.end();
  }

  #flush(): void {
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      const taken = Math.max(this.#socket!.write(next), 0);
      if (taken < next.length) {
        this.#unsent[0] = next.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
  }

  #data(bytes: Buffer): void {
    if (this.observer === undefined) this.#early.push(bytes);
    else this.observer.data(bytes);
  }

  #closed(isReset: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wasReset = isReset;
    this.#socket?.end();
    this.observer?.closed(isReset);
  }
}
