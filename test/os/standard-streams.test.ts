/**
 * What is heard of a process that lets go of its standard streams, and that this does it no harm.
 */
import { openSync, writeFileSync, closeSync } from 'node:fs';
import { describe, expect, test } from 'bun:test';
import { isRegularFile } from '../../src/os/standard-streams.ts';
import { openPipe } from '../../src/os/pipe.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { within } from '../support/within.ts';

const MODULE = new URL('../../src/os/standard-streams.ts', import.meta.url).pathname;

describe('a descriptor', () => {
  test('is a file, or something else', () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join('file'), '');
    const file = openSync(directory.join('file'), 'r');
    expect(isRegularFile(file)).toBe(true);
    closeSync(file);
    const { readEnd, writeEnd } = openPipe();
    expect([isRegularFile(readEnd), isRegularFile(writeEnd)]).toEqual([false, false]);
    closeSync(readEnd);
    closeSync(writeEnd);
    expect(isRegularFile(writeEnd)).toBe(false);
  });
});

describe('a process that lets go of its standard streams', () => {
  test('is not heard any more, and may go on talking', async () => {
    const code = `
      const { releaseStandardStreams } = await import(${JSON.stringify(MODULE)});
      process.stdout.write('before\\n');
      process.stderr.write('before\\n');
      releaseStandardStreams();
      process.stdout.write('after\\n');
      process.stderr.write('after\\n');
      console.log('after');
      console.error('after');
      process.on('message', () => {
        process.stdout.write('y'.repeat(200000));
        process.stderr.write('y'.repeat(200000), () => process.send('alive'));
      });
      process.send('released');`;
    const pipes = [openPipe(), openPipe()] as const;
    const messages: unknown[] = [];
    let next = Promise.withResolvers<void>();
    await using child = Bun.spawn([process.execPath, '-e', code], {
      stdio: ['ignore', pipes[0].writeEnd, pipes[1].writeEnd],
      ipc: (message) => {
        messages.push(message);
        next.resolve();
      },
    });
    for (const { writeEnd } of pipes) closeSync(writeEnd);
    // These resolve at the end of the pipes, while the process lives.
    const heard = pipes.map(({ readEnd }) => new Response(Bun.file(readEnd).stream()).text());
    expect(await within(Promise.all(heard), 'the end of the pipes')).toEqual(['before\n', 'before\n']);
    await within(next.promise, 'its first message');
    next = Promise.withResolvers();
    child.send('talk');
    await within(next.promise, 'its second message');
    expect(messages).toEqual(['released', 'alive']);
  });
});
