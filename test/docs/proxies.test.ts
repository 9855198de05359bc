/**
 * The configurations of nginx and HAProxy in docs/deployment/proxies.md, started as they stand but for ports and paths, in front of real
 * servers in every way that they name, and judged by what clients of the proxy see.
 */
import { describe, expect, setDefaultTimeout } from 'bun:test';
import { Haproxy } from '../support/haproxy.ts';
import { NginxProxy } from '../clients/nginx-proxy.ts';
import { playScenarios } from '../clients/play-scenario.ts';
import { Upload } from '../clients/upload.ts';
import { certificateFile, keyFile, certificate, identity } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { RunningLoad } from '../support/load/running-load.ts';
import { needs, programPath } from '../support/program.ts';
import { RunningMaster } from '../support/running-master.ts';
import { RunningProgram, runProgram, startServer } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { replaced, sample } from './samples.ts';

setDefaultTimeout(20_000);

const HTTP_APP = 'test/clients/app.ts';
const LIVE_APP = 'test/clients/live-app.ts';
const STANDARD = { runtime: 'bun', file: './standard-client.js' } as const;
const REQUESTS = 3000;

type Upstream = 'tcp' | 'unix' | 'h2c';

/** Where a server listens that a proxy is to find by `upstream`. */
interface Place {
  readonly port: number;
  readonly path: string;
}

interface Proxy extends AsyncDisposable {
  readonly complaints: string[];
}

interface Ports {
  readonly http: number;
  readonly https: number;
}

interface Kind {
  readonly program: 'nginx' | 'haproxy';
  readonly upstreams: readonly Upstream[];
  start(upstream: Upstream, place: Place, ports: Ports): Promise<Proxy>;
}

const NGINX: Kind = {
  program: 'nginx',
  upstreams: ['tcp', 'unix'],
  async start(upstream, { port, path }, ports) {
    const text = replaced(sample('deployment/proxies.md', '/etc/nginx/conf.d/tsagi.conf'), {
      'listen 80;': `listen 127.0.0.1:${ports.http};`,
      'listen 443 ': `listen 127.0.0.1:${ports.https} `,
      '/etc/ssl/app.example/fullchain.pem': certificateFile('server'),
      '/etc/ssl/app.example/privkey.pem': keyFile('server'),
      ...(upstream === 'tcp'
        ? { '127.0.0.1:5000': `127.0.0.1:${port}` }
        : {
            'server 127.0.0.1:5000;': '',
            '# server unix:/run/tsagi/app.sock;': `server unix:${path};`,
          }),
    });
    return await NginxProxy.startWith(ports.http, text);
  },
};

const HAPROXY: Kind = {
  program: 'haproxy',
  upstreams: ['tcp', 'unix', 'h2c'],
  async start(upstream, { port, path }, ports) {
    const directory = temporaryDirectory();
    const both = identity('server');
    await Bun.write(directory.join('app.pem'), both.cert + both.key);
    const servers: Record<Upstream, string> = {
      tcp: 'server tcp 127.0.0.1:5000',
      unix: 'server unix unix@/run/tsagi/app.sock',
      h2c: 'server h2c 127.0.0.1:5001 proto h2',
    };
    const text = replaced(sample('deployment/proxies.md', '/etc/haproxy/haproxy.cfg'), {
      'bind :80\n': `bind 127.0.0.1:${ports.http}\n`,
      'bind :443 ': `bind 127.0.0.1:${ports.https} `,
      '/etc/haproxy/app.example.pem': directory.join('app.pem'),
      [servers.tcp]: upstream === 'tcp' ? `server it 127.0.0.1:${port}` : '',
      [servers.unix]: upstream === 'unix' ? `server it unix@${path}` : '',
      [servers.h2c]: upstream === 'h2c' ? `server it 127.0.0.1:${port} proto h2` : '',
    });
    const haproxy = await Haproxy.start(text);
    return {
      get complaints() {
        return haproxy.output.split('\n').filter((line) => /WARNING|ALERT/.test(line));
      },
      async [Symbol.asyncDispose]() {
        await haproxy[Symbol.asyncDispose]();
        directory[Symbol.dispose]();
      },
    };
  },
};

interface Stage extends AsyncDisposable {
  readonly server: RunningProgram;
  readonly proxy: Proxy;
  readonly url: string;
  readonly secureUrl: string;
}

