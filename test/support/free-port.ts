/**
 * A port for programs that cannot pick one themselves and say which. Another program may take it first; the kernel gives out other
 * ports before it comes back to one that was just used.
 */
export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
