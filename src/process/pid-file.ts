/**
 * The file that tells others which process to signal. It names this process or is not ours: a live holder is never overwritten, a
 * dead one's file is replaced in one step, and at the end only a file that still names this process is removed. A reader sees
 * a whole number at every moment.
 */
import {
  closeSync,
  fchmodSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { resolve } from 'node:path';

export interface PidFileOptions {
  /** The process that this one takes over from: it holds the file, is alive, and gives it up. */
  readonly mayTakeFrom?: number | undefined;
}

export class PidFile {
  readonly path: string;
  readonly #pid = process.pid;

  /** Throws when another live process holds the file, when it holds no pid, or when it cannot be written. */
  static claim(path: string, { mayTakeFrom }: PidFileOptions = {}): PidFile {
    // The app may change the working directory; the file stays where it is.
    const file = new PidFile(resolve(path));
    file.#write(mayTakeFrom);
    return file;
  }

  private constructor(path: string) {
    this.path = path;
  }

  /** Does nothing to a file that names another process by now. Throws where the file cannot be removed. */
  release(): void {
    if (readHolder(this.path) !== this.#pid) return;
    try {
      rmSync(this.path, { force: true });
    } catch (error) {
      throw new Error(
        `pid: ${this.path} cannot be removed, it names a process that is gone: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  #write(mayTakeFrom: number | undefined): void {
    const temporary = `${this.path}.${this.#pid}`;
    try {
      this.#refuseLiveHolder(mayTakeFrom);
      writeNewFile(temporary, `${this.#pid}\n`);
      if (createFrom(temporary, this.path)) return;
      this.#refuseLiveHolder(mayTakeFrom);
      renameSync(temporary, this.path);
    } catch (error) {
      if (error instanceof PidFileError) throw error;
      throw new PidFileError(`pid: ${this.path} cannot be written: ${(error as Error).message}`);
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  #refuseLiveHolder(mayTakeFrom: number | undefined): void {
    const holder = readHolder(this.path);
    // Our own number was another's in an earlier life: in a container every start gets the same one.
    if (holder === undefined || holder === this.#pid || holder === mayTakeFrom || !isAlive(holder)) return;
    throw new PidFileError(
      `pid: ${this.path} is held by process ${holder}, which is running: stop it first, ` +
        'or remove the file if that is another program',
    );
  }
}

class PidFileError extends Error {}

/** Never into a file, or through a link, that somebody has put there. */
function writeNewFile(path: string, text: string): void {
  rmSync(path, { force: true });
  const fd = openSync(path, 'wx');
  try {
    writeSync(fd, text);
    // Who signals the process need not be its user; a strict umask is meant for other files.
    fchmodSync(fd, 0o644);
  } finally {
    closeSync(fd);
  }
}

/** False when there is a file already. A link is made of a whole file or not at all, and only where nothing is. */
function createFrom(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Some file systems know no hard links; the rename that follows works there too.
    if (code === 'EEXIST' || code === 'EPERM' || code === 'ENOTSUP' || code === 'EMLINK') return false;
    throw error;
  }
}

/** The pid in a file; undefined without a file, and for an empty one, whose writer died. */
function readHolder(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (text.trim() === '') return undefined;
  const pid = Number(text);
  if (!Number.isSafeInteger(pid) || pid <= 0) {
    throw new PidFileError(
      `pid: ${path} holds something else than a pid and stays as it is: give another path`,
    );
  }
  return pid;
}

/** A process that may not be signalled is one all the same (kill(2), EPERM). */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
