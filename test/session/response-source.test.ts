/**
 * Where the bytes of a `file` or `fh` come from: files, parts of them, pipes, Blobs, and files that change under way.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { closeSync, fstatSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { openSource, type ResponseSource } from '../../src/session/response-source.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';

const PIECE = 256 * 1024;
const CONTENT = Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * 31) % 251));

let directory: TemporaryDirectory;
let large: string;

beforeAll(() => {
  directory = temporaryDirectory();
  large = directory.join('large');
  writeFileSync(large, CONTENT);
});

afterAll(() => directory[Symbol.dispose]());

async function readOut(source: ResponseSource): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for (let piece = await source.next(); piece !== undefined; piece = await source.next()) {
    pieces.push(Buffer.from(piece));
  }
  return pieces;
}

/** Whether a descriptor is open. */
function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

/** A pipe with a name: what is written to one end and read from the other. */
function openFifo(name: string): { readonly reader: number; readonly writer: number } {
  const path = directory.join(name);
  expect(Bun.spawnSync(['mkfifo', path]).exitCode).toBe(0);
  // Open for both, it does not wait for another end to be opened (fifo(7)).
  const writer = openSync(path, 'r+');
  return { writer, reader: openSync(path, 'r') };
}

describe('a file', () => {
  test('by its path is read in pieces, each with all of its bytes', async () => {
    const source = await openSource({ file: large }, 0);
    expect(source.size).toBe(CONTENT.length);
    const pieces = await readOut(source);
    expect(pieces.map(({ length }) => length)).toEqual([PIECE, PIECE, CONTENT.length - 2 * PIECE]);
    expect(Buffer.concat(pieces).equals(CONTENT)).toBe(true);
    source.close();
  });

  test('up to the threshold is read at once, and not above it', async () => {
    const at = (threshold: number) => (openSource({ file: large }, threshold) as ResponseSource).readAll();
    expect(Buffer.from(at(CONTENT.length)!).equals(CONTENT)).toBe(true);
    expect(at(CONTENT.length - 1)).toBeUndefined();
  });

  const parts: [string, object, [number, number]][] = [
    ['from an offset', { offset: 100 }, [100, CONTENT.length]],
    ['of a length', { length: 300_000 }, [0, 300_000]],
    ['from an offset of a length', { offset: 5, length: 7 }, [5, 12]],
    ['of no length', { length: 0 }, [0, 0]],
    ['longer than it is', { offset: 699_990, length: 100 }, [699_990, CONTENT.length]],
    ['from its end', { offset: CONTENT.length }, [0, 0]],
    ['from beyond its end', { offset: 1e9 }, [0, 0]],
  ];
  for (const [name, range, [from, to]] of parts) {
    test(`may be sent in part: ${name}`, async () => {
      const expected = CONTENT.subarray(from, to);
      const inPieces = await openSource({ file: large, ...range }, 0);
      const atOnce = openSource({ file: large, ...range }, 1e9) as ResponseSource;
      const blob = await openSource({ file: Bun.file(large), ...range }, 0);
      expect([inPieces.size, atOnce.size, blob.size]).toEqual(
        Array.from({ length: 3 }, () => expected.length),
      );
      expect(Buffer.from(atOnce.readAll()!).equals(expected)).toBe(true);
      for (const source of [inPieces, blob]) {
        expect(Buffer.concat(await readOut(source)).equals(expected)).toBe(true);
      }
      for (const source of [inPieces, atOnce, blob]) source.close();
    });
  }

  test('that cannot be opened is refused with its path', async () => {
    const absent = directory.join('absent');
    expect(() => openSource({ file: absent }, 0)).toThrow(`'${absent}'`);
    expect(() => openSource({ file: directory.path }, 0)).toThrow('EISDIR');
    await expect(openSource({ file: Bun.file(absent) }, 0) as Promise<unknown>).rejects.toThrow(
      `'${absent}'`,
    );
  });

  test('that gets shorter under way is an error and never a short body', async () => {
    const path = directory.join('shrinking');
    writeFileSync(path, CONTENT);
    const source = await openSource({ file: path }, 0);
    await source.next();
    truncateSync(path, 1000);
    await expect(readOut(source)).rejects.toThrow(/^the file ended \d+ bytes early$/);
    source.close();
  });

  test('that has got shorter before it is read at once is an error', () => {
    const path = directory.join('shrunk');
    writeFileSync(path, 'twelve bytes');
    const source = openSource({ file: path }, 1000) as ResponseSource;
    truncateSync(path, 5);
    expect(() => source.readAll()).toThrow('the file ended 7 bytes early');
    source.close();
  });

  test('that grows is sent as long as it was', async () => {
    const path = directory.join('growing');
    writeFileSync(path, 'before');
    const source = await openSource({ file: path }, 0);
    writeFileSync(path, 'before and after');
    expect(Buffer.concat(await readOut(source)).toString()).toBe('before');
    source.close();
  });
});

