/**
 * The machine under the measurement: which programs, cores and descriptors there are. What is absent is said in the
 * report, never guessed.
 */
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Cores {
  server: number;
  load: number;
}

/** Runs a program to its end and gives what it printed, undefined where it is absent or failed. */
export function outputOf(...command: string[]): string | undefined {
  try {
    const { exitCode, stdout, stderr } = Bun.spawnSync(command);
    return exitCode === 0 ? `${stdout.toString()}${stderr.toString()}`.trim() : undefined;
  } catch {
    return undefined;
  }
}

export const NODE = Bun.which('node');
/** Debian keeps nginx in sbin, which is not in everybody's PATH. */
export const NGINX = Bun.which('nginx') ?? Bun.which('/usr/sbin/nginx');
export const WRK = Bun.which('wrk');
export const H2LOAD = Bun.which('h2load');
export const NGHTTPD = Bun.which('nghttpd') ?? Bun.which('/usr/sbin/nghttpd');
const TASKSET = Bun.which('taskset');

/** The interpreter that has uvicorn with both of its fast parts: Debian's own first, then the one in PATH. */
export const UVICORN_PYTHON = ['/usr/bin/python3', Bun.which('python3') ?? ''].find(
  (python) => python !== '' && outputOf(python, '-c', 'import uvicorn, httptools, uvloop') !== undefined,
);

/** The version of the package ws, which the project installs for its tests; undefined where it has not been. */
export const WS_VERSION = versionOf('../../node_modules/ws/package.json');

const CPU_LIST = /^Cpus_allowed_list:\s*(\S+)$/m;

/** The first two cores that this process may use; undefined where there is one only, or no taskset. */
export function findCores(): Cores | undefined {
  const list = CPU_LIST.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  const allowed = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  const [server, load] = allowed;
  return TASKSET === null || server === undefined || load === undefined ? undefined : { server, load };
}

/** The soft limit of open files, which every child inherits. */
export function descriptorLimit(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  return limit === undefined ? Number.MAX_SAFE_INTEGER : Number(limit);
}

/** What the report says about the machine and its programs, one line each. */
export function readVersions(projectVersion: string): string[] {
  const uvicorn =
    UVICORN_PYTHON &&
    outputOf(
      UVICORN_PYTHON,
      '-c',
      'import platform, uvicorn, httptools, uvloop; print(uvicorn.__version__, "with httptools", httptools.__version__,' +
        ' "and uvloop", uvloop.__version__, "on Python", platform.python_version())',
    );
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return [
    `CPU: ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, ${memory}`,
    `kernel: Linux ${release()}`,
    `tsagi-server ${projectVersion} on Bun ${Bun.version}`,
    `node: ${(NODE && outputOf(NODE, '--version')) ?? 'absent'}`,
    `ws on node: ${WS_VERSION ?? 'absent'}`,
    `nginx: ${(NGINX && outputOf(NGINX, '-v')?.replace('nginx version: nginx/', '')) ?? 'absent'}`,
    `nghttpd: ${(NGHTTPD && outputOf(NGHTTPD, '--version')?.replace('nghttpd ', '')) ?? 'absent'}`,
    `uvicorn: ${uvicorn ?? 'absent, or without httptools or uvloop'}`,
    `h2load: ${(H2LOAD && outputOf(H2LOAD, '--version')?.replace('h2load ', '')) ?? 'absent'}`,
    // `wrk -v` exits with 1, after its first line.
    `wrk: ${WRK === null ? 'absent' : firstLine(Bun.spawnSync([WRK, '-v']).stdout.toString())}`,
  ];
}

function versionOf(packageFile: string): string | undefined {
  try {
    const text = readFileSync(join(import.meta.dir, packageFile), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return undefined;
  }
}

function firstLine(text: string): string {
  return (
    text
      .split('\n', 1)[0]
      ?.replace(/^wrk /, '')
      .replace(/ Copyright.*$/, '') ?? ''
  );
}
