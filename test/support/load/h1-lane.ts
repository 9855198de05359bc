/**
 * Requests over HTTP/1.1, one at a time. A client has the right to an answer once it has sent a request: a connection that
 * closes instead is a failure, however often it has been used before; only a server that closes between two requests, or
 * that has said `connection: close`, may expect the next one on another connection.
 */
import { Buffer } from 'node:buffer';
import { H1Answers, type AnswerHead } from './h1-answers.ts';
import type { Asker, Ledger } from './ledger.ts';
import { inTime, LoadFault } from './load-fault.ts';
import { wayOf, type Target } from './load-plan.ts';
import { judgeAnswer, loadRequest, type Answer, type LoadRequest } from './load-request.ts';
import { LoadSocket } from './load-socket.ts';

export interface H1LaneOptions {
  readonly kind: 'h1-new' | 'h1-kept';
  readonly target: Target;
  readonly lane: number;
  readonly ledger: Ledger;
}

export async function runH1Lane({ kind, target, lane, ledger }: H1LaneOptions): Promise<void> {
  const asker: Asker = { kind, via: wayOf(target), lane };
  let connection: H1Connection | undefined;
  while (!ledger.isOver) {
    const request = loadRequest(ledger.next());
    const began = performance.now();
    try {
      if (connection === undefined || !connection.isUsable) {
        connection = undefined;
        connection = await inTime(H1Connection.open(target), 'a connection');
        ledger.connections += 1;
      }
      // Of those that send one request only, half leave it to the server to close.
      const asksToClose = kind === 'h1-new' && request.number % 2 === 0;
      const answer = await inTime(connection.ask(request, asksToClose), request.path);
      const judged = judgeAnswer(request, answer);
      if (typeof judged === 'string') throw new LoadFault('bad answer', judged);
      connection.answeredBy(judged.pid);
      ledger.answered(asker, judged.pid, performance.now() - began);
      if (kind === 'h1-new') connection.close();
    } catch (error) {
      const fault = error instanceof LoadFault ? error : new LoadFault('bad answer', String(error));
      ledger.failed(asker, request.number, fault, connection?.history ?? { answers: 0, pid: undefined });
      connection?.close();
    }
  }
  connection?.close();
}

class H1Connection {
  readonly #socket: LoadSocket;
  readonly #answers: H1Answers;
  #waiting: PromiseWithResolvers<Answer> | undefined;
  #head: AnswerHead | undefined;
  #body: Buffer[] = [];
  #mustClose = false;
  #history: { answers: number; pid: number | undefined } = { answers: 0, pid: undefined };

  static async open(target: Target): Promise<H1Connection> {
    return new H1Connection(await LoadSocket.connect(target));
  }

  private constructor(socket: LoadSocket) {
    this.#socket = socket;
    this.#answers = new H1Answers({
      head: (head) => (this.#head = head),
      body: (bytes) => void this.#body.push(bytes),
      end: () => this.#end(),
    });
    socket.observe({
      data: (bytes) => {
        try {
          this.#answers.feed(bytes);
        } catch (error) {
          this.#mustClose = true;
          this.#waiting?.reject(error);
        }
      },
      closed: (isReset) => this.#closed(isReset),
    });
  }

  get history(): { readonly answers: number; readonly pid: number | undefined } {
    return this.#history;
  }

  get isUsable(): boolean {
    return !this.#mustClose && !this.#socket.isClosed;
  }

  ask({ method, path, body }: LoadRequest, asksToClose: boolean): Promise<Answer> {
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    if (asksToClose) this.#mustClose = true;
    const fields = `${asksToClose ? 'connection: close\r\n' : ''}${body === '' ? '' : `content-length: ${body.length}\r\n`}`;
    this.#socket.write(Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: test\r\n${fields}\r\n${body}`));
    return promise;
  }

  answeredBy(pid: number): void {
    this.#history = { answers: this.#history.answers + 1, pid };
  }

  close(): void {
    this.#mustClose = true;
    this.#socket.close();
  }

  #end(): void {
    const head = this.#head!;
    const body = Buffer.concat(this.#body).toString();
    this.#body = [];
    if (head.fields.get('connection') === 'close') this.#mustClose = true;
    this.#waiting?.resolve({ status: head.status, body });
    this.#waiting = undefined;
    if (this.#mustClose) this.#socket.close();
  }

  #closed(isReset: boolean): void {
    if (isReset) this.#waiting?.reject(new LoadFault('reset'));
    else if (this.#answers.isBetween) this.#waiting?.reject(new LoadFault('closed before an answer'));
    else this.#waiting?.reject(new LoadFault('closed within an answer'));
  }
}
