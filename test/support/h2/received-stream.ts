/**
 * What one HTTP/2 stream has brought so far, and the windows of its two directions (RFC 9113 section 6.9).
 */
import { Buffer } from 'node:buffer';
import type { Field } from './hpack.ts';

export interface H2Response {
  /** 0 where no final response has come. */
  readonly status: number;
  /** Without `:status`. */
  readonly headers: Field[];
  readonly body: Buffer;
  readonly trailers: Field[] | undefined;
  /** Interim responses, each with its `:status`. */
  readonly informational: Field[][];
  /** The stream was ended, and not by a reset. */
  readonly isComplete: boolean;
  readonly resetCode: number | undefined;
}

export class ReceivedStream {
  readonly id: number;
  readonly informational: Field[][] = [];
  headers: Field[] | undefined;
  trailers: Field[] | undefined;
  readonly pieces: Buffer[] = [];
  isComplete = false;
  resetCode: number | undefined;
  /** How much the peer takes before it grants more. */
  sendWindow: number;
  /** How much this side has granted and the peer not used. */
  receiveWindow: number;

  constructor(id: number, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  get isOver(): boolean {
    return this.isComplete || this.resetCode !== undefined;
  }

  get received(): number {
    return this.pieces.reduce((sum, { length }) => sum + length, 0);
  }

  /** A field section has come: interim response, final response, or trailers. */
  section(fields: Field[]): void {
    const status = statusOf(fields);
    if (this.headers !== undefined) this.trailers = fields;
    else if (status >= 100 && status < 200) this.informational.push(fields);
    else this.headers = fields;
  }

  get response(): H2Response {
    const { headers = [], trailers, informational, isComplete, resetCode } = this;
    return {
      status: statusOf(headers),
      headers: headers.filter(([name]) => name !== ':status'),
      body: Buffer.concat(this.pieces),
      trailers,
      informational,
      isComplete: isComplete && resetCode === undefined,
      resetCode,
    };
  }
}

function statusOf(fields: readonly Field[]): number {
  return Number(fields.find(([name]) => name === ':status')?.[1] ?? 0);
}