async function behind(kind: Kind, upstream: Upstream, app: string): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const path = stack.use(temporaryDirectory()).join('app.sock');
  const where = upstream === 'unix' ? ['--socket', path] : ['--port', '0'];
  const server = stack.use(startServer(app, [...where, ...(upstream === 'h2c' ? ['--http2'] : [])]));
  await server.said(/listening on /);
  const port = upstream === 'unix' ? 0 : Number(new URL(await server.url()).port);
  const ports = { http: freePort(), https: freePort() };
  const proxy = stack.use(await kind.start(upstream, { port, path }, ports));
  const everything = stack.move();
  return {
    server,
    proxy,
    url: `http://127.0.0.1:${ports.http}`,
    secureUrl: `https://127.0.0.1:${ports.https}`,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

interface Seen {
  readonly httpVersion: string;
  readonly headers: [string, string][];
  readonly client?: [string, number];
}

const valuesOf = ({ headers }: Seen, wanted: string): string[] =>
  headers.filter(([name]) => name === wanted).map(([, value]) => value);

for (const kind of [NGINX, HAPROXY]) {
  for (const upstream of kind.upstreams) {
    describe(`${kind.program} as in the document, to ${upstream}`, () => {
      needs(kind.program)('hands on bodies, says who the client is, and keeps its connections', async () => {
        await using stage = await behind(kind, upstream, HTTP_APP);
        const { url } = stage;
        using upload = new Upload(9_000_000);
        const posted = await fetch(`${url}/digest`, { method: 'POST', body: upload.bytes });
        expect(await posted.text()).toBe(upload.digest);
        const download = await fetch(`${url}/download/20000000`);
        expect((await download.arrayBuffer()).byteLength).toBe(20_000_000);

        const ports = new Set<number | undefined>();
        for (let request = 0; request < 50; request++) {
          const forged = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' };
          const seen = (await (await fetch(url, { headers: forged })).json()) as Seen;
          expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
          expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['http']);
          expect(seen.httpVersion).toBe(upstream === 'h2c' ? '2' : '1.1');
          ports.add(seen.client?.[1]);
        }
        expect(ports.size).toBeLessThan(5);
        expect(stage.proxy.complaints).toEqual([]);
      });

      needs(kind.program, 'curl')('speaks TLS and HTTP/2 to its clients, and says so', async () => {
        await using stage = await behind(kind, upstream, HTTP_APP);
        const flags = ['-sS', '--http2', '--cacert', certificateFile('ca'), '-w', '\n%{http_version}'];
        const { output } = await runProgram([programPath('curl'), ...flags, stage.secureUrl]);
        const [json, version] = output.split('\n');
        expect(version).toBe('2');
        expect(valuesOf(JSON.parse(json!) as Seen, 'x-forwarded-proto')).toEqual(['https']);
      });

      needs(kind.program)('hands on WebSockets, with and without TLS', async () => {
        await using stage = await behind(kind, upstream, LIVE_APP);
        expect(
          await playScenarios(STANDARD, stage.url, 'echo', 'subprotocols', 'closedByServer'),
        ).toMatchObject([
          { missing: [], close: { code: 4321, wasClean: true } },
          ['Chat.Two', ''],
          [{ code: 1000 }, { code: 3999 }, { code: 1012, reason: 'soon' }],
        ]);
        await stage.server.said(/\/echo ended with 4321/);
        const tls = { tls: { ca: certificate('ca') } } as unknown as string;
        const secure = new WebSocket(`${stage.secureUrl.replace('http', 'ws')}/echo`, tls);
        const echo = new Promise((resolve) =>
          secure.addEventListener('message', ({ data }) => resolve(data)),
        );
        secure.addEventListener('open', () => secure.send('over TLS'));
        expect(await echo).toBe('over TLS');
        secure.close();
      });

      needs(kind.program, 'curl')(
        'hands on each event as it is sent, and that the client has gone',
        async () => {
          await using stage = await behind(kind, upstream, LIVE_APP);
          const flags = ['-sSN', '-H', 'accept: text/event-stream'];
          {
            await using stream = new RunningProgram([
              programPath('curl'),
              ...flags,
              `${stage.url}/ticking/plain`,
            ]);
            await stream.said(/data: tick 1\ndata: ü\n\n/);
          }
          await stage.server.said(/GET \/ticking\/plain ended: client_closed/);
        },
      );
    });

    describe(`${kind.program} as in the document, to ${upstream}, while requests go on`, () => {
      needs(kind.program)('no request is lost by HUP and USR2', async () => {
        await using master = await RunningMaster.start({ args: ['--http2'] });
        const ports = { http: freePort(), https: freePort() };
        const place = { port: master.tcp.port, path: master.unixPath };
        await using _proxy = await kind.start(upstream, place, ports);
        await using load = await RunningLoad.start({
          targets: [{ hostname: '127.0.0.1', port: ports.http }],
          lanes: { 'h1-new': 3, 'h1-kept': 3 },
          streams: 1,
          guests: ['sse', 'websocket'],
          requests: REQUESTS,
        });
        do {
          await load.goesOn(300);
          await master.tell('SIGHUP', /SIGHUP: all workers have been replaced\n/);
          await load.goesOn(300);
          await master.replaceMaster();
        } while (load.answered < REQUESTS);
        const { sent, answered, failures, departures } = await load.stop();
        expect(failures).toEqual([]);
        expect(answered).toBe(sent);
        expect(departures.length).toBeGreaterThan(0);
        expect(
          departures.filter(
            ({ kind: guest, how }) => how !== (guest === 'websocket' ? 'close 1001' : 'whole'),
          ),
        ).toEqual([]);
      });
    });
  }
}
