/**
 * Changes to a user and says who it is then. Its argument is JSON: the names as for `resolveIdentity`, and log files to give
 * away before. Whatever goes wrong is said as an error.
 */
import { readFileSync } from 'node:fs';
import {
  assumeIdentity,
  giveFileTo,
  resolveIdentity,
  type IdentityNames,
} from '../../src/process/os-identity.ts';

export interface IdentityRequest extends IdentityNames {
  readonly files?: readonly string[];
  /** Who to be before anything else. */
  readonly startAs?: number;
  readonly supplementary?: readonly number[];
}

export interface IdentityReport {
  readonly error?: string;
  /** Real, effective, saved and file system ids, as the kernel has them. */
  readonly uids?: string;
  readonly gids?: string;
  readonly groups?: readonly number[];
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** What it can still do. */
  readonly canReturn?: boolean;
}

function run({ files = [], startAs, supplementary, ...names }: IdentityRequest): IdentityReport {
  if (supplementary !== undefined) process.setgroups!([...supplementary]);
  if (startAs !== undefined) {
    process.setgid!(startAs);
    process.setuid!(startAs);
  }
  const identity = resolveIdentity(names);
  if (identity !== undefined) {
    for (const path of files) giveFileTo(path, identity);
    assumeIdentity(identity);
  }
  return report();
}

function report(): IdentityReport {
  const status = readFileSync('/proc/self/status', 'utf8');
  const ids = (name: string): string =>
    new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1]?.replaceAll(/\s+/g, ' ').trim() ?? '';
  const { HOME, USER, LOGNAME } = process.env;
  return {
    uids: ids('Uid'),
    gids: ids('Gid'),
    groups: ids('Groups').split(' ').filter(Boolean).map(Number),
    variables: { HOME, USER, LOGNAME },
    canReturn: canReturn(),
  };
}

function canReturn(): boolean {
  try {
    process.setuid!(0);
    return true;
  } catch {
    return false;
  }
}

try {
  console.log(JSON.stringify(run(JSON.parse(process.argv[2] ?? '{}') as IdentityRequest)));
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
}
