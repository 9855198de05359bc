/**
 * `--check`: whether a start would get as far as its first address. The app, the server module and the certificates are
 * loaded as the process that serves would load them; nothing is bound, the app is not called, and its lifespan is not run.
 */
import type { ProcessOptions } from '../config/command-options.ts';
import type { Settings } from '../config/settings.ts';
import { assumeIdentity, resolveIdentity } from '../process/os-identity.ts';
import { readTls } from '../server/server.ts';
import { formatAddress } from '../transport/listen-spec.ts';
import { loadApp, type AppSource } from './load-app.ts';
import { loadServerClass } from './load-server.ts';
import { createServerLog } from './server-log.ts';

export interface CheckRequest {
  readonly source: AppSource;
  readonly settings: Settings;
  readonly process: ProcessOptions;
  readonly serverModule?: string | undefined;
  /** How messages call the config file that the settings came from, if there is one. */
  readonly configFile?: string | undefined;
}

/** Resolves with one line that says what would be served; rejects with what stands in the way. */
export async function check(request: CheckRequest): Promise<string> {
  const { source, settings, serverModule, configFile } = request;
  process.env['TSAGI_ENV'] = settings.env;
  if (settings.certFile !== undefined) {
    readTls(settings, createServerLog(settings));
  }
  // As at a start: what needs privileges before, the app's code after they have been given up.
  const identity = resolveIdentity(request.process);
  if (identity !== undefined) assumeIdentity(identity);
  if (serverModule !== undefined) await loadServerClass(serverModule, source);
  await loadApp(source);
  const app = source.code === undefined ? (source.app ?? 'the app in this directory') : 'the code after -e';
  const config = configFile === undefined ? '' : ` with ${configFile}`;
  const mode = settings.env === 'none' ? 'no' : settings.env;
  const addresses = settings.listeners.map(formatAddress).join(', ');
  const workers = settings.workers > 1 ? `, ${settings.workers} workers` : '';
  return `${app} can be served${config}: ${mode} mode, ${addresses}${workers}`;
}
