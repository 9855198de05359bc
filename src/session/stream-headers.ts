/**
 * The header list of an event stream: what the application gave, with what every such stream needs (WHATWG HTML 9.2.5)
 * and without a length, which it cannot have. Streams tend to begin alike, so the last list is kept.
 */
import { type CheckedHeaders, checkHeaders, FIELD } from './response-headers.ts';

const SUPPLIED: readonly (readonly [name: string, value: string])[] = [
  ['content-type', 'text/event-stream'],
  ['cache-control', 'no-cache'],
];

let kept: { readonly given: CheckedHeaders; readonly made: CheckedHeaders } | undefined;

export function streamHeaders(given: CheckedHeaders): CheckedHeaders {
  if (kept !== undefined && kept.given === given) return kept.made;
  const names = new Set(given.list.map(([name]) => name.toLowerCase()));
  const made = checkHeaders('sse.start', [
    ...given.list.filter(([name]) => name.toLowerCase() !== 'content-length'),
    ...SUPPLIED.filter(([name]) => !names.has(name)),
  ]);
  // What is meant for one client is not kept beyond its response.
  if ((given.fields & FIELD.setCookie) === 0) kept = { given, made };
  return made;
}
