/**
 * What a peer did wrong, as data. A ProtocolError is returned, never thrown: parsers answer with a value or
 * with one of these, and the layers above turn it into what the peer is told.
 */
export class ProtocolError {
  /** Stable name of the fault, for logs and tests. */
  readonly code: string;
  /** HTTP status code that the peer is told. */
  readonly status: number;
  /** One sentence for the response body and the log; never contains bytes from the peer. */
  readonly message: string;

  constructor(code: string, status: number, message: string) {
    this.code = code;
    this.status = status;
    this.message = message;
  }
}
