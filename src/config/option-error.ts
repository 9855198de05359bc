/**
 * An option that cannot be used as given. The message is one line that says which option, what it must be and what it
 * was, so that it can be printed as it is.
 */
export interface OptionErrorDetails {
  /** The option's name in code, such as `maxBodySize`, also where it came from the command line. */
  readonly option: string;
  readonly value: unknown;
  /** What the option must be, for people. */
  readonly expectation: string;
}

export class OptionError extends TypeError {
  override readonly name = 'OptionError';
  readonly option: string;
  readonly value: unknown;
  readonly expectation: string;

  constructor(message: string, { option, value, expectation }: OptionErrorDetails) {
    super(message);
    this.option = option;
    this.value = value;
    this.expectation = expectation;
  }
}

/** A value as it stands in an error's line: short, on one line, and telling its type. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return shorten(JSON.stringify(value));
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return shorten(JSON.stringify(value) ?? 'an object');
  } catch {
    return 'an object';
  }
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
