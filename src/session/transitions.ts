/**
 * Which event an application may send when: one table per scope type, state by event. What is absent is illegal.
 * Where an event can lead to two states, its content decides, and the session takes the one of the two that applies.
 */

export type HttpSendState = 'initial' | 'started' | 'trailers' | 'complete';

/** Event types of the http scope. */
export const HTTP_EVENTS = [
  'http.response.start',
  'http.response.body',
  'http.response.trailers',
  'http.fullflush',
] as const;

export type HttpSendType = (typeof HTTP_EVENTS)[number];

export const HTTP_SEND: Readonly<
  Record<HttpSendState, Partial<Record<HttpSendType, readonly [HttpSendState, ...HttpSendState[]]>>>
> = {
  initial: { 'http.response.start': ['started'], 'http.fullflush': ['initial'] },
  // With `more` the body goes on; without, it ends the response, or leaves it to the trailers that were announced.
  started: { 'http.response.body': ['started', 'complete', 'trailers'], 'http.fullflush': ['started'] },
  trailers: { 'http.response.trailers': ['complete'], 'http.fullflush': ['trailers'] },
  complete: {},
};

/** Throws a TypeError for an event that is unknown or not allowed now. */
export function requireAllowed(state: HttpSendState, type: unknown): asserts type is HttpSendType {
  // Rows are arrays, which `toString` and the like, found on every object, are not.
  if (typeof type === 'string' && Array.isArray(HTTP_SEND[state][type as HttpSendType])) return;
  if (!HTTP_EVENTS.includes(type as HttpSendType)) {
    throw new TypeError(`send: unknown event type ${JSON.stringify(type)} on an http scope`);
  }
  throw new TypeError(`${String(type)} is not allowed ${SITUATIONS[state]}`);
}

const SITUATIONS: Readonly<Record<HttpSendState, string>> = {
  initial: 'before http.response.start',
  started: 'while the response body is being sent',
  trailers: 'where http.response.trailers is due',
  complete: 'after the response is complete',
};
