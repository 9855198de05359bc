/**
 * Loads the class of `-s`, which takes the place of the built-in server.
 */
import type { ServerOptions } from '../config/settings.ts';
import type { App } from '../contract/app.ts';
import { AppLoadError } from './app-load-error.ts';
import { loadExport, type AppSource } from './load-app.ts';

export interface Runnable {
  run(): Promise<void> | void;
}

type ServerClass = new (options: ServerOptions & { app: App }) => Runnable;

/** A function that makes a server of the class. Throws an `AppLoadError`. */
export async function loadServerClass(
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
