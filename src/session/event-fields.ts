/**
 * Reads the fields of what an application sends. Everything that reaches the wire passes here, always, so a faulty
 * event becomes a TypeError that names event, field and expectation, and never a faulty byte.
 */

/** An event from the application, before anything about it is known. */
export type RawEvent = Readonly<Record<string, unknown>>;

export function asEvent(event: unknown): RawEvent {
  if (typeof event === 'object' && event !== null) return event as RawEvent;
  throw new TypeError(`send: an event must be an object with a type, not ${describe(event)}`);
}

export function invalidField(event: string, field: string, expectation: string, value: unknown): TypeError {
  return new TypeError(`${event}: ${field} must be ${expectation}, not ${describe(value)}`);
}

export function readStatus(event: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 200 && value <= 999) return value;
  throw invalidField(event, 'status', 'an integer from 200 to 999', value);
}

export function readFlag(event: string, field: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw invalidField(event, field, 'a boolean', value);
}

/** A non-negative integer, or `undefined` where it is left out. */
export function readCount(event: string, field: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalidField(event, field, 'a non-negative integer', value);
}

export function readSeconds(event: string, field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw invalidField(event, field, 'a non-negative number of seconds', value);
}

export function readText(event: string, field: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw invalidField(event, field, 'a string', value);
}

/** Text without line breaks, or `undefined` where it is left out. */
export function readLine(event: string, field: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && !/[\r\n]/.test(value)) return value;
  throw invalidField(event, field, 'a string without CR and LF', value);
}

export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object'
    ? `an object (${value.constructor?.name ?? 'no class'})`
    : `a ${typeof value}`;
}
