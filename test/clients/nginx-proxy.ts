/**
 * nginx in front of a server, as a process of its own: it keeps connections to the server open, hands on upgrades and request bodies as
 * they come, and buffers responses, as it does by default, except below `/unbuffered` and where the application forbids it. Everything it
 * writes goes to a directory that is removed in the end.
 */
import { freePort } from '../support/free-port.ts';
import { programPath } from '../support/program.ts';
import { RunningProgram } from '../support/running-program.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';

export class NginxProxy implements AsyncDisposable {
  readonly #program: RunningProgram;
  readonly #directory: TemporaryDirectory;
  readonly url: string;

  private constructor(port: number, program: RunningProgram, directory: TemporaryDirectory) {
    this.url = `http://127.0.0.1:${port}`;
    this.#program = program;
    this.#directory = directory;
  }

  /** `upstream` as nginx writes it: `127.0.0.1:5000` or `unix:/path`. Resolves when nginx accepts. */
  static start(upstream: string): Promise<NginxProxy> {
    const port = freePort();
    return NginxProxy.startWith(port, site(upstream, port));
  }

  /** `http` is what stands in nginx's `http { … }`; it listens on `port`. */
  static async startWith(port: number, http: string): Promise<NginxProxy> {
    const directory = temporaryDirectory();
    await Bun.write(directory.join('nginx.conf'), configuration(http));
    const flags = ['-p', directory.path, '-c', 'nginx.conf', '-e', 'stderr'];
    const proxy = new NginxProxy(port, new RunningProgram([programPath('nginx'), ...flags]), directory);
    try {
      // It says so once its sockets listen.
      await proxy.#program.said(/start worker process /);
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
    return proxy;
  }

  /** What nginx had to complain of. */
  get complaints(): string[] {
    return this.#program.output.split('\n').filter((line) => /\[(warn|error|crit|alert|emerg)\]/.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    this.#directory[Symbol.dispose]();
  }
}

const configuration = (http: string): string => `
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
  ${http}
}
`;

const site = (upstream: string, port: number): string => `
  map $http_upgrade $connection_upgrade {
    default upgrade;
    '' '';
  }
  upstream tsagi {
    server ${upstream};
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_request_buffering off;
    proxy_next_upstream off;
    proxy_max_temp_file_size 0;
    location / { proxy_pass http://tsagi; }
    location /unbuffered/ {
      proxy_pass http://tsagi/;
      proxy_buffering off;
    }
  }
`;
