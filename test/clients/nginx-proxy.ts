/**
 * nginx in front of a server, as it is put there in production: its own process, kept-alive connections to the server,
 * no buffering of request bodies. Everything it writes goes to a directory that is removed in the end.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programPath } from '../support/program.ts';
import { RunningProgram } from '../support/running-program.ts';

export class NginxProxy implements AsyncDisposable {
  readonly url: string;
  readonly #process: RunningProgram;
  readonly #directory: string;

  private constructor(port: number, directory: string, nginx: RunningProgram) {
    this.url = `http://127.0.0.1:${port}`;
    this.#directory = directory;
    this.#process = nginx;
  }

  /** `upstream` as nginx writes it: `127.0.0.1:5000` or `unix:/path`. Resolves when nginx accepts. */
  static async start(upstream: string): Promise<NginxProxy> {
    const directory = mkdtempSync(join(tmpdir(), 'tsagi-nginx-'));
    const port = freePort();
    writeFileSync(join(directory, 'nginx.conf'), configuration(upstream, port));
    const nginx = new RunningProgram([
      programPath('nginx'),
      '-p',
      directory,
      '-c',
      'nginx.conf',
      '-e',
      'stderr',
    ]);
    const proxy = new NginxProxy(port, directory, nginx);
    try {
      // It says so once its sockets listen.
      await nginx.said(/start worker process /);
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
    return proxy;
  }

  /** What nginx had to complain of. */
  get complaints(): string[] {
    return this.#process.output.split('\n').filter((line) => /\[(warn|error|crit|alert|emerg)\]/.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }
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
  upstream tsagi {
    server ${upstream};
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    location / {
      proxy_pass http://tsagi;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_request_buffering off;
      proxy_next_upstream off;
      proxy_max_temp_file_size 0;
    }
  }
}
`;
