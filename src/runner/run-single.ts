/**
 * One process that serves one app, from settings to the end. The mode goes into the environment before any of the app's
 * code runs, so that app and server agree on it.
 */
import type { ServerOptions } from '../config/settings.ts';
import type { App } from '../contract/app.ts';
import { AppLoadError } from './app-load-error.ts';
import { createServer } from './create-server.ts';
import { loadApp, loadExport, type AppSource } from './load-app.ts';

export interface SingleRun {
  readonly source: AppSource;
  /** As given, checked before. */
  readonly options: ServerOptions;
  /** The resolved mode. */
  readonly mode: string;
  /** A module with a class to use in place of the built-in server. */
  readonly serverModule?: string | undefined;
}

interface Runnable {
  run(): Promise<void> | void;
}

type ServerClass = new (options: ServerOptions & { app: App }) => Runnable;

/** Resolves when the server has stopped; rejects when it could not start. */
export async function runSingle({ source, options, mode, serverModule }: SingleRun): Promise<void> {
  process.env['TSAGI_ENV'] = mode;
  const makeServer = serverModule === undefined ? createServer : await loadServerClass(serverModule, source);
  const app = await loadApp(source);
  await makeServer({ ...options, app }).run();
}

async function loadServerClass(
  name: string,
  source: AppSource,
): Promise<(options: ServerOptions & { app: App }) => Runnable> {
  const found = await loadExport(name, ['default', 'Server'], source);
  if (typeof found !== 'function' || typeof (found.prototype as Partial<Runnable>)?.run !== 'function') {
    throw new AppLoadError(
      `${name} has no server: its default export, or the one named Server, must be a class with run()`,
    );
  }
  const ServerModuleClass = found as ServerClass;
  return (options) => new ServerModuleClass(options);
}
