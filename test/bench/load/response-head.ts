/** The head of the response that opens a session, however it is cut into reads; the load clients judge it by its text. */

const HEAD_END = '\r\n\r\n';
/** Far more than any of the peers sends. */
const MOST_BYTES = 16_384;

export class ResponseHead {
  #text = '';
  #isComplete = false;

  /** Status line and fields, once `take` has given something. */
  get text(): string {
    return this.#text;
  }

  /** What stands behind the head; undefined while bytes of the head are missing. */
  take(chunk: Buffer): Buffer | undefined {
    if (this.#isComplete) return chunk;
    const known = this.#text.length;
    const text = this.#text + chunk.toString('latin1', 0, MOST_BYTES);
    const end = text.indexOf(HEAD_END);
    this.#isComplete = end !== -1;
    this.#text = this.#isComplete ? text.slice(0, end) : text;
    return this.#isComplete ? chunk.subarray(end + HEAD_END.length - known) : undefined;
  }
}
