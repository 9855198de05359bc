/**
 * Whether a promise has been settled, looked at without waiting for it.
 */

/** Lets everything run that is waiting for promises already settled. */
export function afterMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** `pending`, `resolved` or `rejected`, once what is under way has had its turn. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  let state: 'pending' | 'resolved' | 'rejected' = 'pending';
  promise.then(
    () => (state = 'resolved'),
    () => (state = 'rejected'),
  );
  await afterMicrotasks();
  return state;
}
