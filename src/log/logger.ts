/**
 * The server's own messages: one line each on stderr, `time level message`. Two rules. A message may carry bytes that a
 * peer chose, so nothing in it can begin a line that looks like the logger's: control characters are escaped, and only an
 * error keeps its line breaks (stacks), each continuation indented. And logging never fails: a closed, broken or full
 * stderr loses lines, it does not throw into the code that had something to say.
 */
import { writeSync } from 'node:fs';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Logger {
  /** Several lines are kept, so that stacks stay readable; every line after the first is indented. */
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

export interface LoggerOptions {
  /** The least urgent level that is written. @default 'info' */
  level?: LogLevel | undefined;
  /** Errors only, whatever `level` says. @default false */
  quiet?: boolean | undefined;
  /** Stands before each message: which of several processes speaks. @default undefined */
  name?: string | undefined;
  /** Takes one finished entry, line feed included. What it throws is ignored. @default synchronous, to stderr */
  write?: ((text: string) => void) | undefined;
  /** Epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined;
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const { write = createStderrWriter(), now = Date.now } = options;
  const prefix = options.name === undefined ? '' : `${options.name}: `;
  const threshold = options.quiet === true ? 0 : LOG_LEVELS.indexOf(options.level ?? 'info');

  const at = (level: LogLevel) => {
    if (LOG_LEVELS.indexOf(level) > threshold) return ignore;
    const render = level === 'error' ? indentContinuations : escapeControls;
    return (message: string) => {
      try {
        write(`${new Date(now()).toISOString()} ${level} ${prefix}${render(message)}\n`);
      } catch {
        // There is nowhere left to say it.
      }
    };
  };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

function ignore(): void {}

// C0, DEL and C1, what Unicode counts as a line break, and the marks that reorder a line on a terminal (UAX #9).
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function escapeControls(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.charCodeAt(0);
    return code <= 0xff
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

function indentContinuations(text: string): string {
  if (!text.includes('\n')) return escapeControls(text);
  return text.split('\n').map(escapeControls).join('\n  ');
}

/** What a full stderr may hold back. Enough for the messages around a failure, too little to matter. */
const MAX_HELD_BACK = 64 * 1024;

/**
 * Writes to a descriptor at once. Where it would block (a full pipe in non-blocking mode) the rest waits for the next
 * message, and new messages are lost while it is too long: no line is ever torn by another, and nothing spins or blocks.
 */
export function createStderrWriter(
  writeBytes: (bytes: Uint8Array) => number = (bytes) => writeSync(2, bytes),
): (text: string) => void {
  let heldBack = Buffer.alloc(0);
  return (text) => {
    const entry = Buffer.from(text);
    const room = MAX_HELD_BACK - heldBack.length;
    let bytes = heldBack;
    if (heldBack.length === 0) bytes = entry;
    else if (entry.length <= room) bytes = Buffer.concat([heldBack, entry]);
    try {
      while (bytes.length > 0) {
        const written = writeBytes(bytes);
        if (written <= 0) break;
        bytes = bytes.subarray(written);
      }
      heldBack = bytes;
    } catch (error) {
      // EPIPE, EBADF, EIO: stderr is gone, and what it did not take is gone with it.
      heldBack = wouldBlock(error) ? bytes : Buffer.alloc(0);
    }
  };
}

function wouldBlock(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EINTR';
}
