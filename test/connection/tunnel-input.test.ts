/**
 * What comes through a tunnel in one turn of the event loop is one piece behind the first, and nothing comes while it is paused.
 */
import { expect, test } from 'bun:test';
import { TunnelInput } from '../../src/connection/tunnel-input.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function recording() {
  const seen: string[] = [];
  const input = new TunnelInput((bytes, more) => void seen.push(`${Buffer.from(bytes).toString()} ${more}`));
  return { seen, push: (text: string) => input.push(Buffer.from(text)), input };
}

test('the first piece of a turn comes at once, the others together in the next', async () => {
  const { seen, push } = recording();
  for (const text of ['a', 'b', 'c']) push(text);
  expect(seen).toEqual(['a true']);
  await turn();
  expect(seen).toEqual(['a true', 'bc true']);
  await turn();
  push('d');
  expect(seen.at(-1)).toBe('d true');
});

test('the end comes by itself, once, behind everything', async () => {
  const { seen, push, input } = recording();
  push('a');
  push('b');
  input.end();
  for (let i = 0; i < 4; i++) await turn();
  expect(seen).toEqual(['a true', 'b true', ' false']);
});

test('while it is paused nothing comes, and then all of it', async () => {
  const { seen, push, input } = recording();
  input.isPaused = true;
  push('a');
  push('b');
  input.end();
  for (let i = 0; i < 3; i++) await turn();
  expect(seen).toEqual([]);
  input.resume();
  for (let i = 0; i < 3; i++) await turn();
  expect(seen).toEqual(['ab true', ' false']);
});
