/**
 * nginx in front of a server that has WebSockets and event streams: it hands on upgrades, keeps other connections to the
 * server open, and buffers responses, as it does by default, except below `/unbuffered` and where the application forbids it.
 */
import { programPath } from '../support/program.ts';
import { RunningProgram } from '../support/running-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

export interface UpgradeProxy extends AsyncDisposable {
  readonly url: string;
  /** What nginx had to complain of. */
  readonly complaints: string[];
}

/** `upstream` as nginx writes it: `127.0.0.1:5000` or `unix:/path`. Resolves when nginx accepts. */
export async function startUpgradeProxy(upstream: string): Promise<UpgradeProxy> {
  const directory = temporaryDirectory();
  const port = freePort();
  await Bun.write(directory.join('nginx.conf'), configuration(upstream, port));
  const nginx = new RunningProgram([
    programPath('nginx'),
    '-p',
    directory.path,
    '-c',
    'nginx.conf',
    '-e',
    'stderr',
  ]);
  const dispose = async (): Promise<void> => {
    await nginx[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  };
  try {
    // It says so once its sockets listen.
    await nginx.said(/start worker process /);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    get complaints() {
      return nginx.output.split('\n').filter((line) => /\[(warn|error|crit|alert|emerg)\]/.test(line));
    },
    [Symbol.asyncDispose]: dispose,
  };
}

function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

const configuration = (upstream: string, port: number): string => `
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  map $http_upgrade $connection_upgrade {
    default upgrade;
    '' '';
  }
  upstream tsagi {
    server ${upstream};
    keepalive 8;
  }
  server {
    listen 127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_next_upstream off;
    location / { proxy_pass http://tsagi; }
    location /unbuffered/ {
      proxy_pass http://tsagi/;
      proxy_buffering off;
    }
  }
}
`;
