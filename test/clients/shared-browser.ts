/**
 * One browser for all tests of a file, started by the first that asks for it: starting takes longer than most of them.
 */
import { afterAll } from 'bun:test';
import { startBrowser, type TestBrowser } from '../examples/browser.ts';

/** To be called where the file's tests are declared. */
export function sharedBrowser(): () => Promise<TestBrowser> {
  let browser: Promise<TestBrowser> | undefined;
  afterAll(async () => {
    await (await browser)?.[Symbol.asyncDispose]();
  });
  return () => (browser ??= startBrowser());
}
