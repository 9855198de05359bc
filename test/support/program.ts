/**
 * Tests that need a program from outside this project, such as nginx: without it they are skipped under their name, and with
 * TSAGI_TEST_STRICT=1, where everything is expected to be installed, they fail.
 */
import { realpathSync } from 'node:fs';
import { test } from 'bun:test';

type TestBody = () => Promise<void> | void;

const IS_STRICT = process.env['TSAGI_TEST_STRICT'] === '1';

/** The path of a program. nginx and the like live outside the search path of ordinary users. */
export function findProgram(name: string): string | undefined {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;
  const found = Bun.which(name, { PATH: path });
  // `bun run` puts itself on the search path as `node` where there is no Node.
  if (found === null || realpathSync(found) === realpathSync(process.execPath)) return undefined;
  return found;
}

/** The path of a program that the test has asked for with `needs`. */
export function programPath(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

/** `test` for tests that run these programs: `needs('curl')('downloads', async () => …)`. */
export function needs(...programs: string[]): (name: string, body: TestBody, timeout?: number) => void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) return test;
  const reason = `needs ${missing.join(' and ')}`;
  if (!IS_STRICT) return (name, body, timeout) => test.skip(`${name} (${reason})`, body, timeout);
  return (name) =>
    test(name, () => {
      throw new Error(`${reason}, not installed, and TSAGI_TEST_STRICT=1 allows no skipping`);
    });
}
