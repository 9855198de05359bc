/**
 * The requests of the load and what their answers must be. Each carries a number that comes back with the process that
 * answered; one in five has a body that comes back too, and one in forty takes its time, so that there are always some in hand.
 */
export interface LoadRequest {
  readonly number: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Milliseconds. */
const SLOW_ANSWER = 20;
const BODY_LENGTH = 1500;

export function loadRequest(number: number): LoadRequest {
  if (number % 40 === 7)
    return { number, method: 'GET', path: `/slow?ms=${SLOW_ANSWER}&n=${number}`, body: '' };
  if (number % 5 !== 0) return { number, method: 'GET', path: `/echo?n=${number}`, body: '' };
  return { number, method: 'POST', path: `/echo?n=${number}`, body: `${number} `.padEnd(BODY_LENGTH, 'x') };
}

/** The process that answered, or what is wrong with the answer. */
export function judgeAnswer(request: LoadRequest, { status, body }: Answer): { pid: number } | string {
  const shown = JSON.stringify(body.length > 80 ? `${body.slice(0, 80)}... (${body.length})` : body);
  if (status !== 200) return `status ${status}, ${shown}`;
  const [, number, pid, echoed] = /^(\d+) (\d+) \S+\n([^]*)$/.exec(body) ?? [];
  if (Number(number) !== request.number || echoed !== request.body) return shown;
  return { pid: Number(pid) };
}
