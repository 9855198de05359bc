/**
 * The user and group that a process runs as once it has bound its sockets. Names are resolved before anything is changed, so
 * that a mistyped one is an error of the start; and after the change the process proves that there is no way back.
 */
import { closeSync, constants, fchownSync, fstatSync, lchownSync, lstatSync, openSync } from 'node:fs';
import {
  findGroupByGid,
  findGroupByName,
  findUserByName,
  findUserByUid,
  parseId,
  type User,
} from '../os/users.ts';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** The number where the system has no name for it. */
  readonly userName: string;
  readonly groupName: string;
  /** Undefined for a user that the system does not know. */
  readonly home: string | undefined;
  /** Whether the system knows the user, and with it its supplementary groups. */
  readonly isKnown: boolean;
}

export interface IdentityNames {
  /** A name or a number. */
  readonly user?: string | undefined;
  /** A name or a number. @default the user's primary group */
  readonly group?: string | undefined;
}

/** Undefined when nothing is to be changed. Throws an error that says which name is unknown, or that only root may do this. */
export function resolveIdentity({ user, group }: IdentityNames): Identity | undefined {
  if (user === undefined && group === undefined) return undefined;
  const entry = user === undefined ? undefined : findUser(user);
  const uid = entry?.uid ?? (user === undefined ? currentUid() : parseId(user));
  if (uid === undefined) throw new Error(`user: there is no user ${user} on this system`);
  const known = user === undefined ? findUserByUid(uid) : entry;
  const { gid, name: groupName } = findGroup(group, known, uid);
  const userName = known?.name ?? String(uid);
  if (uid === currentUid() && gid === currentGid()) return undefined;
  if (process.geteuid?.() !== 0) {
    throw new Error(
      `only root can change to user ${userName} and group ${groupName}: start as root, or leave out --user and --group`,
    );
  }
  return { uid, gid, userName, groupName, home: known?.home, isKnown: known !== undefined };
}

function findUser(name: string): User | undefined {
  const id = parseId(name);
  return findUserByName(name) ?? (id === undefined ? undefined : findUserByUid(id));
}

function findGroup(
  name: string | undefined,
  user: User | undefined,
  uid: number,
): { gid: number; name: string } {
  if (name === undefined) {
    if (user === undefined)
      throw new Error(`user: ${uid} has no entry on this system and so no group: give --group too`);
    return { gid: user.gid, name: findGroupByGid(user.gid)?.name ?? String(user.gid) };
  }
  const id = parseId(name);
  const group =
    findGroupByName(name) ?? (id === undefined ? undefined : (findGroupByGid(id) ?? { gid: id, name }));
  if (group === undefined) throw new Error(`group: there is no group ${name} on this system`);
  return group;
}

/** Absent from the types of Bun 1.4.5. */
type WithInitgroups = typeof process & { initgroups(user: string, gid: number): void };

/**
 * From here on the process is this user: group, supplementary groups and user, in the one order that works, each of them for
 * good. HOME, USER and LOGNAME follow, as systemd sets them, so that what the app starts or stores does not look for root's.
 */
export function assumeIdentity(identity: Identity): void {
  const { uid, gid, userName, isKnown } = identity;
  // The old supplementary groups would stay otherwise, root's own among them (setuid(2) leaves them alone).
  if (isKnown) (process as WithInitgroups).initgroups(userName, gid);
  else process.setgroups!([gid]);
  process.setgid!(gid);
  if (uid !== currentUid()) process.setuid!(uid);
  verify(identity);
  setEnvironment(identity);
}

function verify({ uid, gid, userName, groupName }: Identity): void {
  const ids = [process.getuid?.(), process.geteuid?.(), process.getgid?.(), process.getegid?.()];
  const isAsAsked = ids[0] === uid && ids[1] === uid && ids[2] === gid && ids[3] === gid;
  if (!isAsAsked)
    throw new Error(`the change to user ${userName} and group ${groupName} has not taken effect`);
  if (uid === 0) return;
  const canGoBack = succeeds(() => process.setuid!(0)) || (gid !== 0 && succeeds(() => process.setgid!(0)));
  if (canGoBack)
    throw new Error(`the change to user ${userName} could be undone: this system keeps root's rights`);
}

function succeeds(call: () => void): boolean {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}

function setEnvironment({ userName, home }: Identity): void {
  process.env['USER'] = userName;
  process.env['LOGNAME'] = userName;
  if (home !== undefined && home !== '') process.env['HOME'] = home;
}

/**
 * Creates a log file for this user, or hands over one that is there, so that it can be opened again after the change. Only a
 * regular file with one name is handed over, never what a link leads to: whoever may write to the directory could
 * otherwise have root give away any file of the system.
 */
export function giveFileTo(path: string, { uid, gid }: Identity): void {
  const fd = openOwnFile(path);
  if (fd === undefined) return;
  try {
    const file = fstatSync(fd);
    if (file.isFile() && file.nlink === 1 && (file.uid !== uid || file.gid !== gid)) fchownSync(fd, uid, gid);
  } finally {
    closeSync(fd);
  }
}

/**
 * Hands over a unix socket that was just bound, so that its mode means the user and the group that serve on it. Never what a link
 * leads to, and nothing but a socket.
 */
export function giveSocketTo(path: string, { uid, gid }: Identity): void {
  if (lstatSync(path).isSocket()) lchownSync(path, uid, gid);
}

/** Undefined for what is not a file of its own: a link, a device, a pipe without a reader. */
function openOwnFile(path: string): number | undefined {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o640);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP' || code === 'ENXIO') return undefined;
    throw new Error(`the log file ${path} cannot be created: ${message}`, { cause: error });
  }
}

function currentUid(): number | undefined {
  return process.getuid?.();
}

function currentGid(): number | undefined {
  return process.getgid?.();
}
