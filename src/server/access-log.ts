/**
 * Where the lines of the access log go. Serving never waits for them and never fails because of them: lines are batched
 * and written in one call, what the target does not take is kept up to a bound and tried again on the next flush, and what
 * is lost is counted and said once. Whole lines are lost, never parts of them.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { compileAccessLogFormat } from './access-log-format.ts';
import type { AccessLogFormatter, AccessRecord } from './access-log-format.ts';

export type { AccessRecord } from './access-log-format.ts';

export interface AccessLogOptions {
  /** A preset's name or a format string. */
  format: string;
  /** Appended to; created with mode 0640 less the umask. @default stderr */
  file?: string | undefined;
  /** Takes whole lines in place of stderr; a batch that it throws at is lost, and counted. Goes before `file`. */
  write?: ((text: string) => void) | undefined;
  /** The system call behind `file` and stderr; returns how many bytes were taken. @default fs.writeSync */
  writeBytes?: ((fd: number, bytes: Uint8Array) => number) | undefined;
  /** Milliseconds a line may wait for others. @default 100 */
  flushInterval?: number | undefined;
  /** Told of the first write error and, once, of how many lines were lost; again only after `reopen()`. */
  onError?: ((message: string) => void) | undefined;
}

const STDERR = 2;
/** nginx's `buffer=64k` is the usual size; a write this large is still one call. */
const FLUSH_AT = 64 * 1024;
/** What a target that takes nothing may cost in memory. */
const MAX_KEPT = 1024 * 1024;
const LINE_FEED = 0x0a;
const LINE_END = Uint8Array.of(LINE_FEED);

export class AccessLog {
  readonly #format: AccessLogFormatter;
  readonly #target: Target;
  readonly #flushInterval: number;
  #lines = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /**
   * @throws {RangeError} for a format that does not exist
   * @throws {Error} naming the file that cannot be opened
   */
  constructor(options: AccessLogOptions) {
    this.#format = compileAccessLogFormat(options.format);
    this.#target = new Target(options);
    this.#flushInterval = options.flushInterval ?? 100;
  }

  /** How many writes have failed. A target that is merely full for now has not failed. */
  get writeErrors(): number {
    return this.#target.report.writeErrors;
  }

  /** How many lines are lost for good. */
  get droppedLines(): number {
    return this.#target.report.droppedLines;
  }

