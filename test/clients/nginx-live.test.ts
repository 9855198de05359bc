import { describe, expect } from 'bun:test';
import { needs, programPath } from '../support/program.ts';
import { RunningProgram, startServer } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { NginxProxy } from './nginx-proxy.ts';
import { playScenarios, scenarioCommand } from './play-scenario.ts';

const APP = 'test/clients/live-app.ts';
const STANDARD = { runtime: 'bun', file: './standard-client.js' } as const;
const WS = { runtime: 'node', file: './ws-client.mjs' } as const;
const GOING = { code: 1001, reason: 'the server is shutting down', wasClean: true };

/** Behind nginx: what it needs, how the server is started, and how nginx gets to it. */
interface Stage extends AsyncDisposable {
  readonly server: RunningProgram;
  readonly nginx: NginxProxy;
}

async function behindNginx(kind: 'TCP' | 'a unix socket'): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const path = stack.use(temporaryDirectory()).join('server.sock');
  const where = kind === 'TCP' ? ['--port', '0'] : ['--socket', path];
  const server = stack.use(startServer(APP, [...where, '--ws-compression']));
  await server.said(/listening on /);
  const upstream = kind === 'TCP' ? new URL(await server.url()).host : `unix:${path}`;
  const nginx = stack.use(await NginxProxy.start(upstream));
  return { server, nginx, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function listen(url: string): RunningProgram {
  return new RunningProgram([programPath('curl'), '-sSN', '-i', '-H', 'accept: text/event-stream', url]);
}

for (const kind of ['TCP', 'a unix socket'] as const) {
  describe(`nginx in front, over ${kind}`, () => {
    needs('nginx')('hands on WebSockets: messages, compression, subprotocols and ends', async () => {
      await using stage = await behindNginx(kind);
      const { server, nginx } = stage;
      const names = ['echo', 'compressed', 'subprotocols', 'closedByServer', 'heldBack'];
      expect(await playScenarios(STANDARD, nginx.url, ...names)).toMatchObject([
        { missing: [], close: { code: 4321, wasClean: true } },
        { extensions: expect.stringContaining('permessage-deflate'), missing: [] },
        ['Chat.Two', ''],
        [{ code: 1000 }, { code: 3999, reason: 'so geht es für alle' }, { code: 1012, reason: 'soon' }],
        { close: { code: 1000, wasClean: true }, left: 0 },
      ]);
      await server.said(/\/echo ended with 4321 'genug für heute'/);
      expect(nginx.complaints).toEqual([]);
    });

    needs('nginx', 'node')('hands on denials, and that a client has dropped its connection', async () => {
      await using stage = await behindNginx(kind);
      const { server, nginx } = stage;
      const [denials] = await playScenarios(WS, nginx.url, 'denials', 'terminated');
      expect(denials).toMatchObject([
        { status: 403 },
        { status: 401, body: 'who are you?' },
        { status: 426 },
      ]);
      await server.said(/\/echo ended with 1006 'client_closed'/);
    });

    needs('nginx', 'curl')('hands on each event as it is sent, and that the client has gone', async () => {
      await using stage = await behindNginx(kind);
      const { server, nginx } = stage;
      for (const path of ['/ticking', '/unbuffered/ticking/plain']) {
        await using stream = listen(nginx.url + path);
        await stream.said(/data: tick 1\ndata: ü\n\n/);
      }
      await server.said(/GET \/ticking ended: client_closed/);
      await server.said(/GET \/ticking\/plain ended: client_closed/);
      expect(nginx.complaints).toEqual([]);
    });

    needs('nginx', 'curl')('hands on the end of everything when the server stops', async () => {
      await using stage = await behindNginx(kind);
      const { server, nginx } = stage;
      await using socket = new RunningProgram(scenarioCommand(STANDARD, nginx.url, 'stay'));
      await using stream = listen(`${nginx.url}/ticking`);
      await server.said(/\/echo accepted/);
      await stream.said(/data: tick 1\ndata: ü\n\n/);
      server.kill('SIGTERM');
      expect((await server.end()).exitCode).toBe(0);
      expect(JSON.parse((await socket.end()).output)).toEqual([GOING]);
      expect((await stream.end()).exitCode).toBe(0);
      // It would say that the server closed the connection too early.
      expect(nginx.complaints).toEqual([]);
    });
  });
}

describe('nginx in front', () => {
  needs('nginx')('uses its connections to the server again, between sessions and beside them', async () => {
    await using stage = await behindNginx('TCP');
    const { url } = stage.nginx;
    const staying = new WebSocket(`${url.replace('http', 'ws')}/echo`);
    await stage.server.said(/\/echo accepted/);
    const ports = new Set<string>();
    for (let round = 0; round < 10; round++) {
      ports.add(await (await fetch(`${url}/port`)).text());
      const stream = await fetch(`${url}/ticks/1`, { headers: { accept: 'text/event-stream' } });
      expect(await stream.text()).toEndWith('data: ü\n\n');
      const declined = await fetch(`${url}/declined`, { headers: { accept: 'text/event-stream' } });
      expect([declined.status, await declined.text()]).toEqual([403, 'no events for you']);
    }
    expect(ports.size).toBe(1);
    expect(staying.readyState).toBe(WebSocket.OPEN);
    staying.close();
    await stage.server.said(/\/echo ended with 100/);
  });
});
