/**
 * How much is let in: connections per process, requests in hand, and whether descriptors are left to accept with.
 */
import { closeSync, openSync } from 'node:fs';

export interface AdmissionSettings {
  /** Connections at once; over it 503. */
  readonly maxConnections: number;
  /** Requests in hand at once; over it 503; 0 is unlimited. */
  readonly limitConcurrency: number;
}

/** Descriptors that the process needs for other things than connections. */
const RESERVED_DESCRIPTORS = 100;
/** Connections over the limit that are told so; more than that are dropped without a word. */
const TURNED_AWAY_AT_ONCE = 64;
/** Accepting pauses when fewer than this many descriptors are left. */
const LAST_DESCRIPTORS = 8;

export type Verdict = 'admit' | 'turnAway' | 'drop';

export class Admission {
  readonly effectiveMaxConnections: number;
  readonly #limitConcurrency: number;
  readonly #descriptorLimit: number;
  /** Application calls under way. */
  requestsInHand = 0;

  constructor(settings: AdmissionSettings, descriptorLimit: number) {
    const { maxConnections, limitConcurrency } = settings;
    const available = Math.max(1, descriptorLimit - RESERVED_DESCRIPTORS);
    this.effectiveMaxConnections = maxConnections === 0 ? available : Math.min(maxConnections, available);
    this.#limitConcurrency = limitConcurrency;
    this.#descriptorLimit = descriptorLimit;
  }

  /** What becomes of one connection more than `open`. */
  judgeConnection(open: number): Verdict {
    if (open < this.effectiveMaxConnections) return 'admit';
    return open < this.effectiveMaxConnections + TURNED_AWAY_AT_ONCE ? 'turnAway' : 'drop';
  }

  admitsRequest(): boolean {
    return this.#limitConcurrency === 0 || this.requestsInHand < this.#limitConcurrency;
  }

  /** Whether a descriptor with this number says that hardly any are left: the kernel always gives out the lowest. */
  isLastDescriptor(descriptor: number | undefined): boolean {
    return descriptor !== undefined && descriptor >= this.#descriptorLimit - LAST_DESCRIPTORS;
  }

  /**
   * Tries whether enough descriptors are to be had to go on accepting, and so many more: pausing frees a few by itself,
   * and numbers that are free among the low ones say nothing about how many there are.
   */
  hasDescriptors(more = 0): boolean {
    const opened: number[] = [];
    try {
      while (opened.length < LAST_DESCRIPTORS + more) opened.push(openSync('/dev/null', 'r'));
      return true;
    } catch (error) {
      // A bare chroot has no null device, which says nothing about descriptors.
      const { code } = error as NodeJS.ErrnoException;
      return code !== 'EMFILE' && code !== 'ENFILE';
    } finally {
      for (const descriptor of opened) closeSync(descriptor);
    }
  }
}
