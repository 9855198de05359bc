/**
 * field-line = field-name ":" OWS field-value OWS (RFC 9112 5), strict: a token name, the colon at once behind
 * it, no folding, no control characters but HTAB. The same reader serves heads and trailer sections.
 */
import { IS_UPPER, TOKEN } from '../grammar.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { H1_ERRORS } from './errors.ts';

const COLON = 58;
const SPACE = 32;
const TAB = 9;
const DELETE = 127;

/** Appends the field of the line `text[start, end)`, CRLF excluded, to `fields`. */
export function readFieldLine(
  fields: [name: string, value: string][],
  text: string,
  start: number,
  end: number,
): ProtocolError | undefined {
  let i = start;
  let kinds = 0;
  for (let kind = TOKEN[text.charCodeAt(i)]; kind; kind = TOKEN[text.charCodeAt(++i)]) kinds |= kind;
  if (i === start || text.charCodeAt(i) !== COLON) {
    const first = text.charCodeAt(start);
    return first === SPACE || first === TAB ? H1_ERRORS.foldedField : H1_ERRORS.fieldName;
  }
  const written = text.substring(start, i);
  const name = (kinds & IS_UPPER) !== 0 ? written.toLowerCase() : written;

  let valueStart = i + 1;
  while (valueStart < end && isBlank(text.charCodeAt(valueStart))) valueStart++;
  let valueEnd = end;
  while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--;
  for (i = valueStart; i < valueEnd; i++) {
    const code = text.charCodeAt(i);
    if ((code < SPACE && code !== TAB) || code === DELETE) {
      return code === 13 ? H1_ERRORS.lineEnding : H1_ERRORS.fieldValue;
    }
  }
  fields.push([name, text.substring(valueStart, valueEnd)]);
  return undefined;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
