/**
 * A request that failed, with its cause: every way in which a server can let a client down has a name.
 */
import type { FailureCause } from './load-plan.ts';

export class LoadFault extends Error {
  override readonly name = 'LoadFault';
  readonly kind: FailureCause;

  constructor(kind: FailureCause, detail = '') {
    super(detail);
    this.kind = kind;
  }
}

/** Far longer than any restart may keep a client waiting; it only bounds how long a failing test hangs. */
const PATIENCE = 15_000;

/** `promise`, or a fault that names `what` when it takes too long. */
export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LoadFault('timed out', what)), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
