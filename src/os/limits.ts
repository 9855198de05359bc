/**
 * The limit of open descriptors (getrlimit(2)). Bun 1.4.5 raises the soft limit to the hard one by itself when it starts, and
 * its children inherit that; this makes it certain, and says what there is.
 */
import { FFIType, ptr } from 'bun:ffi';
import { lazyCalls } from './c-library.ts';

const libc = lazyCalls({
  getrlimit: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  setrlimit: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
});

const RLIMIT_NOFILE = process.platform === 'darwin' ? 8 : 7;

export interface DescriptorLimits {
  /** What the kernel holds this process to; Infinity where it is unlimited or cannot be read. */
  readonly soft: number;
  /** What this process may raise it to. */
  readonly hard: number;
}

/** Raises the soft limit to the hard one, where that is possible, and returns what holds then. Never throws. */
export function raiseDescriptorLimit(): DescriptorLimits {
  try {
    const limits = readLimits();
    if (limits === undefined) return { soft: Infinity, hard: Infinity };
    if (limits[0]! < limits[1]!)
      libc().setrlimit(RLIMIT_NOFILE, ptr(new BigUint64Array([limits[1]!, limits[1]!])));
    const [soft, hard] = readLimits() ?? limits;
    return { soft: asCount(soft!), hard: asCount(hard!) };
  } catch {
    // There is no C library that can be loaded; nothing else depends on the limit.
    return { soft: Infinity, hard: Infinity };
  }
}

function readLimits(): BigUint64Array | undefined {
  const limits = new BigUint64Array(2);
  return libc().getrlimit(RLIMIT_NOFILE, ptr(limits)) === 0 ? limits : undefined;
}

function asCount(limit: bigint): number {
  return limit > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(limit);
}
