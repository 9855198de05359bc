/**
 * Lets go of the terminal or the pipes that a process was started on (dup2(2)): a reader of those pipes sees their end, although
 * the process lives on. What is a file stays: somebody chose it, to be written to for as long as the process lives.
 */
import { FFIType } from 'bun:ffi';
import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs';
import { devNull } from 'node:os';
import { lazyCalls } from './c-library.ts';

const libc = lazyCalls({ dup2: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 } });

const STANDARD_STREAMS = [0, 1, 2] as const;

/** Standard input, output and error become the null device, except what is a file. */
export function releaseStandardStreams(): void {
  const nothing = openSync(devNull, 'r+');
  for (const fd of [...copiesOfStandardStreams(), ...STANDARD_STREAMS]) {
    if (!isRegularFile(fd)) libc().dup2(nothing, fd);
  }
  if (nothing > 2) closeSync(nothing);
}

/**
 * Bun 1.4.5 makes copies of the descriptors for `process.stdout` and `process.stderr`. Left as they are, the next write of an app
 * through one of those would fail with EPIPE, and Bun ends the process for that.
 */
function copiesOfStandardStreams(): number[] {
  const streams = new Set(STANDARD_STREAMS.map(identityOf));
  return readdirSync('/dev/fd')
    .map(Number)
    .filter((fd) => fd > 2 && isOneOf(streams, identityOf(fd)));
}

function isOneOf(streams: ReadonlySet<string | undefined>, identity: string | undefined): boolean {
  return identity !== undefined && streams.has(identity);
}

/** What a descriptor refers to; the same for all that refer to it. */
function identityOf(fd: number): string | undefined {
  try {
    const { dev, ino } = fstatSync(fd);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

export function isRegularFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    // Closed: whatever is opened next would take its number.
    return false;
  }
}
