/**
 * What a process has cost so far, read from /proc. Times cover all threads of the process, the kernel's work on its
 * behalf included; memory is what is resident.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface CpuReading {
  /** Nanoseconds by thread, from schedstat; empty where the kernel has none. */
  threads: ReadonlyMap<string, number>;
  /** User and system time in nanoseconds, from stat, in steps of a clock tick. */
  total: number;
}

/** USER_HZ is 100 on every Linux that Bun runs on. */
const NANOSECONDS_PER_TICK = 10_000_000;

export function readCpu(pid: number): CpuReading {
  const threads = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const nanoseconds = readThread(pid, thread);
    if (nanoseconds !== undefined) threads.set(thread, nanoseconds);
  }
  // The command's name, in parentheses, may hold spaces; utime and stime are the 12th and 13th fields behind it.
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { threads, total: (Number(fields[11]) + Number(fields[12])) * NANOSECONDS_PER_TICK };
}

function readThread(pid: number, thread: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]);
  } catch {
    return undefined;
  }
}

/**
 * Seconds of CPU between two readings. schedstat counts nanoseconds but forgets a thread that has ended, so where one has,
 * the coarser sum of stat is taken.
 */
export function cpuSeconds(before: CpuReading, after: CpuReading): number {
  const hasLost = [...before.threads.keys()].some((thread) => !after.threads.has(thread));
  if (hasLost || after.threads.size === 0) return (after.total - before.total) / 1e9;
  let nanoseconds = 0;
  for (const [thread, time] of after.threads) nanoseconds += time - (before.threads.get(thread) ?? 0);
  return nanoseconds / 1e9;
}

/** Resident bytes now. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/** Bytes of the process's own: resident, but not pages of the program's file, which come in as code is first run. */
export function ownBytes(pid: number): number {
  return statusBytes(pid, 'RssAnon') + statusBytes(pid, 'RssShmem');
}

/** Makes `peakResidentBytes` count from here on. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The most that was resident at once since `resetPeak`. */
export function peakResidentBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM' | 'RssAnon' | 'RssShmem'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Seconds that the given cores have worked since the machine started, for whomever; stolen time included. */
export function workedSeconds(cores: readonly number[]): number {
  const lines = readFileSync('/proc/stat', 'latin1').split('\n');
  let ticks = 0;
  for (const core of cores) {
    const line = lines.find((line) => line.startsWith(`cpu${core} `)) ?? '';
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
      .split(/ +/)
      .slice(1)
      .map(Number);
    ticks += user + nice + system + irq + softirq + steal;
  }
  return (ticks * NANOSECONDS_PER_TICK) / 1e9;
}
