/**
 * Headless Chromium, for tests that look at a page as its readers do: `needs('chromium')('…', async () => { await using
 * browser = await startBrowser(); … })`. Disposing of it ends it.
 */
import { chromium, type Browser, type Page } from 'playwright-core';
import { programPath } from '../support/program.ts';

/** No sandbox, for containers; nothing that goes to the network by itself. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where a page is so slow that something must be wrong. */
const PATIENCE = 10_000;

export interface TestBrowser extends AsyncDisposable {
  /** A page of its own, with what its script throws and logs as errors in `failures`. */
  open(url: string): Promise<OpenPage>;
}

export interface OpenPage {
  readonly page: Page;
  readonly failures: readonly string[];
}

export async function startBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({ executablePath: programPath('chromium'), args: FLAGS });
  return {
    open: async (url) => {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE);
      const failures: string[] = [];
      page.on('pageerror', (error) => failures.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') failures.push(message.text());
      });
      await page.goto(url);
      return { page, failures };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