  /** Lines that come after `close()` are dropped without a word. */
  log(record: AccessRecord): void {
    if (this.#isClosed) return;
    this.#lines += `${this.#format(record)}\n`;
    if (this.#lines.length >= FLUSH_AT) this.flush();
    else this.#arm();
  }

  /** Writes what is there now, as far as the target takes it. */
  flush(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = '';
    this.#target.write(lines);
    if (this.#target.isWaiting) this.#arm();
  }

  /**
   * For log rotation: what was logged so far goes to the old file, everything later to a new one of the same name. Does
   * not throw: where the new file cannot be opened, the old one stays in use and `onError` is told.
   */
  reopen(): void {
    if (this.#isClosed) return;
    this.flush();
    this.#target.reopen();
  }

  close(): void {
    if (this.#isClosed) return;
    this.flush();
    clearTimeout(this.#timer);
    this.#isClosed = true;
    this.#target.close();
  }

  /** Unref'd: a line that waits is no reason for the process to stay. `close()` is what saves it. */
  #arm(): void {
    this.#timer ??= setTimeout(() => this.flush(), this.#flushInterval).unref();
  }
}

/** A file or stderr: partial writes are completed, and what is not taken is kept. */
class Target {
  readonly report: LossReport;
  readonly #file: string | undefined;
  readonly #writeBytes: (fd: number, bytes: Uint8Array) => number;
  #fd: number;
  #kept: Buffer = Buffer.alloc(0);
  /** The first kept line has gone out in part. */
  #isMidLine = false;
  /** The end of a line that went out in part is lost: a line feed must go before the next. */
  #isTorn = false;

  constructor({ file, write, writeBytes, onError }: AccessLogOptions) {
    // Absolute, so that a reopen after a change of directory finds the same file.
    this.#file = file === undefined || write ? undefined : resolve(file);
    this.#fd = this.#file === undefined ? STDERR : openForAppend(this.#file);
    this.#writeBytes = writeBytes ?? (write ? wholeBatches(write) : (fd, bytes) => writeSync(fd, bytes));
    this.report = new LossReport(this.#file ?? (write ? 'its writer' : 'stderr'), onError);
  }

  get isWaiting(): boolean {
    return this.#kept.length > 0;
  }

  write(lines: string): void {
    this.#keep(lines);
    if (this.#kept.length === 0) return;
    try {
      if (this.#isTorn) this.#isTorn = this.#writeBytes(this.#fd, LINE_END) <= 0;
      while (!this.#isTorn && this.#kept.length > 0) {
        const written = this.#writeBytes(this.#fd, this.#kept);
        if (written <= 0) break; // as good as EAGAIN; asking again at once would spin
        this.#isMidLine = this.#kept[written - 1] !== LINE_FEED;
        this.#kept = this.#kept.subarray(written);
      }
      if (this.#kept.length === 0) this.report.caughtUp();
    } catch (error) {
      this.#failed(error);
    }
    this.#dropOldest();
  }

  reopen(): void {
    if (this.#file !== undefined) {
      let fd: number;
      try {
        fd = openForAppend(this.#file);
      } catch (error) {
        this.report.say(messageOf(error));
        return;
      }
      if (this.#isMidLine) this.#drop(0, this.#kept.indexOf(LINE_FEED) + 1); // its beginning is in the old file
      closeQuietly(this.#fd);
      this.#fd = fd;
      this.#isMidLine = false;
      this.#isTorn = false;
    }
    this.report.settle();
  }

  close(): void {
    this.#drop(0, this.#kept.length);
    this.report.settle();
    if (this.#file !== undefined) closeQuietly(this.#fd);
  }

  #keep(lines: string): void {
    if (lines === '') return;
    const bytes = Buffer.from(lines);
    this.#kept = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
  }

  #failed(error: unknown): void {
    const code = errorCode(error);
    if (code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EINTR') return;
    this.report.failed(error);
    // Room on a disk comes back. Whatever else went wrong (EPIPE, EBADF, EIO) will not be mended by the same bytes.
    if (code === 'ENOSPC' || code === 'EDQUOT') return;
    this.#drop(0, this.#kept.length);
    this.#isTorn ||= this.#isMidLine;
    this.#isMidLine = false;
  }

  #dropOldest(): void {
    const excess = this.#kept.length - MAX_KEPT;
    if (excess <= 0) return;
    const begin = this.#isMidLine ? this.#kept.indexOf(LINE_FEED) + 1 : 0;
    const end = this.#kept.indexOf(LINE_FEED, begin + excess - 1) + 1;
    this.#drop(begin, end === 0 ? this.#kept.length : end);
  }

  /** Drops from one line's beginning, or the middle of the first, to another's end. */
  #drop(begin: number, end: number): void {
    if (begin >= end) return;
    this.report.dropped(countLines(this.#kept.subarray(begin, end)));
    this.#kept = Buffer.concat([this.#kept.subarray(0, begin), this.#kept.subarray(end)]);
  }
}

/** Counts what was lost, and says each kind once: a full disk must not fill the other log. */
class LossReport {
  readonly #name: string;
  readonly #onError: (message: string) => void;
  writeErrors = 0;
  droppedLines = 0;
  #unsaidLines = 0;
  #hasSaidError = false;
  #hasSaidDropped = false;

  constructor(name: string, onError: (message: string) => void = () => {}) {
    this.#name = name;
    this.#onError = onError;
  }

  failed(error: unknown): void {
    this.writeErrors++;
    if (this.#hasSaidError) return;
    this.#hasSaidError = true;
    this.say(`cannot write the access log to ${this.#name}: ${messageOf(error)}`);
  }

  dropped(lines: number): void {
    this.droppedLines += lines;
    this.#unsaidLines += lines;
  }

  /** The target takes lines again: how many it has missed is known. */
  caughtUp(): void {
    if (this.#unsaidLines === 0 || this.#hasSaidDropped) return;
    this.#hasSaidDropped = true;
    this.say(`access log lines lost: ${this.#unsaidLines}, which ${this.#name} did not take`);
    this.#unsaidLines = 0;
  }

  /** The target's end, or a new one: what is still unsaid is said, and each kind may be said again. */
  settle(): void {
    this.#hasSaidDropped = false;
    this.caughtUp();
    this.#hasSaidDropped = false;
    this.#hasSaidError = false;
  }

  say(message: string): void {
    try {
      this.#onError(message);
    } catch {
      // The log of last resort failed too; serving goes on.
    }
  }
}

function wholeBatches(write: (text: string) => void): (fd: number, bytes: Uint8Array) => number {
  return (_fd, bytes) => {
    write(Buffer.from(bytes).toString());
    return bytes.length;
  };
}

function openForAppend(file: string): number {
  try {
    return openSync(file, 'a', 0o640);
  } catch (error) {
    throw new Error(`cannot open the access log ${file}: ${messageOf(error)}`, { cause: error });
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // A close that reports EIO has closed all the same.
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines++;
  return lines;
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
