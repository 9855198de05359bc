/**
 * Bytes in, in any pieces; lines, texts and views out.
 */
import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'bun:test';
import { ByteQueue } from '../../src/wire/byte-queue.ts';

function queueOf(...chunks: string[]): ByteQueue {
  const queue = new ByteQueue();
  for (const chunk of chunks) queue.push(Buffer.from(chunk, 'latin1'));
  return queue;
}

function window(queue: ByteQueue): string {
  return queue.bytes.toString('latin1', queue.at, queue.end);
}

describe('the window', () => {
  test('holds what has been pushed and not consumed, in order', () => {
    const queue = queueOf('one ', 'two ', 'three');
    expect([queue.length, window(queue)]).toEqual([13, 'one two three']);
    queue.take(4);
    expect([queue.length, window(queue)]).toEqual([9, 'two three']);
  });

  test('is the chunk itself where nothing was left before it', () => {
    const queue = new ByteQueue();
    const chunk = Buffer.from('whole');
    queue.push(chunk);
    expect(queue.bytes).toBe(chunk);
    queue.take(5);
    const next = Buffer.from('next');
    queue.push(next);
    expect([queue.bytes, window(queue)]).toEqual([next, 'next']);
  });

  test('never writes into a chunk that it was given', () => {
    const memory = Buffer.from('abcdefgh');
    const queue = new ByteQueue();
    queue.push(memory.subarray(0, 3));
    queue.push(Buffer.from('XYZ'));
    expect([memory.toString(), window(queue)]).toEqual(['abcdefgh', 'abcXYZ']);
  });

  test('is the same whatever the pieces and however much is consumed in between', () => {
    const text = Array.from({ length: 2000 }, (_, index) => String.fromCharCode(index % 256)).join('');
    for (const size of [1, 2, 7, 255, 256, 257, 1999]) {
      const queue = new ByteQueue();
      let read = '';
      for (let at = 0; at < text.length; at += size) {
        queue.push(Buffer.from(text.slice(at, at + size), 'latin1'));
        read += queue.take(Math.max(1, Math.floor(size / 2))).toString('latin1');
      }
      expect(read + queue.take(Infinity).toString('latin1')).toBe(text);
      expect(queue.length).toBe(0);
    }
  });

  test('is empty once everything has been let go', () => {
    const queue = queueOf('first\nrest', ' more');
    queue.openText(100);
    queue.clear();
    expect([queue.length, queue.text, queue.lineFeedAt()]).toEqual([0, '', -1]);
    queue.push(Buffer.from('new\n'));
    expect([window(queue), queue.lineFeedAt()]).toEqual(['new\n', 3]);
  });
});

describe('views', () => {
  test('take at most what is there', () => {
    const queue = queueOf('abc');
    expect(queue.take(2).toString()).toBe('ab');
    expect(queue.take(2).toString()).toBe('c');
    expect(queue.take(2)).toHaveLength(0);
  });

  test('stay as they are, whatever comes after them', () => {
    const queue = queueOf('aaa', 'bbb');
    const views = [queue.take(2)];
    for (let i = 0; i < 200; i++) {
      queue.push(Buffer.from('xyz'.repeat(i % 11)));
      views.push(queue.take(2));
    }
    const together = Buffer.concat(views).toString();
    const pushed = `aaabbb${Array.from({ length: 200 }, (_, i) => 'xyz'.repeat(i % 11)).join('')}`;
    expect(together).toBe(pushed.slice(0, together.length));
  });

  test('as text are byte strings', () => {
    const queue = queueOf('\xc3\xa9\xff!');
    expect(queue.takeText(3)).toBe('\xc3\xa9\xff');
    expect(window(queue)).toBe('!');
  });
});

describe('line feeds', () => {
  test('are found where they are, from the window on', () => {
    const queue = queueOf('ab\ncd\n');
    expect(queue.lineFeedAt()).toBe(2);
    queue.takeText(3);
    expect(queue.lineFeedAt()).toBe(5);
    queue.takeText(6);
    expect(queue.lineFeedAt()).toBe(-1);
  });

  test('are found when they come later, at any place of a chunk', () => {
    for (const [before, after] of [
      ['', '\n'],
      ['ab', '\n'],
      ['ab', 'cd\n'],
      ['ab', '\ncd'],
    ] as const) {
      const queue = queueOf(before);
      expect(queue.lineFeedAt()).toBe(-1);
      queue.push(Buffer.from(after));
      const found = queue.lineFeedAt();
      expect(queue.bytes[found]).toBe(10);
      expect(found - queue.at).toBe((before + after).indexOf('\n'));
    }
  });

  test('are not searched for twice among the same bytes', () => {
    const queue = queueOf('x'.repeat(500));
    queue.push(Buffer.from('y'));
    let reads = 0;
    const counted = (bytes: Buffer): Buffer =>
      new Proxy(bytes, {
        get: (target, key) => {
          if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    expect(queue.lineFeedAt()).toBe(-1);
    const before = queue.bytes;
    queue.bytes = counted(before);
    expect(queue.lineFeedAt()).toBe(-1);
    expect(reads).toBe(0);
  });
});

describe('text', () => {
  test('opens at a complete line, and is the same until it is used up', () => {
    const queue = queueOf('GET /\nhost: a\n\nbody');
    expect(queue.openText(100)).toBe(0);
    const { text } = queue;
    expect(text).toBe('GET /\nhost: a\n\nbody');
    queue.closeText(6);
    expect([queue.openText(100), queue.text, window(queue)]).toEqual([6, text, 'host: a\n\nbody']);
  });

  test('is not there while the line is not complete', () => {
    const queue = queueOf('GET /');
    expect(queue.openText(100)).toBe(-1);
    queue.push(Buffer.from('\n'));
    expect(queue.openText(100)).toBe(0);
    expect(queue.text).toBe('GET /\n');
  });

  test('holds the whole line however small the size asked for', () => {
    const queue = queueOf(`${'x'.repeat(50)}\nnext`);
    expect(queue.openText(4)).toBe(0);
    expect(queue.text).toBe(`${'x'.repeat(50)}\n`);
  });

  test('does not reach far into a body behind the line', () => {
    const queue = queueOf(`a\n${'b'.repeat(1000)}`);
    queue.openText(10);
    expect(queue.text).toHaveLength(10);
  });

  test('goes on with the next line when the one read from it has been closed', () => {
    const queue = queueOf('a\nb\nc\n');
    const lines: string[] = [];
    for (let from = queue.openText(3); from >= 0; from = queue.openText(3)) {
      const feed = queue.text.indexOf('\n', from);
      lines.push(queue.text.slice(from, feed));
      queue.closeText(feed + 1);
    }
    expect([lines, queue.length]).toEqual([['a', 'b', 'c'], 0]);
  });

  test('goes on behind bytes that were taken as a body, and with what has come since', () => {
    const queue = queueOf('a\nBODY', 'b\nc');
    queue.openText(100);
    queue.closeText(2);
    expect(queue.take(4).toString()).toBe('BODY');
    queue.push(Buffer.from('d\n'));
    let from = queue.openText(100);
    expect(queue.text.slice(from, from + 2)).toBe('b\n');
    queue.closeText(from + 2);
    from = queue.openText(100);
    expect(queue.text.slice(from)).toBe('cd\n');
  });

  test('belongs to the bytes that are there, not to those of an earlier chunk', () => {
    const queue = queueOf('old\n');
    queue.openText(100);
    queue.closeText(4);
    queue.push(Buffer.from('new\n'));
    expect([queue.openText(100), queue.text]).toEqual([0, 'new\n']);
  });
});
