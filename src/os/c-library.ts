/**
 * Reaches the C library for the few calls that Bun has no interface for. Each file beside this one names the calls it needs and
 * gives them types; nothing is loaded before the first of them is made.
 */
import { dlopen, type FFIFunction } from 'bun:ffi';

const LIBRARIES =
  process.platform === 'darwin'
    ? ['libSystem.dylib']
    : ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`, 'libc.so'];

/** A function that answers with the calls; it throws where no C library can be loaded. */
export function lazyCalls<const Calls extends Readonly<Record<string, FFIFunction>>>(calls: Calls) {
  let loaded: ReturnType<typeof dlopen<Calls>>['symbols'] | undefined;
  return () => (loaded ??= load(calls));
}

function load<Calls extends Readonly<Record<string, FFIFunction>>>(calls: Calls) {
  for (const name of LIBRARIES) {
    try {
      return dlopen(name, calls).symbols;
    } catch {
      // The next name may be the one that this system has.
    }
  }
  throw new Error(`none of the C libraries ${LIBRARIES.join(', ')} can be loaded`);
}
