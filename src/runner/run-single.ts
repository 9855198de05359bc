/**
 * One process that serves one app, from settings to the end. What needs privileges comes first, and the app's code does not run
 * before they have been given up.
 */
import type { Logger } from '../log/logger.ts';
import { readTls, speaksTls } from '../server/server.ts';
import type { ReleaseOptions } from '../transport/bind.ts';
import { bannerLines } from './banner.ts';
import type { Program, Startable } from './program.ts';
import { handleSignals } from './signals.ts';
import { SystemLinks } from './system-links.ts';

/** Resolves when the server has stopped; rejects when it could not start. */
export async function runSingle(program: Program): Promise<void> {
  const { settings, log } = program;
  const links = new SystemLinks(program);
  let server: Startable | undefined;
  let isStopping = false;
  const stop = (): void => {
    isStopping = true;
    links.service.stopping();
    // It tells `stopped` how that went.
    server?.shutdown().catch(() => {});
  };
  const kept = (): ReleaseOptions => ({ keepPath: links.hasServingPredecessor });
  const giveBack = handleSignals({
    stop: (signal) => {
      log.info(`${signal}: shutting down`);
      stop();
    },
    endAtOnce: () => process.exit(130),
    reopenLogs: () => server?.reopenLogs(),
    reload: speaksTls(settings) ? () => reload(server, program, links) : undefined,
    workers: undefined,
    warn: (message) => log.warn(message),
  });
  program.stop?.addEventListener('abort', stop);
  try {
    const sockets = await links.openSockets();
    try {
      const tls = speaksTls(settings) ? readTls(settings, log) : undefined;
      links.dropPrivileges();
      server = await program.load();
      if (isStopping) return sockets.release(kept());
      // Of a predecessor with workers there may be several for an address.
      const served = sockets.all.map((it) => ({ ...it, release: () => it.release(kept()) }));
      await server.start({ sockets: served, tls });
    } catch (error) {
      sockets.release(kept());
      links.failed((error as Error).message);
      throw error;
    }
    if (!isStopping) {
      for (const line of bannerLines({ mode: settings.env, urls: sockets.urls })) log.info(line);
      links.started(`serving at ${sockets.urls.join(', ')}`);
    }
    await server.stopped;
  } finally {
    giveBack();
    links.ended();
  }
}

/** A service of Type=notify-reload waits to hear that it is over. */
function reload(server: Startable | undefined, { log }: Program, { service }: SystemLinks): void {
  if (server === undefined) return;
  service.reloading();
  reloadCertificates(server, log);
  service.ready();
}

function reloadCertificates(server: Startable, log: Logger): void {
  try {
    server.reloadCertificates();
    log.info('SIGHUP: the certificates have been read anew');
  } catch (error) {
    log.error(`SIGHUP: the old certificates stay: ${(error as Error).message}`);
  }
}
