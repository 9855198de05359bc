/**
 * Fetches one path over a raw socket, counts the bytes and keeps none: `bun download-client.ts PORT PATH BYTES`. Prints
 * the seconds from the request to the last byte. A body that is shorter than BYTES, or not 200, is an error.
 */

const [port, path, expected] = [Number(process.argv[2]), process.argv[3] ?? '/', Number(process.argv[4])];
/** The end of a chunked body. The bodies that are fetched hold no line breaks at all, so it stands nowhere else. */
const LAST_CHUNK = '\r\n0\r\n\r\n';
const HEAD_END = '\r\n\r\n';

let head = '';
let isChunked = false;
let received = 0;
let tail = '';
let startedAt = 0;

await Bun.connect({
  hostname: '127.0.0.1',
  port,
  socket: {
    open(socket) {
      startedAt = performance.now();
      socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
    },
    data(_socket, chunk) {
      const body = head.endsWith(HEAD_END) ? chunk : takeHead(chunk);
      received += body.byteLength;
      if (isChunked)
        tail = (tail + body.subarray(-LAST_CHUNK.length).toString('latin1')).slice(-LAST_CHUNK.length);
      if (isChunked ? tail === LAST_CHUNK : received >= expected) finish();
    },
    close() {
      fail(`the connection ended after ${received} bytes`);
    },
  },
});

/** Keeps the head, however it is cut, and gives what stands behind it. */
function takeHead(chunk: Buffer): Buffer {
  const known = head.length;
  head += chunk.toString('latin1', 0, 16_384);
  const end = head.indexOf(HEAD_END);
  if (end === -1) return chunk.subarray(chunk.length);
  head = head.slice(0, end + HEAD_END.length);
  if (!head.startsWith('HTTP/1.1 200 ')) fail(head.split('\r\n', 1)[0] ?? '');
  isChunked = /^transfer-encoding: *chunked\r$/im.test(head);
  return chunk.subarray(head.length - known);
}

function finish(): never {
  const seconds = (performance.now() - startedAt) / 1000;
  if (received < expected) fail(`only ${received} bytes came`);
  console.log(seconds);
  process.exit(0);
}

function fail(message: string): never {
  console.error(`download of ${path}: ${message}`);
  process.exit(1);
}
