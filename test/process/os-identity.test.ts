/**
 * Users and groups as the kernel has them after the change, in processes of their own. Nothing is added to the machine: what it
 * lacks skips a test under its name.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'bun:test';
import { findUserByName, type User } from '../../src/os/users.ts';
import { giveSocketTo, resolveIdentity } from '../../src/process/os-identity.ts';
import { runProgram } from '../support/running-program.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary-directory.ts';
import type { IdentityReport, IdentityRequest } from './identity-program.ts';

const PROGRAM = new URL('identity-program.ts', import.meta.url).pathname;
/** A number that no user of a machine has. */
const UNUSED = 1_999_999_999;

async function become(request: IdentityRequest): Promise<IdentityReport> {
  const command = [process.execPath, PROGRAM, JSON.stringify(request)];
  const { output } = await runProgram(command, { env: { HOME: '/root', USER: 'root', LOGNAME: 'root' } });
  return JSON.parse(output) as IdentityReport;
}

/** `test` for what only root can do, with whatever else the machine has to have. */
function asRoot(name: string, body: () => Promise<void> | void, lacking?: string): void {
  const reason = process.getuid?.() === 0 ? lacking : 'root';
  if (reason === undefined) test(name, body);
  else test.skip(`${name} (needs ${reason})`, body);
}

function groupLines(): string[][] {
  return readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
}

function supplementaryGroups(user: string): number[] {
  return groupLines()
    .filter(([, , , members]) => members?.split(',').includes(user))
    .map(([, , gid]) => Number(gid));
}

const USERS: readonly User[] = readFileSync('/etc/passwd', 'utf8')
  .split('\n')
  .map((line) => findUserByName(line.split(':')[0] ?? ''))
  .filter((user) => user !== undefined)
  .filter(({ uid, gid }) => uid !== 0 && gid !== 0);

const USER = USERS.find(({ name }) => name === 'nobody') ?? USERS[0];
const MEMBER = USERS.find(({ name }) => supplementaryGroups(name).length > 0);
const NEEDS_USER = USER === undefined ? 'a user besides root' : undefined;
const NEEDS_MEMBER = MEMBER === undefined ? 'a user with supplementary groups' : undefined;

const fourTimes = (id: number): string => [id, id, id, id].join(' ');
const ascending = (ids: Iterable<number>): number[] => [...ids].sort((a, b) => a - b);

describe('who the process is to be', () => {
  test('is nobody else without names', () => {
    expect(resolveIdentity({})).toBeUndefined();
    expect(resolveIdentity({ user: undefined, group: undefined })).toBeUndefined();
  });

  test('is nobody else when the names are those that it has', () => {
    expect(
      resolveIdentity({ user: String(process.getuid?.()), group: String(process.getgid?.()) }),
    ).toBeUndefined();
  });

  test('is an error that names a user or group that does not exist', () => {
    expect(() => resolveIdentity({ user: 'no-such-user' })).toThrow(
      'user: there is no user no-such-user on this system',
    );
    expect(() => resolveIdentity({ group: 'no-such-group' })).toThrow(
      'group: there is no group no-such-group on this system',
    );
  });

  test('needs a group for a number without an entry', () => {
    expect(() => resolveIdentity({ user: String(UNUSED) })).toThrow(
      `user: ${UNUSED} has no entry on this system and so no group: give --group too`,
    );
  });

  asRoot(
    'is found by name and by number, with the primary group unless another is given',
    () => {
      const byName = resolveIdentity({ user: USER!.name });
      expect(byName).toMatchObject({ uid: USER!.uid, gid: USER!.gid, userName: USER!.name });
      expect(resolveIdentity({ user: String(USER!.uid), group: '1' })).toMatchObject({
        uid: USER!.uid,
        gid: 1,
      });
    },
    NEEDS_USER,
  );

  asRoot(
    'may only be another where root asks for it',
    async () => {
      expect(await become({ startAs: USER!.uid, user: 'root' })).toEqual({
        error:
          'only root can change to user root and group root: start as root, or leave out --user and --group',
      });
    },
    NEEDS_USER,
  );
});