describe('an open file', () => {
  test('is read from where the event says, and stays open: the application closes it', async () => {
    const handle = await open(large);
    const source = await openSource({ fh: handle, offset: 10, length: 5 }, 0);
    expect(Buffer.concat(await readOut(source)).equals(CONTENT.subarray(10, 15))).toBe(true);
    source.close();
    expect(isOpen(handle.fd)).toBe(true);
    await handle.close();
  });

  test('may be given as a number', async () => {
    const fd = openSync(large, 'r');
    const source = await openSource({ fh: fd }, 0);
    expect(Buffer.concat(await readOut(source)).equals(CONTENT)).toBe(true);
    source.close();
    expect(isOpen(fd)).toBe(true);
    closeSync(fd);
    expect(() => openSource({ fh: fd }, 0)).toThrow('EBADF');
  });

  for (const fh of ['3', -1, 1.5, Number.NaN, {}, { fd: '3' }, null]) {
    test(`is not ${JSON.stringify(fh)}`, () => {
      expect(() => openSource({ type: 'http.response.body', fh }, 0)).toThrow(
        'http.response.body: fh must be an open FileHandle or file descriptor, not ',
      );
    });
  }
});

describe('a pipe', () => {
  test('is read to its end, in the pieces that come', async () => {
    const { reader, writer } = openFifo('pipe');
    const source = await openSource({ fh: reader }, 1e9);
    expect([source.size, source.readAll()]).toEqual([Infinity, undefined]);
    writeSync(writer, 'first');
    expect(Buffer.from((await source.next())!).toString()).toBe('first');
    writeSync(writer, 'second');
    closeSync(writer);
    expect(Buffer.concat(await readOut(source)).toString()).toBe('second');
    source.close();
    closeSync(reader);
  });

  test('is read up to a length, and what is behind stays in it', async () => {
    const { reader, writer } = openFifo('long-pipe');
    writeSync(writer, 'twelve bytes');
    const source = await openSource({ fh: reader, length: 6 }, 0);
    expect(Buffer.concat(await readOut(source)).toString()).toBe('twelve');
    const rest = await openSource({ fh: reader, length: 6 }, 0);
    expect(Buffer.concat(await readOut(rest)).toString()).toBe(' bytes');
    closeSync(writer);
    closeSync(reader);
  });

  test('that ends before a length has no size that it could fall short of', async () => {
    const { reader, writer } = openFifo('short-pipe');
    writeSync(writer, 'five.');
    closeSync(writer);
    const source = await openSource({ fh: reader, length: 100 }, 0);
    expect(source.size).toBe(Infinity);
    expect(Buffer.concat(await readOut(source)).toString()).toBe('five.');
    closeSync(reader);
  });
});

describe('a Blob', () => {
  test('without a file is sent as well', async () => {
    const source = await openSource({ file: new Blob(['in ', 'memory']), offset: 3 }, 0);
    expect([source.size, Buffer.concat(await readOut(source)).toString()]).toEqual([6, 'memory']);
  });

  test('whose file gets shorter under way is an error', async () => {
    const path = directory.join('shrinking-blob');
    writeFileSync(path, CONTENT);
    const source = await openSource({ file: Bun.file(path) }, 0);
    await source.next();
    truncateSync(path, 1000);
    await expect(readOut(source)).rejects.toThrow(/^the file ended \d+ bytes early$/);
  });
});

describe('what the event may say', () => {
  const refused: [object, string][] = [
    [{ file: 5 }, 'file must be a path or a BunFile, not 5'],
    [{ file: new URL('file:///etc/passwd') }, 'file must be a path or a BunFile, not an object (URL)'],
    [{ file: 'x', offset: -1 }, 'offset must be a non-negative integer, not -1'],
    [{ file: 'x', offset: '0' }, 'offset must be a non-negative integer, not "0"'],
    [{ file: 'x', length: 1.5 }, 'length must be a non-negative integer, not 1.5'],
    [{ fh: 0, length: Infinity }, 'length must be a non-negative integer, not Infinity'],
  ];
  for (const [event, message] of refused) {
    test(`is not that: ${message}`, () => {
      expect(() => openSource({ type: 'http.response.body', ...event } as never, 0)).toThrow(
        new TypeError(`http.response.body: ${message}`),
      );
    });
  }
});