describe('a process that has changed its user', () => {
  asRoot(
    'is that user in every respect, with its supplementary groups and none of the old ones, for good',
    async () => {
      const report = await become({ user: MEMBER!.name, supplementary: [0, 1, 2] });
      expect(report).toMatchObject({
        uids: fourTimes(MEMBER!.uid),
        gids: fourTimes(MEMBER!.gid),
        canReturn: false,
      });
      expect(ascending(report.groups!)).toEqual(
        ascending(new Set([MEMBER!.gid, ...supplementaryGroups(MEMBER!.name)])),
      );
    },
    NEEDS_MEMBER,
  );

  asRoot(
    'has the group that was asked for in place of the primary one',
    async () => {
      expect(await become({ user: USER!.name, group: '1' })).toMatchObject({
        uids: fourTimes(USER!.uid),
        gids: fourTimes(1),
        groups: [1],
      });
    },
    NEEDS_USER,
  );

  asRoot('may be a number that has no name, in that group alone', async () => {
    expect(await become({ user: String(UNUSED), group: '1', supplementary: [0, 2] })).toMatchObject({
      uids: fourTimes(UNUSED),
      gids: fourTimes(1),
      groups: [1],
      canReturn: false,
    });
  });

  asRoot('keeps its user where only a group is asked for', async () => {
    expect(await become({ group: '1' })).toMatchObject({ uids: fourTimes(0), gids: fourTimes(1) });
  });

  asRoot(
    'looks for its files where that user has them',
    async () => {
      const { variables } = await become({ user: USER!.name });
      expect(variables).toEqual({ HOME: USER!.home, USER: USER!.name, LOGNAME: USER!.name });
    },
    NEEDS_USER,
  );
});

describe('a log file', () => {
  const give = (directory: TemporaryDirectory, name: string): Promise<IdentityReport> =>
    become({ user: USER!.name, files: [directory.join(name)] });

  asRoot(
    'is created for the user, readable by the group at most',
    async () => {
      using directory = temporaryDirectory();
      expect((await give(directory, 'access.log')).error).toBeUndefined();
      const { uid, gid, mode, size } = statSync(directory.join('access.log'));
      expect({ uid, gid, size }).toEqual({ uid: USER!.uid, gid: USER!.gid, size: 0 });
      expect(mode & 0o777 & ~0o640).toBe(0);
    },
    NEEDS_USER,
  );

  asRoot(
    'that is there already is handed over, with what is in it',
    async () => {
      using directory = temporaryDirectory();
      writeFileSync(directory.join('access.log'), 'line\n');
      await give(directory, 'access.log');
      expect(statSync(directory.join('access.log')).uid).toBe(USER!.uid);
      expect(readFileSync(directory.join('access.log'), 'utf8')).toBe('line\n');
    },
    NEEDS_USER,
  );

  asRoot(
    'is not what a link leads to, lest the user gets any file of root’s that way',
    async () => {
      using directory = temporaryDirectory();
      mkdirSync(directory.join('logs'));
      chmodSync(directory.path, 0o755);
      chownSync(directory.join('logs'), USER!.uid, USER!.gid);
      writeFileSync(directory.join('secret'), 'secret');
      symlinkSync(directory.join('secret'), directory.join('logs/symbolic'));
      linkSync(directory.join('secret'), directory.join('logs/hard'));
      symlinkSync(directory.join('new'), directory.join('logs/dangling'));
      for (const name of ['symbolic', 'hard', 'dangling']) await give(directory, `logs/${name}`);
      expect(statSync(directory.join('secret')).uid).toBe(0);
      expect(existsSync(directory.join('new'))).toBe(false);
    },
    NEEDS_USER,
  );

  asRoot(
    'may be a pipe, with or without a reader, which stays as it is',
    async () => {
      using directory = temporaryDirectory();
      expect(Bun.spawnSync(['mkfifo', directory.join('read'), directory.join('unread')]).exitCode).toBe(0);
      const reader = openSync(directory.join('read'), constants.O_RDONLY | constants.O_NONBLOCK);
      const reports = [await give(directory, 'read'), await give(directory, 'unread')];
      closeSync(reader);
      expect(reports.map(({ error }) => error)).toEqual([undefined, undefined]);
      expect(statSync(directory.join('read')).uid).toBe(0);
      expect(statSync(directory.join('unread')).uid).toBe(0);
    },
    NEEDS_USER,
  );

  asRoot(
    'that cannot be created is an error that names it',
    async () => {
      using directory = temporaryDirectory();
      expect((await give(directory, 'none/access.log')).error).toStartWith(
        `the log file ${directory.join('none/access.log')} cannot be created: ENOENT`,
      );
    },
    NEEDS_USER,
  );
});

asRoot(
  'a unix socket is handed over, and nothing else that stands in its place',
  () => {
    using directory = temporaryDirectory();
    const identity = resolveIdentity({ user: USER!.name })!;
    const listener = Bun.listen({ unix: directory.join('socket'), socket: { data() {} } });
    writeFileSync(directory.join('file'), '');
    symlinkSync(directory.join('file'), directory.join('link'));
    for (const name of ['socket', 'file', 'link']) giveSocketTo(directory.join(name), identity);
    const owners = ['socket', 'file', 'link'].map((name) => lstatSync(directory.join(name)).uid);
    listener.stop();
    expect(owners).toEqual([USER!.uid, 0, 0]);
  },
  NEEDS_USER,
);
